/*
 * timing.c - the timed pass.
 *
 * Every repetition is a fresh process that stops itself when it is ready,
 * gets the requests while stopped, and stops itself again when done. Its CPU
 * clock is read during both stops, when it cannot run; so process start, page
 * faults and teardown are outside the figure, and nothing can be done after
 * the clock is read. The cost of the harness itself (waking up, the loop, the
 * table of blocks) is measured by the same replay with calls that do nothing,
 * and subtracted.
 *
 * Interference only ever adds time, so the estimate is the minimum over the
 * repetitions (J. Chen, J. Revels, "Robust benchmarking in noisy
 * environments", 2016). Repetitions go on until the minimum has been
 * reproduced: the third smallest of each allocator lies within the target.
 */
#define _GNU_SOURCE
#include "timing.h"

#include <math.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>

#include "process.h"

#define SHORT_TRACE 1000   /* requests; shorter ones are replayed several times in a process */
#define ENOUGH_REQUESTS 8000
#define HARNESS_RUNS 3
#define LEAST_PER_REQUEST 0.5e-9 /* seconds; below this a difference of clocks means nothing */

struct run {
    const struct runner_image *image;
    const struct trace *trace;
    const struct pass_options *options;
    const struct timing_options *timing;
    uint32_t flags;
    enum wire_mode mode;
};

static uint32_t rounds(const struct trace *t)
{
    if (t->count == 0 || t->count >= SHORT_TRACE)
        return 1;
    return (uint32_t)(ENOUGH_REQUESTS / t->count + 1);
}

static void write_requests(const struct trace *t, struct wire_request *out)
{
    for (size_t i = 0; i < t->count; i++) {
        const struct request *q = &t->requests[i];
        out[i] = (struct wire_request){ q->size, q->ref == REF_NULL ? WIRE_REF_NULL : q->ref, q->kind };
    }
}

static int fail(struct record *r, enum verdict v, const char *message)
{
    r->verdict = v;
    snprintf(r->message, sizeof r->message, "%s", message);
    return -1;
}

/* The timed answers must be those of the checked run. */
static int same_answers(const struct run *run, const struct process *p, struct record *r)
{
    uint64_t base = heap_base_of(run->image->bits);

    for (size_t i = 0; i < run->trace->count; i++) {
        if (run->trace->requests[i].kind == REQ_FREE)
            continue;
        uint64_t seen = p->answers[i] ? p->answers[i] - base : OFFSET_NULL;
        if (seen == r->answers[i].offset)
            continue;
        r->request = i + 1;
        r->line = run->trace->requests[i].line;
        r->address = seen;
        char message[256];
        snprintf(message, sizeof message, "request %zu (line %u) got heap offset 0x%llx in the timed run and 0x%llx in "
                 "the checked run; an allocator must give the same answers to the same requests", i + 1, r->line,
                 (unsigned long long)seen, (unsigned long long)r->answers[i].offset);
        return fail(r, VERDICT_DIFFERS, message);
    }
    return 0;
}

/* One replay. Returns 0 and the cost in SECONDS, or -1 with R's verdict set. */
static int replay_once(const struct run *run, struct record *r, double *seconds, struct process *p)
{
    struct process_setup setup = {
        .image = run->image, .mode = run->mode, .flags = run->options->wire_flags | run->flags | (run->image->has_gc ? WIRE_GC : 0u),
        .alignment = run->options->alignment, .heap_limit = r->peak_break ? r->peak_break : 1,
        .heap_granted = r->peak_break ? r->peak_break : 1, .request_count = run->trace->count,
        .repeat = run->flags & WIRE_SPARSE ? 1 : rounds(run->trace), .time_limit = run->options->time_limit,
        .output_cap = run->options->output_cap ? run->options->output_cap : 65536,
    };
    char error[256];

    if (process_start(p, &setup, error, sizeof error))
        return fail(r, VERDICT_GRADER, error);
    enum process_turn turn = process_wait_stop(p);
    if (turn == TURN_OURS) {
        write_requests(run->trace, p->requests);
        double cpu = process_cpu(p), wall = monotonic_seconds();
        process_continue(p);
        turn = process_wait_stop(p);
        *seconds = run->timing && run->timing->clock == CLOCK_WALL ? monotonic_seconds() - wall
                                                                   : process_cpu(p) - cpu;
        *seconds /= setup.repeat;
    }
    if (turn == TURN_OURS)
        return run->flags & WIRE_HARNESS ? 0 : same_answers(run, p, r);
    if (turn == TURN_LATE)
        return fail(r, VERDICT_TIMEOUT, "no end of the timed run within the time limit, though the checked run ended");
    return fail(r, WIFSIGNALED(p->status) && WTERMSIG(p->status) == SIGSYS ? VERDICT_FORBIDDEN : VERDICT_DIFFERS,
                "the timed run died where the checked run did not");
}

static int timed(const struct run *run, struct record *r, double *seconds)
{
    struct process p;
    int rc = replay_once(run, r, seconds, &p);

    process_end(&p, NULL);
    return rc;
}

