/* peers.c - measuring real allocators; see peers.h. */
#define _GNU_SOURCE
#include "peers.h"

#include <fcntl.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "course.h"
#include "process.h"

#define ENOUGH_REQUESTS 40000 /* replayed in one process, so that the clock sees enough */
#define WARMING 2             /* rounds in which a peer takes its memory from the system */
#define REPETITIONS 7
#define LARGEST_PAYLOAD (UINT64_C(1) << 30) /* bytes really touched; beyond, a trace is left out */
#define ZEROED_BYTES (UINT64_C(64) << 20) /* most to zero of a simulated heap, between rounds */
#define LEAST_PER_REQUEST 0.5e-9 /* seconds; below this a difference of clocks means nothing */

static const struct peer { const char *name, *library; } peers[] = {
    { "libc", NULL },
    { "jemalloc", "libjemalloc.so.2" },
    { "mimalloc", "libmimalloc.so.2" },
    { "tcmalloc", "libtcmalloc_minimal.so.4" },
};

const char *const peer_names[] = { "libc", "jemalloc", "mimalloc", "tcmalloc", NULL };

static const char *const folders[] = { "/usr/lib/x86_64-linux-gnu", "/usr/lib64", "/usr/lib",
                                       "/usr/local/lib" };

static char *find_library(const char *name)
{
    char *path = NULL;

    for (size_t i = 0; i < sizeof folders / sizeof *folders; i++) {
        if (asprintf(&path, "%s/%s", folders[i], name) < 0)
            return NULL;
        if (!access(path, R_OK))
            return path;
        free(path);
    }
    return NULL;
}

/* Opens build/peer/WHICH beside the program. */
static int open_runner(const char *which, char **path)
{
    if (asprintf(path, "%s/build/peer/%s", program_folder(), which) < 0)
        *path = NULL;
    return *path ? open(*path, O_RDONLY | O_CLOEXEC) : -1;
}

int peer_image(const char *name, struct runner_image *out, char *error, size_t error_size)
{
    *out = (struct runner_image){ .exec_fd = -1, .bits = 64, .trusted = 1 };
    for (size_t i = 0; i < sizeof peers / sizeof *peers; i++) {
        if (strcmp(peers[i].name, name))
            continue;
        snprintf(out->name, sizeof out->name, "%s", name);
        if (peers[i].library && !(out->preload = find_library(peers[i].library))) {
            snprintf(error, error_size, "%s is not installed: no %s in /usr/lib; see packages.txt", name,
                     peers[i].library);
            return -1;
        }
        out->exec_fd = open_runner("replay", &out->exec_path);
        if (out->exec_fd >= 0)
            return 0;
        snprintf(error, error_size, "the runner for real allocators is missing: run make");
        peer_image_free(out);
        return -1;
    }
    snprintf(error, error_size, "no real allocator is called '%s'; known: libc, jemalloc, mimalloc, tcmalloc",
             name);
    return -1;
}

void peer_image_free(struct runner_image *image)
{
    if (image->exec_fd >= 0)
        close(image->exec_fd);
    free(image->exec_path);
    free(image->preload);
    *image = (struct runner_image){ .exec_fd = -1 };
}

/* ---- a trace that ends as it began ---- */

struct balanced { struct wire_request *request; size_t count; };

/* The requests of T, then a free of every block that is still live. */
static int balance(const struct trace *t, struct balanced *b)
{
    unsigned char *live = calloc(t->count + 1, 1);

    *b = (struct balanced){ calloc(t->count * 2 + 1, sizeof *b->request), t->count };
    if (!live || !b->request) {
        free(live);
        return -1;
    }
    for (size_t i = 0; i < t->count; i++) {
        const struct request *q = &t->requests[i];
        b->request[i] =
            (struct wire_request) { q->size, q->ref == REF_NULL ? WIRE_REF_NULL : q->ref, q->kind };
        if (q->ref != REF_NULL)
            live[q->ref] = 0;
        live[i] = (unsigned char)request_makes_block(q);
    }
    for (size_t i = 0; i < t->count; i++)
        if (live[i])
            b->request[b->count++] = (struct wire_request){ 0, (uint32_t)i, REQ_FREE };
    free(live);
    return 0;
}

