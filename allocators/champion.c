/*
 * champion.c - no headers: block boundaries are bits beside the heap, free blocks index themselves.
 *
 * The heap is counted in granules of 8 bytes and tiled by blocks of at least two granules. A block has no
 * header and no footer: 1 bit per granule says where blocks begin, and a free block has its second bit set too.
 *
 *     heap   | allocated, 4   | free, 5            | alloc, 2| allocated, 3 | top (not a block)
 *     bits     1   0   0   0    1   1   0   0   0    1   0     1   0   0
 *
 * A size is the distance to the next beginning, so asking whether a pointer is an allocated block, how long it is
 * and whether its neighbours are free are questions to one or two words of bits.
 *
 * The bits of a page (4 KiB, 64 bytes of bits) exist only while a block begins in that page. The directory has one
 * 32-bit entry per page: where its bits are, or, at both ends of a run of pages in which nothing begins, how many
 * pages to jump: boundary tags, on pages. Bits and directory are allocated blocks of the same heap; they come into
 * being as the heap grows, so a heap of 1 KiB pays for 1 KiB.
 *
 * vocabulary
 *     granule    8 bytes; a `pos` counts granules, from the start of the heap or as a size
 *     top        the untouched end of the heap, last resort of every search; it may lie below the break
 *     class      small blocks of one exact size: a doubly linked list of the free ones
 *     reserve    a free stretch that one class has to itself. It is as long as the class has been missed often (and
 *                at most 1/256 of the heap), so small blocks lie together and do not pin holes among large ones
 *     tree       free blocks above the classes: eight bitwise tries keyed by size, linked through the free blocks
 *
 * cost: malloc and free of a small size are O(1) and a few bit operations; best fit among large blocks walks at most
 * 32 tree nodes. Nothing scans blocks. Only the directory's growth is not constant: it copies 1/1024 of the heap,
 * each time that the heap has grown by half. realloc copies when it must, as any does.
 * metadata: 1.56 % of a heap of small blocks, 0.1 % of a heap of blocks above 4 KiB, and `struct heap` below.
 * worst trace: a small block allocated after each large one, all large ones freed, larger ones asked for, in sizes
 * that differ every time so that no class is missed often enough to get a reserve.
 */
#include "mm.h"
#include "memlib.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef uint32_t pos; /* granules; 0 means none, since granule 0 begins the first directory */

enum {
    GRANULE = 8,
    UNIT = MM_ALIGNMENT / GRANULE, /* every position and size is a multiple of this */
    PAGE = 256,                    /* granules in a page */
    WORDS = PAGE / 64,             /* 64-bit words of bits for a page */
    CLASSES = 32,
    ROOTS = 8,
    MIN_BLOCK = 2,
    
    FIRST_DIR = 8,          /* directory entries at the start */
    RESERVE_SHARE = 128,    /* a reserve is at most this part of the heap, ... */
    RESERVE_MAX = 512,      /* ... and never above this many granules */
    STOCK_SHARE = 1,        /* bits in stock, in such shares of the heap */
    MISSES_PER_BLOCK = 2,   /* misses for which a reserve gets one block */
    CLASSES_FROM = 2048,    /* granules of heap from which classes are worth their memory */
    SLIDE_SHARE = 8         /* realloc moves a block down into a hole of at least this part of it */
};
#define LIMIT (UINTPTR_MAX > UINT32_MAX ? (pos)1 << 30 : (pos)1 << 28) /* granules in a heap: below 8 or 2 GiB */
/* Where a free block is indexed, if not at its place in the tree: its field `parent`. */
#define RING ((pos)0 - 1)    /* in the ring of a tree block of the same size */
#define LISTED ((pos)0 - 2)  /* in its class's list */
#define RESERVE ((pos)0 - 3) /* it is the reserve of the class whose number is its field `next` */
#define RECENT ((pos)0 - 4)  /* it is `recent` */

_Static_assert(MM_ALIGNMENT == 8 || MM_ALIGNMENT == 16, "alignments this heap is laid out for");

