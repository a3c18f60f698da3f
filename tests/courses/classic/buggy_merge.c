/* A bug as students make it: the footer of a split remainder keeps the old size, so merging goes astray. */
#define tag broken_tag
#include <string.h>
#include "mm.h"
#include "memlib.h"

team_t team = { "astray", "Charles Example", "charles@example.edu", "", "" };

#define W(p) (*(unsigned *)(p))
static char *base;

int mm_init(void)
{
    base = mem_sbrk(16);
    W(base + 12) = 1;
    return 0;
}

static unsigned need(size_t n) { return n < 8 ? 16 : (n + 8 + 7) & ~7u; }

void *mm_malloc(size_t size)
{
    unsigned want = need(size);
    char *p = base + 16, *end = (char *)mem_heap_hi() + 1;

    while (p < end) {
        unsigned have = W(p - 4) & ~7u;
        if (!(W(p - 4) & 1) && have >= want) {
            if (have - want >= 16) {
                W(p - 4) = want | 1;
                W(p + want - 8) = want | 1;
                W(p + want - 4) = have - want;
                /* forgotten: W(p + have - 8) = have - want */
            } else {
                W(p - 4) = have | 1;
                W(p + have - 8) = have | 1;
            }
            return p;
        }
        p += have;
    }
    if ((p = mem_sbrk(want)) == (void *)-1)
        return NULL;
    W(p - 4) = want | 1;
    W(p + want - 8) = want | 1;
    W(p + want - 4) = 1;
    return p;
}

void mm_free(void *ptr)
{
    char *p = ptr;
    unsigned size = W(p - 4) & ~7u;

    if (p > base + 16 && !(W(p - 8) & 1)) {
        unsigned left = W(p - 8) & ~7u;
        p -= left;
        size += left;
    }
    W(p - 4) = size;
    W(p + size - 8) = size;
}

void *mm_realloc(void *ptr, size_t size)
{
    void *q = mm_malloc(size);
    if (ptr && q) {
        unsigned old = (W((char *)ptr - 4) & ~7u) - 8;
        memcpy(q, ptr, old < size ? old : size);
        mm_free(ptr);
    }
    return q;
}
