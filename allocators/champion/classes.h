/*
 * classes.h - small blocks by class: parked ones, and reserves.
 */
#ifndef CHAMPION_CLASSES_H
#define CHAMPION_CLASSES_H

#include "grow.h"

#define CLASSES_FROM (12288 / GRANULE) /* the heaps that bear a few classes, and all of them */
#define ALL_FROM (98304 / GRANULE)
#define PARK_SHARE 32u   /* part of the heap that may be parked */
#define PARK_MAX (65536 / GRANULE) /* granules that may be parked; bounds what a flush costs */
#define IDLE_MIN 64u
#define IDLE_MAX 8192u
#define RESERVE_SHARE 160u /* part of the heap that may be in reserves */
#define RESERVE_MAX (32768 / GRANULE)
#define MISSES_PER 4u     /* misses for each block in a reserve */
#define GROWTH_SHARE 8u   /* a block that grows by less than this part of itself gets this part for more */

/* A block of class C has become part of the heap at large. */
FAST void count_out(unsigned c) { h.classes[c].misses -= h.classes[c].misses > 0; }

FAST void limit_parking(void) { h.parked_limit = h.top / PARK_SHARE < PARK_MAX ? h.top / PARK_SHARE : PARK_MAX; }

/* All parked blocks are freed. When fewer than half of them were used again since the last time, blocks are not
 * parked for a while, and when that happens again, for twice as long. */
SLOW void flush(void)
{
    unsigned count = 0;

    for (unsigned c = 0; c < h.class_count; c++) {
        pos g = h.parked_lists[c];
        h.parked_lists[c] = 0;
        while (g) {
            pos next = node(g)->next;
            node(g)->link = 0;
            count_out(c);
            release(g, g + c);
            g = next;
            count++;
        }
    }
    bool useful = h.hits >= count / 2;
    h.span = useful ? 0 : h.span < IDLE_MIN ? IDLE_MIN : h.span < IDLE_MAX ? h.span * 2 : IDLE_MAX;
    h.idle = h.span;
    h.parking = h.idle ? 0 : h.class_count;
    h.hits = h.parked = 0;
    limit_parking();
}

/* Parks the block at G, of class C. */
FAST void park(pos g, unsigned c)
{
    pos next = h.parked_lists[c];

    node(g)->link = PARKED ^ g;
    h.parked_lists[c] = g; /* between the two: gcc would join them, by way of a vector register */
    node(g)->next = next;
    h.parked += c;
    if (unlikely(h.parked > h.parked_limit))
        flush();
}

/* A parked block of class C, which has some. */
FAST pos unpark(unsigned c)
{
    pos g = h.parked_lists[c];

    h.parked_lists[c] = node(g)->next;
    node(g)->link = 0;
    h.parked -= c;
    h.hits++;
    return g;
}

/* Cuts a block off the reserve of class C, which has one. */
FAST pos from_reserve(unsigned c)
{
    struct class *x = &h.classes[c];
    pos g = x->reserve, e = x->reserve_end, rest = g + c;

    node(g)->link = 0;
    h.reserved -= c;
    if (rest == e) {
        x->reserve = 0;
        return g;
    }
    forget_length(g, e);
    begin(rest);
    note_length(rest, e);
    node(rest)->link = RESERVE ^ rest;
    x->reserve = rest;
    return g;
}

SLOW void drop_reserves(void)
{
    for (unsigned c = 0; c < h.class_count; c++) {
        pos g = h.classes[c].reserve;
        h.classes[c].reserve = 0;
        if (g) {
            node(g)->link = 0;
            release(g, end_of(g));
        }
    }
    h.reserved = 0;
}

/* Blocks to be made of a stretch at once, when there is none of class C: the more of them there are already. */
FAST pos batch(unsigned c)
{
    pos room = h.top / RESERVE_SHARE, count = ++h.classes[c].misses / MISSES_PER;

    room = room < h.reserved ? 0 : room - h.reserved;
    if (room > RESERVE_MAX)
        room = RESERVE_MAX;
    if (count <= 1 || room < 2 * c)
        return 1;
    return (uint64_t)count * c > room ? room / c : count;
}

/* Whether the giants' list has the descriptor at G. */
SLOW bool is_giant(pos g)
{
    pos d = h.giants;

    while (d && d != g)
        d = node(d)->next;
    return d;
}

/* The block at G, which is not marked free, looks parked, like a reserve or the allocator's own; a user's bytes may. */
FAST bool is_marked(pos g) { return ((node(g)->link ^ g) & ~(pos)3) == PARKED; }

/* The block [G, E) looks so, and is a user's nevertheless. */
SLOW bool is_marked_live(pos g, pos e)
{
    pos mark = node(g)->link ^ g, c = e - g;

    if (mark == PARKED && c < h.class_count)
        for (pos b = h.parked_lists[c]; b; b = node(b)->next)
            if (b == g)
                return false;
    if (mark == RESERVE)
        for (c = 0; c < h.class_count; c++)
            if (h.classes[c].reserve == g)
                return false;
    if (mark == STOCK)
        return !is_stock(g);
    return mark != GIANT || !is_giant(g);
}

/* Moves the free blocks into new bins, COUNT of them, from the slot FIRST on. */
static void rebin(pos first, unsigned count)
{
    pos all = 0;

    for (unsigned c = 0; c < h.bins; c++)
        for (pos g = *slot(h.first + c), next; g; g = next) {
            next = node(g)->next;
            node(g)->next = all;
            all = g;
        }
    memset(h.nonempty, 0, sizeof h.nonempty);
    h.first = first;
    h.bins = count;
    while (all) {
        pos g = all;
        all = node(g)->next;
        insert(g, node(g)->size);
    }
}

/* Makes free memory whole, as far as the allocator's own blocks part it. True when anything has moved. */
SLOW bool tidy(void)
{
    bool moved = h.own_table && slide_own(h.own_table);

    return (h.own_lists && stocked() && slide_own(h.own_lists)) || moved;
}

/* Makes the tables that a heap of this size bears; without memory for them, it goes on as before. */
SLOW void grow_tables(void)
{
    unsigned count = h.class_count ? CLASSES : FEW_CLASSES, bins = h.class_count ? BINS : 0;
    size_t bytes = (count * CLASS_SLOTS + bins) * sizeof(pos);
    pos b = from_top((pos)(bytes + GRANULE - 1) / GRANULE), old = h.own_lists;

    if (!b)
        return;
    memset(at(b), 0, bytes);
    pos *parked_lists = slot(next_slot(b));
    struct class *classes = (struct class *)(parked_lists + count);
    if (old) {
        memcpy(parked_lists, h.parked_lists, h.class_count * sizeof *parked_lists);
        memcpy(classes, h.classes, h.class_count * sizeof *classes);
        rebin(next_slot(b) + count * CLASS_SLOTS, bins);
    }
    h.parked_lists = parked_lists;
    h.classes = classes;
    h.class_count = count;
    h.parking = h.idle ? 0 : count;
    h.own_lists = b;
    limit_parking();
    if (old)
        release(old, end_of(old));
}

#endif
