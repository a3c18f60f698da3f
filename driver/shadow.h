/*
 * shadow.h - the supervisor's map of live blocks: which addresses are taken.
 *
 * A 64-ary tree of bitmaps over block starts (the shape of a van Emde Boas
 * tree with word-sized nodes): neighbours are found in a number of steps that
 * depends on the size of the address space (4 for 256 MiB, 8 for 2^52 bytes),
 * not on the number of live blocks.
 */
#ifndef SHADOW_H
#define SHADOW_H

#include <stddef.h>
#include <stdint.h>

#define SHADOW_NONE UINT32_MAX

/* Where a block lies; kept by the caller, indexed by block number. */
struct extent {
    uint64_t offset, size; /* bytes; a block of size 0 takes one byte here */
};

struct shadow;

/* A map of [0, LIMIT) for blocks that start at multiples of GRANULE (a power
 * of two) and are described in EXTENTS. NULL when out of memory. */
struct shadow *shadow_new(uint64_t limit, uint64_t granule, const struct extent *extents);
void shadow_delete(struct shadow *s);

/* Adds block NUMBER, whose extent is set. SHADOW_NONE, or the number of a live
 * block that it overlaps; it is then not added. */
uint32_t shadow_add(struct shadow *s, uint32_t number);

/* Removes a block that was added. */
void shadow_remove(struct shadow *s, uint32_t number);

/* The live block with the highest start at or below OFFSET, or the lowest above it; or SHADOW_NONE. */
uint32_t shadow_at_or_below(const struct shadow *s, uint64_t offset);
uint32_t shadow_above(const struct shadow *s, uint64_t offset);

#endif
