/*
 * check.h - the check pass: every answer verified, nothing believed.
 */
#ifndef CHECK_PASS_H /* CHECK_H is the unit test library's */
#define CHECK_PASS_H

#include "course.h"
#include "record.h"
#include "runner_image.h"
#include "trace.h"

/* How a pass treats an allocator; filled from the course and the command line. */
struct pass_options {
    uint64_t alignment;      /* of payload addresses: 8 or 16 */
    uint64_t heap_limit;     /* bytes; 0 means what the address space gives */
    double time_limit;       /* wall-clock seconds for one trace */
    uint32_t wire_flags;     /* WIRE_INIT_BOOL and friends */
    uint64_t outside_cap;    /* most bytes outside the heap, or VERDICT_STATIC_LIMIT; 0: no cap */
    int charge_outside;      /* memory outside the heap counts as heap */
    struct accepts accepts;  /* which of the answers that C allows */
    uint64_t stack_limit;    /* bytes of stack */
    uint64_t seed;           /* of the payload patterns and batch lengths; 0: from the kernel */
    int batch_max;           /* requests revealed at once: 0 the default, 1 for exact diagnosis */
    int cpu;                 /* core to run on, or -1 for the current one */
    size_t output_cap;       /* bytes of the allocator's output kept */
};

/* Replays T in a fresh confined runner and fills R (zeroed by the caller):
 * verdict, message, peaks, answers. Never fails otherwise: our own trouble is
 * VERDICT_GRADER with the reason in R->message. When a payload was damaged,
 * it replays once more, one request at a time, to name the culprit. */
void check_trace(const struct runner_image *image, const struct trace *t,
                 const struct pass_options *options, struct record *r);

/* Puts this process, and the runners it starts, on one core: taking turns is
 * cheapest there (no idle core to wake), and nothing ever spins. CPU -1 is the
 * core we are on. */
void pin_to_cpu(int cpu);

#endif
