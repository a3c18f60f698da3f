/*
 * pattern.h - the bytes that payloads are filled with.
 *
 * Word i of a block is a keyed hash of i (the multiply-and-fold mixer of
 * wyhash, Wang Yi 2019) under a 128-bit key that only the supervisor knows.
 * Every byte depends on its position, so shifted, repeated or zeroed copies
 * show; and nobody who has not seen a word can restore it. Shared by the
 * supervisor and the runner, which is told the key of a block only with the
 * request that releases it, or for blocks that live and die within one batch.
 */
#ifndef PATTERN_H
#define PATTERN_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include "wire.h"

/* A key with this bit in B makes words whose 32-bit halves are above any heap of a 32-bit runner: a collector must
 * not take them for references. */
#define PATTERN_NO_ADDRESS (UINT64_C(1) << 63)

static inline uint64_t pattern_word(struct wire_key key, uint64_t index)
{
    uint64_t set = key.b & PATTERN_NO_ADDRESS ? UINT64_C(0x8000000080000000) : 0;
    uint64_t x = key.a ^ (index * UINT64_C(0x9e3779b97f4a7c15));
    uint64_t y = key.b + index;
#ifdef __SIZEOF_INT128__
    unsigned __int128 product = (unsigned __int128)x * y;
    return ((uint64_t)product ^ (uint64_t)(product >> 64) ^ key.a) | set;
#else
    uint64_t xl = (uint32_t)x, xh = x >> 32, yl = (uint32_t)y, yh = y >> 32;
    uint64_t low = xl * yl, m1 = xh * yl, m2 = xl * yh, high = xh * yh;
    uint64_t middle = (low >> 32) + (uint32_t)m1 + (uint32_t)m2;
    low = (uint32_t)low | middle << 32;
    high += (m1 >> 32) + (m2 >> 32) + (middle >> 32);
    return (low ^ high ^ key.a) | set;
#endif
}

/* Fills bytes [FROM, TO) of the block at PAYLOAD. */
static inline void pattern_fill(unsigned char *payload, uint64_t from, uint64_t to, struct wire_key key)
{
    while (from < to) {
        uint64_t word = pattern_word(key, from / 8);
        uint64_t skip = from % 8, n = 8 - skip;
        if (n == 8 && to - from >= 8) {
            memcpy(payload + from, &word, 8);
            from += 8;
            continue;
        }
        if (n > to - from)
            n = to - from;
        memcpy(payload + from, (unsigned char *)&word + skip, (size_t)n);
        from += n;
    }
}

/* The first byte in [FROM, TO) that is not as filled, or TO. */
static inline uint64_t pattern_check(const unsigned char *payload, uint64_t from, uint64_t to,
                                     struct wire_key key)
{
    while (from < to) {
        uint64_t word = pattern_word(key, from / 8), seen;
        if (from % 8 == 0 && to - from >= 8) {
            memcpy(&seen, payload + from, 8);
            if (seen == word) {
                from += 8;
                continue;
            }
        }
        if (payload[from] != ((unsigned char *)&word)[from % 8])
            return from;
        from++;
    }
    return to;
}

/* Giant traces: payloads are checked only at their two ends, so that a block
 * of a terabyte costs two pages. */
#define PATTERN_EDGE 64

/* Calls an operation over what is checked of a block of SIZE bytes. */
static inline uint64_t pattern_check_block(const unsigned char *payload, uint64_t size,
                                           struct wire_key key, int sparse)
{
    if (!sparse || size <= 2 * PATTERN_EDGE)
        return pattern_check(payload, 0, size, key);
    uint64_t at = pattern_check(payload, 0, PATTERN_EDGE, key);
    if (at < PATTERN_EDGE)
        return at;
    return pattern_check(payload, size - PATTERN_EDGE, size, key);
}

/* Fills [FROM, SIZE); FROM > 0 after a realloc that grew. */
static inline void pattern_fill_block(unsigned char *payload, uint64_t from, uint64_t size,
                                      struct wire_key key, int sparse)
{
    if (!sparse || size <= 2 * PATTERN_EDGE) {
        pattern_fill(payload, from, size, key);
        return;
    }
    if (from < PATTERN_EDGE)
        pattern_fill(payload, from, PATTERN_EDGE, key);
    pattern_fill(payload, size - PATTERN_EDGE, size, key);
}

/* What realloc must have kept of the first KEPT bytes of a block of OLD bytes. */
static inline uint64_t pattern_check_kept(const unsigned char *payload, uint64_t kept, uint64_t old,
                                          struct wire_key key, int sparse)
{
    if (!sparse || old <= 2 * PATTERN_EDGE)
        return pattern_check(payload, 0, kept, key);
    uint64_t head = kept < PATTERN_EDGE ? kept : PATTERN_EDGE;
    uint64_t at = pattern_check(payload, 0, head, key);
    if (at < head)
        return at;
    uint64_t tail = old - PATTERN_EDGE; /* only these were filled */
    return kept > tail ? pattern_check(payload, tail, kept, key) : kept;
}

#endif
