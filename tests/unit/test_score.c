/* Means, points, weights and the published formulas, over made-up records. */
#include <check.h>
#include <string.h>
#include "score.h"
#include "suites.h"

#define CLOSE 1e-9

/* ---- means and points ---- */

static const struct { enum mean mean; size_t n; double values[4], result; } means[] = {
    { MEAN_ARITHMETIC, 0, { 0 }, 0 },          { MEAN_ARITHMETIC, 3, { 1, 2, 6 }, 3 },
    { MEAN_HARMONIC, 2, { 1, 3 }, 1.5 },       { MEAN_HARMONIC, 3, { 1, 0, 1 }, 0 },
    { MEAN_GEOMETRIC, 2, { 2, 8 }, 4 },        { MEAN_GEOMETRIC, 2, { 0, 8 }, 0 },
    { MEAN_ARITHMETIC, 2, { 0, 1 }, 0.5 },     { MEAN_HARMONIC, 1, { 7 }, 7 },
};

START_TEST(test_mean)
{
    ck_assert_double_eq_tol(mean_of(means[_i].mean, means[_i].values, means[_i].n), means[_i].result, CLOSE);
}
END_TEST

static const struct { struct part part; double value, points; } parts[] = {
    { { .points = 60, .high = 1, .power = 1 }, 0.5, 30 },
    { { .points = 60, .low = .55, .high = .74, .power = 1 }, 0.54, 0 },
    { { .points = 60, .low = .55, .high = .74, .power = 1 }, 0.645, 30 },
    { { .points = 60, .low = .55, .high = .74, .power = 1 }, 0.80, 60 },
    { { .points = 40, .high = 600, .power = 1 }, 300, 20 },
    { { .points = 1, .low = .6, .high = 1, .power = 2 }, .8, .25 },
    { { .points = 1, .low = .6, .high = 1, .power = 2 }, .4, 0 },
    { { .points = 1, .high = 100, .power = 1, .unbounded = 1 }, 12345, 123.45 },
};

START_TEST(test_points)
{
    ck_assert_double_eq_tol(part_points(&parts[_i].part, parts[_i].value), parts[_i].points, CLOSE);
}
END_TEST

/* ---- whole courses ---- */

enum { TRACES = 4 };

/* Utilizations .5 .9 .7 .7 at 1000 bytes of heap, and 1000 requests in 1, 2, 4 and 1 ms, the reference's 2 ms each. */
struct class_of_four {
    struct trace trace[TRACES];
    struct outcome outcome[TRACES];
};

static void make(struct class_of_four *f)
{
    static const double utilization[TRACES] = { .5, .9, .7, .7 }, seconds[TRACES] = { .001, .002, .004, .001 };
    static char names[TRACES][8] = { "a.rep", "b.rep", "c.rep", "d.rep" };

    memset(f, 0, sizeof *f);
    for (int i = 0; i < TRACES; i++) {
        uint64_t peak = (uint64_t)(1000 * utilization[i] + .5);
        f->trace[i] = (struct trace){ .name = names[i], .weight = WEIGHT_BOTH, .count = 1000, .peak_payload = peak };
        f->outcome[i] = (struct outcome){
            .trace = &f->trace[i], .utilization = utilization[i], .ceiling = 1, .timed = 1,
            .kops = 1 / seconds[i], .relative = .002 / seconds[i],
            .record = { .verdict = VERDICT_OK, .peak_payload = peak, .peak_break = 1000, .best_seconds = seconds[i],
                        .best_reference = .002 },
        };
    }
}

static struct course course_named(const char *name)
{
    struct course c;
    char error[512];

    ck_assert_msg(course_load(&c, name, error, sizeof error) == 0, "%s", error);
    return c;
}

