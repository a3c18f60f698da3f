/*
 * arith.h - the sizes that every allocator here computes with.
 */
#ifndef ARITH_H
#define ARITH_H

#include <stddef.h>
#include <stdint.h>

#define WORD sizeof(size_t)
#define MAX_REQUEST (SIZE_MAX / 2 - 4 * MM_ALIGNMENT) /* mem_sbrk takes a signed number */

/* N, or the next multiple of UNIT, a power of two. */
__attribute__((unused)) static inline size_t round_up(size_t n, size_t unit) { return (n + unit - 1) & ~(unit - 1); }

#endif
