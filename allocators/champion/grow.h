/*
 * grow.h - the end of the heap, and the table, which has to cover it; chunks for it.
 */
#ifndef CHAMPION_GROW_H
#define CHAMPION_GROW_H

#include "index.h"

#define SLIDE_SHARE 8u /* a last block moves down over a hole of at least this part of its size */
#define OWN_SHARE 32u /* the same for a block of the allocator's own */

/* Moves the break to PLACE, if it is not yet there. */
FAST bool reach(pos place)
{
    if (place <= h.end)
        return true;
    if (h.giants || place >= LIMIT || mem_sbrk((intptr_t)((size_t)(place - h.end) * GRANULE)) == (void *)-1)
        return false;
    h.end = place;
    return true;
}

FAST void drop_old_table(void)
{
    pos g = h.old_table;

    h.old_table = 0;
    if (g)
        release(g, end_of(g));
}

/* Granules for a table that covers a heap with its top at PLACE, itself, and some growth. */
FAST pos room_for(pos place) { return table_for(place + place / TABLE_SLACK); }

/* Moves the table into a free block of N granules, or else to the top. The block it was in is still allocated
 * then: drop_old_table. */
SLOW bool move_table(pos n)
{
    drop_old_table();
    pos one = 1, b = fit(n, &one), dirty = n;

    if (!b) {
        b = h.top;
        dirty = h.end > b ? h.end - b : 0; /* what comes from the system is zero */
        if (!reach(b + n))
            return false;
    }
    size_t used = table_used(), all = (size_t)(dirty < n ? dirty : n) * GRANULE;
    memcpy(at(b), h.table, used);
    if (all > used)
        memset((unsigned char *)at(b) + used, 0, all - used);
    h.old_table = h.own_table; /* 0 for the first one, which stays */
    h.own_table = b;
    h.table = at(b);
    h.covered = covers(n);
    if (b == h.top) {
        note_length(b, b + n);
        begin(b + n);
        h.top = b + n;
    }
    return true;
}

/* The block of the allocator's own at FROM is now at TO. */
static void moved_own(pos from, pos to)
{
    if (from == h.own_table) {
        h.table = at(h.own_table = to);
        return;
    }
    bool bins = h.bins > FEW_BINS; /* they are behind the classes */
    h.own_lists = to;
    h.parked_lists = slot(next_slot(to));
    h.classes = (struct class *)(h.parked_lists + h.class_count);
    if (!bins)
        return;
    h.first = next_slot(to) + h.class_count * CLASS_SLOTS;
    for (unsigned c = 0; c < h.bins; c++)
        node(*slot(h.first + c))->link = h.first + c;
}

/* The block [G, E) is to have SIZE granules, and what follows is the last block and the allocator's own: they
 * change places, if it is certain that the block can grow then. Returns where the block is then. */
static pos swap_own(pos g, pos e, pos size)
{
    pos n = h.top - e, to = g + n;

    if (size >= LIMIT - to || to + size + MARGIN >= h.covered || !reach(to + size) || !reach(h.top + n))
        return g;
    forget_length(g, e);
    forget_length(e, h.top);
    erase(e);
    erased(e, g, h.top);
    begin(to);
    note_length(g, to);
    note_length(to, h.top);
    memcpy(at(h.top), at(e), (size_t)n * GRANULE);
    memmove(at(to), at(g), (size_t)(e - g) * GRANULE);
    memcpy(at(g), at(h.top), (size_t)n * GRANULE);
    moved_own(e, g);
    return to;
}

/* The block at G, of the allocator's own, slides down over the free block before it, if there is one, so that it
 * does not part free memory for good. True when it has moved. */
static bool slide_own(pos g)
{
    pos q = hole_before(g);

    if (q == g)
        return false;
    pos e = end_of(g), to = q + e - g;
    if (g - q < (e - g) / OWN_SHARE)
        return false;
    take_hole(q, g);
    forget_length(g, e);
    erase(g);
    erased(g, q, e);
    begin(to);
    note_length(q, to);
    note_length(to, e);
    memmove(at(q), at(g), (size_t)(e - g) * GRANULE);
    moved_own(g, q);
    release(to, e);
    return true;
}

