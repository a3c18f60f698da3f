/*
 * Explicit free list, 64-bit: links are 4-byte offsets from the start of the heap. Header and footer of 4 bytes, blocks
 * of at least 16, allocated blocks keep their footer. First fit, last in first out.
 */
#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "mm.h"
#include "memlib.h"
#include "contracts.h"

/* If you want debugging output, uncomment the following. */
//#define DEBUG
#ifdef DEBUG
# define dbg_printf(...) printf(__VA_ARGS__)
#else
# define dbg_printf(...)
#endif

/* do not change the following! */
#ifdef DRIVER
/* create aliases for driver tests */
#define malloc mm_malloc
#define free mm_free
#define realloc mm_realloc
#define calloc mm_calloc
#endif /* def DRIVER */

#define WSIZE 4
#define CHUNK 512

typedef unsigned int offset; /* from mem_heap_lo(); 0 is none */

static char *base;
static offset list;

static inline unsigned get(const char *p) { return *(const unsigned *)p; }
static inline void set(char *p, unsigned v) { *(unsigned *)p = v; }
static inline unsigned size_of(const char *bp) { return get(bp - WSIZE) & ~7u; }
static inline unsigned used(const char *bp) { return get(bp - WSIZE) & 1u; }
static inline char *at(offset o) { return base + o; }

static void tag(char *bp, unsigned size, unsigned is_used)
{
    REQUIRES(size >= 16);
    set(bp - WSIZE, size | is_used);
    set(bp + size - 2 * WSIZE, size | is_used);
}

static void push(char *bp)
{
    set(bp, list);
    set(bp + WSIZE, 0);
    if (list)
        set(at(list) + WSIZE, (offset)(bp - base));
    list = (offset)(bp - base);
}

static void pull(char *bp)
{
    offset next = get(bp), prev = get(bp + WSIZE);

    if (prev)
        set(at(prev), next);
    else
        list = next;
    if (next)
        set(at(next) + WSIZE, prev);
}

static char *join(char *bp)
{
    unsigned size = size_of(bp);
    char *right = bp + size;

    if (!used(right)) {
        pull(right);
        size += size_of(right);
    }
    if (!(get(bp - 2 * WSIZE) & 1u)) {
        char *left = bp - (get(bp - 2 * WSIZE) & ~7u);
        pull(left);
        size += size_of(left);
        bp = left;
    }
    tag(bp, size, 0);
    push(bp);
    return bp;
}

static char *more(unsigned size)
{
    char *bp = mem_sbrk(size);

    if (bp == (char *)-1)
        return NULL;
    tag(bp, size, 0);
    set(bp + size - WSIZE, 1);
    return join(bp);
}

/*
 * Initialize: return -1 on error, 0 on success.
 */
int mm_init(void)
{
    if ((base = mem_sbrk(4 * WSIZE)) == (char *)-1)
        return -1;
    list = 0;
    set(base, 0);
    set(base + 4, 8 | 1);
    set(base + 8, 8 | 1);
    set(base + 12, 1);
    return more(CHUNK) ? 0 : -1;
}

void *malloc(size_t size)
{
    unsigned need = size <= 8 ? 16 : (unsigned)((size + 8 + 7) & ~(size_t)7);
    offset o;

    if (size == 0)
        return NULL;
    for (o = list; o; o = get(at(o)))
        if (size_of(at(o)) >= need)
            break;
    char *bp = o ? at(o) : more(need > CHUNK ? need : CHUNK);
    if (!bp)
        return NULL;
    pull(bp);
    unsigned rest = size_of(bp) - need;
    if (rest >= 16) {
        tag(bp, need, 1);
        tag(bp + need, rest, 0);
        push(bp + need);
    } else {
        tag(bp, size_of(bp), 1);
    }
    dbg_printf("malloc(%zu) = %p\n", size, (void *)bp);
    return bp;
}

void free(void *ptr)
{
    if (!ptr)
        return;
    tag(ptr, size_of(ptr), 0);
    join(ptr);
}

void *realloc(void *oldptr, size_t size)
{
    size_t oldsize;
    void *newptr;

    if (size == 0) {
        free(oldptr);
        return 0;
    }
    if (oldptr == NULL)
        return malloc(size);
    newptr = malloc(size);
    if (!newptr)
        return 0;
    oldsize = size_of(oldptr) - 8;
    memcpy(newptr, oldptr, size < oldsize ? size : oldsize);
    free(oldptr);
    return newptr;
}

void *calloc(size_t nmemb, size_t size)
{
    size_t bytes = nmemb * size;
    void *newptr = malloc(bytes);

    if (newptr)
        memset(newptr, 0, bytes);
    return newptr;
}

static int in_heap(const void *p)
{
    return p <= mem_heap_hi() && p >= mem_heap_lo();
}

void mm_checkheap(int verbose)
{
    for (char *bp = base + 8; size_of(bp); bp += size_of(bp)) {
        if (verbose > 1)
            printf("%p %u\n", (void *)bp, size_of(bp));
        if (!in_heap(bp))
            printf("%p is outside the heap\n", (void *)bp);
    }
}
