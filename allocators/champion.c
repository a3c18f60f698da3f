/*
 * champion.c - no headers: bits beside the blocks say where they begin. Freed blocks wait to be used again.
 *
 * The heap is tiled by blocks, in granules of MM_ALIGNMENT bytes. A block carries nothing: an allocated one is all
 * payload. What there is of it is told by two bits a granule, in a table that is a block of its own and moves as the
 * heap grows:
 *
 *     blocks  | allocated     | allocated | free, in a bin      | allocated | parked    | reserve   | recent  | ... top
 *     begins    1 0 0 0 0 0 0   1 0 0 0 0   1 0 0 0 0 0 0 0 0 0   1 0 0 0 0   1 0 0 0 0   1 0 0 0 0   1 0 0 0
 *     free      0               0           1                     0           0           0           0
 *
 * The length of a block is the distance to the next bit: two words show it, for nearly all blocks, with shifts. There
 * are two kinds of table:
 *
 *     flat.h    for an alignment of 16: both bits of all granules, 1/64 of the heap; the fastest
 *     paged.h   for an alignment of 8: an entry for each page of 2 KB; bits, 1/64 of the page, only for those in
 *               which more than three blocks begin. The smallest
 *
 * vocabulary:
 *     granule   MM_ALIGNMENT bytes; `pos` is a place in the heap, or a size, counted in them
 *     top       where the last block ends; beyond it, up to the break, is memory that was a block earlier
 *     bin       list of free blocks of one size, or of nearly one
 *     slot      where such a list starts or goes on: so a block is taken out without knowing its bin
 *     hole      free block: in a bin, recent, or fresh
 *     recent    the hole that was left over when one was last split. While parking does not pay, small blocks are cut
 *               off it, so what is allocated together lies together
 *     fresh     the hole that was freed last. It grows with what is freed beside it, and goes into its bin when
 *               something is freed elsewhere, or is looked for
 *     class     small blocks of one size, once the heap bears the lists (12 KB, all of them 96 KB)
 *     parked    freed, but not yet coalesced: the class's next block. At most 1/32 of the heap
 *     flush     all that is parked is freed after all: before the heap grows, and when too much is parked. Where
 *               parking does not pay, it is left alone for a while
 *     reserve   a stretch for blocks of one class only, made when many of them are needed; so small blocks lie
 *               together and do not pin the holes among large ones. All together at most 1/160 of the heap
 *     chunk     the bits of one page, in paged.h
 *     stocked   there are unused chunks enough for what may be done next, since no step may fail half-way
 *
 * malloc takes, in this order: a parked block; while nothing is parked, the recent block's start; a free block of
 * just this size; the reserve's start; a block that nearly fits best (at most 24 are looked at); the top.
 *
 * cost: malloc and free of a small block mostly touch a word or two of bits and one list. The rest is O(1), but
 * for a flush (at most 64 KB of blocks), a new table (1/64 of the heap is copied when it has grown by an eighth; 1/512
 * if paged, by a half), and realloc, which copies a block that cannot grow where it is. One that grows in small steps
 * gets 1/8 more.
 * metadata: 1.6 to 1.8 % of the heap, with an alignment of 8 0.2 to 2 %; some 200 bytes in any heap; 1.5 KB of lists
 * from 96 KB on; and `struct heap`, about 150 bytes of static data.
 * worst trace: arrays that grow by realloc among others that do: each leaves holes that none of the others fits.
 *
 * Blocks of more than 1 GiB, and large ones beyond the first 16 GiB, are apart: champion/giants.h.
 *
 * Read champion/blocks.h, flat.h or paged.h, index.h, grow.h, classes.h, then this file; giants.h last.
 */
#include "common/report.h"
#include "champion/blocks.h"
#include "champion/index.h"
#include "champion/grow.h"
#include "champion/classes.h"
#include "champion/giants.h"

/* ---- allocation ---- */

