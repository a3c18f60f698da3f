/*
 * timing.c - the timed pass.
 *
 * Every repetition is a fresh process that stops itself when it is ready,
 * gets the requests while stopped, and stops itself again when done. Its CPU
 * clock is read during both stops, when it cannot run; so process start, page
 * faults and teardown are outside the figure, and nothing can be done after
 * the clock is read. The cost of the harness itself (waking up, the loop, the
 * table of blocks) is measured by the same replay with calls that do nothing,
 * interleaved with the others, and subtracted.
 *
 * Interference adds time, so the estimate lies at the low end of the repetitions
 * (J. Chen, J. Revels, "Robust benchmarking in noisy environments", 2016). It is
 * the second smallest: a process whose pages happen to fall well in the caches
 * is faster than the others, and one such must not decide. Repetitions go on
 * until the third smallest of each allocator lies within the target.
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

#define SPARSE_FROM (UINT64_C(8) << 30) /* bytes of payload; above, only their ends are touched */
#define HARNESS_RUNS 5
#define CORPUS_SECONDS 6.0 /* for the timed passes of all traces together */
#define TRACE_SECONDS 0.3  /* most for one of them */
#define LONG_ENOUGH 5.0    /* seconds after which a trace need not be repeated three times to be known as slow */
#define LEAST_PER_REQUEST 0.5e-9 /* seconds; below this a difference of clocks means nothing */

#define TOUCHED_SLACK (UINT64_C(16) << 10) /* bytes of pages that only one of the runs may touch, by chance of frames */

/* For the forecast, measured by tests/bench/floor.py on the machine of docs/TIMING.md. */
#define PROCESS_SECONDS 0.0015   /* a confined process, start to end */
#define TYPICAL_REQUEST 60e-9    /* seconds of replay for a request, harness included */
#define TYPICAL_CHECK 1.5e-6     /* seconds of the check pass for a request */
#define USUAL_REPETITIONS 1.6    /* times min_repetitions */
#define VALGRIND_START 0.08      /* seconds */
#define VALGRIND_SLOWDOWN 60

struct run {
    const struct runner_image *image;
    const struct trace *trace;
    const struct pass_options *options;
    enum clock_kind clock;
    uint32_t flags;
    enum wire_mode mode;
};

