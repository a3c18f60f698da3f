/* The structs that 32- and 64-bit processes share, and the payload patterns. */
#include <check.h>
#include <stddef.h>
#include "pattern.h"
#include "suites.h"
#include "wire.h"

/* Laid out alike for both word sizes: every field at a multiple of its size. */
START_TEST(test_layout)
{
    ck_assert_uint_eq(sizeof(struct wire_request), 16);
    ck_assert_uint_eq(sizeof(struct wire_key), 16);
    ck_assert_uint_eq(offsetof(struct mailbox, request) % 8, 0);
    ck_assert_uint_eq(offsetof(struct mailbox, want) % 8, 0);
    ck_assert_uint_eq(offsetof(struct mailbox, brk_after_init),
                      offsetof(struct mailbox, brk) + WIRE_BATCH * sizeof(uint64_t));
    ck_assert_uint_eq(sizeof(struct mailbox), offsetof(struct mailbox, gc_longest_ns) + 8);
}
END_TEST

static const struct { uint64_t from, to; } ranges[] = {
    { 0, 0 }, { 0, 1 }, { 0, 7 }, { 0, 8 }, { 0, 9 }, { 3, 5 }, { 3, 8 }, { 3, 40 }, { 7, 8 }, { 8, 16 },
    { 5, 200 }, { 0, 256 },
};

START_TEST(test_fill_and_check)
{
    struct wire_key key = { UINT64_C(0x123456789abcdef1), 77 }, other = { 5, 78 };
    unsigned char block[264] = { 0 };
    uint64_t from = ranges[_i].from, to = ranges[_i].to;

    pattern_fill(block, from, to, key);
    ck_assert_uint_eq(pattern_check(block, from, to, key), to);
    for (uint64_t i = 0; i < sizeof block; i++)
        if (i < from || i >= to)
            ck_assert_msg(block[i] == 0, "byte %u outside was written", (unsigned)i);
    for (uint64_t i = from; i < to; i++) {
        block[i] ^= 1;
        ck_assert_uint_eq(pattern_check(block, from, to, key), i);
        block[i] ^= 1;
    }
    if (to - from >= 8)
        ck_assert_uint_lt(pattern_check(block, from, to, other), to);
}
END_TEST

/* What realloc must keep differs at every offset: a shifted copy shows. */
START_TEST(test_shift_shows)
{
    struct wire_key key = { 99, 100 };
    unsigned char block[512];

    pattern_fill(block, 0, sizeof block, key);
    for (uint64_t shift = 1; shift <= 64; shift++)
        ck_assert_uint_lt(pattern_check(block + shift, 0, 256, key), 16);
}
END_TEST

/* What a 32-bit collector finds in payloads is never an address in its heap; other keys give any word. */
START_TEST(test_no_addresses)
{
    struct wire_key plain = { UINT64_C(0x123456789abcdef1), 77 }, marked = { plain.a, plain.b | PATTERN_NO_ADDRESS };
    int low = 0;

    for (uint64_t i = 0; i < 1000; i++) {
        uint64_t word = pattern_word(marked, i);
        ck_assert_uint_ge((uint32_t)word, UINT32_C(0x80000000));
        ck_assert_uint_ge(word >> 32, UINT32_C(0x80000000));
        low += (uint32_t)pattern_word(plain, i) < UINT32_C(0x80000000);
    }
    ck_assert_int_gt(low, 400);
    ck_assert_int_lt(low, 600);
}
END_TEST

START_TEST(test_sparse_ends)
{
    struct wire_key key = { 3, 4 };
    static unsigned char block[4096];

    pattern_fill_block(block, 0, sizeof block, key, 1);
    ck_assert_uint_eq(pattern_check_block(block, sizeof block, key, 1), sizeof block);
    block[2048] = 1; /* not looked at */
    ck_assert_uint_eq(pattern_check_block(block, sizeof block, key, 1), sizeof block);
    block[4095] ^= 1;
    ck_assert_uint_eq(pattern_check_block(block, sizeof block, key, 1), 4095);
    ck_assert_uint_eq(pattern_check_kept(block, 4000, sizeof block, key, 1), 4000);
    block[3] ^= 1;
    ck_assert_uint_eq(pattern_check_kept(block, 4000, sizeof block, key, 1), 3);
}
END_TEST

Suite *wire_suite(void)
{
    Suite *suite = suite_create("wire");
    TCase *t = tcase_create("wire");

    tcase_add_test(t, test_layout);
    tcase_add_loop_test(t, test_fill_and_check, 0, (int)(sizeof ranges / sizeof *ranges));
    tcase_add_test(t, test_shift_shows);
    tcase_add_test(t, test_no_addresses);
    tcase_add_test(t, test_sparse_ends);
    suite_add_tcase(suite, t);
    return suite;
}