/* Mean utilization .7; Kops 1000, 500, 250, 1000: total 500, harmonic 500, geometric 594.6. */
static const struct { const char *course; int checkpoint; double index; } formulas[] = {
    { "classic", 0, 60 * .7 + 40 * 500. / 600 },
    { "classic-1g", 0, 60 * .7 + 40 * 500. / 600 },
    { "autolab", 0, 61 * (.7 - .6) / .32 },                       /* 500 Kops are below 3000 */
    { "autolab-60-40", 0, 0 },                                    /* .7 is where its points begin */
    { "autolab-60-40", 1, 0 },
    { "cmu16", 0, 60 * (.7 - .55) / .19 + 40 },                   /* as fast as the reference */
    { "cmu16", 1, 20 + 80 },
    { "geometric-50-50", 0, 50 * (.7 - .55) / .2 },
    { "product", 0, .25 * .25 * 5 },                              /* ((.7 - .6) / .4)^2 x 500 / 100 */
    { "malloclab", 0, 60 * 4 / (1 / .5 + 1 / .9 + 2 / .7) + 40 }, /* harmonic means, of 1 twice, 2 and .5 */
};

START_TEST(test_formula)
{
    struct class_of_four four;
    struct course c = course_named(formulas[_i].course);

    make(&four);
    if (strcmp(c.name, "malloclab") == 0) /* ratios 2, 1, .5, 2: their harmonic mean is 1 */
        ck_assert_double_eq_tol(4 / (.5 + 1 + 2 + .5), 1, CLOSE);
    struct score s = score_outcomes(four.outcome, TRACES, &c, 0, formulas[_i].checkpoint);
    ck_assert(s.has_index);
    ck_assert_double_eq_tol(s.index, formulas[_i].index, 1e-6);
}
END_TEST

START_TEST(test_faster_machines)
{
    struct class_of_four four;
    struct course c = course_named("autolab-60-40");

    make(&four);
    for (int i = 0; i < TRACES; i++) {
        four.outcome[i].utilization = .85;
        four.outcome[i].record.best_seconds = 1e-3 / 9; /* 9000 Kops */
    }
    struct score s = score_outcomes(four.outcome, TRACES, &c, 0, 0);
    ck_assert_double_eq_tol(s.index, 60 * .75 + 40 * .5, 1e-6);
    s = score_outcomes(four.outcome, TRACES, &c, 20, 0); /* 45 are left: below 50, so 0; the raw points stay known */
    ck_assert_double_eq_tol(s.index, 0, CLOSE);
    ck_assert_double_eq_tol(s.raw, 65, 1e-6);
    s = score_outcomes(four.outcome, TRACES, &c, 20, 1); /* the checkpoint asks for 40 */
    ck_assert_double_eq_tol(s.index, 100, CLOSE);
    s = score_outcomes(four.outcome, TRACES, &c, 26, 1);
    ck_assert_double_eq_tol(s.index, 0, CLOSE);
}
END_TEST

/* ---- invalid traces ---- */

START_TEST(test_invalid_is_zero)
{
    struct class_of_four four;
    struct course c = course_named("classic");

    make(&four);
    four.outcome[2].record.verdict = VERDICT_OVERLAP;
    struct score s = score_outcomes(four.outcome, TRACES, &c, 0, 0);
    ck_assert(s.has_index && s.valid == 3 && s.scored == 4 && s.invalid == 1 && s.correct == 3);
    ck_assert_double_eq(s.index, 0);
    four.trace[2].weight = WEIGHT_NONE; /* it need not be scored to be wrong */
    s = score_outcomes(four.outcome, TRACES, &c, 0, 0);
    ck_assert(s.has_index && s.valid == 3 && s.scored == 3 && s.invalid == 1);
    ck_assert_double_eq(s.index, 0);
    c.invalid = INVALID_SHARE;
    four.trace[2].weight = WEIGHT_BOTH;
    s = score_outcomes(four.outcome, TRACES, &c, 0, 0);
    ck_assert_double_eq_tol(s.index, .75 * (60 * .7 + 40), 1e-6); /* the three valid: 3000 requests in 4 ms */
}
END_TEST

