/*
 * index.h - the free blocks: bins by size, and the recent block, which is in none.
 *
 * Up to EXACT units a bin has blocks of one size; above, four bins share an octave.
 */
#ifndef CHAMPION_INDEX_H
#define CHAMPION_INDEX_H

#include "blocks.h"

#define LOOKS 16u /* blocks of a bin looked at */
#define NEXT_FIT (64 * UNIT) /* smaller blocks are cut off the recent one, while nothing is parked */

FAST unsigned bin_of(pos n)
{
    pos u = n / UNIT, b = u;

    if (u >= EXACT) {
        unsigned k = 31 - (unsigned)__builtin_clz(u);
        b = EXACT + (k - 6) * 4 + (u >> (k - 2) & 3);
    }
    return b < h.bins ? b : h.bins - 1;
}

/* Blocks of N granules have a bin to themselves. */
FAST bool is_exact(pos n) { return n / UNIT < EXACT && n / UNIT < h.bins - 1; }

/* The granules at place 0 are nobody's, and what is written there is not read: so ends of lists need no branch. */
FAST void insert(pos g, pos n)
{
    unsigned c = bin_of(n);
    pos next = h.first[c];

    *node(g) = (struct node){ .next = next, .size = n };
    node(next)->prev = g;
    h.first[c] = g;
    h.nonempty[c / 64] |= (uint64_t)1 << (c % 64);
}

FAST void take(pos g, pos n)
{
    unsigned c = bin_of(n);
    pos next = node(g)->next, prev = node(g)->prev;

    node(next)->prev = prev;
    *(prev ? &node(prev)->next : &h.first[c]) = next;
    h.nonempty[c / 64] &= ~((uint64_t)!h.first[c] << (c % 64));
}

/* The same, for a block that may be the recent one. */
FAST void take_any(pos g, pos n)
{
    if (g == h.recent)
        h.recent = 0;
    else
        take(g, n);
}

FAST void make_recent(pos g, pos n)
{
    h.recent = g;
    h.recent_size = node(g)->size = n;
}

/* The free block [G, E), which is in no bin, becomes allocated with N granules; the rest becomes the recent block.
 * All of it is allocated when the rest is too small for a block. */
FAST void split(pos g, pos n, pos e)
{
    pos rest = g + n;

    mark_allocated(g);
    if (e - rest < MIN_BLOCK)
        return;
    forget_length(g, e);
    begin_free(rest);
    note_length(g, rest);
    note_length(rest, e);
    if (h.recent)
        insert(h.recent, h.recent_size);
    make_recent(rest, e - rest);
}

/* The smallest of the first blocks of bin C that have N granules, or 0. */
FAST pos search(unsigned c, pos n, unsigned looks)
{
    pos best = 0, size = UINT32_MAX;

    for (pos g = h.first[c]; g && looks > 0 && size > n; g = node(g)->next, looks--)
        if (node(g)->size >= n && node(g)->size < size) {
            best = g;
            size = node(g)->size;
        }
    return best;
}

/* The first bin from C on that has blocks, or BINS. */
FAST unsigned next_bin(unsigned c)
{
    uint64_t w = c < BINS ? h.nonempty[c / 64] & (~(uint64_t)0 << (c % 64)) : 0;

    if (w)
        return c / 64 * 64 + low_bit(w);
    return c < 64 && h.nonempty[1] ? 64 + low_bit(h.nonempty[1]) : BINS;
}

/* Allocates N granules in the free block that fits best, or nearly; COUNT times N if it has so many, else as
 * many as it has. 0 when none fits, or none is seen to. */
FAST pos fit(pos n, pos *count)
{
    unsigned c = bin_of(n);
    pos best = 0;

    if (!is_exact(n))
        best = search(c++, n, LOOKS);
    if (!best && (c = next_bin(c)) < BINS && (!h.recent || h.recent_size < n || bin_of(h.recent_size) > c))
        best = search(c, n, c < EXACT && c < h.bins - 1 ? 1 : LOOKS / 2);
    pos size = best ? node(best)->size : UINT32_MAX;
    if (h.recent && h.recent_size >= n && h.recent_size <= size) {
        best = h.recent;
        size = h.recent_size;
        h.recent = 0;
    } else if (best) {
        take(best, size);
    } else {
        return 0;
    }
    if (*count > size / n)
        *count = size / n;
    split(best, n * *count, best + size);
    return best;
}

/* Cuts N granules off the recent block, which has more than that. */
FAST pos from_recent(pos n)
{
    pos g = h.recent, rest = g + n, e = g + h.recent_size;

    forget_length(g, e);
    mark_allocated(g);
    begin_free(rest);
    note_length(rest, e);
    make_recent(rest, e - rest);
    return g;
}

/* The allocated block [G, E) becomes free, and one with its free neighbours. V is what is seen at G. */
FAST void coalesce(pos g, pos e, struct view v)
{
    bool free_before, recent = false;
    pos from = before(g, &free_before), to = e;
    bool free_after = e != h.top && sees_next_free(v, g, e);

    forget_length(g, e);
    if (free_after) {
        pos n = node(e)->size;
        to = e + n;
        recent = e == h.recent;
        if (!recent)
            take(e, n);
        erase_free(e);
        forget_length(e, to);
    }
    if (free_before) {
        if (from == h.recent)
            recent = true;
        else
            take(from, g - from);
        forget_length(from, g);
        clear(g);
    } else {
        from = g;
    }
    if (to == h.top) {
        clear(to);
        mark_allocated(from);
        erased(e, from, UINT32_MAX);
        erased(g, from, UINT32_MAX);
        h.top = from;
        if (recent)
            h.recent = 0;
        return;
    }
    erased(e, from, to);
    erased(g, from, to);
    note_length(from, to);
    mark_free(from);
    if (recent)
        make_recent(from, to - from);
    else
        insert(from, to - from);
}

SLOW void release(pos g, pos e) { coalesce(g, e, look(g)); }

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
