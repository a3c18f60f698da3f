/*
 * private_memory.h - what a runner keeps outside the heap: the bytes of its
 * private writable memory that differ from what they were before the first
 * request. Static data, stack, what the C library has: whatever a submission
 * uses there shows, wherever it hides it.
 */
#ifndef PRIVATE_MEMORY_H
#define PRIVATE_MEMORY_H

#include <stdint.h>
#include <sys/types.h>

#define PRIVATE_REGIONS 32 /* a static program has a dozen mappings */

struct private_memory {
    int memory_fd, map_fd;  /* /proc/PID/mem and maps */
    struct private_region { uint64_t from, to; int writable; unsigned char *bytes; } region[PRIVATE_REGIONS];
    int count;
};

/* Remembers the private writable memory of process PID. 0, or -1 with errno. */
int private_remember(struct private_memory *m, pid_t pid);

/* Bytes, in words of eight, that are not as remembered; memory that is new counts where it is not zero. -1 when its map
 * is not that of a runner: it has been cut to pieces, or parts are gone. */
int64_t private_changed(const struct private_memory *m);

void private_forget(struct private_memory *m);

#endif
