/*
 * options.h - the command line, as one struct.
 */
#ifndef OPTIONS_H
#define OPTIONS_H

#include <stddef.h>
#include <stdint.h>
#include "timing.h"

enum action {
    ACTION_GRADE,
    ACTION_HELP,
    ACTION_VERSION,
    ACTION_DOCTOR,
    ACTION_COURSES,      /* list them */
    ACTION_COURSE_JSON,  /* print one */
    ACTION_ALLOCATORS,   /* list the shipped ones */
};

enum { BITS_AUTO = -1 };

enum when { WHEN_AUTO, WHEN_ALWAYS, WHEN_NEVER };

struct options {
    enum action action;
    const char *program;       /* as it was called */
    char **allocators;         /* sources or shipped names; "mm.c" when none was given */
    size_t allocator_count;
    const char **files;        /* -f */
    size_t file_count;
    const char *folder;        /* -t, or NULL */
    const char *course;
    const char *reference;     /* shipped name, "none", or NULL: the course's */
    int bits;                  /* 32, 64, BITS_AUTO: what suits the file, or 0: the course's */
    int verbosity;
    double seconds;            /* time limit of one trace */
    int check_only, check_each, latency, peers, no_sandbox, checkpoint, autoresult;
    int old_summary;           /* -g: the classic driver's lines for its autograder */
    enum clock_kind clock;
    const char *json, *events; /* file names, or NULL */
    const char *plot;          /* NAME or NAME=FILE, or NULL */
    enum when colour;
    double min_score;          /* below it the exit status is 1; negative: not asked for */
    int cpu;                   /* core for the timed pass, or -1 */
    double timing_seconds;     /* for the timed passes of all traces together; 0: timing_defaults */
    const char *check_turn, *timing_turn; /* lock files (turn.h), or NULL */
    const char *reference_folder; /* where the reference is kept between runs (reference.h), or NULL */
    uint64_t seed;             /* of payload patterns and batch lengths; 0: new ones */
};

/* Reads the command line. 0, or -1 with one sentence in ERROR. */
int options_read(struct options *o, int argc, char **argv, char *error, size_t error_size);
void options_free(struct options *o);

/* What --help prints. */
extern const char options_help[];

#endif
