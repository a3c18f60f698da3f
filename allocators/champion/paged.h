/*
 * paged.h - the bits, only where blocks begin. For an alignment of 8.
 *
 * The table has an entry of 32 bits for each page of 256 granules, with one of these:
 *
 *     marks           where blocks begin, and whether they are free, for at most three of them; 0 is none
 *     RUN | pages     none; it is the first or the last one of a run of pages that one block covers
 *     CHUNK | place   the place of its chunk: four words of bits
 *
 * A mark is LAST - v, where v is twice the granule in the page, and one more if the block is free. The marks are in
 * the order of the granules, lowest first, with a bit between them: so one subtraction compares all of them with v.
 * For a block in the last granule of a page, it is the next page's first bit that says whether it is free.
 *
 * Unused chunks are in a list. More are made when they run short, together, in a block of their own, a `stock`.
 * Freeing never needs one: where a block begins in the last granule of a page, the next page has a chunk already.
 */
#ifndef CHAMPION_PAGED_H
#define CHAMPION_PAGED_H

#define PAGE_WORDS 4u
#define PAGE (PAGE_WORDS * 64)
#define NONE 0u
#define RUN ((pos)1 << 30)
#define CHUNK ((pos)1 << 31)
#define MARK 10u /* bits of one, and the bit between */
#define LAST (2 * PAGE - 1)
#define ALL_MARKS (1 | 1 << MARK | 1 << 2 * MARK | (uint64_t)1 << 3 * MARK) /* three, and one that is never there */
#define CHUNKS_STEP 4u /* so many chunks are made at once, and this part of those that there are */
#define CHUNKS_SLACK 5u
#define CHUNKS_MAX 1024u
#define CHUNKS_FIRST 3u /* so many in the first block */
#define CHUNKS_NEED 2u /* what a new place for a block may use up */
#define MARGIN (2 + CHUNKS_STEP * PAGE_WORDS + PAGE) /* the table covers so much beyond the top, at least */
#define TABLE_SLACK 2u /* the table is made for a heap larger by this part of it */

/* The first block: a granule that `insert` writes to, the first bins, the first table, and chunks. */
enum {
    FIRST_BINS = 1,
    FIRST_TABLE = FIRST_BINS + FEW_BINS / 2,
    FIRST_CHUNKS = FIRST_TABLE + 3,
    FIRST = FIRST_CHUNKS + CHUNKS_FIRST * PAGE_WORDS
};

/* ---- the table ---- */

/* Granules that a table of N granules covers; granules of one that covers N; bytes of it that are in use. */
FAST pos covers(pos n) { return 2 * n * PAGE; }
FAST pos table_for(pos n) { return (n + MARGIN) / PAGE / 2 + 2 + n / PAGE / 512; }
FAST size_t table_used(void) { return ((h.top + 1) / PAGE + 1) * sizeof(pos); }

FAST pos *entry(pos page) { return (pos *)(void *)h.table + page; }
FAST pos entry_of(pos g) { return *entry(g / PAGE); }
FAST bool is_run(pos e) { return e >> 30 == RUN >> 30; }
FAST bool is_few(pos e) { return e - 1 < RUN - 1; }
FAST bool has_chunk(pos e) { return e >= CHUNK; }
FAST uint64_t *chunk_at(pos e) { return (uint64_t *)(void *)h.base + (e & ~CHUNK); }

/* ---- marks ---- */

/* Where in the marks E the first one is that is V or more. */
FAST unsigned mark_from(pos e, pos v)
{
    return low_bit(((LAST + LAST + 1 - v) * ALL_MARKS - e) & (LAST + 1) * ALL_MARKS) - (MARK - 1);
}

/* The one at K; LAST if there is none. */
FAST pos mark(pos e, unsigned k) { return LAST - ((pos)((uint64_t)e >> k) & LAST); }

/* The word that has the bit G, in the chunk of a page with entry E. */
FAST uint64_t *word(pos e, pos g) { return chunk_at(e) + g % PAGE / 64; }

/* The page gets a chunk instead of marks. */
SLOW void add_chunk(pos page)
{
    pos marks = *entry(page), e = *entry(page) = CHUNK | h.chunk;

    h.chunk = (pos)*chunk_at(e);
    h.spare--;
    memset(chunk_at(e), 0, PAGE_WORDS * sizeof(uint64_t));
    for (; marks != NONE; marks >>= MARK) {
        pos v = mark(marks, 0);
        *word(e, v / 2) |= bit(v / 2);
        *word(e, v / 2 + 1) |= (uint64_t)(v % 2) << (v / 2 + 1) % 64;
    }
}