/* The trace, and the probes after it. */
static void write_requests(const struct trace *t, const struct record *r, struct wire_request *out)
{
    for (size_t i = 0; i < r->probes; i++)
        out[t->count + i] = (struct wire_request){ r->probe[i].size, WIRE_REF_NULL, REQ_MALLOC };
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

/* The clock's advance between two stops of P: the replay, and nothing else. */
static enum process_turn read_clock(const struct run *run, struct process *p, double *seconds)
{
    double cpu = process_cpu(p), wall = monotonic_seconds();

    process_continue(p);
    enum process_turn turn = process_wait_stop(p);
    *seconds = run->clock == CLOCK_WALL ? monotonic_seconds() - wall : process_cpu(p) - cpu;
    if (turn == TURN_OURS && run->clock == CLOCK_INSTRUCTIONS) {
        process_continue(p);
        *seconds = (double)process_instructions(p) * 1e-9;
    }
    return turn;
}

static uint64_t answer_of(const struct run *run, const struct process *p, size_t i)
{
    return p->answers[i] ? p->answers[i] - heap_base_of(run->image->bits) : OFFSET_NULL;
}

/* The timed answers must be those of the checked run. */
static int same_answers(const struct run *run, const struct process *p, struct record *r)
{
    for (size_t i = 0; i < run->trace->count; i++) {
        uint64_t seen = answer_of(run, p, i);
        if (run->trace->requests[i].kind == REQ_FREE || seen == r->answers[i].offset)
            continue;
        r->request = i + 1;
        r->line = run->trace->requests[i].line;
        r->address = seen;
        char message[256];
        snprintf(message, sizeof message,
                 "request %zu (line %u) got heap offset 0x%llx in the timed run "
                 "and 0x%llx in the checked run; an allocator must give the same answers to the same "
                 "requests",
                 i + 1, r->line,
                 (unsigned long long)seen, (unsigned long long)r->answers[i].offset);
        return fail(r, VERDICT_DIFFERS, message);
    }
    for (size_t i = 0; i < r->probes; i++)
        if (answer_of(run, p, run->trace->count + i) != r->probe[i].offset)
            return fail(r, VERDICT_DIFFERS, "requests that followed the trace were answered otherwise in the timed run "
                        "than in the checked run; an allocator must give the same answers to the same requests");
    return 0;
}

/* Memory outside the heap was charged for in the checked run; the timed run may not have more. Pages cannot be given
 * back, so what was used shows. */
static int same_memory(const struct run *run, const struct process *p, struct record *r)
{
    uint64_t most = r->touched + run->image->static_bytes + TOUCHED_SLACK;
    char message[192];

    if (run->image->shipped || run->image->trusted)
        return 0;
    uint64_t touched = process_private_bytes(p);
    if (touched <= most)
        return 0;
    snprintf(message, sizeof message, "%llu bytes of memory outside the heap were in use after the timed run, and %llu "
             "after the checked run", (unsigned long long)touched, (unsigned long long)r->touched);
    return fail(r, VERDICT_DIFFERS, message);
}

/* One replay. Returns 0 and the cost in SECONDS, or -1 with R's verdict set. */
static int replay_once(const struct run *run, struct record *r, double *seconds, struct process *p)
{
    int counting = run->clock == CLOCK_INSTRUCTIONS;
    struct process_setup setup = {
        .image = run->image, .mode = run->mode,
        .flags = run->options->wire_flags | run->flags | (run->image->has_gc ? WIRE_GC : 0u),
        .alignment = run->options->alignment, .heap_limit = r->reserved ? r->reserved : 1,
        .heap_granted = r->reserved ? r->reserved : 1, .request_count = run->trace->count + r->probes, .repeat = 1,
        .time_limit = run->options->time_limit * (counting ? VALGRIND_SLOWDOWN : 1),
        .output_cap = run->options->output_cap ? run->options->output_cap : 65536,
        .stack_limit = run->options->stack_limit, .count_instructions = counting,
    };
    char error[256];

    if (process_start(p, &setup, error, sizeof error))
        return fail(r, VERDICT_GRADER, error);
    enum process_turn turn = process_wait_stop(p);
    if (turn == TURN_OURS) {
        write_requests(run->trace, r, p->requests);
        turn = read_clock(run, p, seconds);
    }
    if (turn == TURN_OURS && counting && *seconds <= 0)
        return fail(r, VERDICT_GRADER, "valgrind gave no instruction count");
    if (turn == TURN_OURS)
        return run->flags & WIRE_HARNESS ? 0 : same_answers(run, p, r) ? -1
             : counting ? 0 /* valgrind's memory is not ours to judge */ : same_memory(run, p, r);
    int forbidden = turn == TURN_DEAD && WIFSIGNALED(p->status) && WTERMSIG(p->status) == SIGSYS;
    if (counting && !forbidden) /* this trace was replayed without valgrind just before */
        return fail(r, VERDICT_GRADER, "the replay under valgrind did not come to its end");
    if (turn == TURN_LATE)
        return fail(r, VERDICT_TIMEOUT, "no end of the timed run within the time limit, "
                    "though the checked run ended");
    return fail(r, forbidden ? VERDICT_FORBIDDEN : VERDICT_DIFFERS,
                "the timed run died where the checked run did not");
}

static int timed(const struct run *run, struct record *r, double *seconds)
{
    struct process p;
    int rc = replay_once(run, r, seconds, &p);

    if (rc == 0 && run->image->has_gc && !(run->flags & WIRE_HARNESS)
        && run->clock != CLOCK_INSTRUCTIONS) { /* under valgrind everything takes longer */
        const volatile struct mailbox *box = p.box;
        record_pauses(r, box->gc_pauses, box->gc_total_ns, box->gc_longest_ns);
    }
    process_end(&p, NULL);
    return rc;
}

/* The same replay with calls that do nothing; lowers *LEAST to its cost. */
static int harness(const struct run *run, const struct record *r, double *least)
{
    struct run empty = *run;
    struct record scratch = { .probes = r->probes };
    double seconds = 0;

    empty.flags |= WIRE_HARNESS;
    int rc = timed(&empty, &scratch, &seconds);
    if (rc == 0 && seconds < *least)
        *least = seconds;
    return rc;
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

double timing_estimate(const double *values, size_t n)
{
    return smallest(values, n, n >= 3 ? 1 : 0);
}

double timing_spread(const double *values, size_t n)
{
    double least = smallest(values, n, 0);

    return n >= 3 && least > 0 ? smallest(values, n, 2) / least - 1 : 1;
}

struct timing_options timing_defaults(size_t traces)
{
    return (struct timing_options){
        .clock = CLOCK_CPU, .target_error = 0.02, .min_repetitions = 7, .max_repetitions = 60,
        .budget = fmin(TRACE_SECONDS, CORPUS_SECONDS / (double)(traces ? traces : 1)),
    };
}

double timing_forecast_check(size_t requests) { return PROCESS_SECONDS + (double)requests * TYPICAL_CHECK; }

double timing_forecast(size_t requests, int has_reference, const struct timing_options *timing)
{
    double allocators = has_reference ? 2 : 1;
    double pass = 2 * PROCESS_SECONDS + (double)requests * TYPICAL_REQUEST; /* one replay and one harness */
    double least = allocators * timing->min_repetitions * pass;
    double checks = allocators * timing_forecast_check(requests);

    if (timing->clock == CLOCK_INSTRUCTIONS)
        checks += allocators * 2 * (VALGRIND_START + (double)requests * TYPICAL_REQUEST * VALGRIND_SLOWDOWN);
    return checks + fmax(3 * allocators * pass, fmin(timing->budget, USUAL_REPETITIONS * least));
}

int timing_disagree(double relative_cpu, double relative_instructions)
{
    if (!(relative_cpu > 0) || !(relative_instructions > 0))
        return 0;
    double ratio = relative_cpu / relative_instructions;

    return ratio > TIMING_DISAGREE || ratio < 1 / TIMING_DISAGREE;
}

/* ---- the pass ---- */

/* Two allocators on one trace; `other` has no image when there is no reference. */
struct match {
    struct run own, other;
    struct record *r, *other_r;
    double own_harness, other_harness;
};

/* One more repetition of both, A B or B A, in SECONDS[0] and [1]. */
static int repetition(struct match *m, size_t number, double seconds[2])
{
    for (size_t turn = 0; turn < 2; turn++) {
        int own = (turn + number) % 2 == 0;
        if (!own && !m->other.image)
            continue;
        if (own ? timed(&m->own, m->r, &seconds[0]) : timed(&m->other, m->other_r, &seconds[1]))
            return -1;
        if (number < HARNESS_RUNS && harness(own ? &m->own : &m->other, own ? m->r : m->other_r,
                                             own ? &m->own_harness : &m->other_harness))
            return fail(m->r, VERDICT_GRADER, "the empty replay failed");
    }
    return 0;
}

/* Repetitions into the record, until the minimum is reproduced or the budget is spent. */
static int measure(struct match *m, const struct timing_options *timing, size_t most)
{
    struct record *r = m->r;
    double begin = monotonic_seconds(), floor = (double)m->own.trace->count * LEAST_PER_REQUEST;
    size_t n = 0;

    m->own_harness = m->other_harness = INFINITY;
    while (n < most) {
        double raw[2] = { 0, 0 };
        if (repetition(m, n, raw))
            return -1;
        r->seconds[n] = raw[0];
        r->reference_seconds[n] = raw[1];
        n++;
        /* The spread is of the whole time, harness included: that is what interference disturbs. */
        r->relative_error = timing_spread(r->seconds, n)
                          + (m->other.image ? timing_spread(r->reference_seconds, n) : 0);
        if (m->own.clock == CLOCK_INSTRUCTIONS)
            r->relative_error = 0;
        if (n >= (size_t)timing->min_repetitions && r->relative_error <= timing->target_error)
            break;
        if (monotonic_seconds() - begin > (n >= 3 ? timing->budget : LONG_ENOUGH))
            break;
    }
    /* One loop, one word size: one cost, better known from both. */
    if (m->other.image && m->other.image->bits == m->own.image->bits
        && m->own.clock != CLOCK_INSTRUCTIONS)
        m->own_harness = m->other_harness = fmin(m->own_harness, m->other_harness);
    for (size_t i = 0; i < n; i++) {
        r->seconds[i] = fmax(r->seconds[i] - m->own_harness, floor);
        if (m->other.image)
            r->reference_seconds[i] = fmax(r->reference_seconds[i] - m->other_harness, floor);
    }
    r->repetitions = n;
    r->best_seconds = timing_estimate(r->seconds, n);
    r->best_reference = m->other.image ? timing_estimate(r->reference_seconds, n) : 0;
    return 0;
}

void time_trace(const struct runner_image *image, const struct runner_image *reference,
                const struct trace *t, const struct pass_options *options,
                const struct timing_options *timing,
                struct record *r, const struct record *reference_r)
{
    struct record reference_copy = { 0 };
    size_t most = timing->max_repetitions > 0 ? (size_t)timing->max_repetitions : 1;
    uint32_t flags = t->peak_payload > SPARSE_FROM ? WIRE_SPARSE : 0u;
    enum clock_kind clock = timing->clock == CLOCK_WALL ? CLOCK_WALL : CLOCK_CPU;

    if (reference_r)
        reference_copy = *reference_r; /* a failure there must not look like one here */
    struct match m = { .own = { image, t, options, clock, flags, WIRE_TIMED },
                       .other = { reference, t, options, clock, flags, WIRE_TIMED },
                       .r = r, .other_r = &reference_copy };
    free(r->seconds);
    free(r->reference_seconds);
    r->seconds = calloc(most, sizeof *r->seconds);
    r->reference_seconds = calloc(most, sizeof *r->reference_seconds);
    if (!r->seconds || !r->reference_seconds) {
        fail(r, VERDICT_GRADER, "out of memory");
        return;
    }
    if (flags & WIRE_SPARSE && timing->clock == CLOCK_INSTRUCTIONS)
        return; /* valgrind's address space has no room for it: not timed */
    pin_to_cpu(options->cpu);
    int rc = measure(&m, timing, most);
    if (!rc && timing->clock == CLOCK_INSTRUCTIONS) { /* only what passed in the tight cage comes here */
        r->cpu_seconds = r->best_seconds;
        r->cpu_reference = r->best_reference;
        m.own.clock = m.other.clock = CLOCK_INSTRUCTIONS;
        rc = measure(&m, timing, 1);
    }
    if (reference_copy.verdict != (reference_r ? reference_r->verdict : VERDICT_OK)) {
        r->verdict = VERDICT_GRADER;
        snprintf(r->message, sizeof r->message, "the reference allocator failed: %.200s",
                 reference_copy.message);
    }
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
    uint32_t flags = t->peak_payload > SPARSE_FROM ? WIRE_SPARSE : 0u;
    struct run run = { image, t, options, CLOCK_CPU, flags, WIRE_LATENCY };
    struct process p;
    double seconds = 0, *cost = malloc((t->count + 1) * sizeof *cost);

    if (cost && replay_once(&run, r, &seconds, &p) == 0) {
        for (int kind = REQ_MALLOC; kind <= REQ_FREE; kind++) {
            size_t n = 0;
            double worst = -1;
            for (size_t i = 0; i < t->count; i++) {
                if (t->requests[i].kind != kind)
                    continue;
                cost[n] = (double)p.answers[p.request_count + i];
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
