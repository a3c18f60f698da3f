/*
 * flat.h - all bits, in one table: a pair of words for each group of 64 granules. For an alignment of 16.
 *
 *     starts    bit i is set when a block begins in granule i of the group
 *     flags     the same bit is set when that block is free. In a group in which no block begins, so that one covers
 *               all of it, it is the length of that block, in the first and in the last such group
 *
 * So ends are at most two words away, or their distance is there. Flags are read where a block begins only, and
 * `begin` clears them: what is left of a length in them does no harm.
 */
#ifndef CHAMPION_FLAT_H
#define CHAMPION_FLAT_H

#define MARGIN 0u
#define TABLE_SLACK 8u /* the table is made for a heap larger by this part of it */

/* The first block: nobody's granule, the first bins, and the first table, which covers 4 KB. */
enum { FIRST_BINS = 1, FIRST_TABLE = FIRST_BINS + FEW_BINS / 4, FIRST = FIRST_TABLE + 5, FIRST_CHUNKS = FIRST };

/* ---- the table ---- */

/* Granules that a table of N granules covers; granules of one that covers N; bytes of it that are in use. */
FAST pos covers(pos n) { return (n - 1) * 64; }
FAST pos table_for(pos n) { return n / 64 + 2 + n / 64 / 48; }
FAST size_t table_used(void) { return (h.top / 64 + 1) * 2 * sizeof(uint64_t); }

struct group {
    uint64_t starts, flags;
};

FAST struct group *group(pos g) { return (struct group *)(void *)h.table + g / 64; } /* the one that G is in */

/* ---- where blocks begin, and which are free ---- */

FAST bool begins(pos g) { return group(g)->starts >> (g % 64) & 1; }
FAST bool is_free(pos g) { return group(g)->flags >> (g % 64) & 1; }
FAST void mark_free(pos g) { group(g)->flags |= bit(g); }
FAST void mark_allocated(pos g) { group(g)->flags &= ~bit(g); }

/* An allocated block begins at G, from now on; and no block does. */
FAST void begin(pos g)
{
    struct group *x = group(g);

    x->starts |= bit(g);
    x->flags &= ~bit(g);
}

FAST void erase(pos g) { group(g)->starts &= ~bit(g); }
FAST void erase_free(pos g) { erase(g); }

/* ---- from a block to the next and the one before ---- */

FAST pos end_of(pos g)
{
    const struct group *x = group(g);
    uint64_t next = x[1].starts, w = x->starts >> (g % 64) >> 1 | next << (63 - g % 64); /* from g + 1 on */

    if (likely(w))
        return g + 1 + low_bit(w);
    return next ? g / 64 * 64 + 64 + low_bit(next) : g + (pos)x[1].flags;
}

/* Whether an allocated block begins at G, which is any place below the top, and its end. */
FAST bool allocated_at(pos g, pos *end)
{
    const struct group *x = group(g);

    if (unlikely(!((x->starts & ~x->flags) >> (g % 64) & 1)))
        return false;
    *end = end_of(g);
    return true;
}

/* Where the block begins that ends at G. */
FAST pos start_of(pos g)
{
    const struct group *x = group(g);
    uint64_t last = x[-1].starts, w = x->starts << (63 - g % 64) << 1 | last >> (g % 64); /* up to g - 1 */

    if (likely(w))
        return g - 64 + high_bit(w);
    return last ? g / 64 * 64 - 64 + high_bit(last) : g - (pos)x[-1].flags;
}

/* The same, and whether it is free. */
FAST pos before(pos g, bool *free)
{
    pos q = start_of(g);

    *free = is_free(q);
    return q;
}

/* Notes the length of the block [G, E), if that is needed; nothing is to be done when it is no longer so. */
FAST void note_length(pos g, pos e)
{
    if (unlikely(e / 64 - g / 64 > 1))
        group(g)[1].flags = group(e)[-1].flags = e - g;
}

FAST void forget_length(pos g, pos e) { (void)g, (void)e; }

/* ---- nothing is to be had beside the table ---- */

FAST void erased(pos x, pos g, pos e) { (void)x, (void)g, (void)e; }
FAST bool enough(unsigned count) { return count > 0; }
FAST bool stocked_for(unsigned count) { return enough(count); }
FAST bool is_stock(pos g) { return g == 0; }

#endif
