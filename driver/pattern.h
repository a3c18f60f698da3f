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

#ifndef __SIZEOF_INT128__
#include <emmintrin.h>
#define PATTERN_PAIRS 1

/* Words i and i + 1 at once. Without 128-bit integers a word costs four multiplications, and the check pass of a
 * 32-bit runner would take twice as long; SSE2 does two of each in one instruction. */
struct pattern_pairs { __m128i a, set, step, twice, m, y; };

__attribute__((target("sse2")))
static inline struct pattern_pairs pattern_pairs_from(struct wire_key key, uint64_t i)
{
    const uint64_t c = UINT64_C(0x9e3779b97f4a7c15);
    uint64_t set = key.b & PATTERN_NO_ADDRESS ? UINT64_C(0x8000000080000000) : 0;

    return (struct pattern_pairs){
        .a = _mm_set1_epi64x((long long)key.a), .set = _mm_set1_epi64x((long long)set),
        .step = _mm_set1_epi64x((long long)(2 * c)), .twice = _mm_set1_epi64x(2),
        .m = _mm_set_epi64x((long long)((i + 1) * c), (long long)(i * c)),
        .y = _mm_set_epi64x((long long)(key.b + i + 1), (long long)(key.b + i)),
    };
}

__attribute__((target("sse2")))
static inline __m128i pattern_pairs_next(struct pattern_pairs *p)
{
    const __m128i mask = _mm_set1_epi64x(0xffffffffll);
    __m128i x = _mm_xor_si128(p->a, p->m), y = p->y, xh = _mm_srli_epi64(x, 32), yh = _mm_srli_epi64(y, 32);
    __m128i low = _mm_mul_epu32(x, y), high = _mm_mul_epu32(xh, yh);
    __m128i m1 = _mm_add_epi64(_mm_mul_epu32(xh, y), _mm_srli_epi64(low, 32));
    __m128i m2 = _mm_add_epi64(_mm_mul_epu32(x, yh), _mm_and_si128(m1, mask));

    low = _mm_or_si128(_mm_and_si128(low, mask), _mm_slli_epi64(m2, 32));
    high = _mm_add_epi64(high, _mm_add_epi64(_mm_srli_epi64(m1, 32), _mm_srli_epi64(m2, 32)));
    p->m = _mm_add_epi64(p->m, p->step);
    p->y = _mm_add_epi64(p->y, p->twice);
    return _mm_or_si128(_mm_xor_si128(_mm_xor_si128(low, high), p->a), p->set);
}

/* Fills whole pairs of words from byte FROM on, a multiple of 8; returns where it stopped. */
__attribute__((target("sse2")))
static inline uint64_t pattern_fill_pairs(unsigned char *payload, uint64_t from, uint64_t to, struct wire_key key)
{
    struct pattern_pairs p = pattern_pairs_from(key, from / 8);

    for (; to - from >= 16; from += 16)
        _mm_storeu_si128((__m128i *)(void *)(payload + from), pattern_pairs_next(&p));
    return from;
}

/* Goes over pairs of words as long as they are as filled; returns where it stopped. */
__attribute__((target("sse2")))
static inline uint64_t pattern_check_pairs(const unsigned char *payload, uint64_t from, uint64_t to,
                                           struct wire_key key)
{
    struct pattern_pairs p = pattern_pairs_from(key, from / 8);

    for (; to - from >= 16; from += 16) {
        __m128i seen = _mm_loadu_si128((const __m128i *)(const void *)(payload + from));
        if (_mm_movemask_epi8(_mm_cmpeq_epi32(seen, pattern_pairs_next(&p))) != 0xffff)
            break;
    }
    return from;
}
#else
#define PATTERN_PAIRS 0
static inline uint64_t pattern_fill_pairs(unsigned char *payload, uint64_t from, uint64_t to, struct wire_key key)
{
    (void)payload, (void)to, (void)key;
    return from;
}
static inline uint64_t pattern_check_pairs(const unsigned char *payload, uint64_t from, uint64_t to,
                                           struct wire_key key)
{
    (void)payload, (void)to, (void)key;
    return from;
}
#endif

/* Fills bytes [FROM, TO) of the block at PAYLOAD. */
static inline void pattern_fill(unsigned char *payload, uint64_t from, uint64_t to, struct wire_key key)
{
    if (PATTERN_PAIRS && from % 8 == 0 && from < to)
        from = pattern_fill_pairs(payload, from, to, key);
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
    if (PATTERN_PAIRS && from % 8 == 0 && from < to)
        from = pattern_check_pairs(payload, from, to, key);
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
