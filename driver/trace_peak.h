/*
 * trace_peak.h - how much of a trace is live at once; between trace.c and
 * trace_peak.c only.
 */
#ifndef TRACE_PEAK_H
#define TRACE_PEAK_H

#include "trace.h"

/* A replayed heap is at most 64 TiB wide, half of a process's address space. */
#define PEAK_LIMIT ((uint64_t)1 << 46)

__extension__ typedef unsigned __int128 u128; /* sums of sizes before scaling */

struct peak {
    u128 bytes;
    size_t request; /* index after which it is first reached */
    size_t blocks;  /* largest number of live blocks, at whatever time */
};

/* The peak over time of the sum of block_bytes(size) over live blocks. */
struct peak find_peak(const struct trace *t, uint64_t (*block_bytes)(uint64_t size, void *ctx), void *ctx);

uint64_t payload_bytes(uint64_t size, void *ctx); /* SIZE itself */

/* Divides all sizes by the smallest power of two, 2^shift, for which payloads
 * rounded up to 16 bytes fit PEAK_LIMIT; sizes other than 0 stay at least 1.
 * Returns the shift: 0 for all but gigantic traces. */
unsigned scale_to_fit(struct trace *t);

#endif
