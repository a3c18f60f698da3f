/*
 * paged.h - the bits, only where blocks begin. For an alignment of 8.
 *
 * The table has an entry of 32 bits for each page of 256 granules, with one of these:
 *
 *     NONE            no bit is set in the page
 *     RUN | pages     the same; it is the first or the last one of a run of pages that one block covers
 *     FEW | marks     at most three places in the page whose bits, or whose bit and the next one, are set
 *     the place, less one, of its chunk: four words of bits. NONE leads to one of zeros
 *
 * Unused chunks are in a list. More are made when they run short, together, in a block of their own, a `stock`.
 * Freeing never needs one: where a block begins in the last granule of a page, the next page has a chunk already.
 */
#ifndef CHAMPION_PAGED_H
#define CHAMPION_PAGED_H

#define PAGE_WORDS 4u
#define PAGE (PAGE_WORDS * 64)
#define NONE 0u
#define RUN ((pos)2 << 30)
#define FEW ((pos)3 << 30)
#define MARKS 3u /* in an entry, each with 8 bits for its place, one if the next bit is set too, one if it is there */
#define MARK 10u
#define TWO 256u
#define THERE 512u
#define CHUNKS_STEP 4u /* so many chunks are made at once, and this part of those that there are */
#define CHUNKS_SLACK 5u
#define CHUNKS_MAX 1024u
#define CHUNKS_FIRST 3u /* so many in the first block */
#define CHUNKS_NEED 2u /* what a new place for a block may use up */
#define MARGIN (2 + CHUNKS_STEP * PAGE_WORDS + PAGE) /* the table covers so much beyond the top, at least */
#define TABLE_SLACK 2u /* the table is made for a heap larger by this part of it */

/* The first block: a granule that `insert` writes to, a chunk of zeros, the first table, and chunks. */
enum { FIRST_TABLE = 1 + PAGE_WORDS, FIRST_CHUNKS = FIRST_TABLE + 4, FIRST = FIRST_CHUNKS + CHUNKS_FIRST * PAGE_WORDS };

/* ---- the table ---- */

/* Granules that a table of N granules covers; granules of one that covers N; bytes of it that are in use. */
FAST pos covers(pos n) { return (2 * n - 2) * PAGE; }
FAST pos table_for(pos n) { return (n + MARGIN) / PAGE / 2 + 3 + n / PAGE / 512; }
FAST size_t table_used(void) { return ((h.top + 1) / PAGE + 2) * sizeof(pos); }

FAST pos *entry(pos page) { return (pos *)(void *)h.table + 1 + (int32_t)page; } /* there is one for page -1 */
FAST bool is_run(pos e) { return e >> 30 == RUN >> 30; }
FAST bool is_few(pos e) { return e >> 30 == FEW >> 30; }
FAST bool has_chunk(pos e) { return e - 1 < RUN - 1; }
FAST uint64_t *chunk_at(pos e) { return (uint64_t *)(void *)h.base + 1 + e; }

/* ---- marks ---- */

/* Word I of the page whose entry is E: a run, or few marks. */
SLOW uint64_t few_word(pos e, pos i)
{
    uint64_t w = 0;

    if (is_run(e))
        return 0;
    for (unsigned k = 0; k < MARKS; k++, e >>= MARK) {
        pos at = e % TWO;
        if (!(e & THERE))
            continue;
        if (at / 64 == i)
            w |= bit(at);
        if (e & TWO && (at + 1) / 64 == i)
            w |= bit(at + 1);
    }
    return w;
}

/* The page gets a chunk instead of marks. */
SLOW void add_chunk(pos page)
{
    pos old = *entry(page), e = h.chunk;

    h.chunk = (pos)*chunk_at(e);
    h.spare--;
    for (pos i = 0; i < PAGE_WORDS; i++)
        chunk_at(e)[i] = old == NONE ? 0 : few_word(old, i);
    *entry(page) = e;
}

/* Sets the bit G in a page that has no chunk; it gets one if it has MARKS already. */
SLOW void set_few(pos g)
{
    pos *e = entry(g / PAGE), there = 0;

    if (few_word(*e, g % PAGE / 64) & bit(g))
        return;
    for (unsigned k = 0; k < MARKS; k++) {
        pos mark = *e >> (k * MARK) & (THERE | TWO | (TWO - 1));
        if (*e != NONE && g % PAGE && mark == (THERE | (g % PAGE - 1))) { /* the one before: these are two */
            *e |= TWO << (k * MARK);
            return;
        }
        there += *e != NONE && mark & THERE;
    }
    if (there == MARKS) {
        add_chunk(g / PAGE);
        chunk_at(*e)[g % PAGE / 64] |= bit(g);
        return;
    }
    for (unsigned k = 0; k < MARKS; k++)
        if (*e == NONE || !(*e >> (k * MARK) & THERE)) {
            *e = FEW | (*e & ~((pos)1023 << (k * MARK))) | (THERE | g % PAGE) << (k * MARK);
            return;
        }
}

