/*
 * check.h - mm_checkheap: every statement above, checked over the whole heap.
 */
#ifndef CHAMPION_CHECK_H
#define CHAMPION_CHECK_H

#include "giants.h"

static int complain(int line, pos g, const char *what)
{
    return broken(line, "at %p: %s", at(g), what);
}

#if MM_ALIGNMENT == 8
/* The pages that the block [G, E) covers. */
static int check_far(int line, pos g, pos e)
{
    for (pos first = (g + 1) / PAGE + 1, last = e / PAGE, i = first; i < last; i++)
        if (*entry(i) != (i == first || i == last - 1 ? RUN | (last - first) : NONE))
            return complain(line, g, "a long block covers pages that are not entered as a run");
    return 0;
}

/* Every chunk: in use for a page in which a block begins, or unused. */
static int check_table(int line)
{
    int wrong = 0;
    pos chunks = 0, spare = 0, stocked = (FIRST - FIRST_CHUNKS) / PAGE_WORDS;

    for (pos page = 0; page < h.covered / PAGE; page++) {
        bool used = page <= (h.top + 1) / PAGE && page > 0 && begins(page * PAGE - 1);
        for (pos i = 0; i < PAGE_WORDS && has_chunk(*entry(page)); i++)
            used |= chunk_at(*entry(page))[i] != 0;
        if ((used || is_few(*entry(page))) != (has_chunk(*entry(page)) || is_few(*entry(page))) ||
            (*entry(page) != NONE && page * PAGE > h.top + 1))
            wrong += broken(line, "page %u has bits and needs none, or the reverse", page);
        chunks += has_chunk(*entry(page));
    }
    for (pos c = h.chunk; spare < h.spare; c = (pos)*chunk_at(c), spare++)
        if (c == NONE || c >= h.top)
            return wrong + broken(line, "the list of unused chunks ends early");
    for (pos g = h.stocks; g; g = node(g)->next) {
        if (g >= h.top || !begins(g) || is_free(g) || node(g)->link != (STOCK ^ g))
            return wrong + complain(line, g, "this should hold chunks");
        stocked += (end_of(g) - g - 2) / PAGE_WORDS;
    }
    if (chunks + spare != h.chunks || stocked != h.chunks)
        wrong += broken(line, "%u chunks are used and %u not, of %u in %u", chunks, spare, h.chunks, stocked);
    return wrong;
}
#else
/* The groups that the block [G, E) covers. */
static int check_far(int line, pos g, pos e)
{
    for (const struct group *x = group(g) + 1; x < group(e); x++)
        if (x->starts || ((x == group(g) + 1 || x == group(e) - 1) && x->flags != e - g))
            return complain(line, g, "a long block does not say its length in the groups that it covers");
    return 0;
}

/* Beyond the top no block begins. */
static int check_table(int line)
{
    for (const struct group *x = group(h.top) + 1; x < group(h.covered); x++)
        if (x->starts)
            return broken(line, "blocks begin beyond the top");
    return 0;
}
#endif

/* Every block, in the order of addresses. Adds up the free ones. */
static int check_blocks(int line, pos *frees)
{
    int wrong = 0;
    bool was_free = false;

    for (pos g = 0, e; g < h.top; g = e) {
        if (!begins(g))
            return wrong + complain(line, g, "no block begins where one ends");
        e = open_end(g);
        if (e > h.top || e - g < MIN_BLOCK)
            return wrong + complain(line, g, "a block has an impossible size");
        bool free;
        bool open = is_open(g);
        bool was;
        if (!open && (before(e, &was) != g || was != is_free(g)))
            wrong += complain(line, g, "a block is not found from its end");
        if (is_recent(g) && is_free(g))
            wrong += complain(line, g, "the recent block is marked free");
        if (!open)
            wrong += check_far(line, g, e);
        free = is_recent(g) || is_free(g);
        if (free && was_free)
            wrong += complain(line, g, "two free blocks lie side by side");
        if (free && e == h.top)
            wrong += complain(line, g, "the last block is free");
        if (is_free(g) && !open && node(g)->size != e - g)
            wrong += complain(line, g, "a free block does not know its size");
        was_free = free;
        *frees += free;
    }
    return wrong;
}