/* ---- one process ---- */

struct replay {
    const struct runner_image *image;
    const struct wire_request *request;
    size_t count;
    uint32_t rounds, flags;
    uint64_t heap; /* bytes of simulated heap; a peer has no use for it */
    double time_limit;
};

struct cost { double cpu, wall; uint64_t memory; };

static int fail(struct record *r, enum verdict v, const char *message)
{
    r->verdict = v;
    snprintf(r->message, sizeof r->message, "%s", message);
    return -1;
}

/* Replays in a fresh process and reads both clocks and the growth of its memory. */
static int replay_once(const struct replay *x, struct record *r, struct cost *cost)
{
    struct process p;
    struct process_setup setup = {
        .image = x->image, .mode = WIRE_TIMED, .flags = x->flags, .alignment = 16, .heap_limit = x->heap,
        .heap_granted = x->heap, .request_count = x->count, .repeat = x->rounds, .time_limit = x->time_limit,
        .output_cap = 4096,
    };
    char error[256];
    int rc = 0;

    if (process_start(&p, &setup, error, sizeof error))
        return fail(r, VERDICT_GRADER, error);
    if (process_wait_stop(&p) != TURN_OURS) {
        rc = fail(r, VERDICT_GRADER, "the runner for real allocators did not start");
    } else {
        memcpy(p.requests, x->request, x->count * sizeof *x->request);
        uint64_t before = process_private_bytes(&p);
        double cpu = process_cpu(&p), wall = monotonic_seconds();
        process_continue(&p);
        if (process_wait_stop(&p) != TURN_OURS) {
            rc = fail(r, VERDICT_CRASH, "the replay did not come to its end");
        } else {
            uint64_t after = process_private_bytes(&p);
            *cost = (struct cost){ process_cpu(&p) - cpu, monotonic_seconds() - wall,
                                   after > before ? after - before : 0 };
            for (size_t i = 0; !rc && !(x->flags & WIRE_HARNESS) && i < x->count; i++) {
                const struct wire_request *q = &x->request[i];
                if (q->kind != REQ_FREE && q->size && !p.answers[i]) {
                    r->request = i + 1;
                    rc = fail(r, VERDICT_NULL_ANSWER, "the system gave no memory for a request");
                }
            }
        }
    }
    process_end(&p, NULL);
    return rc;
}

/* Lowers FIRST to the cost of the warming rounds alone, ALL to that of X's rounds after them. */
static int lower(const struct replay *x, int wall, struct record *r, double *first, double *all)
{
    struct replay once = *x, more = *x;
    struct cost a = { 0 }, b = { 0 };

    once.rounds = WARMING;
    more.rounds = x->rounds + WARMING;
    if (replay_once(&once, r, &a) || replay_once(&more, r, &b))
        return -1;
    *first = fmin(*first, wall ? a.wall : a.cpu);
    *all = fmin(*all, wall ? b.wall : b.cpu);
    return 0;
}

/* ---- the figures ---- */

/* A difference of minima, not the minimum of differences: page faults of the
 * warming rounds scatter more than the rounds that are wanted. */
