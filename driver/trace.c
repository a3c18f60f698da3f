/*
 * trace.c - reads traces of allocation requests.
 *
 *   text -> header (4 numbers, one of three dialects) -> requests, each resolved
 *   to the request that made its block -> peaks -> sizes scaled when gigantic
 *   (trace_peak.c)
 *
 * What a trace may be is described in docs/TRACES.md. Nothing that the header
 * claims is believed: memory grows with the requests that are really there.
 */
#include "trace.h"
#include "trace_peak.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SIZE_LIMIT ((uint64_t)1 << 63) /* largest size of one request */
#define FORMS "\"a id size\", \"c id size\", \"r id size\" or \"f id\""

/* id -> latest request about it: open addressing, linear probing. An id stays
 * in the table when its block is freed, so there are no deletions. */
struct slot {
    int32_t id;       /* -1: empty */
    uint32_t request; /* index of the request that made its block, or not live: REF_NULL, REF_GONE */
};

#define REF_GONE (REF_NULL - 1) /* freed by "r id 0", whose answer NULL may be freed once more */

struct id_map {
    struct slot *slots;
    unsigned bits; /* 2^bits slots */
    size_t used;
};

struct parser {
    struct trace *trace;
    const char *at, *end;  /* what is left of the text */
    uint32_t line;         /* of `at`, from 1 */
    const char *line_start;
    uint64_t header[4];
    struct id_map ids;
    int32_t highest_id;
    size_t capacity;       /* of trace->requests */
    uint64_t previous_size;
    int size_seen;         /* previous_size means something */
    size_t unsized;        /* requests `a id` without a size */
    uint32_t unsized_line; /* the first of them */
    char *error;
    size_t error_size;
};

/* ---- messages ---- */

/* Formats "file:line: sentence" (line 0: "file: sentence") and returns -1. */
__attribute__((format(printf, 5, 6)))
static int complain(char *error, size_t error_size, const char *path, uint32_t line, const char *format, ...)
{
    char sentence[384];
    va_list args;

    va_start(args, format);
    vsnprintf(sentence, sizeof sentence, format, args);
    va_end(args);
    if (line)
        snprintf(error, error_size, "%s:%u: %s", path, line, sentence);
    else
        snprintf(error, error_size, "%s: %s", path, sentence);
    return -1;
}

#define fail(p, ...) complain((p)->error, (p)->error_size, (p)->trace->path, (p)->line, __VA_ARGS__)

/* Fails with what was expected, beside the current line as it stands (its
 * beginning, unprintable bytes escaped). */
static int fail_expected(struct parser *p, const char *expected)
{
    char found[96];
    size_t n = 0;
    const char *s = p->line_start;

    for (; s < p->end && *s != '\n' && n < sizeof found - 8; s++) {
        unsigned char byte = (unsigned char)*s;
        if (byte >= ' ' && byte < 0x7f)
            found[n++] = *s;
        else if (byte != '\r')
            n += (size_t)snprintf(found + n, sizeof found - n, "\\x%02x", byte);
    }
    found[n] = '\0';
    if (s == p->end && s == p->line_start)
        return fail(p, "expected %s, found the end of the file", expected);
    return fail(p, "expected %s, found \"%s%s\"", expected, found, s < p->end && *s != '\n' ? "..." : "");
}

/* Adds one sentence to the trace's warnings. 0, or -1 without memory. */
__attribute__((format(printf, 3, 4)))
static int warn(struct parser *p, uint32_t line, const char *format, ...)
{
    char sentence[512];
    struct trace *t = p->trace;
    size_t old = t->warnings ? strlen(t->warnings) : 0;
    int n = line ? snprintf(sentence, sizeof sentence, "%s:%u: ", t->name, line)
                 : snprintf(sentence, sizeof sentence, "%s: ", t->name);
    size_t prefix = n < (int)sizeof sentence ? (size_t)n : sizeof sentence - 1;
    va_list args;

    va_start(args, format);
    vsnprintf(sentence + prefix, sizeof sentence - prefix, format, args);
    va_end(args);
    char *grown = realloc(t->warnings, old + strlen(sentence) + 2);
    if (!grown)
        return fail(p, "out of memory");
    sprintf(grown + old, "%s%s", old ? "\n" : "", sentence);
    t->warnings = grown;
    return 0;
}