/* A free block, in its own payload; the smallest has room for the first four fields only. */
struct node {
    pos size;
    pos next, prev; /* a class's list, ended by 0; in the tree a ring of equal sizes */
    pos parent;
    pos child[2];   /* tree only */
};

/* A block of the heap, made when that has become large enough to bear it. Before, class 0, whose blocks are too small
 * for the tree, is a list in `struct heap`, and the other small blocks are in the tree. */
struct classes {
    pos first[CLASSES];   /* list of free blocks */
    pos reserve[CLASSES];
    uint8_t misses[CLASSES];
};

static struct heap {
    unsigned char *base;
    uint32_t *dir;          /* directory: one entry per page, `pages` of them */
    pos pages;
    pos top, end;           /* where the top begins, and the break */
    pos last;               /* the last block before the top */
    pos grown;              /* the block that realloc last extended into the top: best left at the end */
    pos old_dir;            /* a directory outgrown, to be freed when no block is half made */
    pos spare;              /* list of unused bits, 64 bytes each */
    pos recent;             /* the block freed last: in no index yet */
    pos small_misses;       /* requests that classes might have answered, until there are `classes` */
    pos pairs;              /* free blocks of class 0, until there are `classes` */
    uint32_t nonempty;      /* classes with a free block */
    struct classes *classes;
    uint32_t rooted;        /* roots with a tree */
    pos root[ROOTS];
} h;

/* ---- positions ---- */

static inline void *at(pos g) { return h.base + (size_t)g * GRANULE; }
static inline struct node *node(pos g) { return at(g); }
static inline pos position(const void *p) { return (pos)((size_t)((const unsigned char *)p - h.base) / GRANULE); }
static inline pos page_of(pos g) { return g / PAGE; }
static inline unsigned low_bit(uint64_t w) { return (unsigned)__builtin_ctzll(w); }
static inline unsigned high_bit(uint64_t w) { return 63 - (unsigned)__builtin_clzll(w); }

static inline unsigned class_of(pos n) { return (n - MIN_BLOCK) / UNIT; }
static inline pos size_of_class(unsigned c) { return MIN_BLOCK + c * UNIT; }

/* ---- the directory: one entry per page, of four kinds (its lowest two bits)
 *
 *      RUN    nothing begins in this page; at both ends of a run of such pages, its length in pages
 *      FEW    up to three slots of ten bits: used, free, granule in the page where a block begins
 *      BITS   where the page's bits are, in granules
 *      BITS2  the same, and the block that begins in the last granule, whose second bit is not here, is free ---- */

enum kind { RUN, BITS, FEW, BITS2 };
enum { SLOTS = 3, SLOT_BITS = 10, SLOT = (1 << SLOT_BITS) - 1, USED = 1 << 9, FREE = 1 << 8 };

static inline enum kind kind_of(uint32_t entry) { return entry & 3; }
static inline bool is_bits(uint32_t entry) { return entry & 1; }
static inline uint64_t *bits_at(uint32_t entry) { return at(entry >> 2); }
static inline uint32_t slot(uint32_t entry, unsigned i) { return entry >> (2 + i * SLOT_BITS) & SLOT; }

/* The shift of the slot in ENTRY for a block that begins at G, or 0. */
static inline unsigned slot_of(uint32_t entry, pos g)
{
    uint32_t want = USED | g % PAGE, other = entry ^ (want << 2 | want << 12 | want << 22);
    const uint32_t mask = SLOT & ~(uint32_t)FREE;

    return !(other & mask << 2) ? 2 : !(other & mask << 12) ? 12 : !(other & mask << 22) ? 22 : 0;
}

static inline bool bit(const uint64_t *bits, pos i) { return bits[i / 64] >> (i % 64) & 1; }

/* ---- questions about the block that begins at G ---- */

static inline bool is_free(pos g)
{
    uint32_t entry = h.dir[page_of(g)];

    if (kind_of(entry) == FEW)
        return entry >> slot_of(entry, g) & FREE;
    if (UNIT == 1 && g % PAGE == PAGE - 1)
        return kind_of(entry) == BITS2;
    return bit(bits_at(entry), g % PAGE + 1);
}

