/*
 * Replays traces against one allocator, in this process, and asks mm_checkheap all the while.
 *
 *      replay NAME TRACE ...
 *
 * mm_checkheap is called after every request while that costs no more than VISITS visits of blocks a trace,
 * and after every k-th otherwise. Both ends of every payload are filled, and verified before they are given
 * back. Ends with `N passed, N failed`: a trace is a case.
 */
#define MEMLIB_HOST
#include "mm.h"
#include "memlib.h"
#include "driver/trace.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define HEAP ((size_t)1 << 30)
#define VISITS 2000000u

struct block { unsigned char *at; size_t size; };

static const char *what; /* is wrong */

static size_t end_bytes(size_t size) { return size < 8 ? size : 8; }

/* A payload's ends say which request it belongs to. */
static void fill(const struct block *b, size_t number)
{
    size_t n = end_bytes(b->size);

    memcpy(b->at + b->size - n, &(uint64_t){ number * 3 }, n);
    memcpy(b->at, &(uint64_t){ number * 7 + 1 }, n);
}

static int filled(const struct block *b, size_t number)
{
    size_t n = end_bytes(b->size);

    return memcmp(b->at, &(uint64_t){ number * 7 + 1 }, n) == 0
        && (b->size < 16 || memcmp(b->at + b->size - n, &(uint64_t){ number * 3 }, n) == 0);
}

/* 0 when WHAT is wrong with request I. */
static int replay_one(const struct trace *t, size_t i, struct block *blocks)
{
    const struct request *q = &t->requests[i];
    struct block *old = q->ref == REF_NULL ? NULL : &blocks[q->ref], *b = &blocks[i];

    if (old && old->at && !filled(old, q->ref)) {
        what = "a payload was changed before";
        return 0;
    }
    *b = (struct block){ NULL, (size_t)q->size };
    switch (q->kind) {
    case REQ_MALLOC: b->at = mm_malloc(b->size); break;
    case REQ_CALLOC: b->at = mm_calloc(1, b->size); break;
    case REQ_REALLOC: b->at = mm_realloc(old ? old->at : NULL, b->size); break;
    default: mm_free(old ? old->at : NULL); return 1;
    }
    what = "NULL for";
    if (!b->at)
        return q->size == 0;
    what = "a misaligned address for";
    if ((uintptr_t)b->at % MM_ALIGNMENT)
        return 0;
    what = "a prefix lost in";
    if (q->kind == REQ_REALLOC && old && old->at && old->size >= 8 && b->size >= 8
        && memcmp(b->at, &(uint64_t){ q->ref * UINT64_C(7) + 1 }, 8) != 0)
        return 0;
    fill(b, i);
    return 1;
}

/* Requests between two calls of mm_checkheap. naive never has fewer blocks than before. */
static size_t pace(const char *name, const struct trace *t)
{
    size_t blocks = strcmp(name, "naive") ? t->max_live : t->count;

    return 1 + (size_t)((uint64_t)t->count * blocks / VISITS);
}

static int replay(const char *name, const struct trace *t)
{
    size_t every = pace(name, t), i;
    struct block *blocks = calloc(t->count + 1, sizeof *blocks);
    int wrong = 0;

    mem_set_limit(HEAP);
    mem_init();
    if (!blocks || mm_init() != 0) {
        printf("FAILED %s: %s: cannot begin\n", name, t->name);
        return 0;
    }
    for (i = 0; i < t->count && !wrong; i++) {
        wrong = !replay_one(t, i, blocks);
        if (!wrong && (i % every == 0 || i + 1 == t->count) && mm_checkheap((int)i + 1)) {
            what = "mm_checkheap finds broken invariants after";
            wrong = 1;
        }
    }
    if (wrong)
        printf("FAILED %s, alignment %d, %zu bits: %s: %s request %zu, line %u\n", name, MM_ALIGNMENT,
               8 * sizeof(void *), t->name, what, i, t->requests[i - 1].line);
    mem_deinit();
    free(blocks);
    return !wrong;
}

static char *read_text(const char *path, size_t *length)
{
    FILE *f = fopen(path, "rb");
    char *text = NULL;
    long size = f && fseek(f, 0, SEEK_END) == 0 ? ftell(f) : -1;

    if (size >= 0 && fseek(f, 0, SEEK_SET) == 0 && (text = malloc((size_t)size + 1)))
        *length = fread(text, 1, (size_t)size, f);
    if (f)
        fclose(f);
    return text;
}

int main(int argc, char **argv)
{
    int passed = 0, failed = 0;

    for (int i = 2; i < argc; i++) {
        struct trace t;
        char error[512];
        size_t length = 0;
        char *text = read_text(argv[i], &length);
        if (!text || trace_parse(&t, argv[i], text, length, error, sizeof error)) {
            printf("FAILED %s\n", text ? error : argv[i]);
            failed++;
            continue;
        }
        *(replay(argv[1], &t) ? &passed : &failed) += 1;
        trace_free(&t);
        free(text);
    }
    printf("%s, alignment %d, %zu bits, traces: %d passed, %d failed\n", argc > 1 ? argv[1] : "?", MM_ALIGNMENT,
           8 * sizeof(void *), passed, failed);
    return failed || !passed;
}