/* ---- ids ---- */

static void id_map_place(struct id_map *m, int32_t id, struct slot **slot)
{
    /* Fibonacci hashing (Knuth, TAOCP 3, 6.4): spreads ids that have a stride */
    size_t mask = ((size_t)1 << m->bits) - 1, i = ((uint32_t)id * 2654435769u) >> (32 - m->bits);

    while (m->slots[i].id != -1 && m->slots[i].id != id)
        i = (i + 1) & mask;
    *slot = &m->slots[i];
}

static int id_map_resize(struct id_map *m, unsigned bits)
{
    struct id_map bigger = { malloc(sizeof(struct slot) << bits), bits, m->used };

    if (!bigger.slots)
        return -1;
    memset(bigger.slots, 0xff, sizeof(struct slot) << bits); /* id -1, REF_NULL */
    for (size_t i = 0; m->slots && i < (size_t)1 << m->bits; i++) {
        struct slot *slot;
        if (m->slots[i].id == -1)
            continue;
        id_map_place(&bigger, m->slots[i].id, &slot);
        *slot = m->slots[i];
    }
    free(m->slots);
    *m = bigger;
    return 0;
}

/* The slot of ID, made when absent; NULL without memory. */
static struct slot *id_map_slot(struct id_map *m, int32_t id)
{
    struct slot *slot;

    if ((!m->slots || m->used >= (size_t)3 << m->bits >> 2) && id_map_resize(m, m->slots ? m->bits + 1 : 10))
        return NULL;
    id_map_place(m, id, &slot);
    if (slot->id == -1) {
        slot->id = id;
        m->used++;
    }
    return slot;
}

/* ---- words ---- */

static int is_blank(char c) { return c == ' ' || c == '\t' || c == '\r'; }

static void skip_blanks(struct parser *p)
{
    while (p->at < p->end && is_blank(*p->at))
        p->at++;
}

static int at_line_end(struct parser *p)
{
    skip_blanks(p);
    return p->at == p->end || *p->at == '\n';
}

/* Moves to the first line that is not blank. 1, or 0 at the end of the text. */
static int next_line(struct parser *p)
{
    for (;;) {
        p->line_start = p->at;
        if (!at_line_end(p))
            return 1;
        if (p->at == p->end)
            return 0;
        p->at++;
        p->line++;
    }
}

enum number { NUMBER, NUMBER_MISSING, NUMBER_NEGATIVE, NUMBER_HUGE };

/* Reads a decimal number and its sign, which must end at a blank or the line's end. */
static enum number number(struct parser *p, uint64_t *value)
{
    uint64_t n = 0;
    int negative = 0, huge = 0;

    skip_blanks(p);
    if (p->at < p->end && *p->at == '-') {
        negative = 1;
        p->at++;
    }
    const char *digits = p->at;
    for (; p->at < p->end && *p->at >= '0' && *p->at <= '9'; p->at++) {
        uint64_t digit = (uint64_t)(*p->at - '0');
        huge |= n > (UINT64_MAX - digit) / 10;
        n = n * 10 + digit;
    }
    if (p->at == digits || (p->at < p->end && !is_blank(*p->at) && *p->at != '\n'))
        return NUMBER_MISSING;
    *value = n;
    return huge ? NUMBER_HUGE : negative ? NUMBER_NEGATIVE : NUMBER;
}

/* ---- header ---- */

static int parse_header(struct parser *p)
{
    static const char *const expected[4] = {
        "a number of at least 0 (line 1 of the header: its weight, or the suggested heap size)",
        "a number of at least 0 (line 2 of the header: how many ids there are)",
        "a number of at least 0 (line 3 of the header: how many requests follow)",
        "a number of at least 0 (line 4 of the header: weight, ignore_ranges or maximum live bytes)",
    };
    struct trace *t = p->trace;

    if (p->end - p->at >= 3 && !memcmp(p->at, "\xef\xbb\xbf", 3))
        p->at += 3; /* a byte order mark, left by an editor */
    for (int i = 0; i < 4; i++) {
        enum number n = next_line(p) ? number(p, &p->header[i]) : NUMBER_MISSING;
        if (n == NUMBER_HUGE)
            p->header[i] = UINT64_MAX; /* a wrong count like any other */
        else if (n != NUMBER)
            return fail_expected(p, expected[i]);
        if (!at_line_end(p))
            return fail_expected(p, expected[i]);
    }

    uint64_t weight = p->header[0];
    if (p->header[0] > WEIGHT_SPEED) {
        t->dialect = TRACE_CLASSIC;
        weight = p->header[3];
    } else {
        t->dialect = p->header[3] <= 1 ? TRACE_AUTOLAB : TRACE_CMU16;
    }
    t->weight = weight <= WEIGHT_SPEED ? (enum trace_weight)weight : WEIGHT_BOTH;
    if (weight > WEIGHT_SPEED)
        return warn(p, p->line, "the weight is %llu, expected 0 to 3; taken as 1 (both figures)",
                    (unsigned long long)weight);
    return 0;
}

