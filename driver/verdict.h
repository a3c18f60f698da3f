/*
 * verdict.h - every way a trace can end, in one table.
 *
 * The words are stable: JSON, the grader and the tests use them.
 */
#ifndef VERDICT_H
#define VERDICT_H

enum verdict_class {
    CLASS_OK,      /* the trace counts */
    CLASS_WRONG,   /* the allocator gave a wrong answer */
    CLASS_CRASH,   /* the allocator's process died or hung */
    CLASS_CHEAT,   /* it did something only a cheat does */
    CLASS_GRADER,  /* our fault, never the student's */
};

/*        name        word            class         meaning, as the legend prints it */
#define VERDICTS(X) \
    X(OK,             "ok",           CLASS_OK,     "every answer checked") \
    X(MISALIGNED,     "misaligned",   CLASS_WRONG,  "a block's address is not a multiple of the alignment") \
    X(OUTSIDE,        "outside",      CLASS_WRONG,  "a block lies outside the heap") \
    X(OVERLAP,        "overlap",      CLASS_WRONG,  "a block overlaps a live block") \
    X(DAMAGED,        "damaged",      CLASS_WRONG,  "a live block's payload was changed") \
    X(LOST,           "lost",         CLASS_WRONG,  "realloc did not keep the old bytes") \
    X(NOT_ZERO,       "not-zero",     CLASS_WRONG,  "calloc returned bytes that are not zero") \
    X(NULL_ANSWER,    "null",         CLASS_WRONG,  "NULL for a request that fits") \
    X(HEAP_LIMIT,     "heap-limit",   CLASS_WRONG,  "the heap grew to its limit") \
    X(INIT,           "init",         CLASS_WRONG,  "mm_init reported an error") \
    X(CHECKHEAP,      "checkheap",    CLASS_WRONG,  "mm_checkheap found broken invariants") \
    X(STATIC_LIMIT,   "static-limit", CLASS_WRONG,  "more memory outside the heap than the course allows") \
    X(CRASH,          "crash",        CLASS_CRASH,  "killed by a signal, such as a segmentation fault") \
    X(ABORT,          "abort",        CLASS_CRASH,  "the allocator called abort (its own check failed)") \
    X(EXITED,         "exited",       CLASS_CRASH,  "the allocator ended the process") \
    X(TIMEOUT,        "timeout",      CLASS_CRASH,  "no answer within the time limit") \
    X(FORBIDDEN,      "forbidden",    CLASS_CHEAT,  "a system call that an allocator has no use for") \
    X(DIFFERS,        "differs",      CLASS_CHEAT,  "answers in the timed run differ from the checked run") \
    X(PAST_BREAK,     "past-break",   CLASS_WRONG,  "memory past the break was used") \
    X(BUILD,          "build",        CLASS_WRONG,  "the file does not compile or breaks a static rule") \
    X(SKIPPED,        "skipped",      CLASS_GRADER, "not run") \
    X(GRADER,         "grader",       CLASS_GRADER, "the grader failed; this is not your fault")

enum verdict {
#define X(name, word, class, text) VERDICT_##name,
    VERDICTS(X)
#undef X
    VERDICT_COUNT
};

const char *verdict_word(enum verdict v);
const char *verdict_text(enum verdict v);
enum verdict_class verdict_class(enum verdict v);

#endif
