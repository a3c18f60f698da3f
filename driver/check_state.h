/*
 * check_state.h - a check pass in progress; between check.c, which runs it, check_claims.c, which judges answers,
 * and check_words.c, which says what was wrong.
 */
#ifndef CHECK_STATE_H
#define CHECK_STATE_H

#include "check.h"
#include "private_memory.h"
#include "process.h"
#include "shadow.h"

#define PAGE 4096u
#define SPARSE_TOUCHED (UINT64_C(1) << 30) /* bytes of a giant trace's heap that may be real memory */

/* Index of "request" for what happens in mm_init or earlier. */
#define BEFORE_TRACE SIZE_MAX

struct check {
    const struct runner_image *image;
    const struct trace *trace;
    const struct pass_options *options;
    struct record *record;
    struct process process;
    struct mailbox said;     /* the mailbox as it was when we got the floor: claims are copied once */
    struct private_memory private;
    uint64_t outside;        /* most bytes seen outside the heap */
    struct shadow *shadow;
    struct extent *extent;   /* by request: the block it produced */
    struct wire_key *key;    /* by request: the pattern of that block */
    uint8_t *live;
    uint64_t live_payload;
    uint64_t brk;
    struct wire_key keys[256]; /* from the kernel: one says nothing about another */
    size_t keys_left;
    double deadline;         /* of the whole trace, monotonic seconds */
    int refused;             /* the heap reached its limit */
    int in_checkheap;        /* the runner died or hung in the file's mm_checkheap */
    uint32_t watch;          /* second run: the block whose damage we look for, or REF_NULL */
    uint32_t victim;         /* the block found damaged, or REF_NULL */
};

/* Each returns 1, or 0 when it gave a verdict. (check_claims.c)
 * Takes over the claims about request INDEX, slot I of the batch. */
int take_answer(struct check *c, size_t index, uint32_t i);

/* Something the runner itself noticed at request INDEX; it has been looked at in the order of requests, so nothing
 * before it was wrong. */
int complaint(struct check *c, size_t index, uint32_t i);

/* Nothing may be stored between the break and the end of its page, and no page was had without moving the break into
 * it. */
int tail_is_clean(struct check *c, size_t index);

/* Gives the verdict V at request INDEX (from 0; past the trace: none), with a sentence. Always 0, for the caller to
 * return. */
int fail_at(struct check *c, size_t index, enum verdict v, const char *format, ...)
    __attribute__((format(printf, 4, 5)));

/* The same: a live block's payload is not what it was; the process ended; it gave no answer in time. */
int damaged(struct check *c, size_t index, uint32_t number, uint64_t byte);
int died(struct check *c, size_t index);
int late(struct check *c, size_t index);

/* "request 12 (line 16: r 3 100)", and a block with its size and place. Four calls of each may stand in one message. */
const char *request_text(const struct check *c, size_t index);
const char *block_text(const struct check *c, uint32_t number);

/* Seconds that a batch of requests may take by itself. */
double patience(const struct check *c);

/* What a student would try next, after R's verdict on T. */
void add_hint(const struct check *c);

#endif
