/*
 * timing.h - the timed pass: what the allocator costs, beside a reference.
 */
#ifndef TIMING_H
#define TIMING_H

#include "check.h"

enum clock_kind { CLOCK_CPU, CLOCK_WALL, CLOCK_INSTRUCTIONS };

struct timing_options {
    enum clock_kind clock;
    double target_error;     /* wanted how far both minima must be reproduced, as a fraction: 0.02 */
    int min_repetitions;     /* of each, per trace */
    int max_repetitions;
    double budget;           /* seconds for one trace, both allocators; beyond it only up to 3 quick repetitions */
};

/* Largest factor by which relative CPU time and relative instruction counts may
 * differ before the order that they give is called in question. Two allocators
 * with equal work differ by their cache misses and branch misses; beyond this
 * somebody should look. */
#define TIMING_DISAGREE 3.0

/* Measures IMAGE on T beside REFERENCE, alternating in the order A B B A, a
 * fresh process each time. R and REFERENCE_R are the two allocators' check
 * passes; their verdicts must be ok. Fills R's timing fields; on answers that
 * differ or a crash, R->verdict and message say so. REFERENCE may be NULL:
 * only the absolute cost is measured. With CLOCK_INSTRUCTIONS, `seconds` holds
 * instructions / 1e9 of one replay in a wider cage (confine_valgrind.h), entered
 * only after the CPU time was measured in the tight one; that CPU time is in
 * R->cpu_seconds and cpu_reference. */
void time_trace(const struct runner_image *image, const struct runner_image *reference,
                const struct trace *t, const struct pass_options *options,
                const struct timing_options *timing,
                struct record *r, const struct record *reference_r);

/* Cost of single requests by kind, in a pass of its own; fills R->latency. */
void time_latency(const struct runner_image *image, const struct trace *t,
                  const struct pass_options *options, struct record *r);

/* ---- pure parts ---- */

/* What mdriver uses for so many traces: all of them together take a few seconds. */
struct timing_options timing_defaults(size_t traces);

/* The cost that N > 0 measurements show: the second smallest; the smallest of fewer than three. */
double timing_estimate(const double *values, size_t n);

/* How far the minimum of N measurements has been reproduced: relative distance
 * of the third smallest; 1 when there are fewer than three. */
double timing_spread(const double *values, size_t n);

/* Seconds that checking and timing a trace of so many requests takes on a quiet
 * machine; sum it over the traces to say beforehand how long a run is. */
double timing_forecast(size_t requests, int has_reference, const struct timing_options *timing);

/* The same for checking alone. */
double timing_forecast_check(size_t requests);

/* Whether speed relative to the reference by CPU time and by instructions
 * disagree by more than TIMING_DISAGREE. Unknown figures (0) agree. */
int timing_disagree(double relative_cpu, double relative_instructions);

#endif
