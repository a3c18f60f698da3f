/*
 * record.h - what the supervisor knows of one allocator on one trace, after
 * checking it. Scores are pure functions over arrays of these.
 */
#ifndef RECORD_H
#define RECORD_H

#include <stddef.h>
#include <stdint.h>
#include "verdict.h"

#define OFFSET_NULL UINT64_MAX

/* One request's checked answer; kept for the timed pass and for the pictures. */
struct answer {
    uint64_t offset; /* of the block in the heap, or OFFSET_NULL (NULL, or a free) */
    uint64_t brk;    /* heap size after the request, in bytes */
};

/* One observed cost: requests of one kind in the latency pass, in nanoseconds. */
struct latency {
    size_t count;
    double p50, p99, p999, max;
    size_t max_request; /* index from 0 of the request that cost max */
};

/* What a collector says of its pauses during one replay; seconds. */
struct pauses {
    uint64_t count;
    double total, longest;
};

/* An allocator beside real ones (peers.h): by its own name or theirs. */
struct peer_figure {
    char name[32];
    double seconds;         /* one replay with warm caches */
    uint64_t memory;        /* bytes: heap, or what a real allocator took from the system */
};

/* A request to malloc after the last of the trace, of a size found in it. It counts for nothing, but the timed pass
 * must answer it too: so the last blocks are freed in earnest, and nothing ends early. */
#define PROBES 8
struct probe { uint64_t size, offset; };

#define OUTPUT_CAP 65536 /* bytes kept of what an allocator prints on a trace */

struct record {
    enum verdict verdict;
    char message[768];      /* one sentence or two: what, where, why; empty when ok */
    char hint[1536];        /* what to do next; empty when ok */
    size_t request;         /* failing request, from 1; 0 when ok */
    uint32_t line;          /* its line in the trace; 0 when ok */
    uint64_t address;       /* offset concerned in the heap, or OFFSET_NULL */
    uint64_t fault_pc;      /* program counter at a crash or in an endless loop, or 0 */
    uint64_t fault_caller;  /* return address, if that is in a library function that has no frame, or 0 */
    char *output;           /* what the allocator printed (capped), or NULL */
    int output_cut;         /* it printed more: the first and the last are kept */

    uint64_t peak_payload;  /* bytes: peak of the sum of live sizes */
    uint64_t peak_break;    /* bytes: highest break */
    uint64_t touched;       /* bytes, in pages: private memory in use after the check pass */
    uint64_t outside;       /* bytes: memory outside the heap that is charged as heap */
    uint64_t break_moves;   /* calls of mem_sbrk that moved the break */
    struct answer *answers; /* trace count entries (those before the failure are valid) */
    size_t answered;        /* valid entries in answers */
    struct probe probe[PROBES]; /* the requests that follow the trace, and their answers */
    size_t probes;
    uint64_t reserved;      /* bytes of heap with the probes; 0 when the check pass did not get there */
    double check_seconds;   /* wall clock of the check pass */

    /* the timed pass; arrays of `repetitions` */
    size_t repetitions;
    double *seconds;            /* each repetition of this allocator, net of the harness */
    double *reference_seconds;  /* and of the reference allocator beside it */
    double best_seconds;        /* robust estimate of the allocator's cost; 0 when not timed */
    double best_reference;      /* of the reference's */
    double cpu_seconds;         /* with CLOCK_INSTRUCTIONS: CPU time of the same, beside the count */
    double cpu_reference;
    double relative_error;      /* how far both were reproduced (timing_spread), summed */
    struct peer_figure *peers;  /* this allocator first, then the real ones; NULL when not asked for */
    size_t peer_count;
    struct pauses pauses;       /* of the replay in which they were shortest in all; count 0 when there are none */
    struct latency latency[4];  /* by enum request_kind; count 0 when not measured */
};

/* Bytes that count as heap for utilization. */
static inline uint64_t record_heap(const struct record *r) { return r->peak_break + r->outside; }

/* A collector's claims after one replay, in nanoseconds; kept when it paused less than in the replays before. */
void record_pauses(struct record *r, uint64_t count, uint64_t total_ns, uint64_t longest_ns);

/* Frees what the record points to. */
void record_free(struct record *r);

#endif