FAST bool test(pos g)
{
    pos e = entry_of(g), v = g % PAGE * 2;

    if (e < RUN) {
        pos m = mark(e, mark_from(e, v - (v > 0)));
        return m <= v + 1 && m != LAST;
    }
    return has_chunk(e) && *word(e, g) & bit(g);
}

/* ---- blocks begin, and are free ---- */

/* What the bits W, the first of which is that of the second granule before a place, say of the place: 100, 101 and
 * 111 from the last one down, that a block begins there; 110 that the one before does, and is free. Where W has a
 * fourth bit, set if the block is free, it says that one begins and is allocated. */
FAST bool says_begins(uint64_t w) { return 0xb0 >> w & 1; }

/* A block begins at G, which is any place below the top. */
SLOW bool begins(pos g)
{
    pos e = entry_of(g), v = g % PAGE * 2;

    if (is_run(e))
        return false;
    if (!has_chunk(e)) {
        pos m = mark(e, mark_from(e, v));
        return m - v <= 1 && m != LAST;
    }
    if (likely(g % 64 >= 2))
        return says_begins(*word(e, g) >> (g % 64 - 2) & 7);
    return test(g) && (g == 0 || !test(g - 1) || (g > 1 && test(g - 2)));
}

/* The block that begins at G is free, from now on, or no longer. */
FAST bool is_free(pos g)
{
    pos e = entry_of(g + 1), v = (g + 1) % PAGE * 2 - 1;

    return has_chunk(e) ? *word(e, g + 1) & bit(g + 1) : mark(e, mark_from(e, v)) == v;
}

FAST void mark_free(pos g)
{
    pos e = entry_of(g + 1);

    if (has_chunk(e))
        *word(e, g + 1) |= bit(g + 1);
    else
        *entry(g / PAGE) = e & ~((pos)1 << mark_from(e, g % PAGE * 2));
}

FAST void mark_allocated(pos g)
{
    pos e = entry_of(g + 1);

    if (has_chunk(e))
        *word(e, g + 1) &= ~bit(g + 1);
    else
        *entry(g / PAGE) = e | (pos)1 << mark_from(e, g % PAGE * 2);
}

/* A block begins at G from now on. That it is free can be said later without another chunk. */
FAST void begin(pos g)
{
    pos e = entry_of(g), v = g % PAGE * 2;

    if (has_chunk(e)) {
        *word(e, g) |= bit(g);
    } else if (likely(e >> 2 * MARK == 0)) {
        unsigned k = mark_from(e, v);
        pos low = e & (((pos)1 << k) - 1);
        *entry(g / PAGE) = (e - low) << MARK | (LAST - v) << k | low;
    } else {
        add_chunk(g / PAGE);
        *word(entry_of(g), g) |= bit(g);
    }
    if (unlikely(v == LAST - 1) && !has_chunk(entry_of(g + 1)))
        add_chunk(g / PAGE + 1);
}

/* None does any longer, where one did that was not marked free, or the top; and where one was. */
FAST void erase(pos g)
{
    pos e = entry_of(g);

    if (has_chunk(e)) {
        *word(e, g) &= ~bit(g);
    } else {
        unsigned k = mark_from(e, g % PAGE * 2);
        pos low = e & (((pos)1 << k) - 1);
        *entry(g / PAGE) = e >> k >> MARK << k | low;
    }
}

FAST void erase_free(pos g)
{
    if (has_chunk(entry_of(g + 1)))
        mark_allocated(g);
    erase(g);
}

/* ---- from a block to the next and the one before ---- */

/* The first place from G on where a block begins. If G's page has marks, G is its first granule. */
SLOW pos first_from(pos g)
{
    pos page = g / PAGE, p = g % PAGE;

    for (;; page++, p = 0) {
        pos e = *entry(page);
        if (e < RUN) {
            if (e != NONE)
                return page * PAGE + mark(e, 0) / 2;
        } else if (is_run(e)) {
            page += (e & ~RUN) - 1;
        } else {
            pos i = p / 64;
            uint64_t *c = chunk_at(e), w = c[i] >> p % 64 << p % 64;
            while (!w && ++i < PAGE_WORDS)
                w = c[i];
            if (w)
                return page * PAGE + i * 64 + low_bit(w);
        }
    }
}

/* Twice the last place before G where a block begins, and one more if it is free. If G's page has marks, G is its
 * first granule. */