#if MM_ALIGNMENT == 8
/* Makes more chunks, in a hole while those that there are suffice, and else at the top; there they are used
 * themselves for the block that holds them. True when there are chunks for COUNT new blocks. */
SLOW bool restock(unsigned count)
{
    pos more = CHUNKS_STEP + h.chunks / CHUNKS_SLACK, one = 1;

    if (more > CHUNKS_MAX)
        more = CHUNKS_MAX;
    pos n = 2 + more * PAGE_WORDS, b = enough(1) ? fit(n, &one) : 0;
    if (!b && enough(count))
        return true;
    if (!b) {
        b = h.top;
        if (b + n >= h.covered)
            n = 2 + CHUNKS_STEP * PAGE_WORDS;
        if (b + n >= h.covered || !reach(b + n))
            return false;
    }
    *node(b) = (struct node){ .next = h.stocks, .link = STOCK ^ b };
    h.stocks = b;
    add_chunks(b + 2, b + n);
    if (b == h.top) {
        note_length(b, b + n);
        begin(b + n);
        h.top = b + n;
        if (h.top + MARGIN >= h.covered)
            move_table(room_for(h.top));
        drop_old_table();
    }
    return enough(count);
}
#endif

/* A new last block of N granules, or 0. */
SLOW pos from_top(pos n)
{
    pos g = 0;

    /* the memory first: a request that is refused must not leave a larger table behind */
    if (n < LIMIT - h.top && reach(h.top + n) &&
        (h.top + n + MARGIN < h.covered || (stocked_for(2) && move_table(room_for(h.top + n)))) && reach(h.top + n)) {
        g = h.top;
        note_length(g, g + n);
        begin(g + n);
        h.top = g + n;
    }
    drop_old_table();
    return g;
}

/* The last block, at G, grows from OLD to N granules. Where the table has to grow and fits nowhere else, it takes
 * its place, and it moves up, so that it stays the last. Returns where it is then; 0 when the heap is
 * exhausted, and then nothing has changed. */
SLOW pos grow_last(pos g, pos old, pos n)
{
    pos to = g, table_at = 0, room = 0;

    if (n >= LIMIT - g)
        return 0;
    if (g + n + MARGIN >= h.covered) {
        pos one = 1;
        room = room_for(g + n);
        if (room >= LIMIT - g - n || !enough(2))
            return 0;
        table_at = fit(room, &one);
        if (table_at)
            release(table_at, end_of(table_at)); /* move_table will find it again */
        else
            to = g + room;
    }
    if (!reach(to + n))
        return 0;
    if (to != g)
        memmove(at(to), at(g), (size_t)old * GRANULE);
    forget_length(g, g + old);
    erase(g + old);
    erased(g + old, g, UINT32_MAX);
    h.top = g;
    if (room > 0)
        move_table(room); /* there is room: here if nowhere else */
    h.top = to + n;
    begin(h.top);
    note_length(to, h.top);
    drop_old_table();
    return to;
}

/* The last block, [G, E), is to have N granules: it slides down over the free block before it, if that is enough
 * and not a trifle. The first part of the hole is left for small blocks, which would follow this one otherwise,
 * and be in its way the next time. Returns where the block begins then, its end being as before; or 0. */
static pos slide(pos g, pos e, pos n)
{
    pos q = hole_before(g), old = e - g, leave = old / 32 + 256 / GRANULE, to = q + leave;

    if (q == g || g < to + old / SLIDE_SHARE || e < to + n)
        return 0;
    take_hole(q, g);
    forget_length(g, e);
    erase(g);
    erased(g, q, e);
    begin(to);
    note_length(to, e);
    add_hole(q, to);
    memmove(at(to), at(g), (size_t)old * GRANULE);
    return to;
}

#endif
