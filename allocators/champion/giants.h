/*
 * giants.h - blocks that are too large for positions of 32 bits, behind the heap of all the others.
 *
 *     | heap of blocks ... top | giant | free giant | giant | break
 *                              h.end, fixed once there is a giant
 *
 * Giants lie side by side from h.end to the break. Each has a descriptor, a block of the allocator's own in the heap
 * before; these are a list in the order of addresses. The first giant leaves that heap room to grow, 1/128 of its
 * own size. Cost: malloc, free and realloc of a giant look at all giants.
 */
#ifndef CHAMPION_GIANTS_H
#define CHAMPION_GIANTS_H

#include "classes.h"

static pos allocate(pos n);

struct giant {
    pos next;
    pos mark;             /* as in struct node: GIANT ^ its place */
    pos free_now;
    pos padding;
    size_t start, size;   /* bytes; the start from h.base */
};

/* Where the heap before has no room, smaller blocks are giants as well, down to so many bytes. */
#define GIANT_LEAST ((size_t)65536)

FAST struct giant *giant(pos d) { return at(d); }
/* Whether P lies where giants do. */
FAST bool in_giants(const void *p)
{
    return h.giants && (const unsigned char *)p >= h.base + (size_t)h.end * GRANULE;
}

/* A new descriptor, behind that of PREV, or first when PREV is 0. 0 when there is no memory for it. */
static pos add_giant(pos prev, size_t start, size_t size, bool free_now)
{
    pos d = allocate((pos)(sizeof(struct giant) + MM_ALIGNMENT - 1)  / MM_ALIGNMENT);

    if (!d)
        return 0;
    pos *link = prev ? &giant(prev)->next : &h.giants;
    struct giant *x = giant(d);
    x->next = *link;
    x->mark = GIANT ^ d;
    x->free_now = free_now;
    x->start = start;
    x->size = size;
    *link = d;
    return d;
}

static void drop_giant(pos prev, pos d)
{
    *(prev ? &giant(prev)->next : &h.giants) = giant(d)->next;
    giant(d)->mark = 0;
    release(d, end_of(d));
}

/* The giant D becomes free, and one with its free neighbours. */
static void free_giant(pos prev, pos d)
{
    pos next = giant(d)->next;

    giant(d)->free_now = true;
    if (next && giant(next)->free_now) {
        giant(d)->size += giant(next)->size;
        drop_giant(d, next);
    }
    if (prev && giant(prev)->free_now) {
        giant(prev)->size += giant(d)->size;
        drop_giant(prev, d);
    }
}

/* Cuts the giant D down to SIZE bytes, if the rest is worth a descriptor. */
static void cut_giant(pos d, size_t size)
{
    size_t rest = giant(d)->size - size;
    pos r = rest < GIANT_LEAST ? 0 : add_giant(d, giant(d)->start + size, rest, false);

    if (r) {
        giant(d)->size = size;
        free_giant(d, r);
    }
}

FAST size_t giant_bytes(size_t size) { return (size + MM_ALIGNMENT - 1) / MM_ALIGNMENT * MM_ALIGNMENT; }

/* A block of SIZE bytes among the giants, or NULL. */
SLOW void *giant_malloc(size_t size)
{
    pos best = 0, last = 0;

    if (size > SIZE_MAX / 4 || size < GIANT_LEAST)
        return NULL;
    if (size <= LARGEST && !h.giants && size / GRANULE < LIMIT - h.end)
        return NULL; /* the heap before could have grown, if there were memory */
    size_t bytes = giant_bytes(size);
    for (pos d = h.giants; d; last = d, d = giant(d)->next)
        if (giant(d)->free_now && giant(d)->size >= bytes && (!best || giant(d)->size < giant(best)->size))
            best = d;
    if (!best && last && giant(last)->free_now) {
        if (mem_sbrk((intptr_t)(bytes - giant(last)->size)) == (void *)-1)
            return NULL;
        giant(last)->size = bytes;
        best = last;
    }
    if (best) {
        giant(best)->free_now = false;
        cut_giant(best, bytes);
        return h.base + giant(best)->start;
    }
    bool first = !h.giants;
    pos d = add_giant(last, 0, bytes, false);
    if (!d)
        return NULL;
    size_t room = first ? bytes / 128 / GRANULE : 0;
    if (room > LIMIT - 1 - h.end)
        room = LIMIT - 1 - h.end;
    if (mem_sbrk((intptr_t)(room * GRANULE + bytes)) == (void *)-1) {
        drop_giant(last, d);
        return NULL;
    }
    h.end += (pos)room;
    giant(d)->start = mem_heapsize() - bytes;
    return h.base + giant(d)->start;
}

/* The descriptor of the giant at P, and the one before it, or one sentence and the end. */
static pos checked_giant(const void *p, const char *who, pos *prev)
{
    size_t offset = (size_t)((const unsigned char *)p - h.base);

    *prev = 0;
    for (pos d = h.giants; d; *prev = d, d = giant(d)->next) {
        struct giant *x = giant(d);
        if (offset == x->start && !x->free_now)
            return d;
        if (offset - x->start < x->size)
            misuse(who, p, "the pointer %s", offset % MM_ALIGNMENT ? "is misaligned: no block starts there"
                   : x->free_now ? "is already free" : "is inside a block, not its start");
    }
    misuse(who, p, "the pointer %s", "is not in the heap");
}

SLOW void giant_free(void *p)
{
    pos prev, d = checked_giant(p, "mm_free", &prev);
    free_giant(prev, d);
}

/* mm_realloc of the giant at P, to SIZE > 0 bytes. */
SLOW void *giant_realloc(void *p, size_t size)
{
    pos prev, d = checked_giant(p, "mm_realloc", &prev), next = giant(d)->next;
    size_t bytes = giant_bytes(size), had = giant(d)->size;
    size_t after = next && giant(next)->free_now ? giant(next)->size : 0;
    bool last = !next || (after && !giant(next)->next);

    if (size > SIZE_MAX / 4)
        return NULL;
    if (bytes > had + after && last && mem_sbrk((intptr_t)(bytes - had - after)) != (void *)-1) {
        if (after)
            drop_giant(d, next);
        giant(d)->size = bytes;
        return p;
    }
    if (bytes > had + after) {
        void *b = mm_malloc(size);
        if (!b)
            return NULL;
        memcpy(b, p, had);
        giant_free(p);
        return b;
    }
    if (bytes > had) {
        giant(d)->size += after;
        drop_giant(d, next);
    }
    cut_giant(d, bytes);
    return p;
}

#endif
