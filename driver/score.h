/*
 * score.h - from checked records to points: pure functions, no I/O.
 */
#ifndef SCORE_H
#define SCORE_H

#include <stddef.h>
#include "course.h"
#include "record.h"
#include "trace.h"

/* One allocator on one trace, in figures. */
struct outcome {
    const struct trace *trace;
    struct record record;
    double utilization;    /* peak payload / heap, a fraction */
    double ceiling;        /* the same of a perfect allocator at this alignment */
    double header_ceiling; /* ... of perfect placement with 8-byte headers, 32-byte blocks */
    int timed;             /* the next two are meaningful */
    double kops;           /* thousand requests a second */
    double relative;       /* speed over the reference's; 0 without a reference */
};

struct score_part {
    char name[32];
    double points, max;    /* max 0: unbounded */
    int known;             /* 0: it needs a timing that was not made */
};

struct score {
    int has_utilization, has_kops, has_relative;
    double utilization;    /* mean over scored traces, by the course */
    double kops, relative;
    size_t valid, scored;  /* scored traces (weight not none), and the valid of them */
    size_t correct, invalid; /* of all traces that ran, whatever their weight */
    size_t part_count;
    struct score_part part[COURSE_PARTS];
    int has_index;         /* every part is known, and nothing failed through our fault */
    double raw;            /* sum (or product) of the parts */
    double deduction;      /* for static rules */
    double index;          /* what counts: after deduction, zero_below and checkpoint */
    double max_index;      /* 0: unbounded */
};

/* Fills OUTCOME's figures from its record and trace. ALIGNMENT in bytes. */
void outcome_measure(struct outcome *o, uint64_t alignment);

/* Scores N outcomes. DEDUCTION: points for static rules. With CHECKPOINT the course's
 * checkpoint formula. */
struct score score_outcomes(const struct outcome *o, size_t n, const struct course *course,
                            double deduction, int checkpoint);

/* Mean of N values (0 if any value is 0 and the mean is harmonic or geometric; 0 for N = 0). */
double mean_of(enum mean mean, const double *values, size_t n);

/* points * clamp((value - low) / (high - low), 0, 1)^power. */
double part_points(const struct part *part, double value);

/* Gives N traces the weights that COURSE wants: all the same, or those of their headers; in a folder that has any of
 * the course's scored files, none to the others. NOTE becomes a sentence about that, or empty. */
void score_weigh(const struct course *course, struct trace *traces, size_t n, int from_folder,
                 char *note, size_t note_size);

#endif
