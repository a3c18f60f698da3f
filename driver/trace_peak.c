/*
 * trace_peak.c - how much of a trace is live at once, for blocks of any shape.
 */
#include "trace_peak.h"

struct peak find_peak(const struct trace *t, uint64_t (*block_bytes)(uint64_t size, void *ctx), void *ctx)
{
    struct peak peak = { 0 };
    u128 bytes = 0;
    size_t blocks = 0;

    for (size_t i = 0; i < t->count; i++) {
        const struct request *q = &t->requests[i];
        if (q->ref != REF_NULL) { /* freed, or replaced by realloc */
            bytes -= block_bytes(t->requests[q->ref].size, ctx);
            blocks--;
        }
        if (request_makes_block(q)) {
            bytes += block_bytes(q->size, ctx);
            blocks++;
        }
        if (bytes > peak.bytes) {
            peak.bytes = bytes;
            peak.request = i;
        }
        if (blocks > peak.blocks)
            peak.blocks = blocks;
    }
    return peak;
}

uint64_t payload_bytes(uint64_t size, void *ctx)
{
    (void)ctx;
    return size;
}

static uint64_t scaled(uint64_t size, unsigned shift)
{
    return size && !(size >> shift) ? 1 : size >> shift;
}

static uint64_t scaled_bytes(uint64_t size, void *ctx)
{
    return (scaled(size, *(unsigned *)ctx) + 15) & ~(uint64_t)15;
}

unsigned scale_to_fit(struct trace *t)
{
    unsigned shift = 0;

    while (find_peak(t, scaled_bytes, &shift).bytes > PEAK_LIMIT)
        shift++;
    for (size_t i = 0; shift && i < t->count; i++)
        t->requests[i].size = scaled(t->requests[i].size, shift);
    return shift;
}

uint64_t trace_peak(const struct trace *t, uint64_t (*block_bytes)(uint64_t size, void *ctx), void *ctx)
{
    u128 bytes = find_peak(t, block_bytes, ctx).bytes;
    return bytes > UINT64_MAX ? UINT64_MAX : (uint64_t)bytes;
}

struct block_shape { uint64_t header, align, minimum; };

static uint64_t shaped_bytes(uint64_t size, void *ctx)
{
    const struct block_shape *shape = ctx;
    uint64_t bytes = (size + shape->header + shape->align - 1) / shape->align * shape->align;

    if (!size)
        return 0;
    return bytes > shape->minimum ? bytes : shape->minimum;
}

uint64_t trace_peak_aligned(const struct trace *t, uint64_t align)
{
    return trace_peak_headers(t, 0, align, 0);
}

uint64_t trace_peak_headers(const struct trace *t, uint64_t header, uint64_t align, uint64_t minimum)
{
    struct block_shape shape = { header, align, minimum };
    return trace_peak(t, shaped_bytes, &shape);
}
