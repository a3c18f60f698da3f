/*
 * index.h - the free blocks: bins by size, and the recent and the fresh one, which are in none.
 *
 * Up to EXACT granules a bin has blocks of one size; above, four bins share an octave.
 */
#ifndef CHAMPION_INDEX_H
#define CHAMPION_INDEX_H

#include "blocks.h"

#define LOOKS 16u /* blocks of a bin looked at */
#define NEXT_FIT 64u /* smaller blocks are cut off the recent one, while nothing is parked; no length is noted then */

FAST unsigned bin_of(pos n)
{
    pos b = n;

    if (unlikely(n >= EXACT)) {
        unsigned k = 31 - (unsigned)__builtin_clz(n);
        b = EXACT + (k - 6) * 4 + (n >> (k - 2) & 3);
    }
    return b < h.bins ? b : h.bins - 1;
}

/* Blocks of N granules have a bin to themselves. */
FAST bool is_exact(size_t n) { return n < EXACT && n < h.bins - 1; }

/* The granules at place 0 are nobody's, and what is written there is not read: so ends of lists need no branch. */
FAST void insert(pos g, pos n)
{
    unsigned c = bin_of(n);
    pos next = *slot(h.first + c);

    *node(g) = (struct node){ .next = next, .link = h.first + c, .size = n };
    node(next)->link = next_slot(g);
    *slot(h.first + c) = g;
    h.nonempty[c / 64] |= (uint64_t)1 << (c % 64);
}

/* The bin whose slot LINK is has no block any more, if it is a bin's, and if NEXT is 0. */
FAST void emptied(pos link, pos next)
{
    pos c = link - h.first;

    /* no branch: it would be mispredicted */
    h.nonempty[c / 64 % (BINS / 64)] &= ~((uint64_t)((c < BINS) & (next == 0)) << (c % 64));
}

FAST void take(pos g)
{
    pos next = node(g)->next, link = node(g)->link;

    node(next)->link = link;
    *slot(link) = next;
    emptied(link, next);
}

/* ---- holes: blocks in bins, the recent and the fresh one ---- */

/* The block [G, E), in which no other begins, and whose length is not noted, becomes a hole in a bin. */
FAST void add_hole(pos g, pos e)
{
    mark_free(g);
    note_length(g, e);
    insert(g, e - g);
}

/* Puts the fresh block into its bin. */
FAST void settle(void)
{
    if (!h.fresh)
        return;
    note_length(h.fresh, h.fresh_end);
    insert(h.fresh, h.fresh_end - h.fresh);
    h.fresh = h.fresh_end = 0;
}

/* The hole [G, E) becomes an allocated block, whose length is not noted. */
FAST void take_hole(pos g, pos e)
{
    if (g == h.recent) {
        h.recent = h.recent_end = 0;
        return;
    }
    mark_allocated(g);
    if (g == h.fresh) {
        h.fresh = h.fresh_end = 0;
        return;
    }
    take(g);
    forget_length(g, e);
}

/* Where the hole begins that ends at G, or G. */
FAST pos hole_before(pos g)
{
    if (g == h.recent_end)
        return h.recent;
    if (g == h.fresh_end)
        return h.fresh;
    bool free;
    pos q = before(g, &free);
    return free ? q : g;
}

/* Where the hole ends that begins at G, or G. */
FAST pos hole_after(pos g)
{
    if (g == h.recent)
        return h.recent_end;
    if (g == h.fresh)
        return h.fresh_end;
    return is_free(g) ? g + node(g)->size : g;
}

/* The block [G, E), whose length is not noted, is allocated with N granules; the rest becomes the recent block.
 * All of it is allocated when the rest is too small for a block. */
FAST void split(pos g, pos n, pos e)
{
    pos rest = g + n;

    if (e - rest < MIN_BLOCK) {
        note_length(g, e);
        return;
    }
    begin(rest);
    note_length(g, rest);
    if (h.recent)
        add_hole(h.recent, h.recent_end);
    h.recent = rest;
    h.recent_end = e;
}

