/*
 * micro.c - what the driver itself costs, printed as rates and ratios.
 *
 *     micro RUNNER [parse] [check] [replay] [floor] [confinement [TRACE...]]
 *
 * RUNNER is a runner executable (make bench builds one around mm.c). Without a
 * name, everything is measured, on synthetic traces from a fixed seed.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <math.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "process.h"
#include "timing.h"

#define BUSY_LOOPS 4

static struct runner_image image = { .exec_fd = -1, .bits = 64, .writable_bytes = 1 << 20 };
static const struct pass_options options = {
    .alignment = 16, .heap_limit = UINT64_C(1) << 32, .time_limit = 60, .seed = 1, .cpu = -1,
};

static void die(const char *what)
{
    fprintf(stderr, "micro: %s\n", what);
    exit(5);
}

/* ---- synthetic traces ---- */

static uint64_t state = 1;

static uint32_t draw(uint32_t below)
{
    state = state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return (uint32_t)((state >> 33) % below);
}

/* N requests of up to 200 bytes with about N / 5 blocks live. */
static struct trace synthetic(size_t n)
{
    struct request *q = calloc(n, sizeof *q);
    uint32_t *live = calloc(n, sizeof *live);
    size_t live_count = 0, most = n / 5 + 1;
    struct trace t = { .name = (char *)"synthetic", .path = (char *)"synthetic", .requests = q, .count = n };
    uint64_t payload = 0;

    if (!q || !live)
        die("out of memory");
    for (size_t i = 0; i < n; i++) {
        q[i].line = (uint32_t)i + 1;
        if (!live_count || (live_count < most && draw(100) < 60)) {
            q[i] = (struct request){ .size = 1 + draw(200), .ref = REF_NULL, .kind = REQ_MALLOC,
                                      .id = (int32_t)i };
            payload += q[i].size;
            live[live_count++] = (uint32_t)i;
        } else {
            size_t pick = draw((uint32_t)live_count);
            q[i] = (struct request){ .ref = live[pick], .kind = REQ_FREE, .id = q[live[pick]].id };
            payload -= q[live[pick]].size;
            live[pick] = live[--live_count];
        }
        if (payload > t.peak_payload)
            t.peak_payload = payload;
    }
    free(live);
    return t;
}

static char *as_text(const struct trace *t, size_t *length)
{
    char *text = NULL;
    FILE *f = open_memstream(&text, length);

    if (!f)
        die("out of memory");
    fprintf(f, "0\n%zu\n%zu\n1\n", t->count, t->count);
    for (size_t i = 0; i < t->count; i++)
        if (t->requests[i].kind == REQ_FREE)
            fprintf(f, "f %d\n", t->requests[i].id);
        else
            fprintf(f, "a %d %llu\n", t->requests[i].id, (unsigned long long)t->requests[i].size);
    fclose(f);
    return text;
}

static struct record checked(const struct trace *t)
{
    struct record r = { 0 };

    check_trace(&image, t, &options, &r);
    if (r.verdict != VERDICT_OK)
        die(r.message);
    return r;
}

/* ---- the benchmarks ---- */

static void bench_parse(void)
{
    struct trace t = synthetic(1000000);
    size_t length = 0;
    char *text = as_text(&t, &length), error[256];
    double best = INFINITY;

    for (int i = 0; i < 5; i++) {
        struct trace parsed;
        double begin = monotonic_seconds();
        if (trace_parse(&parsed, "synthetic", text, length, error, sizeof error))
            die(error);
        best = fmin(best, monotonic_seconds() - begin);
        trace_free(&parsed);
    }
    printf("parse            %8.1f MB/s   %.1f million requests/s\n", (double)length / best / 1e6, 1 / best);
    free(text);
    free(t.requests);
}

