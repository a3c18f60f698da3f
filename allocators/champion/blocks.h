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
#define SLOW static __attribute__((noinline))
#define LIKELY(x) __builtin_expect(!!(x), 1)

typedef uint32_t pos; /* granules; 0 means none, since the first directory, at 0, is never freed */

enum {
    GRANULE = 8,
    UNIT = MM_ALIGNMENT / GRANULE, /* every position and size is a multiple of this */
    PAGE = 256,                    /* granules in a page */
    WORDS = PAGE / 64,             /* 64-bit words of bits for a page */
    MIN_BLOCK = 2,
    DIR_HEAD = 1,           /* granules before the directory's entries */
    FIRST_DIR = 8,          /* directory entries at the start */
    DIR_SHARE = 4,          /* it grows by this part of itself */
    STOCK_SHARE = 192,      /* stock taken together is at most this part of the heap */
    BREAK_SHARE = 8192,     /* the break is moved by at least this part of the heap */
    SHARE_MAX = 512,        /* none of these, and no reserve, is above this many granules */
    RESERVE_SHARE = 128,    /* all reserves together are at most this part of the heap */
    WAIT_SHARE = 64,        /* blocks that wait are at most this part of the heap, ... */
    WAIT_MAX = 8192,        /* ... and this many granules */
    TABLE_FROM = 4096,      /* granules of heap from which the table is worth its memory */
    GAP_SHARE = 64,         /* and leaves this part of itself free before it */
    SLIDE_SHARE = 8         /* realloc moves a block down into a hole of at least this part of it */
};
/* Granules in a heap: below 8 GiB, or 2 GiB in 32 bits. */
#define LIMIT (UINTPTR_MAX > UINT32_MAX ? (pos)1 << 30 : (pos)1 << 28)
/* Added to the field `size` of a block that waits, or is the allocator's own. */
#define WAITS ((pos)1 << 31)
/* With the position, in the field `next` of a block of the allocator's own, which no list has. */
#define OWN ((pos)0xA5C3F01B)
/* In the field `prev`: the block is the reserve of the class whose number is its field `next`. */
#define RESERVE ((pos)0 - 1)

_Static_assert(MM_ALIGNMENT == 8 || MM_ALIGNMENT == 16, "alignments this heap is laid out for");

/* A block without a user, in its own payload. */
struct node {
    pos size;
    pos next, prev; /* in its bin, ended by 0; what waits has no `prev` */
};

enum {
    FEW_BINS = 4, EXACT_BINS = 32, FINE_BINS = 24, MANY_BINS = EXACT_BINS + FINE_BINS + 28,
    CLASSES = 16                    /* small sizes that may have a reserve */
};

/* A block of the heap, made when that has become large enough to bear it. */
struct table {
    pos own[2];             /* WAITS: not a block to be freed */
    uint64_t map[2];        /* bins that are not empty */
    pos bin[MANY_BINS];     /* lists of free blocks, by size */
    pos wait[EXACT_BINS];   /* lists of waiting blocks, by size */
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
    pos recent;             /* the block that became free last: in no bin yet */
    pos reserved;           /* in all reserves */
    int32_t patience;       /* granules that may still begin to wait */
    uint32_t used;          /* lists in which blocks may wait */
    pos small_misses;       /* requests that a table might have answered, until there is one */
    uint32_t few_map;       /* the same as in the table, until there is one */
    pos giants;             /* list of their descriptors */
    struct table *table;
    pos few_bin[FEW_BINS];
} h;

/* ---- positions ---- */

FAST void *at(pos g) { return h.base + (size_t)g * GRANULE; }
FAST struct node *node(pos g) { return at(g); }
FAST pos position(const void *p) { return (pos)((size_t)((const unsigned char *)p - h.base) / GRANULE); }
FAST pos page_of(pos g) { return g / PAGE; }
FAST unsigned low_bit(uint64_t w) { return (unsigned)__builtin_ctzll(w); }
FAST unsigned high_bit(uint64_t w) { return 63 - (unsigned)__builtin_clzll(w); }

