/*
 * release.h - the way of a block from its user back into the index: it waits, and then it coalesces.
 */
#ifndef CHAMPION_RELEASE_H
#define CHAMPION_RELEASE_H

/* The last block, at G, becomes part of the top. */
static void release_last(pos g)
{
    bool free_now;
    pos q = before(g, &free_now);
    unsigned c = class_of(h.top - g);

    if (h.table && c < CLASSES)
        h.table->misses[c] = 0; /* what comes and goes at the top pins nothing there */
    erase(g, false);
    if (free_now) {
        unlink_free(q);
        g = q;
        q = before(g, &free_now);
        erase(g, true);
    }
    h.last = q;
    h.top = g;
}

/* Whether the freed block [G, E) goes back to the reserve Q before it, where it came from. */
FAST bool rejoins(pos q, pos g, pos e)
{
    if (LIKELY(!is_reserve(q)) || e - g != size_of_class(node(q)->next))
        return false;
    h.reserved -= free_size(q);
    set_reserve(node(q)->next, q, e - q);
    return true;
}

/* The allocated block [G, E) becomes free: it coalesces with its neighbours and is indexed. */
static void release(pos g, pos e)
{
    bool free_before, free_after;
    pos q;

    if (e == h.top) {
        release_last(g);
        return;
    }
    uint32_t entry = h.dir[page_of(g)];
    uint64_t *w = is_bits(entry) ? &bits_at(entry)[g % PAGE / 64] : NULL;
    uint64_t down = w ? *w & (((uint64_t)1 << (g % 64)) - 1) : 0;
    if (LIKELY(down > 3 && g / 64 == e / 64 && (UNIT > 1 || e % 64 < 63))) { /* all in one word, and Q's bit stays */
        uint64_t word = *w;
        unsigned i = high_bit(down);
        free_before = is_end_of_hole(down, i);
        free_after = word >> (e % 64) & 2;
        q = g / 64 * 64 + i - free_before;
        word &= ~((uint64_t)(free_after ? 3 : 0) << (e % 64));
        word = free_before ? word & ~((uint64_t)1 << (g % 64)) : word | (uint64_t)2 << (g % 64);
        *w = word;
    } else {
        q = before(g, &free_before);
        free_after = is_free(e);
        if (free_after)
            erase(e, true);
        if (free_before)
            erase(g, false);
        else
            set_free(g, true);
    }
    if (free_after) {
        pos n = free_size(e);
        unlink_free(e);
        e += n;
    }
    if (free_before) {
        bool done = rejoins(q, g, e);
        g = q;
        if (!done)
            unlink_free(q);
        tag_pages(g, e);
        if (done)
            return;
    } else {
        tag_pages(g, e);
    }
    insert(g, e - g);
}

FAST pos patience(void)
{
    pos n = h.top / WAIT_SHARE;
    return n < WAIT_MAX ? n : WAIT_MAX;
}

/* All blocks that wait coalesce. */
SLOW void settle(void)
{
    uint32_t used = h.used;

    h.used = 0;
    h.patience = (int32_t)patience();
    for (; used; used &= used - 1) {
        pos *list = &h.table->wait[low_bit(used)], b = *list, next;
        *list = 0;
        for (; b; b = next) {
            next = node(b)->next;
            pos n = node(b)->size & ~WAITS;
            node(b)->size = 0; /* or the mark outlives the block, inside another */
            release(b, b + n);
        }
    }
}

/* Whether a block of N granules waits when it is freed. */
FAST bool may_wait(pos n) { return h.table && n / UNIT < EXACT_BINS; }

/* The block at G of N granules waits for a request of its size. */
FAST void wait(pos g, pos n)
{
    pos u = n / UNIT, *list = &h.table->wait[u];
    struct node *x = node(g);

    x->size = n | WAITS;
    x->next = *list;
    *list = g;
    h.used |= (uint32_t)1 << u;
    h.patience -= (int32_t)n;
    if (!LIKELY(h.patience >= 0))
        settle();
}

/* Whether the block at G, of N granules, waits: what it holds says so, and that may be a user's. */
FAST bool seems_to_wait(pos g, pos n) { return node(g)->size == (n | WAITS); }
static bool waits(pos g, pos n)
{
    if (!seems_to_wait(g, n) || !may_wait(n))
        return false;
    pos b = h.table->wait[n / UNIT];
    while (b && b != g)
        b = node(b)->next;
    return b;
}

/* Cuts the allocated block [G, E) down to its first N granules; the rest becomes free. The block stays
 * whole when the rest is too small for a block, or for want of bits. */
static void cut(pos g, pos n, pos e)
{
    pos rest = g + n;

    if (e - rest < MIN_BLOCK || !cover(rest))
        return;
    set_begin(rest);
    tag_pages(g, rest);
    if (g == h.last)
        h.last = rest;
    release(rest, e);
}

/* Allocates the first N granules of the free block at B, or all of it when the rest is too small for a block, or
 * for want of bits. */
FAST void take(pos b, pos n)
{
    pos m = free_size(b), rest = b + n;

    unlink_free(b);
    set_free(b, false);
    if (m - n < MIN_BLOCK || !cover(rest))
        return;
    set_begin(rest);
    set_free(rest, true);
    insert(rest, m - n);
    tag_pages(b, rest);
    tag_pages(rest, b + m);
}

/* Cuts the last N granules off the allocated block [G, E) and returns them; the rest becomes the reserve of
 * class C. The block stays whole as in `cut`. */
static pos carve(pos g, pos n, pos e, unsigned c)
{
    pos b = e - n;

    if (b - g < n || !cover(b))
        return g;
    set_begin(b);
    tag_pages(g, b);
    if (g == h.last)
        h.last = b;
    else
        tag_pages(b, e);
    set_free(g, true);
    set_reserve(c, g, b - g);
    return b;
}

static void release_old_dir(void)
{
    pos g = h.old_dir;
    h.old_dir = 0;
    if (g) {
        node(g)->size = 0;
        release(g, end_of(g));
    }
}

#endif
