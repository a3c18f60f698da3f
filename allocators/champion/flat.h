/*
 * flat.h - the bits, all of them: one for each granule of the heap, in one table. For an alignment of 16.
 *
 * A block of LONG_MIN granules or more covers words of bits that neither it nor a neighbour has a bit in. Its
 * length is in two of them, with LONG_WORD above: four bits in a row, which cannot come from blocks, since two
 * free blocks never lie side by side. They are two words away from its ends, where end_of and before, which
 * look at two words, do not take them for bits.
 */
#ifndef CHAMPION_FLAT_H
#define CHAMPION_FLAT_H

#define LONG_MIN 320u
#define LONG_WORD ((uint64_t)0xf << 60)
#define MARGIN 0u

#define TABLE_SLACK 4u /* the table is made for a heap larger by this part of it */

/* The first block: nobody's granules, which `insert` and `before` may touch, and the first table. */
enum { FIRST_TABLE = 2, FIRST = 12, FIRST_CHUNKS = FIRST };

/* ---- the table ---- */

/* Granules that a table of N granules covers; granules of one that covers N; bytes of it that are in use. */
FAST pos covers(pos n) { return (n - 1) * 64; }
FAST pos table_for(pos n) { return n / 64 + 4 + n / 64 / 48; }
FAST size_t table_used(void) { return (h.top / 64 + 1) * sizeof(uint64_t); }

/* ---- bits, in words of 64; any_word may be asked for the one before the first, too ---- */

FAST uint64_t *word(pos i) { return (uint64_t *)h.table + i; }
FAST uint64_t any_word(pos i) { return h.table[(int32_t)i]; } /* also of the one before the first */
FAST bool is_long(uint64_t w) { return w >= LONG_WORD; }
FAST bool test(pos g) { return (*word(g / 64) & bit(g)) && !is_long(*word(g / 64)); }
FAST void set(pos g) { *word(g / 64) |= bit(g); }
FAST void clear(pos g) { *word(g / 64) &= ~bit(g); }
FAST void set_two(pos g) { *word(g / 64) |= 3 * bit(g); }
FAST void clear_two(pos g) { *word(g / 64) &= ~(3 * bit(g)); }
FAST void begin(pos g) { set(g); }

/* ---- blocks whose ends are far from each other ---- */

SLOW pos far_end(pos g)
{
    pos i = g / 64 + 1;

    if (is_long(*word(i + 1)))
        return g + (pos)*word(i + 1);
    uint64_t w = g % 64 == 63 ? *word(i) & ~(uint64_t)1 : *word(i);
    while (!w)
        w = *word(++i);
    return i * 64 + low_bit(w);
}

SLOW pos far_before(pos g)
{
    pos i = g / 64;
    uint64_t w = *word(i) & (bit(g) - 1);

    if (!w && i >= 3 && is_long(*word(i - 3)))
        return g - (pos)*word(i - 3);
    while (!w)
        w = *word(--i);
    pos last = i * 64 + high_bit(w);
    return last - last % 2;
}

/* Notes the length of the block [G, E), if it is long, and forgets it. */
FAST void note_length(pos g, pos e)
{
    if (e - g >= LONG_MIN)
        *word(g / 64 + 2) = *word(e / 64 - 3) = LONG_WORD | (e - g);
}

FAST void forget_length(pos g, pos e)
{
    if (e - g >= LONG_MIN)
        *word(g / 64 + 2) = *word(e / 64 - 3) = 0;
}

/* ---- nothing is to be had beside the table ---- */

FAST void erased(pos x, pos g, pos e) { (void)x, (void)g, (void)e; }
FAST bool enough(unsigned count) { return count > 0; }
FAST bool stocked_for(unsigned count) { return enough(count); }
FAST bool is_stock(pos g) { return g == 0; }

#endif
