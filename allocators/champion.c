/*
 * champion.c - no headers: where blocks begin is known beside the heap, and free blocks are their own index.
 *
 * The heap is counted in granules of 8 bytes and tiled by blocks of two or more. A block carries nothing: an
 * allocated one is all payload, a free one is a node of the index. Per page of 2 KiB a directory has one
 * 32-bit entry, which knows the blocks that begin in the page:
 *
 *     none     the length of a run of such pages, at both ends of the run: boundary tags, on pages
 *     1 to 3   their granules in the page, and whether they are free
 *     more     the place of 32 bytes of bits, one per granule: a block's first is set, a free block's
 *                second too
 *
 *     heap     | allocated, 4   | free, 5            | alloc, 2| allocated, 3 | top (not a block)
 *     bits       1   0   0   0    1   1   0   0   0    1   0     1   0   0
 *
 * A size is the distance to the next beginning. Whether a pointer is a block, how long it is, and whether its
 * neighbours are free are questions to one or two words. Directory and bits are themselves blocks of the
 * heap and come into being as it grows, so a heap of 8 KiB pays for 8 KiB.
 *
 * vocabulary
 *     pos        a count of granules: a position in the heap, or a size
 *     top        the free end of the heap, last resort of every search; it may lie below the break
 *     recent     the block freed last, in no index yet: frees come in address order, and are allocated again
 *     tree       free blocks by size: eight bitwise tries, linked through the free blocks; best fit
 *     class      small blocks of one size, once the heap bears the table (16 KiB): a list of free ones, and
 *     reserve    a free stretch that one class has to itself, as long as the class was missed often, all
 *                together 1/96 of the heap; so small blocks lie together and do not pin the holes among
 *                large ones
 *     stock      unused bits for pages, taken together for the same reason
 *
 * cost: malloc and free of a small size are O(1), of a large one a walk over at most 32 tree nodes. Nothing
 * scans blocks. Two steps are not constant: the directory's growth copies 1/512 of the heap each time that
 * the heap has grown by a quarter, and realloc copies a block that cannot grow where it is.
 * metadata: 0.2 % of the heap, 1.8 % where blocks are small, and `struct heap`.
 * worst trace: a block of a new small size after each large one, the large ones freed, and larger ones
 * asked for: no class is missed often enough to get a reserve.
 *
 * Read champion/blocks.h, then champion/index.h, then this file.
 */
#include "common/report.h"
#include "champion/blocks.h"
#include "champion/index.h"

/* ---- growing ---- */

/* Takes N granules off the top, marking nothing. 0 when the heap is exhausted. */
FAST pos grab(pos n)
{
    if (n > h.end - h.top) {
        pos more = n - (h.end - h.top);
        if (more >= LIMIT - h.end || mem_sbrk((intptr_t)more * GRANULE) == (void *)-1)
            return 0;
        h.end += more;
    }
    pos g = h.top;
    h.top += n;
    return g;
}

/* The part of the heap, in granules, that may be set aside at once. */
FAST pos share(pos part)
{
    pos n = h.top / part;
    return n < RESERVE_MAX ? n : RESERVE_MAX;
}

/* Takes spare bits off the top, several together so that they do not part the blocks around them more often
 * than need be. Returns where they are, for the caller to append, or 0 when the heap is exhausted. */
