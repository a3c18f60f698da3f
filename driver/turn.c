/* turn.c - a lock on a file, which the kernel releases even when we are killed. */
#define _GNU_SOURCE
#include "turn.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#include "process.h"

int turn_begin(int *turn, const char *path, char *error, size_t error_size)
{
    *turn = -1;
    if (!path)
        return 0;
    *turn = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
    while (*turn >= 0 && !process_cancelled) {
        if (flock(*turn, LOCK_EX) == 0)
            return 0;
        if (errno != EINTR)
            break;
    }
    if (process_cancelled)
        return 0;
    snprintf(error, error_size, "%s: cannot wait for a turn with this lock file: %s%s", path, strerror(errno),
             errno == ENOENT ? "; make it first, with touch" : "");
    return -1;
}

void turn_end(int *turn)
{
    if (*turn >= 0)
        close(*turn);
    *turn = -1;
}