SLOW void clear_few(pos g)
{
    pos *e = entry(g / PAGE);

    for (unsigned k = 0; k < MARKS; k++) {
        pos mark = *e >> (k * MARK) & 1023, at = mark % TWO, new = mark;
        if (mark & THERE && at == g % PAGE)
            new = mark & TWO ? THERE | (at + 1) : 0;
        else if (mark & THERE && mark & TWO && at + 1 == g % PAGE)
            new = mark & ~TWO;
        *e ^= (mark ^ new) << (k * MARK);
    }
    if (*e == FEW)
        *e = NONE;
}

/* ---- bits, in words of 64 ---- */

/* Word I, which may be the one before the first; and where it is, if the page has a chunk. */
FAST uint64_t any_word(pos i)
{
    pos e = *entry((pos)((int32_t)i >> 2));

    return likely((int32_t)e >= 0) ? chunk_at(e)[i % PAGE_WORDS] : few_word(e, i % PAGE_WORDS);
}

_Static_assert(PAGE_WORDS == 1 << 2, "any_word divides by it with a shift");

FAST uint64_t *word(pos i) { return chunk_at(*entry(i / PAGE_WORDS)) + i % PAGE_WORDS; }
FAST bool test(pos g) { return any_word(g / 64) & bit(g); }

FAST void set(pos g)
{
    if (likely(has_chunk(*entry(g / PAGE))))
        *word(g / 64) |= bit(g);
    else
        set_few(g);
}

FAST void clear(pos g)
{
    if (likely(has_chunk(*entry(g / PAGE))))
        *word(g / 64) &= ~bit(g);
    else
        clear_few(g);
}

FAST void set_two(pos g) { set(g), set(g + 1); }
FAST void clear_two(pos g) { clear(g + 1), clear(g); }

/* A block begins at G from now on. That it is free can be said later without another chunk. */
FAST void begin(pos g)
{
    set(g);
    if (unlikely(g % PAGE == PAGE - 1) && !has_chunk(*entry(g / PAGE + 1)))
        add_chunk(g / PAGE + 1);
}

/* ---- blocks whose ends are far from each other ---- */

SLOW pos far_end(pos g)
{
    pos i = g / 64;
    uint64_t w = 0;

    while (!w) {
        i++;
        if (i % PAGE_WORDS == 0 && is_run(*entry(i / PAGE_WORDS)))
            i += (*entry(i / PAGE_WORDS) & ~RUN) * PAGE_WORDS;
        w = any_word(i);
        if (i * 64 == g + 1)
            w &= ~(uint64_t)1;
    }
    return i * 64 + low_bit(w);
}

FAST bool begins(pos g);

SLOW pos far_before(pos g)
{
    pos i = g / 64;
    uint64_t w = any_word(i) & (bit(g) - 1);

    while (!w) {
        if (i % PAGE_WORDS == 0 && is_run(*entry(i / PAGE_WORDS - 1)))
            i -= (*entry(i / PAGE_WORDS - 1) & ~RUN) * PAGE_WORDS;
        w = any_word(--i);
    }
    pos last = i * 64 + high_bit(w);
    return begins(last) ? last : last - 1;
}

/* Makes a run of the pages that the block [G, E) covers, if any, and unmakes it. */
FAST void enter_run(pos g, pos e, bool whole)
{
    if (likely(e - g <= PAGE))
        return;
    pos first = (g + 1) / PAGE + 1, last = e / PAGE - 1;
    if ((int32_t)(last - first) >= 0)
        *entry(first) = *entry(last) = whole ? RUN | (last - first + 1) : NONE;
}

FAST void note_length(pos g, pos e) { enter_run(g, e, true); }
FAST void forget_length(pos g, pos e) { enter_run(g, e, false); }

/* ---- chunks ---- */

/* See `erased`. */
SLOW void drop_chunks(pos x, pos g, pos e)
{
    for (pos page = x / PAGE; page <= (x + 1) / PAGE; page++) {
        pos old = *entry(page);
        if (page <= (g + 1) / PAGE || page >= e / PAGE || !has_chunk(old))
            continue;
        *chunk_at(old) = h.chunk;
        h.chunk = old;
        h.spare++;
        *entry(page) = NONE;
    }
}

/* The block [G, E), or what is beyond the last one, covers X now, where one began before. */
FAST void erased(pos x, pos g, pos e)
{
    if (unlikely(e - g > PAGE))
        drop_chunks(x, g, e);
}

SLOW bool restock(unsigned count);

FAST bool enough(unsigned count) { return h.spare >= count * CHUNKS_NEED; }

/* There are chunks enough for COUNT new blocks. */
FAST bool stocked_for(unsigned count) { return likely(h.spare > count * CHUNKS_NEED) || restock(count); }

/* The block at G holds chunks. */
SLOW bool is_stock(pos g)
{
    pos b = h.stocks;

    while (b && b != g)
        b = node(b)->next;
    return b;
}

/* The list of unused chunks gets those in [FROM, TO). */
static void add_chunks(pos from, pos to)
{
    memset(at(from), 0, (size_t)(to - from) * GRANULE);
    for (pos c = to; c > from; c -= PAGE_WORDS, h.spare++, h.chunks++) {
        *chunk_at(c - PAGE_WORDS - 1) = h.chunk;
        h.chunk = c - PAGE_WORDS - 1;
    }
}

#endif