/* The set bit I of a page is the second of a free block, not a beginning. (Before a free block lies an allocated
 * one, whose last bit is clear: so a set bit before I begins a free block, unless that is itself the second of a
 * block of 2.) */
static inline bool is_second(const uint64_t *bits, pos i)
{
    return i > 0 && bit(bits, i - 1) && !(i > 1 && bit(bits, i - 2));
}

/* Whether G begins a block, for any G in a page up to that of the last block. */
static bool begins(pos g)
{
    uint32_t entry = h.dir[page_of(g)];

    if (kind_of(entry) == FEW)
        return slot_of(entry, g);
    return is_bits(entry) && bit(bits_at(entry), g % PAGE) && !is_second(bits_at(entry), g % PAGE);
}

/* The first beginning at granule I of a page or after it, or PAGE. */
static inline pos first_from(uint32_t entry, pos i)
{
    if (!is_bits(entry)) {
        pos first = PAGE;
#pragma GCC unroll 3
        for (unsigned k = 0; k < SLOTS; k++) {
            pos s = (slot(entry, k) ^ USED) & (SLOT & ~FREE); /* unused: above PAGE */
            s = s < i ? PAGE : s;
            first = s < first ? s : first;
        }
        return first;
    }
    if (i >= PAGE)
        return PAGE;
    const uint64_t *bits = bits_at(entry);
    pos w = i / 64;
    uint64_t rest = bits[w] >> (i % 64);
    if (rest)
        return i + low_bit(rest);
    while (++w < WORDS)
        if (bits[w])
            return w * 64 + low_bit(bits[w]);
    return PAGE;
}

/* The last beginning before granule I of a page, or PAGE. */
static inline pos last_until(uint32_t entry, pos i)
{
    if (!is_bits(entry)) {
        pos last = 0;
#pragma GCC unroll 3
        for (unsigned k = 0; k < SLOTS; k++) {
            pos s = (slot(entry, k) ^ USED) & (SLOT & ~FREE);
            s = s < i ? s + 1 : 0;
            last = s > last ? s : last;
        }
        return last ? last - 1 : PAGE;
    }
    const uint64_t *bits = bits_at(entry);
    pos w = i / 64;
    uint64_t rest = i % 64 ? bits[w] & (((uint64_t)1 << (i % 64)) - 1) : 0;
    while (!rest) {
        if (w == 0)
            return PAGE;
        rest = bits[--w];
    }
    i = w * 64 + high_bit(rest);
    return is_second(bits, i) ? i - 1 : i;
}

/* The end of the allocated block at G, which is where the next one begins. */
static inline pos end_of(pos g)
{
    if (g == h.last)
        return h.top;
    pos page = page_of(g), i = first_from(h.dir[page], g % PAGE + 1);
    while (i == PAGE) {
        uint32_t entry = h.dir[++page];
        if (kind_of(entry) == RUN)
            entry = h.dir[page += entry >> 2];
        i = first_from(entry, 0);
    }
    return page * PAGE + i;
}

/* Where the block before G begins; G > 0. */
static inline pos before(pos g)
{
    pos page = page_of(g), i = last_until(h.dir[page], g % PAGE);
    while (i == PAGE) {
        uint32_t entry = h.dir[--page];
        if (kind_of(entry) == RUN)
            entry = h.dir[page -= entry >> 2];
        i = last_until(entry, PAGE);
    }
    return page * PAGE + i;
}

static inline pos free_size(pos g) { return node(g)->size; }
static inline bool is_reserve(pos g) { return node(g)->parent == RESERVE; }

/* ---- marking blocks ---- */

static inline void set_begin(pos g)
{
    uint32_t *entry = &h.dir[page_of(g)];

    if (is_bits(*entry)) {
        bits_at(*entry)[g % PAGE / 64] |= (uint64_t)1 << (g % 64);
        return;
    }
    if (kind_of(*entry) == RUN)
        *entry = FEW;
    unsigned shift = 2;
    while (*entry >> shift & USED)
        shift += SLOT_BITS;
    *entry |= (USED | g % PAGE) << shift;
}

