/* Segregated lists of structs, in pointers of whatever width: right in both. Three members, and debug output. */
#include <assert.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>
#include "mm.h"
#include "memlib.h"

team_t team = { "classes", "A", "a@example.edu", "B", "b@example.edu", "C", "c@example.edu" };

//#define DEBUG
#ifdef DEBUG
#define dprintf(...) printf(__VA_ARGS__)
#else
#define dprintf(...)
#endif

typedef struct block {
    size_t size;             /* payload bytes; bit 0: free */
#if UINTPTR_MAX == 0xffffffffu
    size_t pad;
#endif
    struct block *next;      /* while free */
} block;

#define OVERHEAD 8
#define CLASSES 24
static block *lists[CLASSES];

inline int class_of(size_t size) /* not static: gnu89's inline */
{
    int c = 3;
    while (((size_t)1 << c) < size)
        c++;
    return c < CLASSES ? c : CLASSES - 1;
}

int mm_init(void)
{
    memset(lists, 0, sizeof lists);
}

void *mm_malloc(size_t size)
{
    int c = class_of(size < 8 ? 8 : size);
    block *b = lists[c];
    size_t bytes = (size_t)1 << c;

    dprintf("malloc %zu\n", size);
    if (b && b->size >= size) {
        lists[c] = b->next;
        return (char *)b + OVERHEAD;
    }
    b = mem_sbrk(bytes + OVERHEAD);
    if (b == (void *)-1)
        return NULL;
    b->size = bytes;
    assert(((uintptr_t)b & 7) == 0);
    return (char *)b + OVERHEAD;
}

void mm_free(void *p)
{
    block *b = (block *)((char *)p - OVERHEAD);
    int c = class_of(b->size);

    b->next = lists[c];
    lists[c] = b;
}

void *mm_realloc(void *p, size_t size)
{
    block *b = (block *)((char *)p - OVERHEAD);
    void *q;

    if (p == NULL)
        return mm_malloc(size);
    if (size == 0) {
        mm_free(p);
        return NULL;
    }
    if (size <= b->size)
        return p;
    q = mm_malloc(size);
    if (q) {
        memcpy(q, p, b->size);
        mm_free(p);
    }
    return q;
}