/* The smallest of the first blocks of bin C that have N granules, or 0. */
FAST pos search(unsigned c, pos n, unsigned looks)
{
    pos best = 0, size = UINT32_MAX;

    for (pos g = *slot(h.first + c); g && looks > 0 && size > n; g = node(g)->next, looks--)
        if (node(g)->size >= n && node(g)->size < size) {
            best = g;
            size = node(g)->size;
        }
    return best;
}

/* The first bin from C on that has blocks, or BINS. */
FAST unsigned next_bin(unsigned c)
{
    uint64_t w = c < BINS ? h.nonempty[c / 64] & ~(uint64_t)0 << (c % 64) : 0;

    if (w)
        return c / 64 * 64 + low_bit(w);
    return c < 64 && h.nonempty[1] ? 64 + low_bit(h.nonempty[1]) : BINS;
}

/* Allocates N granules in the hole that fits best, or nearly; COUNT times N if it has so many, else as many as it
 * has. 0 when none fits, or none is seen to. */
FAST pos fit(pos n, pos *count)
{
    settle();
    unsigned c = bin_of(n);
    pos best = 0, recent_size = h.recent_end - h.recent;

    if (!is_exact(n))
        best = search(c++, n, LOOKS);
    if (!best && (c = next_bin(c)) < BINS && (recent_size < n || bin_of(recent_size) > c))
        best = search(c, n, c < EXACT && c < h.bins - 1 ? 1 : LOOKS / 2);
    pos size = best ? node(best)->size : UINT32_MAX;
    if (recent_size >= n && recent_size <= size) {
        best = h.recent;
        size = recent_size;
    } else if (!best) {
        return 0;
    }
    take_hole(best, best + size);
    if (*count > 1 && *count > size / n)
        *count = size / n;
    split(best, n * *count, best + size);
    return best;
}

/* A block of bin N, which has blocks of N granules only, and some. */
FAST pos from_bin(pos n)
{
    pos *head = slot(h.first + n), g = *head, next = node(g)->next;

    *head = next;
    node(next)->link = h.first + n;
    h.nonempty[0] &= ~((uint64_t)!next << n);
    mark_allocated(g);
    return g;
}

/* Cuts N granules off the recent block, which has more than that. */
FAST pos from_recent(pos n)
{
    pos g = h.recent;

    h.recent = g + n;
    begin(h.recent);
    return g;
}

/* The allocated block [G, E) becomes free, and one with the holes beside it. */
SLOW void release(pos g, pos e)
{
    pos from = g, to = e;
    bool recent = false;

    forget_length(g, e);
    if (is_free(e)) {
        if (e == h.fresh) {
            to = h.fresh_end;
            h.fresh = h.fresh_end = 0;
        } else {
            to = e + node(e)->size;
            take(e);
            forget_length(e, to);
        }
        erase_free(e);
    } else if (e == h.recent) {
        to = h.recent_end;
        recent = true;
        erase(e);
    }
    if (g == h.fresh_end) {
        erase(g);
        from = h.fresh;
        if (likely(!recent && to != h.top)) {
            erased(e, from, to);
            erased(g, from, to);
            h.fresh_end = to;
            return;
        }
        h.fresh = h.fresh_end = 0;
    } else if (g == h.recent_end) {
        from = h.recent;
        recent = true;
        erase(g);
    } else {
        bool free;
        pos q = before(g, &free);
        if (free) {
            from = q;
            take(q);
            erase(g);
            forget_length(q, g);
        }
    }
    erased(e, from, to);
    erased(g, from, to);
    if (to == h.top) {
        erase(to);
        mark_allocated(from);
        h.top = from;
        if (recent)
            h.recent = h.recent_end = 0;
        erased(e, from, UINT32_MAX);
        erased(g, from, UINT32_MAX);
    } else if (recent) {
        mark_allocated(from);
        h.recent = from;
        h.recent_end = to;
    } else {
        settle();
        mark_free(from);
        h.fresh = from;
        h.fresh_end = to;
    }
}

/* The allocated block [G, E) is cut down to N granules, and the rest is freed, if it is enough for a block. */
FAST void cut(pos g, pos n, pos e)
{
    pos rest = g + n;

    if (e - rest < MIN_BLOCK)
        return;
    forget_length(g, e);
    begin(rest);
    note_length(g, rest);
    release(rest, e);
}

#endif