/* ---- requests ---- */

static struct request *add_request(struct parser *p)
{
    struct trace *t = p->trace;

    if (t->count == p->capacity) {
        size_t capacity = p->capacity ? 2 * p->capacity : 1024;
        struct request *grown = realloc(t->requests, capacity * sizeof *grown);
        if (!grown)
            return NULL;
        t->requests = grown;
        p->capacity = capacity;
    }
    return &t->requests[t->count++];
}

static int parse_size(struct parser *p, struct request *q, const char *shape)
{
    if (q->kind == REQ_MALLOC && at_line_end(p)) {
        if (!p->size_seen)
            return fail_expected(p, "\"a id size\" (no request before it has a size to reuse)");
        q->size = p->previous_size;
        if (!p->unsized++)
            p->unsized_line = p->line;
        return 0;
    }
    enum number n = number(p, &q->size);
    if (n == NUMBER_HUGE || (n == NUMBER && q->size > SIZE_LIMIT))
        return fail_expected(p, "a size of at most 2^63 bytes");
    if (n == NUMBER_NEGATIVE)
        return fail_expected(p, "a size of at least 0 bytes");
    if (n != NUMBER)
        return fail_expected(p, shape);
    p->previous_size = q->size;
    p->size_seen = 1;
    return 0;
}

/* Finds the block that a request is about, and notes the block it makes. */
static int resolve(struct parser *p, struct request *q, uint32_t index)
{
    struct slot *slot = id_map_slot(&p->ids, q->id);

    if (!slot)
        return fail(p, "out of memory");
    uint32_t live = slot->request == REF_GONE ? REF_NULL : slot->request;
    if (live != REF_NULL && (q->kind == REQ_MALLOC || q->kind == REQ_CALLOC))
        return fail(p, "expected an id that is not in use, but %d is live (since line %u); free it first",
                    q->id, p->trace->requests[live].line);
    if (slot->request == REF_NULL && q->kind == REQ_FREE)
        return fail(p, "expected the id of a live block, but %d is not live; \"f -1\" is free(NULL)",
                    q->id);
    q->ref = live;
    slot->request = request_makes_block(q) ? index : q->kind == REQ_REALLOC ? REF_GONE : REF_NULL;
    if (q->id > p->highest_id)
        p->highest_id = q->id;
    return 0;
}

static int parse_request(struct parser *p)
{
    static const struct { char letter; uint8_t kind; const char *shape; } forms[] = {
        { 'a', REQ_MALLOC, "\"a id size\"" }, { 'f', REQ_FREE, "\"f id\"" },
        { 'r', REQ_REALLOC, "\"r id size\"" }, { 'c', REQ_CALLOC, "\"c id size\"" },
    };
    size_t form = 0, index = p->trace->count;
    uint64_t id;

    while (form < 4 && forms[form].letter != *p->at)
        form++;
    p->at++;
    if (form == 4 || (p->at < p->end && !is_blank(*p->at) && *p->at != '\n'))
        return fail_expected(p, FORMS);
    const char *shape = forms[form].shape;

    struct request *q = add_request(p);
    if (!q)
        return fail(p, "out of memory");
    *q = (struct request){ .ref = REF_NULL, .line = p->line, .kind = forms[form].kind };

    enum number n = number(p, &id);
    if (n == NUMBER_MISSING)
        return fail_expected(p, shape);
    if (n == NUMBER_NEGATIVE && id == 1 && q->kind == REQ_FREE)
        q->id = -1;
    else if (n == NUMBER && id <= INT32_MAX)
        q->id = (int32_t)id;
    else
        return fail_expected(p, q->kind == REQ_FREE ? "an id from 0 to 2147483647, or -1 for free(NULL)"
                                                    : "an id from 0 to 2147483647");
    if (q->kind != REQ_FREE && parse_size(p, q, shape))
        return -1;
    if (!at_line_end(p))
        return fail_expected(p, shape);
    return q->id < 0 ? 0 : resolve(p, q, (uint32_t)index);
}

