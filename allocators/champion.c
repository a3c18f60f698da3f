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
 *     wait       what a freed block of at most 31 units does first: it stays as it is, but in a list, for the next
 *                request of its size. All that wait are at most 1/64 of the heap, or 64 KiB; then, and always
 *                before the heap grows, they
 *     settle     coalesce with their free neighbours, and go into a
 *     bin        free blocks by size, linked through the free blocks; the best fit is looked for. A hole of
 *                exactly the size that is wanted comes before what waits: nothing else will ever fit there
 *     recent     the large hole made last: in no bin yet
 *     table      of lists and bins, once the heap bears it (32 KiB): before, bins are few, and nothing waits
 *     reserve    a free stretch that one small size has to itself, the longer the oftener that size came from
 *                the top, all together 1/128 of the heap; so small blocks lie together and do not pin the holes
 *                among large ones
 *     stock      unused bits for pages, taken together for the same reason
 *
 * cost: free, and malloc of a size that waits or of which there is a hole, are a few dozen instructions. Else malloc
 * looks at no more than 16 blocks of a bin or two. What is not constant: to settle at most 4096 blocks, each of
 * which was freed since; to make the table, once, and put the holes there are into its bins; the directory's
 * growth, which copies 1/512 of the heap each time that the heap has grown by a quarter; and realloc, which copies
 * a block that cannot grow where it is.
 * Blocks of more than 1 GiB, or beyond the first 8 GiB, are apart: champion/giants.h.
 * metadata: 0.2 % of the heap, 1.8 % where blocks are small, the table, and `struct heap`.
 * worst trace: a block of a new small size after each large one, the large ones freed, and larger ones
 * asked for: no size comes from the top often enough to get a reserve.
 *
 * Read champion/blocks.h, then index.h, grow.h and release.h, then this file; giants.h last.
 */
#include "common/report.h"
#include "champion/blocks.h"
#include "champion/index.h"
#include "champion/grow.h"
#include "champion/release.h"

/* ---- allocation ---- */

/* Makes the table, once the heap can bear it; without memory for it, the heap goes on as before. */
SLOW void make_table(void)
{
    const pos n = round_units((pos)sizeof(struct table) / GRANULE);

    pos b = from_top(n);
    if (!b)
        return;
    h.table = memset(at(b), 0, sizeof *h.table);
    own(b, n);
    h.patience = (int32_t)patience();
    for (unsigned i = 0; i < FEW_BINS; i++)
        for (pos f = h.few_bin[i], next; f; f = next) {
            next = node(f)->next;
            put(f);
        }
}

/* How many blocks of N granules are taken off the top together. */
FAST pos batch(pos n)
{
    unsigned c = class_of(n);

    if (!h.table || c >= CLASSES || h.grown == h.last)
        return 1;
    uint8_t *misses = &h.table->misses[c];
    *misses = (uint8_t)(*misses < UINT8_MAX / 2 ? 2 * *misses + 1 : UINT8_MAX);
    pos count = *misses, room = h.top / RESERVE_SHARE;
    room = room < h.reserved ? 0 : room - h.reserved;
    if (room > SHARE_MAX)
        room = SHARE_MAX;
    if (count * n > room)
        count = room / n;
    return count < 1 ? 1 : count;
}

/* No free block of N granules: the top. */
SLOW pos allocate_from_top(pos n)
{
    if (h.old_dir)
        release_old_dir();
    if (!h.table && ++h.small_misses > EXACT_BINS && h.top >= TABLE_FROM && h.grown != h.last)
        make_table();
    pos count = batch(n), b = from_top(n * count);
    if (!b && count > 1)
        b = from_top(n * (count = 1));
    return b && count > 1 ? carve(b, n, h.top, class_of(n)) : b;
}

/* Nothing of N granules is at hand. */
SLOW pos allocate_settled(pos n)
{
    unsigned c = class_of(n);
    pos b = find(n);

    if (h.table && c < CLASSES) {
        if (b)
            h.table->misses[c] /= 2;
        pos r = h.table->reserve[c];
        if (r && (!b || free_size(b) != n)) {
            pos e = r + free_size(r);
            unlink_free(r);
            set_free(r, false);
            return carve(r, n, e, c);
        }
    }
    if (!b && h.used) {
        settle();
        b = find(n);
    }
    if (!b)
        return allocate_from_top(n);
    take(b, n);
    return b;
}

