/*
 * reference.h - the allocator that speed is compared with: built and checked
 * once, and kept in a folder when there is one, so that a batch does it once in all.
 */
#ifndef REFERENCE_H
#define REFERENCE_H

#include "build.h"
#include "check.h"
#include "trace_set.h"

struct reference {
    int ready;               /* 1 usable, -1 it is not, 0 not asked for yet */
    struct runner_image image;
    struct record *records;  /* by trace; `answers` is NULL while it is unchecked */
};

struct reference_request {
    const char *name;        /* of a shipped allocator */
    const struct course *course;
    int bits;
    const struct trace_set *traces;
    const struct pass_options *pass;
    const char *folder;      /* where it is kept between runs, or NULL. Whoever can write there decides what
                              * submissions are compared with. */
};

/* Makes REF usable: from REQUEST's folder when what is kept there was made from the
 * same traces, rules and driver, else by building it. 0, or an exit status with a
 * sentence in ERROR. A folder that cannot be written only costs time. */
int reference_open(struct reference *ref, const struct reference_request *request, char *error, size_t error_size);

void reference_close(struct reference *ref, size_t traces);

#endif
