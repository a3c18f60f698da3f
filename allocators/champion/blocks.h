/*
 * blocks.h - blocks without headers: positions, and what the heap is made of.
 */
#ifndef CHAMPION_BLOCKS_H
#define CHAMPION_BLOCKS_H

#include "mm.h"
#include "memlib.h"

#include <limits.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

typedef uint32_t pos; /* a place in the heap, or a size, in granules; as a place, 0 means none */

#define FAST static inline __attribute__((always_inline))
#define SLOW static __attribute__((noinline))
#define likely(x) __builtin_expect(!!(x), 1)
#define unlikely(x) __builtin_expect(!!(x), 0)

#define GRANULE ((pos)MM_ALIGNMENT)
#define GRANULE_BITS (MM_ALIGNMENT == 8 ? 3 : 4)
#define MIN_BLOCK (16 / GRANULE)
#define LIMIT ((UINTPTR_MAX > UINT32_MAX ? (pos)1 << 31 : (pos)1 << 28) / (GRANULE / 8)) /* of the heap, in granules */

_Static_assert(MM_ALIGNMENT == 8 || MM_ALIGNMENT == 16, "MM_ALIGNMENT is 8 or 16");

enum { EXACT = 64, FEW_BINS = 16, BINS = 128, FEW_CLASSES = 16, CLASSES = 64 };

/* What lies in a block that is in a bin, parked, or a reserve, or at the start of one with chunks or about a giant. */
struct node {
    pos next; /* in its bin, or in its class's list */
    pos link; /* in a bin: the `slot` that leads here. Else a mark ^ its place */
    pos size; /* in a bin only */
};

_Static_assert(sizeof(struct node) <= MIN_BLOCK * GRANULE, "a node fits into every block");

#define PARKED 0x9e3779b8u /* marks, not trusted: what they say is looked up */
#define RESERVE (PARKED + 1)
#define STOCK (PARKED + 2)
#define GIANT (PARKED + 3)

/* Payloads of more bytes are giants (giants.h). */
#define LARGEST (UINTPTR_MAX > UINT32_MAX ? (size_t)1 << 30 : (size_t)LIMIT * (GRANULE - 1))

struct class { /* small blocks of one size */
    pos reserve, reserve_end; /* a stretch that more of them are cut off, from its start; 0: none */
    uint32_t misses;          /* how many blocks of other sizes were made into ones of this size, and still are */
};

/* What a class takes in the block for the lists: its parked blocks, and the rest. Behind all classes are the bins. */
#define CLASS_SLOTS ((pos)(1 + sizeof(struct class) / sizeof(pos)))

static struct heap {
    unsigned char *base;
    uint64_t *table;           /* that tells where blocks begin: flat.h, paged.h */
    pos *parked_lists;         /* by class: freed blocks, to be used again as they are */
    struct class *classes;
    pos top;                   /* end of the last block, where a block seems to begin as well */
    unsigned class_count;      /* 0 in a small heap */
    unsigned parking;          /* classes below this are parked: all of them, or none while `idle` */
    unsigned bins;             /* how many; the last one has everything too large for the others */
    pos first;                 /* slot of the first of them; each leads to a list of free blocks, by size */
    uint64_t nonempty[BINS / 64];
    pos recent, recent_end;    /* a free block that is in no bin, nor marked free: what was last left over; or 0, 0 */
    pos fresh, fresh_end;      /* one that is marked free, but in no bin: what was freed last, or 0, 0 */
    pos parked, parked_limit;  /* granules in all parked blocks; and at most */
    unsigned hits;             /* parked blocks used again since the last flush */
    unsigned idle, span;       /* frees to go until blocks are parked again; how many that were at first */

    pos own_table, own_lists;  /* the blocks that hold the table, and classes and bins */
    pos end;                   /* the break */
    pos covered;               /* granules that the table covers */
    pos old_table;             /* the block that held it before, to be freed as soon as may be, or 0 */
    pos reserved;              /* granules in all reserves */
    pos giants;                /* list of their descriptors, or 0 */
#if MM_ALIGNMENT == 8
    pos chunk, spare;          /* list of unused chunks, each as an entry would have it, and how many */
    pos stocks, chunks;        /* list of the blocks that hold chunks, and how many there are */
#endif
} h;

FAST void *at(pos g) { return h.base + (size_t)g * GRANULE; }
FAST pos position(const void *p) { return (pos)((size_t)((const unsigned char *)p - h.base) / GRANULE); }
FAST struct node *node(pos g) { return at(g); }
FAST pos *slot(pos i) { return (pos *)(void *)h.base + i; } /* a place where a list starts or goes on */
FAST pos next_slot(pos g) { return g * (GRANULE / sizeof(pos)); } /* the one of the node at G */
FAST pos low_bit(uint64_t w) { return (pos)__builtin_ctzll(w); }
FAST pos high_bit(uint64_t w) { return 63 - (pos)__builtin_clzll(w); }

FAST uint64_t bit(pos g) { return (uint64_t)1 << (g % 64); }

#if MM_ALIGNMENT == 8
#include "paged.h"
#else
#include "flat.h"
#endif

FAST bool stocked(void) { return stocked_for(1); }
FAST bool is_recent(pos g) { return g == h.recent && g > 0; }
FAST bool is_open(pos g) { return is_recent(g) || (g == h.fresh && g > 0); }
FAST pos open_end(pos g) { return is_recent(g) ? h.recent_end : is_open(g) ? h.fresh_end : end_of(g); }

#endif
