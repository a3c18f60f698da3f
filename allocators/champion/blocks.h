/*
 * blocks.h - where blocks begin: positions, the directory of pages, and the questions and marks upon them.
 */
#ifndef CHAMPION_BLOCKS_H
#define CHAMPION_BLOCKS_H

#include "mm.h"
#include "memlib.h"

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

/* Decoding is a few instructions at each of many places: a call would cost as much again. */
#define FAST static inline __attribute__((always_inline))

typedef uint32_t pos; /* granules; 0 means none, since the first directory, at 0, is never freed */

enum {
    GRANULE = 8,
    UNIT = MM_ALIGNMENT / GRANULE, /* every position and size is a multiple of this */
    PAGE = 256,                    /* granules in a page */
    WORDS = PAGE / 64,             /* 64-bit words of bits for a page */
    CLASSES = 32,
    ROOTS = 8,
    MIN_BLOCK = 2,
    FIRST_DIR = 8,          /* directory entries at the start */
    RESERVE_SHARE = 96,     /* all reserves together are at most this part of the heap, ... */
    RESERVE_MAX = 512,      /* ... and none is above this many granules */
    STOCK_SHARE = 128,      /* stock taken together is at most this part of the heap */
    MISSES_PER_BLOCK = 2,   /* misses for which a reserve gets one block */
    CLASSES_FROM = 2048,    /* granules of heap from which classes are worth their memory */
    SLIDE_SHARE = 8         /* realloc moves a block down into a hole of at least this part of it */
};
/* Granules in a heap: below 8 GiB, or 2 GiB in 32 bits. */
#define LIMIT (UINTPTR_MAX > UINT32_MAX ? (pos)1 << 30 : (pos)1 << 28)
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

/* A block of the heap, made when that has become large enough to bear it. Before, class 0, whose blocks are
 * too small for the tree, is a list in `struct heap`, and the other small blocks are in the tree. */
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
    pos spare;              /* list of unused bits, 32 bytes each */
    pos recent;             /* the block freed last: in no index yet */
    pos small_misses;       /* requests that classes might have answered, until there are `classes` */
    pos pairs;              /* free blocks of class 0, until there are `classes` */
    pos reserved;           /* in all reserves */
    uint32_t nonempty;      /* classes with a free block */
    struct classes *classes;
    uint32_t rooted;        /* roots with a tree */
    pos root[ROOTS];
} h;

/* ---- positions ---- */

FAST void *at(pos g) { return h.base + (size_t)g * GRANULE; }
FAST struct node *node(pos g) { return at(g); }
FAST pos position(const void *p) { return (pos)((size_t)((const unsigned char *)p - h.base) / GRANULE); }
FAST pos page_of(pos g) { return g / PAGE; }
FAST unsigned low_bit(uint64_t w) { return (unsigned)__builtin_ctzll(w); }
FAST unsigned high_bit(uint64_t w) { return 63 - (unsigned)__builtin_clzll(w); }

FAST unsigned class_of(pos n) { return (n - MIN_BLOCK) / UNIT; }
FAST pos size_of_class(unsigned c) { return MIN_BLOCK + c * UNIT; }

/* ---- the directory: one entry per page, of four kinds (its lowest two bits)
 *
 *      RUN    nothing begins in this page; at both ends of a run of such pages, its length in pages
 *      FEW    up to three slots of ten bits: used, free, granule in the page where a block begins
 *      BITS   where the page's bits are, in granules
 *      BITS2  the same, and the block that begins in the last granule, whose second bit is not here, is free
 *      ---- */

enum kind { RUN, BITS, FEW, BITS2 };
enum { SLOTS = 3, SLOT_BITS = 10, SLOT = (1 << SLOT_BITS) - 1, USED = 1 << 9, FREE = 1 << 8 };

FAST enum kind kind_of(uint32_t entry) { return entry & 3; }
FAST bool is_bits(uint32_t entry) { return entry & 1; }
FAST uint64_t *bits_at(uint32_t entry) { return at(entry >> 2); }
FAST uint32_t slot(uint32_t entry, unsigned i) { return entry >> (2 + i * SLOT_BITS) & SLOT; }

/* The shift of the slot in ENTRY for a block that begins at G, or 0. */
FAST unsigned slot_of(uint32_t entry, pos g)
{
    uint32_t want = USED | g % PAGE, other = entry ^ (want << 2 | want << 12 | want << 22);
    const uint32_t mask = SLOT & ~(uint32_t)FREE;

    return !(other & mask << 2) ? 2 : !(other & mask << 12) ? 12 : !(other & mask << 22) ? 22 : 0;
}

FAST bool bit(const uint64_t *bits, pos i) { return bits[i / 64] >> (i % 64) & 1; }

/* ---- questions about the block that begins at G ---- */

FAST bool is_free(pos g)
{
    uint32_t entry = h.dir[page_of(g)];

    if (kind_of(entry) == FEW)
        return entry >> slot_of(entry, g) & FREE;
    if (UNIT == 1 && g % PAGE == PAGE - 1)
        return kind_of(entry) == BITS2;
    return bit(bits_at(entry), g % PAGE + 1);
}

/* The set bit I of a page is the second of a free block, not a beginning. (Before a free block lies an
 * allocated one, whose last bit is clear: so a set bit before I begins a free block, unless that is itself
 * the second of a block of 2.) */
FAST bool is_second(const uint64_t *bits, pos i)
{
    return i > 0 && bit(bits, i - 1) && !(i > 1 && bit(bits, i - 2));
}

/* Whether G begins a block, for any G in a page up to that of the last block. */
FAST bool begins(pos g)
{
    uint32_t entry = h.dir[page_of(g)];

    if (kind_of(entry) == FEW)
        return slot_of(entry, g);
    return is_bits(entry) && bit(bits_at(entry), g % PAGE) && !is_second(bits_at(entry), g % PAGE);
}

/* The first beginning at granule I of a page or after it, or PAGE. */
FAST pos first_from(uint32_t entry, pos i)
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
FAST pos last_until(uint32_t entry, pos i)
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
FAST pos end_of(pos g)
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
FAST pos before(pos g)
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

FAST pos free_size(pos g) { return node(g)->size; }
FAST bool is_reserve(pos g) { return node(g)->parent == RESERVE; }

/* ---- marking blocks ---- */

FAST void set_begin(pos g)
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

FAST void set_free(pos g, bool yes)
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

/* G no longer begins a block, free or not as FREE_NOW says. Bits in which nothing begins any more are kept
 * for another page. */
FAST void erase(pos g, bool free_now)
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
FAST void tag_pages(pos g, pos e)
{
    pos first = page_of(g) + 1, past = page_of(e);
    if (first < past)
        h.dir[first] = h.dir[past - 1] = (past - first) << 2;
}

/* A new last block begins at G, in a page that has bits. The top is moved by the caller. */
FAST void append(pos g)
{
    set_begin(g);
    tag_pages(h.last, g);
    h.last = g;
}

#endif