static void bench_check(void)
{
    double first = 0;

    for (size_t n = 10000; n <= 1000000; n *= 10) {
        struct trace t = synthetic(n);
        double best = INFINITY;
        for (int i = 0; i < (n < 1000000 ? 5 : 2); i++) {
            struct record r = checked(&t);
            best = fmin(best, r.check_seconds);
            record_free(&r);
        }
        double each = best / (double)n;
        if (first <= 0)
            first = each;
        printf("check  %9zu %8.0f thousand requests/s, %zu live: %.2f times the cost a request of 10000\n", n,
               1e-3 / each, n / 5, each / first);
        free(t.requests);
    }
}

/* One timed replay that does nothing but the loop: seconds of CPU. */
static double empty_replay(const struct trace *t, uint32_t rounds)
{
    struct process p;
    struct process_setup setup = {
        .image = &image, .mode = WIRE_TIMED, .flags = WIRE_HARNESS, .alignment = 16, .heap_limit = 4096,
        .heap_granted = 4096, .request_count = t->count, .repeat = rounds, .time_limit = 60,
        .output_cap = 4096,
    };
    char error[256];

    if (process_start(&p, &setup, error, sizeof error))
        die(error);
    if (process_wait_stop(&p) != TURN_OURS)
        die("the runner did not start");
    for (size_t i = 0; i < t->count; i++)
        p.requests[i] = (struct wire_request){ t->requests[i].size, t->requests[i].ref, t->requests[i].kind };
    double cpu = process_cpu(&p);
    process_continue(&p);
    if (process_wait_stop(&p) != TURN_OURS)
        die("the runner did not end");
    cpu = process_cpu(&p) - cpu;
    process_end(&p, NULL);
    return cpu;
}

static void bench_replay(void)
{
    static const size_t sizes[] = { 12, 5000, 100000, 300000 };

    for (size_t s = 0; s < sizeof sizes / sizeof *sizes; s++) {
        struct trace t = synthetic(sizes[s]);
        double best = INFINITY;
        for (int i = 0; i < 15; i++)
            best = fmin(best, empty_replay(&t, 1));
        printf("replay %9zu %8.2f ns/request of harness (%.1f us in all), measured and subtracted\n", t.count,
               best / (double)t.count * 1e9, best * 1e6);
        free(t.requests);
    }
}

/* The least that can be told apart, and how well figures repeat, with the trace's length. */
static void bench_floor(void)
{
    static const size_t sizes[] = { 12, 100, 1000, 5000, 50000 };
    struct timing_options timing = timing_defaults(1);

    for (size_t s = 0; s < sizeof sizes / sizeof *sizes; s++) {
        struct trace t = synthetic(sizes[s]);
        struct record r = checked(&t);
        double sum = 0, squares = 0, ratio = 0, ratio_squares = 0, begin = monotonic_seconds();
        enum { TIMES = 10 };
        for (int i = 0; i < TIMES; i++) {
            struct record q = r;
            time_trace(&image, &image, &t, &options, &timing, &q, &r);
            if (q.verdict != VERDICT_OK)
                die(q.message);
            double each = q.best_seconds / (double)t.count * 1e9;
            double relative = q.best_reference / q.best_seconds;
            sum += each, squares += each * each, ratio += relative, ratio_squares += relative * relative;
            free(q.seconds);
            free(q.reference_seconds);
        }
        double mean = sum / TIMES, mean_ratio = ratio / TIMES;
        printf("floor  %9zu requests: %6.1f ns/request sd %.2f %%; relative to itself %.3f sd %.2f %%; "
               "%.3f s\n",
               t.count, mean, 100 * sqrt(fmax(0, squares / TIMES - mean * mean)) / mean,
               mean_ratio, 100 * sqrt(fmax(0, ratio_squares / TIMES - mean_ratio * mean_ratio)) / mean_ratio,
               (monotonic_seconds() - begin) / TIMES);
        record_free(&r);
        free(t.requests);
    }
}

/* ---- confinement ---- */