/* The first block of a bin whose blocks all have the size that is wanted. */
SLOW pos allocate_exactly(pos b, pos n)
{
    struct table *t = h.table;
    pos u = n / UNIT, next = node(b)->next;
    unsigned c = class_of(n);

    t->bin[u] = next;
    if (next)
        node(next)->prev = 0;
    else
        t->map[0] &= ~((uint64_t)1 << u);
    if (c < CLASSES)
        t->misses[c] /= 2;
    set_free(b, false);
    return b;
}

FAST pos allocate(pos n)
{
    struct table *t = h.table;
    pos u = n / UNIT;

    if (!LIKELY(t && u < EXACT_BINS))
        return allocate_settled(n);
    if (t->bin[u]) /* a hole of just that size is better filled than kept */
        return allocate_exactly(t->bin[u], n);
    pos b = t->wait[u];
    if (!LIKELY(b))
        return allocate_settled(n);
    struct node *x = node(b);
    t->wait[u] = x->next;
    h.patience += (int32_t)n;
    x->size = 0;
    return b;
}

#include "champion/giants.h"

/* Granules for a payload of SIZE bytes, or 0 for a giant. */
FAST pos granules(size_t size)
{
    if (!LIKELY(size <= LARGEST))
        return 0;
    pos n = (pos)((size + MM_ALIGNMENT - 1) / MM_ALIGNMENT) * UNIT;
    return n < MIN_BLOCK ? MIN_BLOCK : n;
}

/* ---- the interface ---- */

int mm_init(void)
{
    const pos first = round_units(DIR_HEAD + FIRST_DIR / 2 + WORDS); /* the first page is sure to need bits */

    memset(&h, 0, sizeof h);
    h.base = mem_sbrk((intptr_t)first * GRANULE);
    if (h.base == (void *)-1)
        return -1;
    memset(h.base, 0, first * GRANULE);
    h.dir = (uint32_t *)h.base + 2 * DIR_HEAD;
    h.dir[0] = (DIR_HEAD + FIRST_DIR / 2) << 2 | BITS;
    h.pages = FIRST_DIR;
    h.top = h.end = first;
    set_begin(0);
    own(0, first);
    return 0;
}

void *mm_malloc(size_t size)
{
    pos n = granules(size);
    pos b = n ? allocate(n) : 0;
    return LIKELY(b) ? at(b) : giant_malloc(size);
}

/* Whether G, where nothing begins, is inside a free block. */
static bool in_free(pos g)
{
    bool free_now;
    before(g, &free_now);
    return free_now;
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
    if (g > h.last || (!begins(g) && !in_free(g)))
        return "is inside a block, not its start";
    if (!begins(g))
        return "is already free (merged with a free neighbour), or was never the start of a block";
    return !is_free(g) && is_own(g) ? "is the allocator's own memory" : "is already free";
}

/* Whether the allocated block at G, of N granules, is not a user's: it waits, or it is the allocator's own. */
static bool is_taken_back(pos g, pos n)
{
    return seems_to_wait(g, n) && (is_own(g) || waits(g, n));
}

/* The block at P, or one sentence and the end when P is not one. */
SLOW pos checked(const void *p, const char *who)
{
    size_t offset = (size_t)((const unsigned char *)p - h.base);
    pos g = (pos)(offset / GRANULE);

    if (offset % MM_ALIGNMENT || offset > (size_t)h.last * GRANULE || !begins(g) || is_free(g) ||
        is_taken_back(g, end_of(g) - g))
        misuse(who, p, "the pointer %s", complaint(p));
    return g;
}