static inline void set_free(pos g, bool yes)
{
    uint32_t *entry = &h.dir[page_of(g)];

    if (kind_of(*entry) == FEW) {
        uint32_t mask = (uint32_t)FREE << slot_of(*entry, g);
        *entry = yes ? *entry | mask : *entry & ~mask;
    } else if (UNIT == 1 && g % PAGE == PAGE - 1) {
        *entry = (*entry & ~(uint32_t)3) | (yes ? BITS2 : BITS);
    } else {
        uint64_t *w = bits_at(*entry) + (g + 1) % PAGE / 64, mask = (uint64_t)1 << ((g + 1) % 64);
        *w = yes ? *w | mask : *w & ~mask;
    }
}

/* G no longer begins a block, free or not as FREE_NOW says. Bits in which nothing begins any more are kept for
 * another page. */
static inline void erase(pos g, bool free_now)
{
    uint32_t *entry = &h.dir[page_of(g)];

    if (!is_bits(*entry)) {
        *entry &= ~((uint32_t)SLOT << slot_of(*entry, g));
        return; /* with no slot used it is a RUN in all but name, until tag_pages */
    }
    uint64_t *bits = bits_at(*entry), *w = bits + g % PAGE / 64, any = 0;

    if (free_now && g % 64 == 63)
        set_free(g, false);
    *w &= ~((uint64_t)(free_now ? 3 : 1) << (g % 64));
    if (*w)
        return;
    for (unsigned i = 0; i < WORDS; i++)
        any |= bits[i];
    if (!any) {
        *(pos *)bits = h.spare;
        h.spare = *entry >> 2;
        *entry = RUN;
    }
}

/* Tags the pages between those in which the block [G, E) and the one at E begin. */
static inline void tag_pages(pos g, pos e)
{
    pos first = page_of(g) + 1, past = page_of(e);
    if (first < past)
        h.dir[first] = h.dir[past - 1] = (past - first) << 2;
}

/* A new last block begins at G, in a page that has bits. The top is moved by the caller. */
static inline void append(pos g)
{
    set_begin(g);
    tag_pages(h.last, g);
    h.last = g;
}

/* ---- growing ---- */

/* Takes N granules off the top, marking nothing. 0 when the heap is exhausted. */
static inline pos grab(pos n)
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

/* How much to set aside at once, granules: a small part of the heap. */
static inline pos share(void)
{
    pos n = h.top / RESERVE_SHARE;
    return n < RESERVE_MAX ? n : RESERVE_MAX;
}


/* Takes spare bits off the top, several together so that they do not part the blocks around them more often than
 * need be. Returns where they are, for the caller to append, or 0 when the heap is exhausted. */
