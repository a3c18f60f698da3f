/* Sizes in 4 bytes: right as long as no block reaches 4 GiB. Function-like macros, and globals beyond 128 bytes. */
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include "mm.h"
#include "memlib.h"

#ifdef DRIVER
#define malloc mm_malloc
#define free mm_free
#define realloc mm_realloc
#define calloc mm_calloc
#define memset mem_memset
#define memcpy mem_memcpy
#endif

#define dbg_printf(...) ((void)0)
#define ROUND16(n) (((n) + 15) & ~15u)
#define OBJECT_LIKE 3
#ifdef NEVER
#define NOT_SEEN(x) (x)
#endif
#define SIZE_OF(p) \
    (((uint32_t *)(p))[-2])

static void *lists[32]; /* 256 bytes */
static uint64_t counter = 1;

static unsigned which(uint32_t size)
{
    unsigned c = 0;
    while (c < 31 && (16u << c) < size)
        c++;
    return c;
}

bool mm_init(void)
{
    memset(lists, 0, sizeof lists);
    return mem_sbrk(8) != (void *)-1;
}

void *malloc(size_t n)
{
    uint32_t size = (uint32_t)n;
    unsigned c = which(size);
    void *p = lists[c];

    counter++;
    if (size == 0)
        return NULL;
    if (p != NULL) {
        lists[c] = *(void **)p;
        return p;
    }
    size = (16u << c) > size ? 16u << c : ROUND16(size);
    uint32_t *q = mem_sbrk((intptr_t)size + 16);
    if (q == (void *)-1)
        return NULL;
    p = (char *)q + 8;
    SIZE_OF(p) = size;
    return p;
}

void free(void *p)
{
    if (p == NULL)
        return;
    unsigned c = which(SIZE_OF(p));
    *(void **)p = lists[c];
    lists[c] = p;
}

void *realloc(void *p, size_t n)
{
    void *q;

    if (n == 0) {
        free(p);
        return NULL;
    }
    q = malloc(n);
    if (p != NULL && q != NULL) {
        memcpy(q, p, SIZE_OF(p) < n ? SIZE_OF(p) : n);
        free(p);
    }
    return q;
}

void *calloc(size_t n, size_t size)
{
    void *p = malloc(n * size);
    return p != NULL ? memset(p, 0, n * size) : p;
}

bool mm_checkheap(int line)
{
    return line >= 0;
}