/* Whether one word of bits tells that P is a user's block, *G. *N becomes its size, or 0 when it ends beyond. */
FAST bool in_sight(const void *p, pos *g, pos *n)
{
    size_t offset = (size_t)((const unsigned char *)p - h.base);

    *g = (pos)(offset / GRANULE);
    if (!LIKELY(offset <= (size_t)h.last * GRANULE && offset % MM_ALIGNMENT == 0))
        return false;
    uint32_t entry = h.dir[page_of(*g)];
    if (!LIKELY(is_bits(entry)))
        return false;
    uint64_t word = bits_at(entry)[*g % PAGE / 64], up = (word >> (*g % 64)) - 1;
    if (!LIKELY(!(up & 3) && is_beginning(word, *g % 64)))
        return false;
    if (LIKELY(up)) {
        *n = low_bit(up);
        return LIKELY(!seems_to_wait(*g, *n));
    }
    *n = 0;
    return !is_taken_back(*g, end_of(*g) - *g);
}

/* Frees the allocated block at G, which is last, or large, or whose end is not in sight. */
SLOW void free_far(pos g)
{
    if (g == h.last) {
        release_last(g);
        return;
    }
    pos e = end_of(g);
    if (may_wait(e - g))
        wait(g, e - g);
    else
        release(g, e);
}

SLOW void free_slowly(void *ptr)
{
    if (in_giants(ptr))
        giant_free(ptr);
    else if (ptr)
        free_far(checked(ptr, "mm_free"));
}

void mm_free(void *ptr)
{
    pos g, n;

    if (!LIKELY(in_sight(ptr, &g, &n)))
        free_slowly(ptr);
    else if (LIKELY(n && may_wait(n)))
        wait(g, n);
    else
        free_far(g);
}

void *mm_realloc(void *ptr, size_t size)
{
    if (!ptr)
        return mm_malloc(size);
    if (size == 0) {
        mm_free(ptr);
        return NULL;
    }
    pos g, old, n = granules(size);
    if (!LIKELY(in_sight(ptr, &g, &old))) {
        if (in_giants(ptr))
            return giant_realloc(ptr, size);
        g = checked(ptr, "mm_realloc");
        old = 0;
    }
    if (!old)
        old = end_of(g) - g;
    if (n == old)
        return ptr;
    if (h.old_dir)
        release_old_dir();
    pos e = g + old, to = g;
    if (n == 0) {
        void *p = giant_malloc(size);
        if (p) {
            memcpy(p, ptr, (size_t)old * GRANULE);
            release(g, e);
        }
        return p;
    }
    if (n > old) {
        bool free_before;
        if (h.used && g != h.last)
            settle();
        if (old > h.top / 4)
            h.small_misses = 0; /* a table in its way would cost more than it gains */
        pos q = before(g, &free_before);
        if (e == h.top && !free_before && grab(n - old)) {
            h.grown = g;
            return ptr;
        }
        pos after = e != h.top && is_free(e) ? free_size(e) : 0;
        pos ahead = free_before ? free_size(q) : 0;
        bool last = e + after == h.top;

        if (old + after < n && ahead && (last ? ahead >= old / SLIDE_SHARE : old + after + ahead >= n))
            to = q;
        pos gap = to == q && last && old > h.top / 4 ? round_units(old / GAP_SHARE) : 0, top = h.top;
        if (gap < MIN_BLOCK || ahead <= 2 * gap || !cover(q + gap))
            gap = 0;
        to += gap;
        if (h.top != top || (e + after - to < n && !last)) /* what covers the gap may now lie behind the block */
            to = 0;
        if (to && e + after - to < n && !grab(n - (e + after - to)))
            to = 0;
        if (to == 0) { /* no way to grow here */
            pos b = allocate(n);
            if (!b)
                return NULL;
            memcpy(at(b), ptr, (size_t)old * GRANULE);
            release(g, e);
            if (b == h.last)
                h.grown = b;
            return at(b);
        }
        if (after) {
            unlink_free(e);
            erase(e, true);
            e += after;
        }
        if (gap) {
            unlink_free(q); /* blocks that come and go meanwhile have a place before this one, not behind it */
            insert(q, gap);
            q += gap;
            set_begin(q);
            set_free(q, true);
            insert(q, ahead - gap);
            tag_pages(q - gap, q);
            tag_pages(q, g);
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