/* Every bin, and the recent block. Subtracts what is found from the free blocks. */
static int check_bins(int line, pos *frees)
{
    int wrong = 0;

    for (unsigned c = 0; c < h.bins; c++) {
        pos link = h.first + c;
        if (!*slot(link) != !(h.nonempty[c / 64] >> (c % 64) & 1))
            wrong += broken(line, "bin %u is marked empty and is not, or the reverse", c);
        for (pos g = *slot(link); g; link = next_slot(g), g = node(g)->next, --*frees)
            if (g >= h.top || !begins(g) || !is_free(g) || node(g)->link != link || bin_of(node(g)->size) != c)
                return wrong + complain(line, g, "a bin holds what does not belong there");
    }
    if (h.recent && (h.recent >= h.top || !begins(h.recent) || h.recent_end - h.recent < MIN_BLOCK))
        wrong += complain(line, h.recent, "the recent block is none");
    if (h.fresh && (h.fresh >= h.top || !begins(h.fresh) || !is_free(h.fresh)))
        wrong += complain(line, h.fresh, "the fresh block is not free");
    *frees -= (pos)(h.recent != 0) + (h.fresh != 0);
    return wrong;
}

/* Every class: blocks parked, and the reserve. */
static int check_classes(int line)
{
    int wrong = 0;
    pos parked = 0, reserved = 0;

    for (unsigned c = 0; c < h.class_count; c++) {
        const struct class *x = &h.classes[c];
        for (pos g = h.parked_lists[c]; g; g = node(g)->next, parked += c)
            if (g >= h.top || !begins(g) || is_free(g) || end_of(g) - g != c || node(g)->link != (PARKED ^ g))
                return wrong + complain(line, g, "a class has a parked block that does not belong there");
        if (!x->reserve)
            continue;
        if (x->reserve >= h.top || !begins(x->reserve) || is_free(x->reserve) || end_of(x->reserve) != x->reserve_end ||
            (x->reserve_end - x->reserve) % c || node(x->reserve)->link != (RESERVE ^ x->reserve))
            return wrong + complain(line, x->reserve, "a reserve is not a block for a whole number of others");
        reserved += x->reserve_end - x->reserve;
    }
    if (parked != h.parked)
        wrong += broken(line, "%u granules are parked, not %u", parked, h.parked);
    if (reserved != h.reserved)
        wrong += broken(line, "the reserves have %u granules, not %u", reserved, h.reserved);
    return wrong;
}

/* Giants lie side by side from the end of the heap before to the break, and no two free ones are neighbours. */
static int check_giants(int line)
{
    size_t at_byte = (size_t)h.end * GRANULE;
    bool was_free = false;
    int wrong = 0;

    for (pos d = h.giants; d; d = giant(d)->next) {
        struct giant *x = giant(d);
        if (d >= h.top || !begins(d) || is_free(d) || x->mark != (GIANT ^ d))
            return wrong + complain(line, d, "the list of giants holds what is no descriptor");
        if (x->start != at_byte || x->size % MM_ALIGNMENT)
            wrong += complain(line, d, "a giant does not begin where the one before ends");
        if (x->free_now && was_free)
            wrong += complain(line, d, "two free giants lie side by side");
        was_free = x->free_now;
        at_byte += x->size;
    }
    if (at_byte != mem_heapsize())
        wrong += broken(line, "the last giant does not end at the break");
    return wrong;
}

int mm_checkheap(int line)
{
    pos frees = 0;

    if (h.top > h.end || h.top >= h.covered || !begins(h.top))
        return broken(line, "the top is past the break, past what the table covers, or not marked");
    int wrong = check_blocks(line, &frees);
    if (wrong)
        return wrong;
    if (h.old_table)
        wrong += complain(line, h.old_table, "a former table was not freed");
    wrong += check_table(line);
    wrong += check_giants(line);
    wrong += check_bins(line, &frees);
    if (!wrong && frees)
        wrong += broken(line, "the bins hold another number of blocks than there are free ones");
    return wrong + check_classes(line);
}

#endif
