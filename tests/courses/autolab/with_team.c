/* A school's mixture: malloc by macro, and a team_t all the same. Prints from mm_init. */
#include <stdio.h>
#include <string.h>
#include "mm.h"
#include "memlib.h"

#ifdef DRIVER
#define malloc mm_malloc
#define free mm_free
#define realloc mm_realloc
#define calloc mm_calloc
#endif

team_t team = { "mixture", "Radia Example", "radia@example.edu", "", "" };

static void **bins[64];

static unsigned bin_of(size_t size)
{
    unsigned n = (unsigned)((size + 7) / 8);
    return n == 0 ? 1 : n;
}

int mm_init(void)
{
    memset(bins, 0, sizeof bins);
    printf("hello from mm_init\n");
    fprintf(stderr, "and from %s\n", team.teamname);
    return 0;
}

void *malloc(size_t size)
{
    unsigned n = bin_of(size);

    if (n < 64 && bins[n]) {
        void **p = bins[n];
        bins[n] = *p;
        return p;
    }
    size_t *p = mem_sbrk((int)(8 + 8 * n));
    if (p == (void *)-1)
        return NULL;
    *p = n;
    return p + 1;
}

void free(void *p)
{
    if (p && ((size_t *)p)[-1] < 64) {
        size_t n = ((size_t *)p)[-1];
        *(void **)p = bins[n];
        bins[n] = p;
    }
}

void *realloc(void *p, size_t size)
{
    if (p && size && ((size_t *)p)[-1] * 8 >= size)
        return p;
    void *q = size ? malloc(size) : NULL;
    if (p && q) {
        size_t old = ((size_t *)p)[-1] * 8;
        memcpy(q, p, old < size ? old : size);
    }
    free(p);
    return q;
}

void *calloc(size_t n, size_t size)
{
    void *p = malloc(n * size);
    return p ? memset(p, 0, n * size) : p;
}

void mm_checkheap(int verbose)
{
}
