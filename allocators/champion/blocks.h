/*
 * blocks.h - blocks without headers: positions, and from a block to the next and the one before.
 */
#ifndef CHAMPION_BLOCKS_H
#define CHAMPION_BLOCKS_H

#include "mm.h"
#include "memlib.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

typedef uint32_t pos; /* a place in the heap, or a size, in granules; as a place, 0 means none */

#define FAST static inline __attribute__((always_inline))
#define SLOW static __attribute__((noinline))
#define likely(x) __builtin_expect(!!(x), 1)
#define unlikely(x) __builtin_expect(!!(x), 0)

#define GRANULE 8u
#define UNIT (MM_ALIGNMENT / GRANULE) /* sizes and places are multiples of it */
#define MIN_BLOCK 2u
#define LIMIT (UINTPTR_MAX > UINT32_MAX ? (pos)1 << 31 : (pos)1 << 28) /* of the heap, in granules */

_Static_assert(UNIT == 1 || UNIT == 2, "MM_ALIGNMENT is 8 or 16");

enum { EXACT = 64, FEW_BINS = 16, BINS = 128, FEW_CLASSES = 16, CLASSES = 64 };

/* What lies in a block that is free, parked, or a reserve, or at the start of one with chunks or about a giant. */
struct node {
    pos next; /* in its bin, or in its class's list */
    pos prev; /* in its bin, or 0: it is the first. Parked, a reserve, or of the allocator's own: a mark ^ its place */
    pos size; /* free only */
};

_Static_assert(sizeof(struct node) <= MIN_BLOCK * GRANULE, "a node fits into every block");

#define PARKED 0x9e3779b9u /* marks, not trusted: what they say is looked up */
#define RESERVE 0x7f4a7c15u
#define STOCK 0xf39cc060u
#define GIANT 0x5ced6b4du

/* Payloads of more bytes are giants (giants.h). */
#define LARGEST (UINTPTR_MAX > UINT32_MAX ? (size_t)1 << 30 : (size_t)LIMIT * (GRANULE - 1))

struct class { /* small blocks of one size */
    pos parked;               /* list of freed ones, to be used again as they are */
    pos reserve, reserve_end; /* a stretch that more of them are cut off, from its start; 0: none */
    uint32_t misses;          /* how many blocks of other sizes were made into ones of this size, and still are */
};

static struct heap {
    unsigned char *base;
    uint64_t *table;           /* that tells where blocks begin: flat.h, paged.h */
    pos top, end;              /* end of the last block, where a bit is set as well; the break */
    pos covered;               /* granules that it covers */
    pos own_table, own_lists;  /* the blocks that hold the table, and classes and bins */
    pos old_table;             /* the block that held it before, to be freed as soon as may be, or 0 */
#if MM_ALIGNMENT == 8
    pos chunk, spare;          /* list of unused chunks, each as an entry would have it, and how many */
    pos stocks, chunks;        /* list of the blocks that hold chunks, and how many there are */
#endif

    unsigned bins;             /* in `first`; the last one has everything too large for the others */
    pos *first;                /* lists of free blocks, by size */
    uint64_t nonempty[BINS / 64];
    pos recent, recent_size;   /* a free block that is in no bin: what was last left over, or 0 */

    unsigned class_count;      /* 0 in a small heap */
    struct class *classes;
    uint64_t parking;          /* classes that may have parked blocks */
    pos parked, parked_limit;  /* granules in all parked blocks; and at most */
    unsigned parked_blocks;
    unsigned hits;             /* parked blocks used again since the last flush */
    unsigned idle, span;       /* frees to go until blocks are parked again; how many that were at first */
    pos reserved;              /* granules in all reserves */
    pos giants;                /* list of their descriptors, or 0 */

    pos few[FEW_BINS];         /* bins of a small heap */
} h;

FAST void *at(pos g) { return h.base + (size_t)g * GRANULE; }
FAST pos position(const void *p) { return (pos)((size_t)((const unsigned char *)p - h.base) / GRANULE); }
FAST struct node *node(pos g) { return at(g); }
FAST pos low_bit(uint64_t w) { return (pos)__builtin_ctzll(w); }
FAST pos high_bit(uint64_t w) { return 63 - (pos)__builtin_clzll(w); }

/* ---- bits ---- */

FAST uint64_t bit(pos g) { return (uint64_t)1 << (g % 64); }

#if MM_ALIGNMENT == 8
#include "paged.h"
#else
#include "flat.h"

/* The block that begins at G is free, from now on, or no longer. */
FAST bool is_free(pos g) { return any_word((g + 1) / 64) & bit(g + 1); }
FAST void mark_free(pos g) { set(g + 1); }
FAST void mark_allocated(pos g) { clear(g + 1); }

/* A block begins at G, which is any place below the top. */
FAST bool begins(pos g) { return test(g); }

/* A free block begins at G from now on, or no longer. */
FAST void begin_free(pos g) { set_two(g); }
FAST void erase_free(pos g) { clear_two(g); }

/* The bits from G on, and those before G (the last one highest), where a block begins. */
FAST uint64_t bits_from(pos g)
{
    return any_word(g / 64) >> (g % 64) | any_word(g / 64 + 1) << 1 << (63 - g % 64);
}

FAST uint64_t bits_below(pos g)
{
    return any_word(g / 64) << 1 << (63 - g % 64) | any_word(g / 64 - 1) >> (g % 64);
}

/* ---- from a block to the next and the one before ---- */

/* Where the block at G ends, when W is bits_from(G). */
FAST pos end_from(pos g, uint64_t w)
{
    w &= ~(uint64_t)3;
    return likely(w) ? g + low_bit(w) : far_end(g);
}

FAST pos end_of(pos g) { return end_from(g, bits_from(g)); }

/* What is to be seen at G, which is any place below the top: whether an allocated block begins there; and then,
 * where it ends, and whether the one after it, at E, is free. */
struct view { uint64_t w; };

FAST struct view look(pos g) { return (struct view){ bits_from(g) }; }
FAST bool sees_allocated(struct view v) { return (v.w & 3) == 1; }
FAST pos sees_end(struct view v, pos g) { return end_from(g, v.w); }
FAST bool sees_next_free(struct view v, pos g, pos e)
{
    return likely(e - g < 63) ? v.w >> (e - g) >> 1 & 1 : is_free(e);
}

/* Where the block begins that ends at G, and whether it is free. */
FAST pos before(pos g, bool *free)
{
    uint64_t w = bits_below(g);

    if (unlikely(w < 4)) {
        pos q = far_before(g);
        *free = is_free(q);
        return q;
    }
    pos up = (pos)__builtin_clzll(w), last = g - 1 - up;
    *free = last % 2;
    return last - *free;
}
#endif

FAST bool stocked(void) { return stocked_for(1); }

#endif
