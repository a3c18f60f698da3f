/*
 * report.h - the one struct that every output is made from, and the outputs.
 */
#ifndef REPORT_H
#define REPORT_H

#include <jansson.h>
#include <stdio.h>
#include "build.h"
#include "course.h"
#include "runner_image.h"
#include "score.h"
#include "timing.h"

/* One allocator on a set of traces. */
struct result {
    const struct course *course;
    const char *course_reason;   /* why this one, with --course auto; or NULL */
    const char *reference;       /* name of the reference, or NULL */
    const char *clock;           /* cpu, wall or instructions */
    const char *sandbox;         /* full or none */
    int checkpoint;
    struct runner_image image;
    struct build build;
    char build_error[512];       /* verdict build: the sentence */
    struct outcome *outcomes;
    size_t count;
    struct score score;
    enum verdict verdict;        /* ok, or the first that is not */
};

struct table_options {
    int colour;
    int verbosity;               /* -1 summary only, 0 normal, 1 -v, 2 -V */
    int width;                   /* columns of the terminal, or 0 */
    const char *program;         /* as it was called, for commands that are suggested */
};

/* The table for people. */
void report_table(FILE *out, const struct result *r, const struct table_options *options);

/* Several allocators side by side, one line each; for more than one. */
void report_summary(FILE *out, const struct result *r, size_t n, const struct table_options *options);

/* One result as a new JSON object (docs/JSON.md). */
json_t *report_json(const struct result *r);

/* The submission beside real allocators (--peers): nothing when they were not measured. */
void report_peers(FILE *out, const struct result *r);
json_t *report_peers_json(const struct record *r);

/* What the check pass saw, one line a request (docs/JSON.md). */
void report_events(FILE *out, const struct outcome *o);

/* The course's platform line, without a newline. Empty when it has none. */
void report_autoresult(char *out, size_t size, const struct result *r);

#endif
