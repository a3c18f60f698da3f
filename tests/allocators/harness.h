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

/* Allocators that find misuse in the same way. */
enum family { TAGS, NAIVE, BUDDY, SLAB, GC, CHAMPION, FAMILIES };

/* A case that must end in abort(), after the one line `mm.c: CALL(ADDRESS): SENTENCE` on stderr. Each family has
 * its own sentence; NULL where it has nothing that could be misused so. A %zu or %#zx in it is `misused.number`,
 * a %d the alignment. */
struct misuse_case { const char *name, *call; void (*body)(void); const char *sentence[FAMILIES]; };

/* What the body of a misuse case notes before it commits it. */
struct misused { void *address; size_t number; };
extern struct misused *misused;

extern const struct test_case test_cases[];     /* ended by a NULL name */
extern const struct misuse_case misuse_cases[]; /* ended by a NULL name */
extern const struct test_case collector_cases[] __attribute__((weak)); /* where the allocator is a collector */

enum family family(void); /* of the allocator under test */

/* Ends the case as failed, with a sentence. */
__attribute__((noreturn, format(printf, 1, 2))) void fail(const char *format, ...);

/* Requests of a long case: SOAK if set, OTHERWISE if not. The case gets time for them. */
size_t soak_requests(size_t otherwise);

/* A new heap of at most LIMIT bytes, with mm_init done. */
void start(size_t limit);

/* Fails unless mm_checkheap finds nothing. */
void sound(const char *when);

#endif
