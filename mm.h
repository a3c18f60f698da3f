/*
 * mm.h - the contract between an allocator and the lab.
 *
 * You write one file, mm.c, that defines the functions below on top of the
 * simulated operating system in memlib.h. Nothing else gives you memory: no
 * libc malloc, no mmap, and static data counts as heap.
 *
 * Rules every answer is checked against:
 *   - a block lies wholly between mem_heap_lo() and mem_heap_hi();
 *   - its address is a multiple of MM_ALIGNMENT;
 *   - it overlaps no other live block;
 *   - nobody but its owner changes its payload, until it is freed;
 *   - the same requests get the same offsets in every run (the heap always
 *     starts at the same address, so a deterministic allocator does this by
 *     itself).
 */
#ifndef MM_H
#define MM_H

#include <stddef.h>
#include <stdint.h>

#ifndef MM_ALIGNMENT
#define MM_ALIGNMENT 16 /* bytes; a course may build with 8 */
#endif

/* Called once before the first request, on an empty heap. 0 on success, -1 on error. */
int mm_init(void);

/* A block of at least SIZE bytes, or NULL when the heap is exhausted.
 * SIZE 0 may give NULL or a block that can be freed. */
void *mm_malloc(size_t size);

/* Releases a block. NULL is allowed and does nothing. */
void mm_free(void *ptr);

/* Resizes a block, moving it if need be; the first min(old, new) bytes keep
 * their value. PTR NULL means mm_malloc(SIZE); SIZE 0 means mm_free(PTR) and
 * NULL (or a block of size 0). On exhaustion: NULL, and the old block stays. */
void *mm_realloc(void *ptr, size_t size);

/* A block of COUNT * SIZE zero bytes; NULL when the product overflows. Optional. */
void *mm_calloc(size_t count, size_t size);

/* Checks the whole heap; prints one sentence for each broken invariant and
 * returns their number. LINE is __LINE__ of the caller, or the request number
 * under `mdriver -D`. Optional. */
int mm_checkheap(int line);

/* Optional: implicit management. An allocator that defines mm_gc_roots is a
 * garbage collector: the driver calls it after mm_init with a table of COUNT
 * pointers, of which any may be NULL, and keeps in it, before each call, every
 * pointer that the program has. A free in the trace then only sets an entry to
 * NULL; mm_free is not called. A block may be reclaimed once no entry of the
 * table, and no word in a block that is itself kept, points to it or into it.
 * A pointer that is passed to mm_realloc is in the table during that call. The
 * table's own memory, 8 bytes a request, counts as heap. */
void mm_gc_roots(void **roots, size_t count);

/* Reclaims now all blocks that cannot be reached. */
void mm_gc_collect(void);

/* Since mm_init: how many times the program was stopped for a collection, how
 * long in all, and how long at most, in nanoseconds. The driver reports it. */
void mm_gc_stats(uint64_t *pauses, uint64_t *total_ns, uint64_t *longest_ns);

#endif