/* No block of exactly N granules: one is made, if there is memory for it. */
SLOW pos allocate_slowly(pos n)
{
    pos count = 1;

    if (!stocked())
        return 0;
    if (h.top >= CLASSES_FROM && (h.class_count == 0 || (h.top >= ALL_FROM && h.class_count < CLASSES)))
        grow_tables();
    if (n < h.class_count && h.classes[n].reserve && stocked())
        return from_reserve(n);
    if (n < h.class_count)
        count = batch(n);
    pos g = fit(n, &count);
    bool growing = !g && h.top + n > h.end; /* before the heap grows, all is done to avoid it */
    if (growing && h.parked >= n) {
        flush();
        g = fit(n, &count);
    }
    if (growing && !g && stocked() && tidy() && stocked())
        g = fit(n, &count);
    if (!g && stocked())
        g = from_top(n * count);
    if (!g) { /* exhausted: nothing is held back any longer */
        count = 1;
        flush();
        drop_reserves();
        g = stocked() ? fit(n, &count) : 0;
        if (!g && stocked())
            g = from_top(n);
    }
    if (!g || count == 1 || !stocked())
        return g;
    pos e = end_of(g);
    if (e - g != n * count) { /* a rest that is no block is in it */
        cut(g, n, e);
        return g;
    }
    h.classes[n].reserve = g;
    h.classes[n].reserve_end = e;
    h.reserved += e - g;
    return from_reserve(n);
}

/* The same, when that takes no search; else 0, as for an N that is 0, or more than a pos. */
FAST pos allocate_quickly(size_t n)
{
    if (n < h.parking && h.parked_lists[n])
        return unpark((unsigned)n);
    if (h.idle && n - 1 < NEXT_FIT - 1 && enough(1) && h.recent_end - h.recent >= n + MIN_BLOCK)
        return from_recent((pos)n);
    if (is_exact(n) && *slot(h.first + (pos)n))
        return from_bin((pos)n);
    if (n < h.class_count && h.classes[n].reserve && enough(1))
        return from_reserve((unsigned)n);
    return 0;
}

FAST pos allocate(pos n)
{
    pos g = allocate_quickly(n);
    return g ? g : allocate_slowly(n);
}

/* Granules for a payload of SIZE bytes, or 0 for a giant. */
FAST pos granules(size_t size)
{
    if (unlikely(size > LARGEST))
        return 0;
    pos n = (pos)((size + MM_ALIGNMENT - 1) / MM_ALIGNMENT);
    return n < MIN_BLOCK ? MIN_BLOCK : n;
}

/* ---- the interface ---- */

int mm_init(void)
{
    memset(&h, 0, sizeof h);
    h.base = mem_sbrk(FIRST * GRANULE);
    if (h.base == (void *)-1)
        return -1;
    memset(h.base, 0, FIRST * GRANULE);
    h.table = at(FIRST_TABLE);
    h.covered = covers(FIRST_CHUNKS - FIRST_TABLE);
    h.first = next_slot(FIRST_BINS);
    h.bins = FEW_BINS;
    h.top = h.end = FIRST;
#if MM_ALIGNMENT == 8
    add_chunks(FIRST_CHUNKS, FIRST);
#endif
    begin(0);
    begin(h.top);
    return 0;
}

SLOW void *malloc_slowly(size_t size)
{
    pos n = granules(size), g = n ? allocate_slowly(n) : 0;

    return g ? at(g) : giant_malloc(size);
}

void *mm_malloc(size_t size)
{
    size_t n = (size + GRANULE - 1) / GRANULE; /* 0 if size is 0, or that overflows */
    pos g = allocate_quickly(n + (n > 0 && n < MIN_BLOCK));

    return likely(g) ? at(g) : malloc_slowly(size);
}

FAST bool is_own(pos g) { return g == 0 || g == h.own_table || g == h.own_lists; }

/* What is wrong with P, to which no live block of a user begins. */
static const char *complaint(const unsigned char *p)
{
    if (p < h.base || p >= h.base + (size_t)h.end * GRANULE)
        return "is not in the heap";
    if ((size_t)(p - h.base) % MM_ALIGNMENT)
        return "is misaligned: no block starts there";
    pos g = position(p), b = 0, e;
    if (g >= h.top)
        return "is already free (it went back to the untouched end of the heap)";
    while ((e = open_end(b)) <= g)
        b = e;
    if (b == g)
        return is_own(g) || is_stock(g) || is_giant(g) ? "is the allocator's own memory" : "is already free";
    if (is_open(b) || is_free(b) || (is_marked(b) && !is_marked_live(b, e)))
        return "is already free (merged with a free neighbour), or was never the start of a block";
    return "is inside a block, not its start";
}

__attribute__((noreturn, cold, noinline))
static void bad(const char *call, const void *p)
{
    misuse(call, p, "the pointer %s", complaint(p));
}

