/*
 * Implicit free list, first fit, boundary tags, coalescing at once. Words of
 * 4 bytes hold sizes only, so this file is right in 32 and in 64 bits.
 *
 *   | pad 4 | prologue 4+4 | header 4 | payload ... | footer 4 | ... | epilogue 4 |
 */
#include <stdio.h>
#include <stdlib.h>
#include <assert.h>
#include <unistd.h>
#include <string.h>
#include "mm.h"
#include "memlib.h"
#include "config.h"

team_t team = {
    "boundary tags", "Grace Example", "grace@example.edu", "Alan Example", "alan@example.edu",
};

#define W 4
#define D 8
#define GROW (1 << 12)
#define BIGGER(a, b) ((a) > (b) ? (a) : (b))
#define WORD(p) (*(unsigned int *)(p))
#define SIZE_AT(p) (WORD(p) & ~7u)
#define USED_AT(p) (WORD(p) & 1u)
#define HEAD(bp) ((char *)(bp) - W)
#define FOOT(bp) ((char *)(bp) + SIZE_AT(HEAD(bp)) - D)
#define RIGHT(bp) ((char *)(bp) + SIZE_AT((char *)(bp) - W))
#define LEFT(bp) ((char *)(bp) - SIZE_AT((char *)(bp) - D))

static char *first; /* the prologue's payload */

static void *grow(size_t words);
static void *merge(void *bp);
static void *search(size_t size);
static void put(void *bp, size_t size);
static void tag(void *bp, size_t size, unsigned used);
int mm_check(int);

int mm_init(void)
{
    if ((first = mem_sbrk(4 * W)) == (void *)-1)
        return -1;
    WORD(first) = 0;
    WORD(first + W) = D | 1;
    WORD(first + 2 * W) = D | 1;
    WORD(first + 3 * W) = 0 | 1;
    first += 2 * W;
    if (grow(GROW / W) == NULL)
        return -1;
    return 0;
}

void *mm_malloc(size_t size)
{
    size_t need;
    char *bp;

    if (size == 0)
        return NULL;
    if (size <= D)
        need = 2 * D;
    else
        need = D * ((size + D + (D - 1)) / D);
    if ((bp = search(need)) != NULL) {
        put(bp, need);
        return bp;
    }
    if ((bp = grow(BIGGER(need, GROW) / W)) == NULL)
        return NULL;
    put(bp, need);
    return bp;
}

void mm_free(void *bp)
{
    if (bp == NULL)
        return;
    tag(bp, SIZE_AT(HEAD(bp)), 0);
    merge(bp);
}

void *mm_realloc(void *ptr, size_t size)
{
    void *fresh;
    size_t n;

    if (size == 0) {
        mm_free(ptr);
        return 0;
    }
    if (ptr == NULL)
        return mm_malloc(size);
    fresh = mm_malloc(size);
    if (!fresh)
        return 0;
    n = SIZE_AT(HEAD(ptr)) - D;
    if (size < n)
        n = size;
    memcpy(fresh, ptr, n);
    mm_free(ptr);
    return fresh;
}

static void tag(void *bp, size_t size, unsigned used)
{
    WORD(HEAD(bp)) = size | used;
    WORD(FOOT(bp)) = size | used;
}

static void *grow(size_t words)
{
    char *bp;
    size_t size = (words % 2) ? (words + 1) * W : words * W;

    if ((long)(bp = mem_sbrk(size)) == -1)
        return NULL;
    tag(bp, size, 0);
    WORD(HEAD(RIGHT(bp))) = 0 | 1;
    return merge(bp);
}

static void *merge(void *bp)
{
    size_t left = USED_AT((char *)bp - D);
    size_t right = USED_AT(HEAD(RIGHT(bp)));
    size_t size = SIZE_AT(HEAD(bp));

    if (!right)
        size += SIZE_AT(HEAD(RIGHT(bp)));
    if (!left) {
        size += SIZE_AT(HEAD(LEFT(bp)));
        bp = LEFT(bp);
    }
    tag(bp, size, 0);
    return bp;
}

static void *search(size_t size)
{
    char *bp;

    for (bp = first; SIZE_AT(HEAD(bp)) > 0; bp = RIGHT(bp))
        if (!USED_AT(HEAD(bp)) && size <= SIZE_AT(HEAD(bp)))
            return bp;
    return NULL;
}

static void put(void *bp, size_t size)
{
    size_t whole = SIZE_AT(HEAD(bp));

    if (whole - size >= 2 * D) {
        tag(bp, size, 1);
        tag(RIGHT(bp), whole - size, 0);
    } else {
        tag(bp, whole, 1);
    }
}

int mm_check(int verbose)
{
    char *bp;

    for (bp = first; SIZE_AT(HEAD(bp)) > 0; bp = RIGHT(bp)) {
        if (verbose)
            printf("%p: %u %u\n", bp, SIZE_AT(HEAD(bp)), USED_AT(HEAD(bp)));
        if (WORD(HEAD(bp)) != WORD(FOOT(bp)))
            return 0;
    }
    return 1;
}
