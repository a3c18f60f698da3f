/*
 * harness.h - what the cases and the program that runs them share.
 */
#ifndef HARNESS_H
#define HARNESS_H

#include <stddef.h>
#include <stdint.h>

extern uint64_t seed;          /* of every random choice; printed, and taken from SEED */
extern const char *allocator;  /* name of the allocator under test */

/* A case that must end by itself. */
struct test_case { const char *name; void (*body)(void); };

/* A case that must end in abort(), after a sentence on stderr that names CALL and has REASON in it. */
struct misuse_case { const char *name, *call, *reason; void (*body)(void); };

extern const struct test_case test_cases[];     /* ended by a NULL name */
extern const struct misuse_case misuse_cases[]; /* ended by a NULL name */

/* Ends the case as failed, with a sentence. */
__attribute__((noreturn, format(printf, 1, 2))) void fail(const char *format, ...);

/* A new heap of at most LIMIT bytes, with mm_init done. */
void start(size_t limit);

/* Fails unless mm_checkheap finds nothing. */
void sound(const char *when);

#endif
