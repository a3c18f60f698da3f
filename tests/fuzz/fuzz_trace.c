/*
 * fuzz_trace.c - libFuzzer target: any bytes are a trace or an error, and what is said about a trace is true.
 *
 *   make check-fuzz                     the corpus, then 20 seconds of fuzzing
 *   build/fuzz/trace FILE ...           these inputs only
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "trace.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(int condition, const char *what)
{
    if (condition)
        return;
    fprintf(stderr, "fuzz_trace: %s\n", what);
    abort();
}

/* A refused trace leaves nothing behind and a message that begins with the file's name. */
static void check_refused(const struct trace *t, const char *error)
{
    require(!t->name && !t->path && !t->requests && !t->warnings && !t->count, "a refused trace leaves something behind");
    require(!strncmp(error, "fuzz.rep:", 9) && strlen(error) < 511, "the message does not name the file, or is cut short");
    for (const char *c = error; *c; c++)
        require(*c >= ' ' && *c < 0x7f, "the message holds unprintable bytes");
}

/* Requests refer to live blocks made before them, each at most once; peaks are those of a plain recount. */
static void check_accepted(const struct trace *t, size_t size)
{
    unsigned char *live = calloc(t->count, 1);
    uint64_t bytes = 0, peak = 0, largest = 0;
    size_t blocks = 0, most = 0;

    require(live != NULL, "out of memory");
    require(t->count > 0 && t->count <= size, "more requests than bytes");
    for (size_t i = 0; i < t->count; i++) {
        const struct request *q = &t->requests[i];
        require(q->kind <= REQ_FREE && q->id >= -1 && q->line > 4, "a request is out of range");
        require(i == 0 || q->line > q[-1].line, "lines do not grow");
        if (q->ref != REF_NULL) {
            require(q->ref < i && live[q->ref], "a request is about a block that is not live");
            require(q->kind == REQ_FREE || q->kind == REQ_REALLOC, "an allocation is about an old block");
            require(t->requests[q->ref].id == q->id, "a request is about another id's block");
            live[q->ref] = 0;
            bytes -= t->requests[q->ref].size;
            blocks--;
        }
        if (request_makes_block(q)) {
            live[i] = 1;
            bytes += q->size;
            blocks++;
        }
        peak = bytes > peak ? bytes : peak;
        most = blocks > most ? blocks : most;
        largest = q->size > largest ? q->size : largest;
    }
    require(peak == t->peak_payload && most == t->max_live && largest == t->max_size, "a peak is wrong");
    require(trace_peak_aligned(t, 16) <= (uint64_t)1 << 46, "the trace does not fit the address space");
    require(trace_peak_aligned(t, 16) >= peak && trace_peak_headers(t, 8, 16, 32) >= trace_peak_aligned(t, 16),
            "a rounded peak is smaller than the payloads'");
    free(live);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct trace t;
    char error[512] = "";

    if (trace_parse(&t, "fuzz.rep", (const char *)data, size, error, sizeof error)) {
        check_refused(&t, error);
        return 0;
    }
    check_accepted(&t, size);
    trace_free(&t);
    return 0;
}