FAST pos round_units(pos n) { return (n + UNIT - 1) / UNIT * UNIT; }

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

SLOW bool far_is_free(pos g)
{
    uint32_t entry = h.dir[page_of(g)];

    if (kind_of(entry) == FEW)
        return entry >> slot_of(entry, g) & FREE;
    if (UNIT == 1 && g % PAGE == PAGE - 1)
        return kind_of(entry) == BITS2;
    return bit(bits_at(entry), g % PAGE + 1);
}

FAST bool is_free(pos g)
{
    uint32_t entry = h.dir[page_of(g)];

    if (LIKELY(is_bits(entry) && (UNIT > 1 || g % 64 < 63)))
        return bits_at(entry)[g % PAGE / 64] >> (g % 64) & 2;
    return far_is_free(g);
}

/* The set bit I of a page is the second of a free block, not a beginning. (Before a free block lies an
 * allocated one, whose last bit is clear: so a set bit before I begins a free block, unless that is itself
 * the second of a block of 2.) */
FAST bool is_second(const uint64_t *bits, pos i)
{
    return UNIT > 1 ? i % 2 : i > 0 && bit(bits, i - 1) && !(i > 1 && bit(bits, i - 2));
}

/* Whether the set bit I of a word of bits is surely a beginning, from that word alone. */
FAST bool is_beginning(uint64_t word, unsigned i)
{
    return UNIT > 1 || (i > 1 && (word >> (i - 2) & 3) != 2);
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
static pos first_from(uint32_t entry, pos i)
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
static pos last_until(uint32_t entry, pos i)
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

/* The first beginning in a later page than PAGE. */
SLOW pos first_after(pos page)
{
    pos i;
    do {
        uint32_t entry = h.dir[++page];
        if (kind_of(entry) == RUN)
            entry = h.dir[page += entry >> 2];
        i = first_from(entry, 0);
    } while (i == PAGE);
    return page * PAGE + i;
}

SLOW pos far_end_of(pos g)
{
    if (g == h.last)
        return h.top;
    pos page = page_of(g), i = g % PAGE + MIN_BLOCK;
    uint32_t entry = h.dir[page];
    if (LIKELY(is_bits(entry))) {
        const uint64_t *bits = bits_at(entry);
        pos w = i / 64;
        uint64_t rest = w < WORDS ? bits[w] >> (i % 64) : 0;
        if (rest)
            return page * PAGE + i + low_bit(rest);
        while (++w < WORDS)
            if (bits[w])
                return page * PAGE + w * 64 + low_bit(bits[w]);
    } else if ((i = first_from(entry, i)) < PAGE) {
        return page * PAGE + i;
    }
    return first_after(page);
}

/* The end of the allocated block at G, which is where the next one begins. */
FAST pos end_of(pos g)
{
    uint32_t entry = h.dir[page_of(g)];

    if (LIKELY(is_bits(entry))) {
        uint64_t up = bits_at(entry)[g % PAGE / 64] >> (g % 64);
        if (LIKELY(up > 1))
            return g + low_bit(up - 1);
    }
    return far_end_of(g);
}

/* The last beginning in an earlier page than PAGE. */
SLOW pos last_before(pos page)
{
    pos i;
    do {
        uint32_t entry = h.dir[--page];
        if (kind_of(entry) == RUN)
            entry = h.dir[page -= entry >> 2];
        i = last_until(entry, PAGE);
    } while (i == PAGE);
    return page * PAGE + i;
}

SLOW pos far_before(pos g, bool *free_now)
{
    pos page = page_of(g), i = g % PAGE;
    uint32_t entry = h.dir[page];
    if (LIKELY(is_bits(entry))) {
        const uint64_t *bits = bits_at(entry);
        pos w = i / 64;
        uint64_t rest = bits[w] & (((uint64_t)1 << (i % 64)) - 1);
        while (!rest && w > 0)
            rest = bits[--w];
        if (rest) {
            i = w * 64 + high_bit(rest);
            *free_now = is_second(bits, i);
            return page * PAGE + i - *free_now;
        }
    } else if ((i = last_until(entry, i)) < PAGE) {
        *free_now = is_free(page * PAGE + i);
        return page * PAGE + i;
    }
    pos q = last_before(page);
    *free_now = is_free(q);
    return q;
}

/* Whether I, the highest bit of DOWN and not the lowest of the word, is the second of a free block. */
FAST bool is_end_of_hole(uint64_t down, unsigned i)
{
    return UNIT > 1 ? i % 2 != 0 : (down >> (i - 2) & 3) == 2;
}

/* Where the block before G begins, and whether it is free; G > 0. */
FAST pos before(pos g, bool *free_now)
{
    uint32_t entry = h.dir[page_of(g)];

    if (LIKELY(is_bits(entry))) {
        uint64_t down = bits_at(entry)[g % PAGE / 64] & (((uint64_t)1 << (g % 64)) - 1);
        if (LIKELY(down > 3)) {
            unsigned i = high_bit(down);
            *free_now = is_end_of_hole(down, i);
            return g / 64 * 64 + i - *free_now;
        }
    }
    return far_before(g, free_now);
}

FAST pos free_size(pos g) { return node(g)->size; }
FAST bool is_reserve(pos g) { return node(g)->prev == RESERVE; }

/* ---- marking blocks ---- */

SLOW void far_set_begin(pos g)
{
    uint32_t *entry = &h.dir[page_of(g)];
    unsigned shift = 2;

    if (kind_of(*entry) == RUN)
        *entry = FEW;
    while (*entry >> shift & USED)
        shift += SLOT_BITS;
    *entry |= (USED | g % PAGE) << shift;
}

FAST void set_begin(pos g)
{
    uint32_t entry = h.dir[page_of(g)];

    if (LIKELY(is_bits(entry)))
        bits_at(entry)[g % PAGE / 64] |= (uint64_t)1 << (g % 64);
    else
        far_set_begin(g);
}

SLOW void far_set_free(pos g, bool yes)
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

FAST void set_free(pos g, bool yes)
{
    uint32_t entry = h.dir[page_of(g)];

    if (LIKELY(is_bits(entry) && (UNIT > 1 || g % 64 < 63))) {
        uint64_t *w = &bits_at(entry)[g % PAGE / 64], mask = (uint64_t)2 << (g % 64);
        *w = yes ? *w | mask : *w & ~mask;
    } else {
        far_set_free(g, yes);
    }
}

SLOW void far_erase(pos g, bool free_now)
{
    uint32_t *entry = &h.dir[page_of(g)];

    if (!is_bits(*entry)) {
        *entry &= ~((uint32_t)SLOT << slot_of(*entry, g));
        return; /* with no slot used it is a RUN in all but name, until tag_pages */
    }
    uint64_t *bits = bits_at(*entry), any = 0;

    if (free_now)
        set_free(g, false);
    bits[g % PAGE / 64] &= ~((uint64_t)1 << (g % 64));
    for (unsigned i = 0; i < WORDS; i++)
        any |= bits[i];
    if (!any) {
        *(pos *)bits = h.spare;
        h.spare = *entry >> 2;
        *entry = RUN;
    }
}

/* G no longer begins a block, free or not as FREE_NOW says. Bits in which nothing begins any more are kept
 * for another page. */
FAST void erase(pos g, bool free_now)
{
    uint32_t entry = h.dir[page_of(g)];

    if (LIKELY(is_bits(entry) && (UNIT > 1 || g % 64 < 63))) {
        uint64_t *w = &bits_at(entry)[g % PAGE / 64], rest = *w & ~((uint64_t)(free_now ? 3 : 1) << (g % 64));
        if (LIKELY(rest)) {
            *w = rest;
            return;
        }
    }
    far_erase(g, free_now);
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
