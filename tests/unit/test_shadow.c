/* The shadow against a table of placements, and against a naive list. */
#include <check.h>
#include <stdint.h>
#include <stdlib.h>
#include "shadow.h"
#include "suites.h"

static const struct {
    const char *what;
    uint64_t first_offset, first_size, second_offset, second_size;
    int overlap;
} pairs[] = {
    { "apart",                    0,  16, 64,  16, 0 },
    { "touching",                 0,  16, 16,  16, 0 },
    { "same start",               32, 16, 32,  16, 1 },
    { "new inside old",           0, 256, 64,  16, 1 },
    { "new contains old",         64, 16, 0,  256, 1 },
    { "new ends inside old",      64, 64, 32,  48, 1 },
    { "new starts inside old",    64, 64, 112, 64, 1 },
    { "one byte over the start",  64, 64, 16,  49, 1 },
    { "exactly up to the start",  64, 64, 16,  48, 0 },
    { "empty at the same place",  64, 0,  64,  0,  1 },
    { "empty inside old",         64, 64, 80,  0,  1 },
    { "empty just behind old",    64, 64, 128, 0,  0 },
    { "far apart, other subtree", 0, 16, UINT64_C(1) << 40, 16, 0 },
    { "far and huge",             UINT64_C(1) << 40, UINT64_C(1) << 41, UINT64_C(1) << 41, 16, 1 },
};

START_TEST(test_pairs)
{
    struct extent e[2] = { { pairs[_i].first_offset, pairs[_i].first_size },
                           { pairs[_i].second_offset, pairs[_i].second_size } };
    struct shadow *s = shadow_new(UINT64_C(1) << 46, 16, e);

    ck_assert_uint_eq(shadow_add(s, 0), SHADOW_NONE);
    ck_assert_msg((shadow_add(s, 1) == 0) == pairs[_i].overlap, "%s", pairs[_i].what);
    shadow_remove(s, 0);
    if (pairs[_i].overlap)
        ck_assert_msg(shadow_add(s, 1) == SHADOW_NONE, "%s: after the first is gone", pairs[_i].what);
    shadow_delete(s);
}
END_TEST

/* Random blocks in a small space, compared with looking at every block. */
START_TEST(test_against_list)
{
    enum { COUNT = 4000, SPACE = 65536 };
    static struct extent e[COUNT];
    static char live[COUNT];
    const char *wish = getenv("SEED");
    unsigned seed = wish ? (unsigned)atoi(wish) : 20261;
    struct shadow *s = shadow_new(SPACE, 8, e);

    srand(seed);
    for (uint32_t i = 0; i < COUNT; i++) {
        e[i] = (struct extent){ (uint64_t)(rand() % (SPACE / 8 - 40)) * 8, (uint64_t)(rand() % 300) };
        int expected = 0;
        for (uint32_t j = 0; j < i; j++) {
            uint64_t mine = e[i].size ? e[i].size : 1, theirs = e[j].size ? e[j].size : 1;
            expected |= live[j] && e[j].offset < e[i].offset + mine && e[i].offset < e[j].offset + theirs;
        }
        live[i] = shadow_add(s, i) == SHADOW_NONE;
        ck_assert_msg(live[i] == !expected, "block %u, SEED=%u", i, seed);
        uint32_t gone = (uint32_t)rand() % (i + 1);
        if (live[gone] && rand() % 2) {
            shadow_remove(s, gone);
            live[gone] = 0;
        }
    }
    shadow_delete(s);
}
END_TEST

Suite *shadow_suite(void)
{
    Suite *suite = suite_create("shadow");
    TCase *t = tcase_create("blocks");

    tcase_add_loop_test(t, test_pairs, 0, (int)(sizeof pairs / sizeof *pairs));
    tcase_add_test(t, test_against_list);
    suite_add_tcase(suite, t);
    return suite;
}
