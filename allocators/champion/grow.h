/*
 * grow.h - memory for blocks and for what is known about them: the top, the directory, and bits.
 */
#ifndef CHAMPION_GROW_H
#define CHAMPION_GROW_H

/* The part of the heap, in granules, that may be set aside at once. */
FAST pos share(pos part)
{
    pos n = h.top / part;
    return n < SHARE_MAX ? n : SHARE_MAX;
}

SLOW bool move_break(pos least)
{
    pos more = least + share(BREAK_SHARE) / UNIT * UNIT;

    if (least >= LIMIT - h.end || h.giants)
        return false;
    if (more >= LIMIT - h.end || mem_sbrk((intptr_t)more * GRANULE) == (void *)-1) {
        more = least;
        if (mem_sbrk((intptr_t)more * GRANULE) == (void *)-1)
            return false;
    }
    h.end += more;
    return true;
}

/* Takes N granules off the top, marking nothing. 0 when the heap is exhausted. */
FAST pos grab(pos n)
{
    if (n > h.end - h.top && !move_break(n - (h.end - h.top)))
        return 0;
    pos g = h.top;
    h.top += n;
    return g;
}

/* The block of N granules at G becomes the allocator's own: it looks like one that waits, but for its `next`. */
FAST void own(pos g, pos n)
{
    node(g)->size = n | WAITS;
    node(g)->next = g ^ OWN;
}

/* Whether the block at G, which seems to wait, is the allocator's own. */
FAST bool is_own(pos g) { return node(g)->next == (g ^ OWN); }

/* Takes spare bits off the top, several together so that they do not part the blocks around them more often
 * than need be. Returns where they are, for the caller to append, or 0 when the heap is exhausted. */
static pos stock(void)
{
    pos batch = 1 + share(STOCK_SHARE) / WORDS, b = grab(UNIT + batch * WORDS);

    if (!b && batch > 1)
        b = grab(UNIT + (batch = 1) * WORDS);
    if (b)
        for (pos i = batch, first = b + UNIT; i-- > 0; h.spare = first + i * WORDS)
            *(pos *)at(first + i * WORDS) = h.spare;
    return b;
}

/* Makes a hole of just the right size spare bits for one page, if there is one. */
static bool stock_from_hole(void)
{
    const pos n = UNIT + WORDS;
    pos b = h.table ? h.table->bin[n / UNIT] : 0;

    if (!b)
        return false;
    unlink_free(b);
    set_free(b, false);
    own(b, n);
    h.spare = b + UNIT;
    *(pos *)at(h.spare) = 0;
    return true;
}

/* Bits, from stock, for a page of FEW. */
static void spread(pos page)
{
    uint32_t few = h.dir[page];
    pos b = h.spare;

    h.spare = *(pos *)at(b);
    memset(at(b), 0, WORDS * sizeof(uint64_t));
    h.dir[page] = b << 2 | BITS;
    for (unsigned i = 0; i < SLOTS; i++)
        if (slot(few, i) & USED) {
            set_begin(page * PAGE + slot(few, i) % PAGE);
            if (slot(few, i) & FREE)
                set_free(page * PAGE + slot(few, i) % PAGE, true);
        }
}

/* Whether COUNT more blocks may begin in a page. */
FAST bool has_room(uint32_t entry, unsigned count)
{
    if (is_bits(entry) || kind_of(entry) == RUN)
        return true;
#pragma GCC unroll 3
    for (unsigned i = 0; i < SLOTS; i++)
        count -= count > 0 && !(slot(entry, i) & USED);
    return count == 0;
}

/* Lets a block begin at G. What that takes is appended to the heap in one go: a directory that reaches far
 * enough, the bits of the page of G, and those of the pages in which these begin. False when the heap is
 * exhausted, and then nothing has changed. */
SLOW bool cover_slowly(pos g)
{
    struct { pos page; uint32_t entry; } spreads[4];
    pos made[4], mades = 0, done = 0, old_top = h.top, old_pages = h.pages;
    pos need = page_of(h.top + 3 * (share(STOCK_SHARE) + UNIT + WORDS) + h.pages) + 2;
    uint32_t *old_dir = h.dir;

    if (page_of(g) < h.pages && has_room(h.dir[page_of(g)], 1))
        return true;
    if (need > h.pages) {
        pos pages = (need + need / DIR_SHARE + 3) & ~(pos)3;
        pos d = grab(round_units(DIR_HEAD + pages / 2));
        if (!d)
            return false;
        h.dir = (uint32_t *)at(d) + 2 * DIR_HEAD;
        memcpy(h.dir, old_dir, h.pages * sizeof *h.dir);
        memset(h.dir + h.pages, 0, (pages - h.pages) * sizeof *h.dir);
        h.pages = pages;
        made[mades++] = d;
    }
    for (pos i = 0; i <= mades; i++) {
        pos page = page_of(i == 0 ? g : made[i - 1]);
        if (has_room(h.dir[page], i == 0 && mades == 0 ? 1 : SLOTS))
            continue;
        if (!h.spare && !(h.dir == old_dir && stock_from_hole())) { /* undoing would lose what a new directory says */
            made[mades] = stock();
            if (!made[mades++])
                goto undo;
        }
        spreads[done].page = page;
        spreads[done++].entry = h.dir[page];
        spread(page);
    }
    for (pos i = 0; i < mades; i++) {
        append(made[i]);
        own(made[i], (i + 1 < mades ? made[i + 1] : h.top) - made[i]);
    }
    if (h.dir != old_dir)
        h.old_dir = position(old_dir) - DIR_HEAD;
    return true;

undo: /* no spare is left; those that were there before go back */
    while (done-- > 0) {
        pos page = spreads[done].page, b = h.dir[page] >> 2;
        h.dir[page] = spreads[done].entry;
        if (b < old_top) {
            *(pos *)at(b) = h.spare;
            h.spare = b;
        }
    }
    h.dir = old_dir;
    h.pages = old_pages;
    h.top = old_top;
    return false;
}

FAST bool cover(pos g)
{
    pos page = page_of(g);

    return LIKELY(page < h.pages && is_bits(h.dir[page])) || cover_slowly(g);
}

/* A new last block of N granules. 0 when the heap is exhausted. */
static pos from_top(pos n)
{
    pos g;
    do { /* what cover appends may take the top into the next page */
        g = h.top;
        if (!cover(g))
            return 0;
    } while (g != h.top);
    if (!grab(n))
        return 0;
    append(g);
    return g;
}

#endif