static int measure_time(const struct replay *x, int wall, struct record *r)
{
    struct replay empty = *x;
    double first = INFINITY, all = INFINITY, first_empty = INFINITY, all_empty = INFINITY;

    empty.flags |= WIRE_HARNESS;
    r->seconds = calloc(REPETITIONS, sizeof *r->seconds);
    if (!r->seconds)
        return fail(r, VERDICT_GRADER, "out of memory");
    for (size_t i = 0; i < REPETITIONS; i++) {
        if (lower(x, wall, r, &first, &all) || lower(&empty, wall, r, &first_empty, &all_empty))
            return -1;
        double net = (all - first - fmax(all_empty - first_empty, 0)) / x->rounds;
        r->seconds[i] = fmax(net, LEAST_PER_REQUEST * (double)x->count); /* the estimate so far */
        r->repetitions = i + 1;
    }
    r->best_seconds = r->seconds[REPETITIONS - 1];
    r->relative_error = fabs(r->seconds[REPETITIONS - 1] / r->seconds[REPETITIONS - 2] - 1);
    return 0;
}

static int measure_memory(const struct replay *x, const struct trace *t, struct record *r)
{
    struct runner_image touching = *x->image;
    struct replay part = *x;
    const size_t ends[] = { t->peak_request + 1, t->count };
    char *path = NULL;
    int rc = 0;

    touching.exec_fd = open_runner("replay_touch", &path);
    free(path);
    if (touching.exec_fd < 0)
        return fail(r, VERDICT_GRADER, "the runner for real allocators is missing: run make");
    part.image = &touching;
    part.rounds = 1;
    for (size_t i = 0; !rc && i < 2; i++) {
        struct cost cost = { 0 };
        part.count = ends[i] < t->count ? ends[i] : t->count;
        rc = replay_once(&part, r, &cost);
        if (cost.memory > r->peak_break)
            r->peak_break = cost.memory;
    }
    close(touching.exec_fd);
    return rc;
}

void peer_measure(const struct runner_image *image, const struct trace *t,
                  const struct pass_options *options, const struct timing_options *timing,
                  const struct record *checked, struct record *r)
{
    struct balanced b;

    r->peak_payload = t->peak_payload;
    if (balance(t, &b)) {
        fail(r, VERDICT_GRADER, "out of memory");
        free(b.request);
        return;
    }
    uint64_t heap = checked && checked->peak_break ? checked->peak_break : 1;
    uint64_t wanted = ENOUGH_REQUESTS / (b.count + 1), most = ZEROED_BYTES / heap;
    struct replay x = {
        .image = image, .request = b.request, .count = b.count,
        .rounds = (uint32_t)(wanted < most ? wanted : most) + 1,
        .flags = checked ? options->wire_flags : 0, .heap = heap, .time_limit = options->time_limit,
    };
    pin_to_cpu(options->cpu);
    if (checked)
        r->peak_break = checked->peak_break;
    if (checked || !measure_memory(&x, t, r))
        measure_time(&x, timing->clock == CLOCK_WALL, r);
    free(b.request);
}

static void add_figure(struct record *r, const char *name, const struct record *measured)
{
    if (measured->verdict != VERDICT_OK)
        return;
    struct peer_figure *f = &r->peers[r->peer_count++];
    snprintf(f->name, sizeof f->name, "%.31s", name);
    f->seconds = measured->best_seconds;
    f->memory = measured->peak_break;
}

void peers_compare(const struct runner_image *image, const struct trace *t,
                   const struct pass_options *options, const struct timing_options *timing,
                   struct record *r)
{
    struct record own = { 0 };
    char error[256];

    r->peer_count = 0;
    free(r->peers);
    r->peers = calloc(1 + sizeof peers / sizeof *peers, sizeof *r->peers);
    if (!r->peers || t->peak_payload > LARGEST_PAYLOAD)
        return;
    if (!image->has_gc) {
        peer_measure(image, t, options, timing, r, &own);
        add_figure(r, image->name, &own);
    }
    record_free(&own);
    for (size_t i = 0; peer_names[i]; i++) {
        struct runner_image peer;
        struct record theirs = { 0 };
        if (peer_image(peer_names[i], &peer, error, sizeof error))
            continue;
        peer_measure(&peer, t, options, timing, NULL, &theirs);
        add_figure(r, peer_names[i], &theirs);
        record_free(&theirs);
        peer_image_free(&peer);
    }
}
