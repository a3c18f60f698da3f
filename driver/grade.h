/*
 * grade.h - one allocator on all traces: build, check, time, score.
 */
#ifndef GRADE_H
#define GRADE_H

#include "options.h"
#include "reference.h"
#include "report.h"
#include "trace_set.h"

/* What stays the same for every allocator of a run. */
struct grading {
    const struct options *options;
    const struct course *course;
    const char *course_reason;      /* why this course, with --course auto; or empty */
    const struct trace_set *traces;
    struct timing_options timing;
    struct reference reference[2];  /* for 64 and 32 bits: opened when first needed */
    /* Called before each trace; DONE traces of COUNT are finished. */
    void (*progress)(const char *allocator, size_t done, size_t count, const char *trace);
};

/* Seconds that grading ALLOCATORS of them takes on a quiet machine. */
double grade_forecast(const struct grading *g, size_t allocators);

/* Grades SOURCE into R (zeroed by the caller). 0, or when nothing could be
 * graded at all, an exit status (2 or 5) with a sentence in ERROR. A file that
 * does not build is a result, of verdict build. */
int grade(struct grading *g, const char *source, struct result *r, char *error, size_t error_size);

void result_free(struct result *r);
void grading_free(struct grading *g);

/* The exit status for results: the gravest of them (mdriver --help). */
int exit_status(const struct result *r, size_t n, double min_score);

#endif
