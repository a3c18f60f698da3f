/*
 * wire.h - what the supervisor and a runner say to each other.
 *
 * Every struct has fixed widths, because a 64-bit supervisor drives 32-bit
 * runners. Whatever the runner writes here is a claim: the supervisor copies
 * it once, then verifies the copy.
 *
 * Descriptors of a runner: 0 /dev/null, 1 and 2 its capped log, 3 the mailbox,
 * 4 the heap, 5 the requests and 6 the answers of the timed pass. It has no
 * others, and closes 3 to 6 once they are mapped.
 */
#ifndef WIRE_H
#define WIRE_H

#include <stdint.h>

#define WIRE_MAGIC 0x6d6d3031u
#define WIRE_BATCH 64            /* most requests revealed at once in the check pass */
#define WIRE_KEPT_STATIC 65536   /* bytes of an allocator's static data that a runner can put back */
#define WIRE_NULL  UINT64_MAX    /* offset of NULL */
#define WIRE_REF_NULL UINT32_MAX

enum { FD_MAILBOX = 3, FD_HEAP = 4, FD_REQUESTS = 5, FD_ANSWERS = 6 };

/* One request. `ref` indexes the table of block offsets that goes with it. */
struct wire_request {
    uint64_t size;
    uint32_t ref;
    uint32_t kind; /* enum request_kind */
};

enum wire_mode { WIRE_CHECK, WIRE_TIMED, WIRE_LATENCY };

enum wire_flags {
    WIRE_INIT_BOOL   = 1,  /* mm_init returns true on success */
    WIRE_CHECK_INT   = 2,  /* mm_checkheap returns the number of broken invariants */
    WIRE_CHECK_BOOL  = 4,  /* mm_checkheap returns true when the heap is sound */
    WIRE_CHECK_EACH  = 8,  /* call mm_checkheap after every request */
    WIRE_SBRK_INT    = 16, /* mem_sbrk takes an int */
    WIRE_SPARSE      = 32, /* giant trace: touch only the ends of payloads */
    WIRE_HARNESS     = 64, /* do nothing for a request: measures the harness itself */
    WIRE_OVERFLOW    = 256, /* the next turn is no batch: calloc of a product that overflows */
    WIRE_GC          = 128, /* a collector: free only drops the reference from the root table */
};

/* Why the runner gave the floor back. */
enum wire_event {
    EVENT_READY = 1, /* mapped and waiting */
    EVENT_BATCH,     /* every request of the batch answered */
    EVENT_GROW,      /* mem_sbrk wants `want` bytes accessible */
    EVENT_INIT,      /* mm_init returned; `status` is 0 when it succeeded */
    EVENT_STOP,      /* stopped at `done` requests: the claim there cannot be right */
    EVENT_SIGNAL,    /* a fatal signal: signo, fault_address, fault_pc, fault_caller */
};

/* What the runner thinks is wrong, with EVENT_STOP; the supervisor looks itself. */
enum wire_complaint {
    COMPLAINT_NONE, COMPLAINT_BAD_ADDRESS, COMPLAINT_DAMAGED, COMPLAINT_LOST,
    COMPLAINT_NOT_ZERO, COMPLAINT_CHECKHEAP, COMPLAINT_DAMAGED_AFTER,
};

/* A batch's blocks: entries 0..63 are the answers to the batch's requests,
 * 64..127 the older blocks they are about. */
#define WIRE_OLD WIRE_BATCH
#define WIRE_BLOCKS (2 * WIRE_BATCH)

struct wire_key { uint64_t a, b; };

struct mailbox {
    /* from the supervisor */
    uint32_t magic, mode, flags, alignment;
    uint64_t heap_base, heap_limit, heap_granted;
    uint64_t request_count;              /* timed pass */
    uint32_t repeat;                     /* timed pass: replays in this process */
    uint32_t count;                      /* requests in this batch */
    uint32_t first;                      /* number of the batch's first request, from 1 (for mm_checkheap) */
    uint32_t padding0;
    struct wire_request request[WIRE_BATCH];
    struct wire_key key[WIRE_BLOCKS];    /* patterns of the blocks in this batch */
    uint64_t size[WIRE_BLOCKS];          /* payload bytes of those blocks */
    uint32_t older[WIRE_BATCH];          /* request (from 0) that made block 64 + i; with WIRE_GC */

    /* whose turn it is: futex words. The supervisor bumps `go`, the runner bumps `back`. */
    uint32_t go, back;

    /* claims of the runner */
    uint32_t event, complaint;
    int32_t status, signo;
    uint32_t done;                       /* requests of the batch answered */
    int32_t code;                        /* EVENT_SIGNAL: the signal's si_code */
    uint64_t want;                       /* EVENT_GROW; EVENT_SIGNAL: the heap's size */
    uint64_t fault_address, fault_pc, fault_caller; /* the last: top of the stack */
    uint64_t stack_pointer, stack_used;  /* EVENT_SIGNAL; bytes of stack below main's frame */
    uint64_t bad_offset;                 /* first wrong byte in the block, for complaints */
    uint64_t block[WIRE_BLOCKS];         /* offsets; the supervisor fills 64.., the runner 0..63 */
    uint64_t brk[WIRE_BATCH];            /* heap size after each request */
    uint64_t brk_after_init;
    uint64_t gc_pauses, gc_total_ns, gc_longest_ns; /* WIRE_GC: as mm_gc_stats says */
};

/* The answers file, in words: the block table of the timed passes, one cost a request in the latency
 * pass, and with WIRE_GC the root table. Where that begins, and the length of all. */
static inline uint64_t wire_roots_at(uint32_t mode, uint64_t request_count)
{
    return mode == WIRE_CHECK ? 0 : mode == WIRE_LATENCY ? 2 * request_count : request_count;
}

static inline uint64_t wire_answer_words(uint32_t mode, uint32_t flags, uint64_t request_count)
{
    return wire_roots_at(mode, request_count) + (flags & WIRE_GC ? request_count : 0) + 1;
}

/* The same in 32- and 64-bit processes. */
_Static_assert(sizeof(struct mailbox) == 0x17b8, "layout of the mailbox");

#endif