/* Cost of the harness on this trace, in seconds. */
static double harness(const struct run *run, const struct record *r)
{
    struct run empty = *run;
    double best = INFINITY;

    empty.flags |= WIRE_HARNESS;
    for (int i = 0; i < HARNESS_RUNS; i++) {
        struct record scratch = { .peak_break = r->peak_break };
        double seconds = 0;
        if (timed(&empty, &scratch, &seconds) == 0 && seconds < best)
            best = seconds;
    }
    return isfinite(best) ? best : 0;
}

/* ---- estimates ---- */

static int by_value(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;

    return (x > y) - (x < y);
}

/* The K-th smallest of N values, K from 0. */
static double smallest(const double *values, size_t n, size_t k)
{
    double *copy = malloc(n * sizeof *copy), result = NAN;

    if (copy && k < n) {
        memcpy(copy, values, n * sizeof *copy);
        qsort(copy, n, sizeof *copy, by_value);
        result = copy[k];
    }
    free(copy);
    return result;
}

/* How far the minimum has been reproduced: relative distance of the third smallest. */
static double spread(const double *values, size_t n)
{
    double least = smallest(values, n, 0);

    return n >= 3 && least > 0 ? smallest(values, n, 2) / least - 1 : 1;
}

void time_trace(const struct runner_image *image, const struct runner_image *reference,
                const struct trace *t, const struct pass_options *options,
                const struct timing_options *timing,
                struct record *r, const struct record *reference_r)
{
    struct run ours = { image, t, options, timing, t->peak_payload > UINT64_C(8) << 30 ? WIRE_SPARSE : 0u, WIRE_TIMED };
    struct run theirs = ours;
    struct record reference_copy = { 0 };
    size_t most = timing->max_repetitions > 0 ? (size_t)timing->max_repetitions : 1;
    double begin = monotonic_seconds(), floor = (double)t->count * LEAST_PER_REQUEST;

    theirs.image = reference;
    if (reference_r)
        reference_copy = *reference_r; /* a failure there must not look like one here */
    free(r->seconds);
    free(r->reference_seconds);
    r->seconds = calloc(most + 1, sizeof *r->seconds);
    r->reference_seconds = calloc(most + 1, sizeof *r->reference_seconds);
    if (!r->seconds || !r->reference_seconds) {
        fail(r, VERDICT_GRADER, "out of memory");
        return;
    }
    pin_to_cpu(options->cpu);
    double own = harness(&ours, r), other = reference ? harness(&theirs, reference_r) : 0;
    for (size_t n = 0; n < most;) {
        double a = 0, b = 0;
        int rc, reference_first = n % 2; /* A B, B A, A B, ... */

        if (reference && reference_first && timed(&theirs, &reference_copy, &b))
            goto reference_failed;
        rc = timed(&ours, r, &a);
        if (rc)
            return;
        if (reference && !reference_first && timed(&theirs, &reference_copy, &b))
            goto reference_failed;
        r->seconds[n] = fmax(a - own, floor);
        r->reference_seconds[n] = fmax(b - other, floor);
        r->repetitions = ++n;
        r->relative_error = spread(r->seconds, n) + (reference ? spread(r->reference_seconds, n) : 0);
        if (n >= (size_t)timing->min_repetitions && r->relative_error <= timing->target_error)
            break;
        if (n >= 3 && monotonic_seconds() - begin > timing->budget)
            break;
    }
    r->best_seconds = smallest(r->seconds, r->repetitions, 0);
    r->best_reference = reference ? smallest(r->reference_seconds, r->repetitions, 0) : 0;
    return;

reference_failed:
    r->verdict = VERDICT_GRADER;
    snprintf(r->message, sizeof r->message, "the reference allocator failed: %.200s", reference_copy.message);
}

/* ---- latency ---- */

static void summarise(double *cost, size_t n, struct latency *out)
{
    out->count = n;
    if (!n)
        return;
    qsort(cost, n, sizeof *cost, by_value);
    out->p50 = cost[n / 2];
    out->p99 = cost[(size_t)((double)(n - 1) * 0.99)];
    out->p999 = cost[(size_t)((double)(n - 1) * 0.999)];
    out->max = cost[n - 1];
}

void time_latency(const struct runner_image *image, const struct trace *t,
                  const struct pass_options *options, struct record *r)
{
    struct run run = { image, t, options, NULL, 0, WIRE_LATENCY };
    struct process p;
    double seconds = 0, *cost = malloc((t->count + 1) * sizeof *cost);

    if (cost && replay_once(&run, r, &seconds, &p) == 0) {
        for (int kind = REQ_MALLOC; kind <= REQ_FREE; kind++) {
            size_t n = 0;
            double worst = -1;
            for (size_t i = 0; i < t->count; i++) {
                if (t->requests[i].kind != kind)
                    continue;
                cost[n] = (double)p.answers[t->count + i];
                if (cost[n] > worst) {
                    worst = cost[n];
                    r->latency[kind].max_request = i;
                }
                n++;
            }
            summarise(cost, n, &r->latency[kind]);
        }
    }
    if (cost)
        process_end(&p, NULL);
    free(cost);
}
