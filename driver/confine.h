/*
 * confine.h - what a process that holds student code may do: almost nothing.
 *
 * Applied in the child between fork and exec, so that constructors already run
 * confined. The same on a student's terminal and in a batch.
 */
#ifndef CONFINE_H
#define CONFINE_H

#include <stdint.h>
#include <sys/types.h>

struct confinement {
    int bits;                 /* word size of the program: 32 or 64 */
    int exec_fd;              /* the only file it may execute, once */
    pid_t supervisor;         /* dies with it */
    uint64_t address_space;   /* bytes */
    uint64_t writable;        /* bytes of private writable memory besides the stack */
    double cpu_seconds;
    uint64_t file_bytes;      /* largest file it may write */
    uint64_t stack;           /* bytes of stack; 0: CONFINE_STACK */
};

/* Bytes of stack a submission has unless its course says otherwise; part of the published cap. */
#define CONFINE_STACK ((uint64_t)256 << 10)

/* The path of the one execveat that the filter lets through; empty, and known by its address. */
extern const char confine_exec_path[1];

/* Prepares the syscall filters once, in the supervisor. 0, or -1 with errno. */
int confine_prepare(int exec_fd);

/* In the child, after its descriptors are in place: drops everything. 0, or -1
 * with errno; the caller must then _exit. */
int confine_self(const struct confinement *c);

#endif