static pos stock(void)
{
    pos batch = 1 + share() * STOCK_SHARE / WORDS, b = grab(batch * WORDS);

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
static inline bool has_room(uint32_t entry, unsigned count)
{
    if (is_bits(entry) || kind_of(entry) == RUN)
        return true;
#pragma GCC unroll 3
    for (unsigned i = 0; i < SLOTS; i++)
        count -= count > 0 && !(slot(entry, i) & USED);
    return count == 0;
}

/* Lets a block begin at G. What that takes is appended to the heap in one go: a directory that reaches far enough,
 * the bits of the page of G, and those of the pages in which these begin. False when the heap is exhausted, and then
 * nothing has changed. */
static bool cover_slowly(pos g)
{
    struct { pos page; uint32_t entry; } spreads[4];
    pos made[4], mades = 0, done = 0, old_top = h.top, old_pages = h.pages;
    pos need = page_of(h.top + 3 * (share() + WORDS) + h.pages) + 2;
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

static inline bool cover(pos g)
{
    return (page_of(g) < h.pages && has_room(h.dir[page_of(g)], 1)) || cover_slowly(g);
}

/* ---- the tree: a block's child on side 0 or 1 agrees with it in all higher bits of the size ---- */

static inline unsigned root_of(pos n) { return high_bit(n) / 4; }
static inline unsigned shift_of(unsigned root) { return 4 * root + 3; }

static void tree_insert(pos b, pos n)
{
    unsigned root = root_of(n), shift = shift_of(root);
    pos *link = &h.root[root], parent = 0;
    struct node *x = node(b);

    while (*link) {
        parent = *link;
        struct node *t = node(parent);
        if (t->size == n) {
            x->next = t->next;
            x->prev = parent;
            node(t->next)->prev = b;
            t->next = b;
            x->parent = RING;
            return;
        }
        link = &t->child[n >> shift-- & 1];
    }
    *link = b;
    h.rooted |= 1u << root;
    x->next = x->prev = b;
    x->parent = parent;
    x->child[0] = x->child[1] = 0;
}

static void tree_remove(pos b)
{
    struct node *x = node(b);
    pos heir = 0;

    if (x->next != b) {
        heir = x->next;
        node(x->prev)->next = x->next;
        node(x->next)->prev = x->prev;
        if (x->parent == RING)
            return;
    } else { /* any leaf below */
        pos *link = &x->child[1];
        if (!*link)
            link = &x->child[0];
        if ((heir = *link) != 0) {
            for (pos *down = link; *down; ) {
                link = down;
                heir = *down;
                down = node(heir)->child[1] ? &node(heir)->child[1] : &node(heir)->child[0];
            }
            *link = 0;
        }
    }
    if (heir) {
        struct node *y = node(heir);
        y->parent = x->parent;
        for (int side = 0; side < 2; side++) {
            y->child[side] = x->child[side];
            if (y->child[side])
                node(y->child[side])->parent = heir;
        }
    }
    if (x->parent) {
        struct node *p = node(x->parent);
        p->child[p->child[1] == b] = heir;
    } else {
        unsigned root = root_of(x->size);
        h.root[root] = heir;
        if (!heir)
            h.rooted &= ~(1u << root);
    }
}

/* The smaller of BEST and the smallest block of the subtree T, whose blocks all differ from N alike: it lies on the
 * leftmost path. */
static pos leftmost(pos t, pos best)
{
    for (; t; t = node(t)->child[0] ? node(t)->child[0] : node(t)->child[1])
        if (!best || node(t)->size < node(best)->size)
            best = t;
    return best;
}

/* The smallest free block of the tree with at least N granules, or 0. */
static pos best_fit(pos n)
{
    unsigned root = root_of(n), shift = shift_of(root);
    pos best = 0, larger = 0;

    for (pos t = h.root[root]; t; ) {
        struct node *x = node(t);
        if (x->size >= n && (!best || x->size < node(best)->size)) {
            best = t;
            if (x->size == n)
                return x->next; /* a ring neighbour goes more easily than a tree node */
        }
        unsigned side = n >> shift-- & 1;
        if (!side && x->child[1])
            larger = x->child[1];
        t = x->child[side];
    }
    best = leftmost(larger, best);
    uint32_t higher = h.rooted & (uint32_t)-2 << root;
    if (!best && higher)
        best = leftmost(h.root[low_bit(higher)], 0);
    return best ? node(best)->next : 0;
}

/* ---- free blocks in and out of their index ---- */

static inline bool is_listed(unsigned c) { return h.classes ? c < CLASSES : c == 0; }
static inline pos *list_of(unsigned c) { return h.classes ? &h.classes->first[c] : &h.pairs; }

static void index_block(pos b)
{
    struct node *x = node(b);
    unsigned c = class_of(x->size);

    if (!is_listed(c)) {
        tree_insert(b, x->size);
        return;
    }
    pos *first = list_of(c);
    x->parent = LISTED;
    x->prev = 0;
    x->next = *first;
    if (x->next)
        node(x->next)->prev = b;
    *first = b;
    h.nonempty |= (uint32_t)1 << c;
}

/* The free block B of N granules joins the index: as the recent one, for frees come in the order of addresses and
 * blocks are freed to be allocated again, and either spares the work. */
static inline void insert(pos b, pos n)
{
    if (h.recent)
        index_block(h.recent);
    h.recent = b;
    node(b)->size = n;
    node(b)->parent = RECENT;
}

static inline void unlink_free(pos b)
{
    struct node *x = node(b);

    switch (x->parent) {
    case RECENT:
        h.recent = 0;
        return;
    case RESERVE:
        h.classes->reserve[x->next] = 0;
        return;
    case LISTED:
        if (x->next)
            node(x->next)->prev = x->prev;
        if (x->prev) {
            node(x->prev)->next = x->next;
        } else {
            unsigned c = class_of(x->size);
            if ((*list_of(c) = x->next) == 0)
                h.nonempty &= ~((uint32_t)1 << c);
        }
        return;
    default:
        tree_remove(b);
    }
}

static inline void set_reserve(unsigned c, pos b, pos n)
{
    node(b)->size = n;
    node(b)->parent = RESERVE;
    node(b)->next = c;
    h.classes->reserve[c] = b;
}

/* The allocated block [G, E) becomes free: coalesced, indexed. */
static void release_block(pos g, pos e)
{
    pos s = g;

    if (e != h.top && is_free(e)) {
        pos n = free_size(e);
        unlink_free(e);
        erase(e, true);
        e += n;
    }
    pos q = before(g);
    if (is_free(q)) {
        s = q;
        erase(g, false);
        if (is_reserve(q) && e - g == size_of_class(node(q)->next) && e != h.top) { /* where it came from */
            set_reserve(node(q)->next, q, e - q);
            tag_pages(q, e);
            return;
        }
        unlink_free(q);
        if (e == h.top)
            q = before(q);
    }
    if (e == h.top) {
        erase(s, s != g);
        h.last = q;
        h.top = s;
        return;
    }
    if (s == g)
        set_free(s, true);
    insert(s, e - s);
    tag_pages(s, e);
}

static void release(pos g) { release_block(g, end_of(g)); }

/* Cuts the allocated block [G, E) down to its first N granules; the rest becomes free. The block stays whole when
 * the rest is too small for a block, or for want of bits. */
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

/* Cuts the last N granules off the allocated block [G, E) and returns them; the rest becomes the reserve of class
 * C. The block stays whole as in `cut`. */
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
        if (count > share() / n)
            count = share() / n;
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

static inline pos allocate(pos n)
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
static inline pos granules(size_t size)
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

/* The block at P, or one sentence and the end when P is not one. */
static pos checked(const void *p, const char *who)
{
    const unsigned char *byte = p;
    const char *wrong;
    pos g = position(p);

    if (byte < h.base || byte >= h.base + (size_t)h.top * GRANULE)
        wrong = "is not in the heap";
    else if ((size_t)(byte - h.base) % MM_ALIGNMENT)
        wrong = "is misaligned: no block starts there";
    else if (page_of(g) > page_of(h.last) || !begins(g))
        wrong = "is not the start of a block (inside one, or freed and merged with its neighbour)";
    else if (is_free(g))
        wrong = "is already free";
    else
        return g;
    fprintf(stderr, "champion: %s(%p): the pointer %s\n", who, p, wrong);
    abort();
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

        if (old + after < n && ahead && ahead >= old / SLIDE_SHARE && (old + after + ahead >= n || last))
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

/* ---- the checker ---- */

static int complain(int line, pos g, const char *what)
{
    fprintf(stderr, "champion: mm_checkheap(%d): at %p: %s\n", line, at(g), what);
    return 1;
}

/* The tree under T: sizes agree with the path to them, rings are whole. Adds its blocks to *FOUND. */
static int check_tree(int line, pos t, pos parent, pos size, unsigned shift, pos *found)
{
    struct node *x = node(t);
    int wrong = 0;

    if (!begins(t) || !is_free(t))
        return complain(line, t, "the tree holds what is not a free block");
    if (x->parent != parent)
        wrong += complain(line, t, "a tree block does not know its parent");
    if (x->size >> shift != size >> shift)
        wrong += complain(line, t, "a block lies in the wrong part of the tree for its size");
    pos r = t;
    do {
        ++*found;
        if (node(r)->size != x->size || node(node(r)->next)->prev != r || (r != t && node(r)->parent != RING))
            return wrong + complain(line, r, "a ring of equal sizes is broken");
        r = node(r)->next;
    } while (r != t);
    for (pos side = 0; side < 2; side++)
        if (x->child[side])
            wrong += check_tree(line, x->child[side], t, (x->size >> shift << shift) | side << (shift - 1),
                                shift - 1, found);
    return wrong;
}

/* Every free block of the index is one: its number, for comparison with the walk over the heap. */
static int check_index(int line, pos *found)
{
    int wrong = 0;

    for (unsigned c = 0; is_listed(c); c++) {
        pos first = *list_of(c), r = h.classes ? h.classes->reserve[c] : 0;
        if (!first != !(h.nonempty >> c & 1))
            wrong += complain(line, first, "a class is marked empty and is not, or the reverse");
        for (pos b = first, prev = 0; b; prev = b, b = node(b)->next, ++*found)
            if (!begins(b) || !is_free(b) || free_size(b) != size_of_class(c) || node(b)->prev != prev ||
                node(b)->parent != LISTED)
                return wrong + complain(line, b, "a class's list holds what does not belong there");
        if (r && (!begins(r) || !is_free(r) || !is_reserve(r) || node(r)->next != c))
            wrong += complain(line, r, "a class's reserve is not a free block that knows its class");
        *found += r != 0;
    }
    if (h.recent && (!begins(h.recent) || !is_free(h.recent) || node(h.recent)->parent != RECENT))
        wrong += complain(line, h.recent, "the recent block is not free");
    *found += h.recent != 0;
    for (unsigned i = 0; i < ROOTS; i++)
        if (h.root[i])
            wrong += check_tree(line, h.root[i], 0, 0, shift_of(i) + 1, found);
    return wrong;
}

int mm_checkheap(int line)
{
    int wrong = 0;
    pos walked = 0, found = 0, starts = 0, set = 0, e;
    bool was_free = false;

    for (pos g = 0, prev = 0; g < h.top; prev = g, g = e) {
        if (page_of(g) > page_of(h.last) || !begins(g))
            return wrong + complain(line, g, "the previous block ends where none begins");
        if (g > 0 && before(g) != prev)
            wrong += complain(line, g, "looking back finds another block than walking forward");
        bool free_now = is_free(g);
        if (free_now && was_free)
            wrong += complain(line, g, "two free blocks side by side were not coalesced");
        if (free_now && g == h.last)
            wrong += complain(line, g, "a free block below the top was not merged into it");
        e = free_now ? g + free_size(g) : end_of(g);
        if (e <= g || e > h.top || (e - g) % UNIT || e - g < MIN_BLOCK)
            return wrong + complain(line, g, "a block's size is impossible");
        if (free_now && e != h.top && !begins(e))
            return wrong + complain(line, g, "a free block's size is not the distance to the next block");
        if (e == h.top && g != h.last)
            wrong += complain(line, g, "the last block is not known as such");
        walked += free_now;
        starts++;
        was_free = free_now;
    }
    for (pos page = 0; page <= page_of(h.last); page++) {
        uint32_t entry = h.dir[page];
        pos run = kind_of(entry) == RUN ? entry >> 2 : 0, i = first_from(entry, 0), in_page = 0;
        if (run) {
            if (page + run > page_of(h.last) || h.dir[page + run - 1] != entry)
                return wrong + complain(line, page * PAGE, "a run of pages without beginnings is mistagged");
            page += run - 1;
            continue;
        }
        for (; i < PAGE; i = first_from(entry, i + 1))
            in_page += begins(page * PAGE + i);
        if (!in_page)
            wrong += complain(line, page * PAGE, "a page in which nothing begins is no run");
        set += in_page;
    }
    if (set != starts)
        wrong += complain(line, 0, "the bits say more or fewer beginnings than there are blocks");
    if (!mem_heapsize() || h.end != mem_heapsize() / GRANULE || h.top > h.end)
        wrong += complain(line, h.top, "the top or the break is not where it should be");
    wrong += check_index(line, &found);
    if (found != walked)
        wrong += complain(line, 0, "the index holds more or fewer free blocks than the heap");
    return wrong;
}
