/*
 * trace.h - a trace of allocation requests: parsed, resolved, ready to replay.
 *
 * Parsing works on a buffer and does no I/O, except trace_load. Every request
 * is resolved against the ones before it, so that nothing downstream looks at
 * ids again: `ref` names the request that produced the block concerned.
 */
#ifndef TRACE_H
#define TRACE_H

#include <stddef.h>
#include <stdint.h>

enum request_kind {
    REQ_MALLOC,  /* a id size */
    REQ_CALLOC,  /* c id size   (our extension: one element of SIZE bytes, zeroed) */
    REQ_REALLOC, /* r id size */
    REQ_FREE,    /* f id */
};

#define REF_NULL UINT32_MAX /* the request is about NULL: f -1, or r of an id that is not live */

struct request {
    uint64_t size; /* bytes asked for; 0 for REQ_FREE */
    uint32_t ref;  /* index of the request that produced the block, or REF_NULL */
    uint32_t line; /* line in the file, from 1 */
    int32_t id;    /* as written in the file */
    uint8_t kind;  /* enum request_kind */
};

/* Whether a block is live after this request. (realloc to 0 bytes frees.) */
static inline int request_makes_block(const struct request *q)
{
    return q->kind != REQ_FREE && !(q->kind == REQ_REALLOC && q->size == 0 && q->ref != REF_NULL);
}

enum trace_dialect { TRACE_CLASSIC, TRACE_AUTOLAB, TRACE_CMU16 };

/* Weight of a trace in a score. */
enum trace_weight { WEIGHT_NONE = 0, WEIGHT_BOTH = 1, WEIGHT_UTIL = 2, WEIGHT_SPEED = 3 };

struct trace {
    char *name;  /* file name without directories */
    char *path;  /* as given */
    enum trace_dialect dialect;
    enum trace_weight weight;
    struct request *requests;
    size_t count;
    uint64_t peak_payload;     /* peak over time of the sum of live sizes */
    size_t peak_request;       /* request after which that peak is first reached */
    uint64_t max_size;         /* largest single request */
    size_t max_live;           /* largest number of live blocks */
    unsigned scale_shift;      /* sizes were divided by 2^shift to fit the address space; ordinarily 0 */
    char *warnings;            /* sentences, one a line, or NULL */
    int cut_short;             /* fewer requests than the header says: one of them */
};

/* Most bytes of text in a trace file, unpacked: bounds what a hostile gzip can cost. */
#define TRACE_TEXT_LIMIT (256 << 20)

/* Parses LENGTH bytes of TEXT. 0, or -1 with a "file:line: sentence" in ERROR
 * and T empty. */
int trace_parse(struct trace *t, const char *path, const char *text, size_t length,
                char *error, size_t error_size);

/* Reads a plain or gzipped file, told apart by content, and parses it. */
int trace_load(struct trace *t, const char *path, char *error, size_t error_size);

void trace_free(struct trace *t);

/* Peak over time of the sum of block_bytes(size) over live blocks: the heap
 * that a perfect placement of such blocks needs. */
uint64_t trace_peak(const struct trace *t, uint64_t (*block_bytes)(uint64_t size, void *ctx), void *ctx);

/* trace_peak for payloads rounded up to ALIGN (size 0 counts as 0). */
uint64_t trace_peak_aligned(const struct trace *t, uint64_t align);

/* trace_peak for blocks of HEADER bytes + payload, rounded up to ALIGN, at least
 * MINIMUM (size 0 counts as 0: the answer may be NULL). */
uint64_t trace_peak_headers(const struct trace *t, uint64_t header, uint64_t align, uint64_t minimum);

#endif
