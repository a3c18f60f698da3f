/*
 * build.h - from one source file to a runner.
 *
 * The file is copied alone into a private folder and compiled behind a wall
 * (tool.h) with fixed flags:
 *
 *     gcc -std=gnu11 -O2 -g -fno-pie -fno-common -DMM_ALIGNMENT=N [-m32] [course's flags]
 *
 * What does not compile or link like that is old C, or brings what a header would
 * give, and gets one more flag at a time until it does, each on top of those before
 * (docs/COURSES.md lists them). A warning never refuses a file. In the object
 * everything but the entry points
 * is made local (objcopy), so nothing in it can stand in for the C library or
 * the runner; then it is linked statically with runner.o and memlib.o.
 */
#ifndef BUILD_H
#define BUILD_H

#include <stddef.h>
#include "course.h"
#include "runner_image.h"

#define SOURCE_LIMIT (1 << 20) /* bytes */
#define FINDINGS_MOST 32

/* Something that a static rule says of a file. */
struct finding {
    char rule[32];
    char sentence[320];
    unsigned line;    /* in the source; 0: of the whole file */
    double points;    /* taken off the index */
    int fatal;        /* verdict "build" */
};

struct findings {
    struct finding item[FINDINGS_MOST];
    size_t count;
};

struct build_request {
    const char *source;          /* a path, or the name of a shipped allocator */
    const struct course *course;
    int bits;                    /* 32, 64; 0: the course's, or chosen */
    const char *extra_flag;      /* one more flag, or NULL (tests, ablations) */
};

struct build {
    char text[320];              /* why these bits, or empty */
    char team[9][64];            /* the team_t of older editions */
    size_t team_count;
    struct findings findings;
};

struct elf_object;

enum build_status { BUILD_OK = 0, BUILD_BAD_INPUT = 2, BUILD_FAILED = 3, BUILD_OURS = 5 };

/* Builds what REQUEST asks for. BUILD_OK: IMAGE is complete, and B says the rest.
 * Otherwise ERROR is one sentence and IMAGE->build_log and link_log, if any, what the
 * compiler and the linker said; IMAGE->name, path and sha256 are filled when the file could be read. */
enum build_status build_runner(const struct build_request *request, struct runner_image *image,
                               struct build *b, char *error, size_t error_size);

/* The edition (enum dialect) that SOURCE is written for, and WHY; DIALECT_COUNT for a shipped one: it fits all. */
enum build_status build_dialect(const char *source, int *dialect, char *why, size_t why_size,
                                char *error, size_t error_size);

/* Whether there is such a file or shipped allocator: to be asked of all before the first is graded. When not, ERROR is
 * one sentence. */
int build_can_read(const char *source, char *error, size_t error_size);

/* Whether runners of BITS were built. */
int build_can(int bits);

/* The team as the classic driver looked at it: what it would have refused is noted, and never refused here. */
void build_team(struct findings *f, const struct elf_object *object, const struct build *b);

/* The static rules of a course and those of every course, over a built object. TEXT is the preprocessed source with its
 * macros (gcc -E -dD), or NULL where build_rules_need_text says that none is needed. */
int build_rules_need_text(const struct rules *r);
void build_rules(struct findings *f, const struct course *course, const struct elf_object *object,
                 size_t source_bytes, const char *text);

/* Adds a finding; what does not fit is dropped. */
struct finding *finding_add(struct findings *f, const char *rule, unsigned line, const char *format, ...)
    __attribute__((format(printf, 4, 5)));

/* Names of the shipped allocators that exist, sorted; NULL-terminated. */
const char *const *shipped_names(void);

/* Removes all folders that builds made. */
void build_cleanup(void);

void image_free(struct runner_image *image);

#endif
