/* The arithmetic of the timed pass: spread, forecast, disagreement. */
#include <check.h>
#include "suites.h"
#include "timing.h"

static const struct { size_t n; double values[6], spread; } spreads[] = {
    { 0, { 0 }, 1 },
    { 1, { 5 }, 1 },
    { 2, { 5, 5 }, 1 },
    { 3, { 5, 5, 5 }, 0 },
    { 3, { 2, 1, 3 }, 2 },
    { 4, { 4, 1, 1.5, 1.25 }, 0.5 },    /* the outlier does not matter */
    { 6, { 10, 10, 10, 900, 800, 700 }, 0 },
    { 3, { 0, 0, 0 }, 1 },              /* nothing measured is nothing reproduced */
};

START_TEST(test_spread)
{
    ck_assert_double_eq_tol(timing_spread(spreads[_i].values, spreads[_i].n), spreads[_i].spread, 1e-9);
}
END_TEST

static const struct { size_t n; double values[4], estimate; } estimates[] = {
    { 1, { 5 }, 5 }, { 2, { 5, 4 }, 4 }, { 3, { 5, 4, 3 }, 4 }, { 4, { 9, 1, 8, 7 }, 7 },
};

START_TEST(test_estimate)
{
    ck_assert_double_eq(timing_estimate(estimates[_i].values, estimates[_i].n), estimates[_i].estimate);
}
END_TEST

static const struct { double cpu, instructions; int disagree; } pairs[] = {
    { 1, 1, 0 }, { 2, 1, 0 }, { 1, 2, 0 }, { 2.9, 1, 0 }, { 3.1, 1, 1 }, { 1, 3.1, 1 }, { 0.5, 5, 1 },
    { 0, 1, 0 }, { 1, 0, 0 }, { 0, 0, 0 },
};

START_TEST(test_disagree)
{
    ck_assert_int_eq(timing_disagree(pairs[_i].cpu, pairs[_i].instructions), pairs[_i].disagree);
}
END_TEST

/* More requests, a reference or valgrind never make a run shorter. */
START_TEST(test_forecast)
{
    struct timing_options o = timing_defaults(20);
    double last = 0;

    for (size_t n = 1000; n <= 1000000; n *= 10) {
        double alone = timing_forecast(n, 0, &o), both = timing_forecast(n, 1, &o);
        ck_assert_double_gt(alone, 0);
        ck_assert_double_gt(both, alone);
        ck_assert_double_gt(both, last);
        last = both;
        struct timing_options counting = o;
        counting.clock = CLOCK_INSTRUCTIONS;
        ck_assert_double_gt(timing_forecast(n, 1, &counting), both);
    }
}
END_TEST

/* However many traces, their budgets together stay within seconds. */
START_TEST(test_defaults)
{
    for (size_t n = 0; n <= 1000; n += 50) {
        struct timing_options o = timing_defaults(n);
        ck_assert_double_gt(o.budget, 0);
        ck_assert_double_le(o.budget * (double)n, 6.01);
        ck_assert_int_ge(o.min_repetitions, 3);
        ck_assert_int_ge(o.max_repetitions, o.min_repetitions);
    }
}
END_TEST

#define LENGTH(array) ((int)(sizeof(array) / sizeof *(array)))

Suite *timing_suite(void)
{
    Suite *s = suite_create("timing");
    TCase *c = tcase_create("timing");

    tcase_add_loop_test(c, test_spread, 0, LENGTH(spreads));
    tcase_add_loop_test(c, test_estimate, 0, LENGTH(estimates));
    tcase_add_loop_test(c, test_disagree, 0, LENGTH(pairs));
    tcase_add_test(c, test_forecast);
    tcase_add_test(c, test_defaults);
    suite_add_tcase(s, c);
    return s;
}