/* Whether all requests that the header announces are there, and what follows is none. */
static int at_trailer(const struct parser *p)
{
    return p->trace->count && p->trace->count == p->header[2] && !memchr("acrf", *p->at, 4);
}

static int parse_requests(struct parser *p)
{
    while (next_line(p)) {
        if (at_trailer(p)) {
            if (warn(p, p->line, "what follows is no request; ignored, for the header's %zu requests are all there",
                     p->trace->count))
                return -1;
            break;
        }
        if (parse_request(p))
            return -1;
    }
    if (!p->trace->count)
        return fail_expected(p, "at least one request (" FORMS ") after the header");
    return 0;
}

/* ---- the whole trace ---- */

/* Compares the header with what followed. A wrong count never stops a run. */
static int check_header(struct parser *p, u128 peak_payload)
{
    uint64_t ids = p->header[1], requests = p->header[2], live = p->header[3];

    if (ids != p->ids.used && ids != (uint64_t)p->highest_id + 1 &&
        warn(p, 0, "the header says %llu ids, but the requests use %zu", (unsigned long long)ids,
             p->ids.used))
        return -1;
    p->trace->cut_short = requests > p->trace->count && requests != UINT64_MAX;
    if (requests != p->trace->count &&
        warn(p, 0, "the header says %llu requests, but %zu follow%s", (unsigned long long)requests, p->trace->count,
             p->trace->cut_short ? "; if the file was cut short, copy it again" : ""))
        return -1;
    if (p->trace->dialect == TRACE_CMU16 && live != peak_payload && peak_payload <= UINT64_MAX)
        return warn(p, 0, "the header says at most %llu bytes are live, but the requests reach %llu",
                    (unsigned long long)live, (unsigned long long)peak_payload);
    return 0;
}

static int finish(struct parser *p)
{
    struct trace *t = p->trace;
    struct request *fitted = realloc(t->requests, t->count * sizeof *fitted);

    if (fitted)
        t->requests = fitted;
    if (p->unsized &&
        warn(p, p->unsized_line, "%zu of the requests \"a id\" have no size; each reuses the size before it",
             p->unsized))
        return -1;
    struct peak peak = find_peak(t, payload_bytes, NULL);
    if (check_header(p, peak.bytes))
        return -1;
    t->scale_shift = scale_to_fit(t);
    if (t->scale_shift) {
        peak = find_peak(t, payload_bytes, NULL);
        if (warn(p, 0, "more than 64 TiB are live at once; all sizes were divided by %llu to fit",
                 1ull << t->scale_shift))
            return -1;
    }
    t->peak_payload = (uint64_t)peak.bytes;
    t->peak_request = peak.request;
    t->max_live = peak.blocks;
    for (size_t i = 0; i < t->count; i++)
        if (t->requests[i].size > t->max_size)
            t->max_size = t->requests[i].size;
    return 0;
}

int trace_parse(struct trace *t, const char *path, const char *text, size_t length,
                char *error, size_t error_size)
{
    struct parser p = { .trace = t, .at = text, .end = text + length, .line = 1, .line_start = text,
                        .highest_id = -1, .error = error, .error_size = error_size };
    const char *slash = strrchr(path, '/');

    *t = (struct trace){ .name = strdup(slash ? slash + 1 : path), .path = strdup(path) };
    int status = !t->name || !t->path ? complain(error, error_size, path, 0, "out of memory")
                 : parse_header(&p) || parse_requests(&p) || finish(&p) ? -1 : 0;
    free(p.ids.slots);
    if (status)
        trace_free(t);
    return status;
}

void trace_free(struct trace *t)
{
    free(t->name);
    free(t->path);
    free(t->requests);
    free(t->warnings);
    *t = (struct trace){ 0 };
}
