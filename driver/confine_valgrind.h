/*
 * confine_valgrind.h - what a runner under valgrind may do: more than alone,
 * because valgrind itself needs it, but nothing that outlives the process.
 */
#ifndef CONFINE_VALGRIND_H
#define CONFINE_VALGRIND_H

#include "confine.h"

/* Descriptor under which a child finds the file that valgrind reports to. */
#define COUNT_FD 7

/* In the child, after its descriptors are in place: namespaces of its own with
 * a read-only file system, an empty /tmp and no network; limits; and a filter
 * that denies other processes, sockets and tracing. 0, or -1 with errno (most
 * likely: user namespaces are off); the caller must then _exit. */
int confine_valgrind(const struct confinement *c);

/* Becomes valgrind's cachegrind around the executable behind EXEC_FD, which
 * must stay open across the exec. Returns only on failure, with errno. */
void exec_valgrind(int exec_fd);

/* Where valgrind is, or NULL when it is not installed. */
const char *valgrind_path(void);

#endif