START_TEST(test_nothing_known)
{
    struct class_of_four four;
    struct course c = course_named("classic");

    struct score s = score_outcomes(NULL, 0, &c, 0, 0); /* did not build */
    ck_assert(s.has_index && s.index == 0 && s.scored == 0);
    make(&four);
    four.outcome[1].timed = 0; /* a trace without a timing: no speed, no index */
    s = score_outcomes(four.outcome, TRACES, &c, 0, 0);
    ck_assert(s.has_utilization && !s.has_kops && !s.has_index);
    make(&four);
    four.outcome[1].record.verdict = VERDICT_GRADER; /* our fault is nobody's 0 */
    s = score_outcomes(four.outcome, TRACES, &c, 0, 0);
    ck_assert(!s.has_index && s.invalid == 0 && s.scored == 3);
    for (int i = 0; i < TRACES; i++)
        four.outcome[i].record.verdict = VERDICT_SKIPPED;
    s = score_outcomes(four.outcome, TRACES, &c, 0, 0);
    ck_assert(!s.has_index && s.scored == 0 && s.invalid == 0);
}
END_TEST

/* ---- weights ---- */

START_TEST(test_weights)
{
    struct class_of_four four;
    struct course c = course_named("autolab");

    make(&four);
    four.trace[0].weight = WEIGHT_UTIL;
    four.trace[1].weight = WEIGHT_SPEED;
    four.trace[2].weight = WEIGHT_NONE;
    struct score s = score_outcomes(four.outcome, TRACES, &c, 0, 0);
    ck_assert_double_eq_tol(s.utilization, (.5 + .7) / 2, CLOSE);
    ck_assert_double_eq_tol(s.kops, 2000 / 3., 1e-6); /* 2000 requests in 3 ms */
    ck_assert_uint_eq(s.scored, 3);
}
END_TEST

START_TEST(test_weigh)
{
    struct class_of_four four;
    struct course c = course_named("autolab");
    char note[256];

    make(&four);
    four.trace[3].weight = WEIGHT_NONE;
    score_weigh(&c, four.trace, TRACES, 1, note, sizeof note);
    ck_assert(four.trace[0].weight == WEIGHT_BOTH && four.trace[3].weight == WEIGHT_NONE && !note[0]);
    c.weights = WEIGHTS_EQUAL;
    score_weigh(&c, four.trace, TRACES, 1, note, sizeof note);
    ck_assert(four.trace[3].weight == WEIGHT_BOTH && !note[0]);

    c.scored_count = 2;
    strcpy(c.scored[0], "a.rep"), strcpy(c.scored[1], "c.rep");
    four.trace[2].name = (char *)"c.rep.gz";
    score_weigh(&c, four.trace, TRACES, 0, note, sizeof note); /* named with -f: all count */
    ck_assert(four.trace[1].weight == WEIGHT_BOTH && !note[0]);
    score_weigh(&c, four.trace, TRACES, 1, note, sizeof note);
    ck_assert(four.trace[0].weight == WEIGHT_BOTH && four.trace[2].weight == WEIGHT_BOTH);
    ck_assert(four.trace[1].weight == WEIGHT_NONE && four.trace[3].weight == WEIGHT_NONE);
    ck_assert_ptr_nonnull(strstr(note, "scores 2 of these 4 traces"));
    strcpy(c.scored[1], "elsewhere.rep");
    score_weigh(&c, four.trace, TRACES, 1, note, sizeof note);
    ck_assert_ptr_nonnull(strstr(note, "missing is elsewhere.rep"));
    ck_assert(four.trace[2].weight == WEIGHT_NONE);
}
END_TEST

Suite *score_suite(void)
{
    Suite *s = suite_create("score");
    TCase *t = tcase_create("score");

    tcase_add_loop_test(t, test_mean, 0, sizeof means / sizeof *means);
    tcase_add_loop_test(t, test_points, 0, sizeof parts / sizeof *parts);
    tcase_add_loop_test(t, test_formula, 0, sizeof formulas / sizeof *formulas);
    tcase_add_test(t, test_faster_machines);
    tcase_add_test(t, test_invalid_is_zero);
    tcase_add_test(t, test_nothing_known);
    tcase_add_test(t, test_weights);
    tcase_add_test(t, test_weigh);
    suite_add_tcase(s, t);
    return s;
}
