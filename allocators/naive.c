/*
 * Naive: the end of the heap moves up with every request, and nothing is ever used again.
 *
 *      +------+---------+------+---------------+------+------+
 *      | size | payload | size | payload       | size | ...  |  <- the break
 *      +------+---------+------+---------------+------+------+
 *
 * vocabulary
 *      size      one word before the payload: bytes up to the next block, low bit 1 until it is freed
 *
 * cost: malloc is one mem_sbrk; free marks the block, only so that a second free can be told; realloc
 * always copies.
 * memory: everything ever asked for.
 * worst trace: any that frees. One block that grows by realloc costs the sum of all its sizes.
 */
#include "mm.h"
#include "memlib.h"

#include <stdint.h>
#include <string.h>

#include "common/arith.h"
#include "common/report.h"

#define ALLOCATED ((size_t)1)

static uintptr_t first; /* where the first payload is, or will be */

static size_t *header_of(const void *payload) { return (size_t *)(uintptr_t)payload - 1; }
static size_t size_of(const void *payload) { return *header_of(payload) & ~ALLOCATED; }

/* The break lies one word after the place of the next header. */
static uintptr_t end(void) { return (uintptr_t)mem_sbrk(0); }

int mm_init(void)
{
    if (mem_sbrk(MM_ALIGNMENT) == (void *)-1)
        return -1;
    first = end();
    return 0;
}

void *mm_malloc(size_t size)
{
    if (size > MAX_REQUEST)
        return NULL;
    size_t need = round_up(size + WORD, MM_ALIGNMENT);
    void *p = mem_sbrk((intptr_t)need);
    if (p == (void *)-1)
        return NULL;
    *header_of(p) = need | ALLOCATED;
    return p;
}

/* The header of the allocated block at PTR. Anything else ends the process with a sentence. */
static size_t *decode(const void *ptr, const char *call)
{
    if ((uintptr_t)ptr < first || (uintptr_t)ptr >= end())
        misuse(call, ptr, "not in the heap");
    if ((uintptr_t)ptr % MM_ALIGNMENT)
        misuse(call, ptr, "misaligned, a block starts at a multiple of %d", MM_ALIGNMENT);
    size_t *header = header_of(ptr), size = size_of(ptr);
    if (size == 0 || size % MM_ALIGNMENT || size > end() - (uintptr_t)ptr)
        misuse(call, ptr, "not a block, or its header was overwritten: no block has %zu bytes", size);
    if (!(*header & ALLOCATED))
        misuse(call, ptr, "already free");
    return header;
}

void mm_free(void *ptr)
{
    if (ptr)
        *decode(ptr, "mm_free") &= ~ALLOCATED;
}

void *mm_realloc(void *ptr, size_t size)
{
    if (!ptr)
        return mm_malloc(size);
    size_t *header = decode(ptr, "mm_realloc"), old = size_of(ptr) - WORD;
    void *copy = size ? mm_malloc(size) : NULL;
    if (copy)
        memcpy(copy, ptr, old < size ? old : size);
    if (copy || size == 0)
        *header &= ~ALLOCATED;
    return copy;
}

void *mm_calloc(size_t count, size_t size)
{
    if (size && count > SIZE_MAX / size)
        return NULL;
    return mm_malloc(count * size); /* new memory is zero */
}

int mm_checkheap(int line)
{
    uintptr_t p;

    if (first % MM_ALIGNMENT)
        return broken(line, "the first block %#zx is not aligned to %d bytes", (size_t)first, MM_ALIGNMENT);
    for (p = first; p != end(); p += size_of((void *)p)) {
        size_t size = size_of((void *)p);
        if (size == 0 || size % MM_ALIGNMENT || size > end() - p)
            return broken(line, "block %#zx: no block has %zu bytes, the walk ends here", (size_t)p, size);
    }
    return 0;
}