SLOW uint64_t last_before(pos g)
{
    pos page = (g - 1) / PAGE, p = (g - 1) % PAGE;

    for (;; page--, p = PAGE - 1) {
        pos e = *entry(page);
        if (e < RUN) {
            pos v = mark(e, e >> 2 * MARK ? 2 * MARK : e >> MARK ? MARK : 0);
            if (e != NONE)
                return (uint64_t)page * PAGE * 2 + (v < LAST - 1 ? v : v + is_free(page * PAGE + v / 2));
        } else if (is_run(e)) {
            page -= (e & ~RUN) - 1;
        } else {
            pos i = p / 64;
            uint64_t *c = chunk_at(e), w = c[i] << (63 - p % 64) >> (63 - p % 64);
            while (!w && i > 0)
                w = c[--i];
            if (w) {
                pos q = page * PAGE + i * 64 + high_bit(w);
                return (uint64_t)q * 2 - (q % 64 < 2 ? !begins(q) : (w >> (q % 64 - 2) & 7) == 6);
            }
        }
    }
}

/* The bits of the page with the chunk E from P on, or before it with that of P - 1 highest: 64 of them, and 0 for
 * those of other pages. A mask, for a branch would be taken at one place in four. */
FAST uint64_t bits_from(pos e, pos p)
{
    uint64_t *c = chunk_at(e), next = c[(p / 64 + 1) % PAGE_WORDS];

    return c[p / 64] >> p % 64 | (next & -(uint64_t)(p / 64 < PAGE_WORDS - 1)) << 1 << (63 - p % 64);
}

FAST uint64_t bits_below(pos e, pos p)
{
    uint64_t *c = chunk_at(e), next = c[(p / 64 - 1) % PAGE_WORDS];

    return c[p / 64] << 1 << (63 - p % 64) | (next & -(uint64_t)(p / 64 > 0)) >> p % 64;
}

FAST pos end_of(pos g)
{
    pos e = entry_of(g + 1), p = (g + 1) % PAGE;

    if (has_chunk(e)) {
        uint64_t w = bits_from(e, p) & ~(uint64_t)1;
        return likely(w) ? g + 1 + low_bit(w) : first_from(g + 2);
    }
    pos v = mark(e, mark_from(e, p * 2));
    return v != LAST ? g + 1 - p + v / 2 : first_from(g + 1 - p + PAGE);
}

/* The end of the allocated block that begins at G, which is any place below the top; 0 if none does. */
SLOW pos end_if_allocated(pos g) { return begins(g) && !is_free(g) ? end_of(g) : 0; }

/* Whether an allocated block begins at G, which is any place below the top, and its end. */
FAST bool allocated_at(pos g, pos *end)
{
    pos e = entry_of(g), p = g % PAGE;

    if (has_chunk(e) && likely(p >= 2)) {
        uint64_t w = bits_from(e, p - 2), next = w & ~(uint64_t)15;
        if (likely(next)) {
            *end = g - 2 + low_bit(next);
            return says_begins(w & 15);
        }
        if (says_begins(w & 15) && likely(p < PAGE - 1)) {
            *end = first_from(g + 2);
            return true;
        }
    } else if (likely(e < RUN)) {
        unsigned k = mark_from(e, p * 2);
        if (mark(e, k) == p * 2 && likely(p < PAGE - 1)) {
            pos v = mark(e, k + MARK);
            *end = v != LAST ? g - p + v / 2 : first_from(g - p + PAGE);
            return true;
        }
    }
    return (*end = end_if_allocated(g));
}

/* Where the block begins that ends at G, and whether it is free. */
FAST pos before(pos g, bool *free)
{
    pos e = entry_of(g), p = g % PAGE;
    uint64_t last;

    if (has_chunk(e)) {
        uint64_t w = bits_below(e, p);
        pos up = 63 - high_bit(w | 1);
        if (likely(w > 3 && p > up + 2)) {
            *free = w << up >> 61 == 6; /* ends in 110: the last one says that the block is free */
            return g - 1 - up - *free;
        }
        last = last_before(g);
    } else {
        unsigned k = mark_from(e, p * 2);
        if (k > 0) {
            pos v = mark(e, k - MARK);
            *free = v % 2;
            return g - p + v / 2;
        }
        last = last_before(g - p);
    }
    *free = last % 2;
    return (pos)(last / 2);
}

/* ---- blocks that cover pages ---- */

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
        h.chunk = old & ~CHUNK;
        h.spare++;
        *entry(page) = NONE;
    }
}

/* The block [G, E), or what is beyond the last one, covers X now, where one began before. */
FAST void erased(pos x, pos g, pos e)
{
    if (likely(e - g <= PAGE || !(has_chunk(entry_of(x)) || x % PAGE == PAGE - 1)))
        return;
    if ((x + 1) / PAGE > (g + 1) / PAGE && x / PAGE < e / PAGE)
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
        *chunk_at(c - PAGE_WORDS) = h.chunk;
        h.chunk = c - PAGE_WORDS;
    }
}

#endif