static pos stock(void)
{
    pos batch = 1 + share(STOCK_SHARE) / WORDS, b = grab(batch * WORDS);

    if (!b && batch > 1)
        b = grab((batch = 1) * WORDS);
    if (b)
        for (pos i = batch; i-- > 0; h.spare = b + i * WORDS)
            *(pos *)at(b + i * WORDS) = h.spare;
    return b;
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
static bool cover_slowly(pos g)
{
    struct { pos page; uint32_t entry; } spreads[4];
    pos made[4], mades = 0, done = 0, old_top = h.top, old_pages = h.pages;
    pos need = page_of(h.top + 3 * (share(STOCK_SHARE) + WORDS) + h.pages) + 2;
    uint32_t *old_dir = h.dir;

    if (need > h.pages) {
        pos pages = (need + need / 4 + 3) & ~(pos)3;
        pos d = grab(pages / 2);
        if (!d)
            return false;
        memcpy(at(d), h.dir, h.pages * sizeof *h.dir);
        memset((uint32_t *)at(d) + h.pages, 0, (pages - h.pages) * sizeof *h.dir);
        h.dir = at(d);
        h.pages = pages;
        made[mades++] = d;
    }
    for (pos i = 0; i <= mades; i++) {
        pos page = page_of(i == 0 ? g : made[i - 1]);
        if (has_room(h.dir[page], i == 0 && mades == 0 ? 1 : SLOTS))
            continue;
        if (!h.spare) {
            made[mades] = stock();
            if (!made[mades++])
                goto undo;
        }
        spreads[done].page = page;
        spreads[done++].entry = h.dir[page];
        spread(page);
    }
    for (pos i = 0; i < mades; i++)
        append(made[i]);
    if (h.dir != old_dir)
        h.old_dir = position(old_dir);
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
    return (page_of(g) < h.pages && has_room(h.dir[page_of(g)], 1)) || cover_slowly(g);
}

/* ---- freeing and cutting ---- */

/* The allocated block [G, E) becomes free: coalesced with the block at E and with Q, the one before, if
 * these are free as told, and indexed. */
FAST void coalesce(pos g, pos e, bool free_after, pos q, bool free_before)
{
    if (free_after) {
        pos n = free_size(e);
        unlink_free(e);
        erase(e, true);
        e += n;
    }
    if (free_before) {
        erase(g, false);
        if (is_reserve(q) && e - g == size_of_class(node(q)->next) && e != h.top) { /* where it came from */
            h.reserved -= free_size(q);
            set_reserve(node(q)->next, q, e - q);
            tag_pages(q, e);
            return;
        }
        unlink_free(q);
    }
    pos s = free_before ? q : g;
    if (e == h.top) {
        h.last = free_before ? before(q) : q;
        erase(s, free_before);
        h.top = s;
        return;
    }
    if (!free_before)
        set_free(s, true);
    insert(s, e - s);
    tag_pages(s, e);
}

static void release_block(pos g, pos e)
{
    pos q = before(g);
    coalesce(g, e, e != h.top && is_free(e), q, is_free(q));
}

/* Frees the block at G. For small blocks one word of bits mostly answers all questions at once. */
static void release(pos g)
{
    uint32_t entry = h.dir[page_of(g)];

    if (is_bits(entry) && g != h.last) {
        uint64_t w = bits_at(entry)[g % PAGE / 64];
        uint64_t up = w >> (g % 64) >> 1, down = w & (((uint64_t)1 << (g % 64)) - 1);
        if (up && down) {
            pos e = g + 1 + low_bit(up);
            unsigned i = high_bit(down);
            if (e % 64 < 63 && i > 1) {
                bool second = (w >> (i - 2) & 3) == 2;
                coalesce(g, e, w >> (e % 64) >> 1 & 1, g / 64 * 64 + i - second, second);
                return;
            }
        }
    }
    release_block(g, end_of(g));
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
    release_block(rest, e);
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
    if (g)
        release(g);
}

/* ---- allocation ---- */

/* A new last block of N granules. */
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

/* Makes the classes, once the heap can bear them; without memory for them, it goes on as before. */
static void make_classes(void)
{
    pos b = from_top((sizeof(struct classes) / GRANULE + UNIT - 1) / UNIT * UNIT);

    if (!b)
        return;
    h.classes = memset(at(b), 0, sizeof *h.classes);
    h.classes->first[0] = h.pairs;
}

/* No free block of exactly N granules, no reserve: best fit, else the top. */
static pos allocate_slowly(pos n, unsigned c)
{
    pos count = 1, b = 0;

    release_old_dir();
    if (c < CLASSES && !h.classes && ++h.small_misses > CLASSES && h.top >= CLASSES_FROM && h.grown != h.last)
        make_classes();
    if (h.classes && c < CLASSES) {
        if (h.classes->misses[c] < UINT8_MAX)
            h.classes->misses[c]++;
        count = h.classes->misses[c] / MISSES_PER_BLOCK;
        pos room = h.top / RESERVE_SHARE;
        room = room < h.reserved ? 0 : room - h.reserved;
        if (room > RESERVE_MAX)
            room = RESERVE_MAX;
        if (count > room / n)
            count = room / n;
        if (count < 1)
            count = 1;
        uint32_t larger = h.nonempty & ((uint32_t)-2 << c);
        if (larger)
            b = h.classes->first[low_bit(larger)];
    }
    pos t = h.rooted ? best_fit(n) : 0;
    if (t && (!b || free_size(t) < free_size(b)))
        b = t;
    if (h.recent && free_size(h.recent) >= n && (!b || free_size(h.recent) <= free_size(b)))
        b = h.recent;
    if (b) {
        pos m = free_size(b);
        unlink_free(b);
        set_free(b, false);
        if (count > m / n)
            count = m / n;
        cut(b, n * count, b + m);
    } else {
        b = from_top(n * count);
        if (!b && count > 1)
            b = from_top(n * (count = 1));
    }
    return b && count > 1 ? carve(b, n, end_of(b), c) : b;
}

FAST pos allocate(pos n)
{
    unsigned c = class_of(n);
    pos b = h.recent;

    if (!b || free_size(b) != n) {
        if (!is_listed(c))
            return allocate_slowly(n, c);
        b = *list_of(c);
        if (!b) {
            b = h.classes ? h.classes->reserve[c] : 0;
            if (!b)
                return allocate_slowly(n, c);
            pos e = b + free_size(b);
            unlink_free(b);
            set_free(b, false);
            return carve(b, n, e, c);
        }
    }
    unlink_free(b);
    set_free(b, false);
    return b;
}

/* Granules for a payload of SIZE bytes, or 0 when no heap is that large. */
FAST pos granules(size_t size)
{
    if (size > (size_t)LIMIT * (GRANULE - 1))
        return 0;
    pos n = (pos)((size + MM_ALIGNMENT - 1) / MM_ALIGNMENT) * UNIT;
    return n < MIN_BLOCK ? MIN_BLOCK : n;
}

/* ---- the interface ---- */

int mm_init(void)
{
    enum { FIRST = FIRST_DIR / 2 + WORDS }; /* the first page is sure to need bits */

    memset(&h, 0, sizeof h);
    h.base = mem_sbrk(FIRST * GRANULE);
    if (h.base == (void *)-1)
        return -1;
    h.dir = memset(h.base, 0, FIRST * GRANULE);
    h.dir[0] = FIRST_DIR / 2 << 2 | BITS;
    h.pages = FIRST_DIR;
    h.top = h.end = FIRST;
    set_begin(0);
    return 0;
}

void *mm_malloc(size_t size)
{
    pos n = granules(size);
    pos b = n ? allocate(n) : 0;
    return b ? at(b) : NULL;
}

/* The directory and the classes are blocks, but nobody else's. */
FAST bool is_own(pos g)
{
    return g == 0 || g == position(h.dir) || (h.classes && g == position(h.classes));
}

/* What is wrong with P, to which no live block of a user begins. */
static const char *complaint(const unsigned char *p)
{
    if (p < h.base || p >= h.base + (size_t)h.end * GRANULE)
        return "is not in the heap";
    if ((size_t)(p - h.base) % MM_ALIGNMENT)
        return "is misaligned: no block starts there";
    pos g = position(p);
    if (g >= h.top)
        return "is already free (it went back to the untouched end of the heap)";
    if (g > h.last || (!begins(g) && !is_free(before(g))))
        return "is inside a block, not its start";
    if (!begins(g))
        return "is already free (merged with a free neighbour), or was never the start of a block";
    return is_free(g) ? "is already free" : "is the allocator's own memory";
}

/* The block at P, or one sentence and the end when P is not one. */
FAST pos checked(const void *p, const char *who)
{
    size_t offset = (size_t)((const unsigned char *)p - h.base);
    pos g = (pos)(offset / GRANULE);

    if (offset % MM_ALIGNMENT || offset > (size_t)h.last * GRANULE || !begins(g) || is_free(g) || is_own(g))
        misuse(who, p, "the pointer %s", complaint(p));
    return g;
}

void mm_free(void *ptr)
{
    if (ptr)
        release(checked(ptr, "mm_free"));
}

void *mm_realloc(void *ptr, size_t size)
{
    if (!ptr)
        return mm_malloc(size);
    if (size == 0) {
        mm_free(ptr);
        return NULL;
    }
    pos g = checked(ptr, "mm_realloc");
    release_old_dir();
    pos e = end_of(g), old = e - g, n = granules(size), to = g;

    if (n == 0)
        return NULL;
    if (n > old) {
        pos q = before(g);
        pos after = e != h.top && is_free(e) ? free_size(e) : 0;
        pos ahead = is_free(q) ? free_size(q) : 0;
        bool last = e + after == h.top;

        if (old + after < n && ahead && (last ? ahead >= old / SLIDE_SHARE : old + after + ahead >= n))
            to = q;
        if (e + after - to < n && !last)
            to = 0;
        if (to && e + after - to < n && !grab(n - (e + after - to)))
            to = 0;
        if (to == 0) { /* no way to grow here */
            pos b = allocate(n);
            if (!b)
                return NULL;
            memcpy(at(b), ptr, (size_t)old * GRANULE);
            release(g);
            return at(b);
        }
        if (after) {
            unlink_free(e);
            erase(e, true);
            e += after;
        }
        if (to != g) {
            unlink_free(q);
            set_free(q, false);
            erase(g, false);
            if (g == h.last)
                h.last = q;
            memmove(at(q), ptr, (size_t)old * GRANULE);
        }
        if (to == h.last)
            h.grown = to, e = h.top;
        else
            tag_pages(to, e);
    }
    cut(to, n, e);
    return at(to);
}

void *mm_calloc(size_t count, size_t size)
{
    if (size && count > SIZE_MAX / size)
        return NULL;
    void *p = mm_malloc(count * size);
    return p ? memset(p, 0, count * size) : NULL;
}

#include "champion/check.h"
