/*
 * process.h - the supervisor's side of one runner: start it confined, take
 * turns with it, learn how it ended.
 */
#ifndef PROCESS_H
#define PROCESS_H

#include <signal.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>
#include "printed.h"
#include "runner_image.h"
#include "wire.h"

struct process {
    const struct runner_image *image;
    pid_t pid;                /* 0 once reaped */
    int heap_fd;
    int count_fd;             /* valgrind's report, or -1 */
    struct printed printed;
    struct mailbox opening;   /* what the mailbox held at first */
    struct mailbox *box;      /* shared with the runner: copy, then verify */
    unsigned char *heap;      /* our own view of the heap */
    uint64_t heap_limit;      /* bytes reserved */
    uint64_t granted;         /* bytes accessible: we alone move this */
    struct wire_request *requests; /* timed pass: ours to write, theirs to read */
    uint64_t *answers;        /* timed pass; and the root table of a collector */
    uint64_t answer_bytes;
    uint64_t request_count;
    double deadline;          /* monotonic seconds */
    uint64_t touch_limit;     /* bytes of the heap that may be touched, or 0: for giant traces */
    int gorged;               /* it touched more: the turn was then said to be late */
    int status;               /* wait status once dead */
};

struct process_setup {
    const struct runner_image *image;
    enum wire_mode mode;
    uint32_t flags;           /* enum wire_flags */
    uint64_t alignment;
    uint64_t heap_limit;      /* bytes of address space */
    uint64_t heap_granted;    /* accessible from the start (timed pass) */
    uint64_t request_count;   /* timed pass */
    uint32_t repeat;          /* timed pass */
    double time_limit;        /* wall-clock seconds */
    size_t output_cap;        /* bytes of output kept */
    uint64_t stack_limit;     /* bytes; 0: the default */
    uint64_t touch_limit;     /* bytes of the heap that may be touched, or 0 */
    int count_instructions;   /* timed pass: under valgrind, in its wider cage */
};

enum process_turn { TURN_OURS, TURN_DEAD, TURN_LATE };

/* Starts a runner. 0, or -1 with a sentence in ERROR. */
int process_start(struct process *p, const struct process_setup *setup, char *error, size_t error_size);

/* Gives the floor to the runner and waits for it back, its death or the deadline. */
enum process_turn process_turn(struct process *p);

/* Waits for the runner's first word, without giving a turn. */
enum process_turn process_wait(struct process *p);

/* Waits until the runner has stopped itself (timed pass). */
enum process_turn process_wait_stop(struct process *p);

/* Lets a stopped runner go on. */
void process_continue(struct process *p);

/* Makes at least WANT bytes of heap accessible. The new size, or 0 past the limit. */
uint64_t process_grant(struct process *p, uint64_t want);

/* Stops the runner for good where it is. The program counter there, or 0. */
uint64_t process_stop_at(struct process *p);

/* CPU time that the runner has used, in seconds. */
double process_cpu(const struct process *p);

/* With count_instructions: lets the runner end, and gives the instructions of
 * the whole process, or 0 when there is no count. The runner must be running. */
uint64_t process_instructions(struct process *p);

/* Bytes of private memory that the runner has touched outside the heap. */
uint64_t process_private_bytes(const struct process *p);

/* Kills if need be, reaps, unmaps. What the allocator printed is returned
 * through OUTPUT (malloc'd, NUL-terminated) unless that is NULL. */
void process_end(struct process *p, char **output);

/* Set by a signal handler to end every wait: turns are then late, at once. */
extern volatile sig_atomic_t process_cancelled;

double monotonic_seconds(void);

/* Where the heap starts in a runner of 32 or 64 bits. */
uint64_t heap_base_of(int bits);

#endif
