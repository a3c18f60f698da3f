/*
 * timing.h - the timed pass: what the allocator costs, beside a reference.
 */
#ifndef TIMING_H
#define TIMING_H

#include "check.h"

enum clock_kind { CLOCK_CPU, CLOCK_WALL, CLOCK_INSTRUCTIONS };

struct timing_options {
    enum clock_kind clock;
    double target_error;     /* wanted half width of the 95 % interval of the ratio, as a fraction: 0.02 */
    int min_repetitions;     /* of each, per trace: 5 */
    int max_repetitions;     /* 40 */
    double budget;           /* seconds for one trace, both allocators */
};

/* Measures IMAGE on T beside REFERENCE, alternating in the order A B B A, a
 * fresh process each time. R and REFERENCE_R are the two allocators' check
 * passes; their verdicts must be ok. Fills R's timing fields; on answers that
 * differ or a crash, R->verdict and message say so. REFERENCE may be NULL:
 * only the absolute cost is measured. With CLOCK_INSTRUCTIONS, `seconds` holds
 * instructions / 1e9. */
void time_trace(const struct runner_image *image, const struct runner_image *reference,
                const struct trace *t, const struct pass_options *options,
                const struct timing_options *timing,
                struct record *r, const struct record *reference_r);

/* Cost of single requests by kind, in a pass of its own; fills R->latency. */
void time_latency(const struct runner_image *image, const struct trace *t,
                  const struct pass_options *options, struct record *r);

#endif
