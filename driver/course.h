/*
 * course.h - the rules of one course, as data.
 *
 * A course is one file, courses/NAME.cfg in libconfig syntax (docs/COURSES.md).
 * The table of fields in course.c reads it, checks it and exports it as JSON,
 * so that the file stays the only place where a course is written down.
 */
#ifndef COURSE_H
#define COURSE_H

#include <jansson.h>
#include <stddef.h>
#include <stdint.h>

/* Which edition's headers and conventions a file is written against. */
enum dialect { DIALECT_MALLOCLAB, DIALECT_CLASSIC, DIALECT_AUTOLAB, DIALECT_CMU16, DIALECT_COUNT };

enum mean { MEAN_ARITHMETIC, MEAN_HARMONIC, MEAN_GEOMETRIC, MEAN_TOTAL };
enum measure { MEASURE_UTILIZATION, MEASURE_KOPS, MEASURE_RELATIVE };

/* What a trace's utilization is divided by: its payload alone, or the ceiling. */
enum yardstick { OF_PAYLOAD, OF_CEILING };

/* Speed relative to the reference: mean over traces of the ratio, or ratio of the two means. */
enum relative { MEAN_OF_RATIOS, RATIO_OF_MEANS };

enum outside { OUTSIDE_HEAP, OUTSIDE_IGNORED };
enum checkheap { CHECKHEAP_NOTHING, CHECKHEAP_COUNT, CHECKHEAP_SOUND };
enum weights { WEIGHTS_HEADER, WEIGHTS_EQUAL };

/* An index with an invalid trace: 0, or the valid traces' index times their share. */
enum invalid { INVALID_ZERO, INVALID_SHARE };

enum combine { COMBINE_SUM, COMBINE_PRODUCT };

#define COURSE_PARTS 6
#define COURSE_WORDS 12
#define COURSE_TRACES 64

/* points * clamp((measure - low) / (high - low), 0, 1)^power; no upper clamp when unbounded. */
struct part {
    char name[32];
    int measure;
    double points, low, high, power;
    int unbounded;
};

struct checkpoint {
    size_t part_count; /* 0: the course's own */
    struct part parts[COURSE_PARTS];
    double passes_at;  /* full score from this index on and 0 below; 0: the index itself */
};

/* Static rules; 0 or empty: no such rule. */
struct rules {
    int64_t globals_bytes;         /* most writable data */
    double globals_step;           /* bytes of excess that cost one point */
    double globals_points;         /* most points that globals cost */
    char macro_prefix[32];         /* function-like macros must begin with it */
    size_t banned_count;
    char banned[COURSE_WORDS][32]; /* functions that must not be called */
    int need_checkheap;
    int64_t source_bytes;          /* longest source */
};

/* Answers that C allows and not every course does. */
struct accepts {
    int malloc_zero_null;          /* NULL for malloc(0) and calloc(n, 0); a block always is accepted */
    int realloc_zero_null;         /* NULL for realloc(p, 0), which frees p either way */
    int calloc_overflow;           /* a block for a product that overflows: 0 makes it a wrong answer */
};

struct course {
    char name[64];                 /* file name without .cfg */
    char base[64];                 /* the course whose settings hold where this file is silent, or empty */
    char path[1024];
    char title[160];
    int dialect;                   /* enum dialect */
    int64_t bits;                  /* 32, 64, or 0: depends on the file */
    int64_t alignment;             /* bytes */
    int64_t heap_limit;            /* bytes */
    size_t flag_count;
    char flags[COURSE_WORDS][32];  /* extra compiler flags */
    int outside;
    int64_t outside_cap;           /* bytes; 0: none */
    int64_t stack_limit;           /* bytes of stack */
    struct accepts accepts;
    int checkheap;
    char reference[64];            /* shipped allocator that speed is compared with */
    char traces[256];              /* folder of traces, from mdriver's own */
    size_t scored_count;
    char scored[COURSE_TRACES][32]; /* file names that count in a folder that has any of them; none: all do */
    int weights, invalid;
    struct { int mean, of; } utilization;
    struct { int mean, relative; } throughput;
    int combine;
    size_t part_count;
    struct part parts[COURSE_PARTS];
    double zero_below;             /* index below which it counts as 0 */
    int has_checkpoint;
    struct checkpoint checkpoint;
    struct rules rules;
    char autoresult[512];          /* last line under -A; $name is replaced */
};

/* Reads NAME: a course from the search path ($MDRIVER_COURSES, then the folder
 * courses/ beside the executable), or a path that ends in .cfg. 0, or -1 with
 * one sentence in ERROR. */
int course_load(struct course *c, const char *name, char *error, size_t error_size);

/* The file of NAME, found as course_load says. 0, or -1 with one sentence in ERROR. */
int course_find(char *path, size_t size, const char *name, char *error, size_t error_size);

/* Names of all courses found, sorted; NULL-terminated and malloc'd, as each name is. */
char **course_list(void);
void course_list_free(char **names);

/* All that a course says, as a new JSON object. */
json_t *course_json(const struct course *c);

const char *dialect_word(int dialect);

/* Folder that the executable stands in. */
const char *program_folder(void);

/* The candidate nearest to WORD by edits, or NULL when none is near. CANDIDATES ends with NULL. */
const char *did_you_mean(const char *word, const char *const *candidates);

#endif