/* Whether a block that may be a user's begins at G, which is below the top, and its end. */
FAST bool may_be_user(pos g, pos *end)
{
    return likely(allocated_at(g, end)) && likely(!is_own(g)) && likely(g != h.recent);
}

/* The block at P and its end, or one sentence and the end of all when P is not a live block. */
static pos checked(const void *p, const char *call, pos *end)
{
    size_t offset = (size_t)((const unsigned char *)p - h.base);
    pos g = (pos)(offset / GRANULE);

    if (offset % MM_ALIGNMENT || offset / GRANULE >= h.top || !may_be_user(g, end))
        bad(call, p);
    if (is_marked(g) && !is_marked_live(g, *end))
        bad(call, p);
    return g;
}

/* Frees P, which is NULL, a giant, marked like no live block, or none at all. */
SLOW void free_unusual(void *p)
{
    pos e, g;

    if (!p)
        return;
    if (in_giants(p)) {
        giant_free(p);
        return;
    }
    g = checked(p, "mm_free", &e);
    release(g, e);
}

/* OFFSET in granules; more than there can be, when it is no whole number of them. */
FAST size_t turned(size_t offset) { return offset / GRANULE | offset << (sizeof offset * CHAR_BIT - GRANULE_BITS); }

void mm_free(void *ptr)
{
    size_t offset = (size_t)((unsigned char *)ptr - h.base), place = turned(offset);
    pos g = (pos)place, e;

    if (unlikely(place >= h.top) || !may_be_user(g, &e) || unlikely(is_marked(g))) {
        free_unusual(ptr);
        return;
    }
    if (e - g < h.parking && e != h.top) {
        park(g, e - g);
        return;
    }
    if (e - g < h.class_count && e != h.top) {
        count_out(e - g);
        if (--h.idle == 0)
            h.parking = h.class_count;
    }
    release(g, e);
}

/* The block at G, of OLD granules, becomes a giant of SIZE bytes; NULL when the heap is exhausted. */
SLOW void *move_to_giants(pos g, pos old, size_t size)
{
    void *p = giant_malloc(size);

    if (p) {
        memcpy(p, at(g), (size_t)old * GRANULE);
        release(g, end_of(g));
    }
    return p;
}

void *mm_realloc(void *ptr, size_t size)
{
    if (!ptr)
        return mm_malloc(size);
    if (size == 0) {
        mm_free(ptr);
        return NULL;
    }
    if (unlikely(in_giants(ptr)))
        return giant_realloc(ptr, size);
    pos e, g = checked(ptr, "mm_realloc", &e), old = e - g, n = granules(size);

    if (n == 0)
        return move_to_giants(g, old, size);
    if (n <= old) {
        if (old - n > old / GROWTH_SHARE && stocked()) /* else it is what was left for growth */
            cut(g, n, e);
        return ptr;
    }
    if (!stocked())
        return NULL;
    if (old >= NEXT_FIT && e != h.top && h.parked)
        flush();
    pos after = hole_after(e);
    if (after - g >= n) {
        take_hole(e, after);
        erase(e);
        forget_length(g, e);
        erased(e, g, after);
        e = after;
        note_length(g, e);
        cut(g, n, e);
        return ptr;
    }
    if (e != h.top && is_own(e) && end_of(e) == h.top && enough(2)) {
        g = swap_own(g, e, n);
        e = g + old;
    }
    if (e == h.top) {
        pos to = slide(g, e, n);
        if (to && enough(1))
            cut(to, n, e);
        else if (!to)
            to = grow_last(g, old, n);
        if (to)
            return at(to);
    }
    pos b = 0, one = 1;
    if (n - old <= old / GROWTH_SHARE && n > 32 && enough(1)) /* small steps: some room for the next ones */
        b = fit(n + n / GROWTH_SHARE, &one);
    if (!b && stocked())
        b = allocate(n);
    if (!b)
        return move_to_giants(g, old, size);
    memcpy(at(b), at(g), (size_t)old * GRANULE);
    release(g, end_of(g));
    return at(b);
}

void *mm_calloc(size_t count, size_t size)
{
    if (size && count > SIZE_MAX / size)
        return NULL;
    void *p = mm_malloc(count * size);
    return p ? memset(p, 0, count * size) : NULL;
}

#include "champion/check.h"