static double cpu_used(void)
{
    struct rusage self, children;

    getrusage(RUSAGE_SELF, &self);
    getrusage(RUSAGE_CHILDREN, &children);
    const struct timeval *v[] = { &self.ru_utime, &self.ru_stime, &children.ru_utime, &children.ru_stime };
    double seconds = 0;
    for (int i = 0; i < 4; i++)
        seconds += (double)v[i]->tv_sec + (double)v[i]->tv_usec * 1e-6;
    return seconds;
}

/* Check and timed pass of all traces: CPU seconds of supervisor and runners. */
static double grade(const struct trace *traces, size_t count, unsigned trusted, int check_only)
{
    struct timing_options timing = { .target_error = 1, .min_repetitions = 5, .max_repetitions = 5,
                                     .budget = 9 };
    double begin = cpu_used();

    image.trusted = trusted;
    for (size_t i = 0; i < count; i++) {
        struct record r = checked(&traces[i]);
        if (!check_only)
            time_trace(&image, NULL, &traces[i], &options, &timing, &r, NULL);
        if (r.verdict != VERDICT_OK)
            die(r.message);
        record_free(&r);
    }
    image.trusted = 0;
    return cpu_used() - begin;
}

static void start_busy(pid_t busy[BUSY_LOOPS])
{
    for (int i = 0; i < BUSY_LOOPS; i++) {
        busy[i] = fork();
        if (busy[i] == 0) {
            alarm(60);
            for (volatile unsigned n = 0;; n = n + 1)
                ;
        }
    }
}

static void stop_busy(const pid_t busy[BUSY_LOOPS])
{
    for (int i = 0; i < BUSY_LOOPS; i++) {
        kill(busy[i], SIGKILL);
        waitpid(busy[i], NULL, 0);
    }
}

static void bench_confinement(char *const paths[], size_t count)
{
    struct trace synthetics[] = { synthetic(5000), synthetic(20000), synthetic(100000) };
    struct trace *traces = synthetics;
    double with = INFINITY, without = INFINITY, check = INFINITY, loaded = INFINITY;
    pid_t busy[BUSY_LOOPS];
    char error[256];

    if (count) {
        traces = calloc(count, sizeof *traces);
        for (size_t i = 0; i < count; i++)
            if (!traces || trace_load(&traces[i], paths[i], error, sizeof error))
                die(error);
    } else {
        count = 3;
    }
    for (int i = 0; i < 3; i++) {
        with = fmin(with, grade(traces, count, 0, 0));
        without = fmin(without, grade(traces, count, 1, 0));
        check = fmin(check, grade(traces, count, 1, 1));
    }
    printf("confinement      grading takes %.3f times the CPU time without it (%.3f s, %.3f s)\n",
           with / without, with, without);
    start_busy(busy);
    for (int i = 0; i < 2; i++)
        loaded = fmin(loaded, grade(traces, count, 0, 1));
    stop_busy(busy);
    printf("confinement      check pass beside %d busy loops: %.2f times the idle, unconfined CPU time\n",
           BUSY_LOOPS, loaded / check);
}

int main(int argc, char **argv)
{
    if (argc < 2 || (image.exec_fd = open(argv[1], O_RDONLY | O_CLOEXEC)) < 0) {
        fprintf(stderr, "usage: micro RUNNER [parse] [check] [replay] [floor] [confinement [TRACE...]]\n");
        return 2;
    }
    setvbuf(stdout, NULL, _IOLBF, 0); /* or the busy loops inherit what is not yet printed */
    for (int i = 2; i < argc || argc == 2; i++) {
        const char *what = argc == 2 ? "all" : argv[i];
        int all = !strcmp(what, "all");
        if (all || !strcmp(what, "parse"))
            bench_parse();
        if (all || !strcmp(what, "check"))
            bench_check();
        if (all || !strcmp(what, "replay"))
            bench_replay();
        if (all || !strcmp(what, "floor"))
            bench_floor();
        if (all || !strcmp(what, "confinement")) {
            bench_confinement(argv + i + 1, all ? 0 : (size_t)(argc - i - 1));
            break;
        }
    }
    return 0;
}
