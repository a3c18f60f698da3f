/*
 * Explicit free list whose links are words of 4 bytes: only right in 32 bits.
 * Address-ordered would be nicer; this one is last in, first out.
 */
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include "mm.h"
#include "memlib.h"

team_t team = { "links", "Barbara Example", "barbara@example.edu", "", "" };

#define WSIZE 4
#define DSIZE 8
#define CHUNK 4096
#define GET(p) (*(unsigned int *)(p))
#define SET(p, v) (*(unsigned int *)(p) = (unsigned int)(v))
#define SIZE(bp) (GET((char *)(bp) - WSIZE) & ~0x7)
#define ALLOC(bp) (GET((char *)(bp) - WSIZE) & 0x1)
#define NEXT(bp) ((char *)(bp) + SIZE(bp))
#define PREV(bp) ((char *)(bp) - (GET((char *)(bp) - DSIZE) & ~0x7))
#define PREV_ALLOC(bp) (GET((char *)(bp) - DSIZE) & 0x1)
#define TAG(bp, size, used) (SET((char *)(bp) - WSIZE, (size) | (used)), \
                             SET((char *)(bp) + (size) - DSIZE, (size) | (used)))
#define NEXT_FREE(bp) ((char *)GET(bp))
#define PREV_FREE(bp) ((char *)GET((char *)(bp) + WSIZE))
#define NEXT_FIT 0

#if NEXT_FIT
#error not in this version
#endif

static char *head;
static char *heap_listp;

static void insert(char *bp)
{
    SET(bp, head);
    SET(bp + WSIZE, 0);
    if (head)
        SET(head + WSIZE, bp);
    head = bp;
}

static void unlink_block(char *bp)
{
    if (PREV_FREE(bp))
        SET(PREV_FREE(bp), NEXT_FREE(bp));
    else
        head = NEXT_FREE(bp);
    if (NEXT_FREE(bp))
        SET(NEXT_FREE(bp) + WSIZE, PREV_FREE(bp));
}

static char *coalesce(char *bp)
{
    unsigned size = SIZE(bp);

    if (!ALLOC(NEXT(bp))) {
        size += SIZE(NEXT(bp));
        unlink_block(NEXT(bp));
    }
    if (!PREV_ALLOC(bp)) {
        char *left = PREV(bp);
        size += SIZE(left);
        unlink_block(left);
        bp = left;
    }
    TAG(bp, size, 0);
    insert(bp);
    return bp;
}

static char *extend(size_t size)
{
    char *bp = mem_sbrk(size);

    if ((int)bp == -1)
        return NULL;
    TAG(bp, size, 0);
    SET(NEXT(bp) - WSIZE, 1);
    return coalesce(bp);
}

int mm_init(void)
{
    head = NULL;
    if ((heap_listp = mem_sbrk(4 * WSIZE)) == (void *)-1)
        return -1;
    SET(heap_listp, 0);
    SET(heap_listp + WSIZE, DSIZE | 1);
    SET(heap_listp + 2 * WSIZE, DSIZE | 1);
    SET(heap_listp + 3 * WSIZE, 1);
    return extend(CHUNK) ? 0 : -1;
}

void *mm_malloc(size_t size)
{
    size_t need = size <= DSIZE ? 2 * DSIZE : (size + DSIZE + 7) / 8 * 8;
    char *bp;

    if (!size)
        return NULL;
    for (bp = head; bp; bp = NEXT_FREE(bp))
        if (SIZE(bp) >= need)
            break;
    if (!bp && !(bp = extend(need > CHUNK ? need : CHUNK)))
        return NULL;
    unlink_block(bp);
    if (SIZE(bp) - need >= 2 * DSIZE) {
        size_t rest = SIZE(bp) - need;
        TAG(bp, need, 1);
        TAG(NEXT(bp), rest, 0);
        insert(NEXT(bp));
    } else {
        TAG(bp, SIZE(bp), 1);
    }
    return bp;
}

void mm_free(void *ptr)
{
    if (!ptr)
        return;
    TAG((char *)ptr, SIZE(ptr), 0);
    coalesce(ptr);
}

void *mm_realloc(void *ptr, size_t size)
{
    char *fresh;

    if (!ptr)
        return mm_malloc(size);
    if (!size) {
        mm_free(ptr);
        return NULL;
    }
    if (SIZE(ptr) - DSIZE >= size)
        return ptr;
    if (!(fresh = mm_malloc(size)))
        return NULL;
    memcpy(fresh, ptr, SIZE(ptr) - DSIZE);
    mm_free(ptr);
    return fresh;
}
