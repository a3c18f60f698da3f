/* private_memory.c - reads a runner's memory through /proc, as its parent may. */
#define _GNU_SOURCE
#include "private_memory.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define MOST_BYTES (UINT64_C(1) << 30) /* of one region: what the limits leave is far less */

static unsigned char *read_region(int fd, uint64_t from, uint64_t to)
{
    unsigned char *bytes = to - from <= MOST_BYTES ? malloc(to - from) : NULL;

    if (bytes && pread(fd, bytes, to - from, (off_t)from) != (ssize_t)(to - from)) {
        free(bytes);
        bytes = NULL;
    }
    return bytes;
}

/* All private regions now, without their bytes. Their number, or -1: no honest runner has so many. */
static int read_map(int fd, struct private_region *region)
{
    char text[16384];
    ssize_t length = 0, got;
    int count = 0;

    while ((got = pread(fd, text + length, sizeof text - 1 - (size_t)length, length)) > 0)
        length += got;
    text[length] = '\0';
    errno = E2BIG;
    if (length == 0 || length == sizeof text - 1)
        return -1;
    for (const char *line = text; *line; line = strchr(line, '\n') + 1) {
        unsigned long long from, to;
        char mode[5];
        if (sscanf(line, "%llx-%llx %4s", &from, &to, mode) != 3 || !strchr(line, '\n'))
            return -1;
        if (mode[3] != 'p')
            continue;
        if (count == PRIVATE_REGIONS)
            return -1;
        region[count++] = (struct private_region){ from, to, mode[1] == 'w', NULL };
    }
    return count;
}

static int open_of(pid_t pid, const char *what)
{
    char path[64];

    snprintf(path, sizeof path, "/proc/%d/%s", (int)pid, what);
    return open(path, O_RDONLY | O_CLOEXEC);
}

int private_remember(struct private_memory *m, pid_t pid)
{
    *m = (struct private_memory){ .memory_fd = open_of(pid, "mem"), .map_fd = open_of(pid, "maps") };
    int count = m->memory_fd < 0 || m->map_fd < 0 ? -1 : read_map(m->map_fd, m->region);

    for (m->count = 0; m->count < count; m->count++) {
        struct private_region *r = &m->region[m->count];
        r->bytes = r->writable ? read_region(m->memory_fd, r->from, r->to) : NULL;
        if (r->writable && !r->bytes)
            return -1;
    }
    return count > 0 ? 0 : -1;
}

/* Bytes of [FROM, TO) that differ from BEFORE, or from zero when that is NULL; -1 when they cannot be read. */
static int64_t differing(const struct private_memory *m, uint64_t from, uint64_t to, const unsigned char *before)
{
    unsigned char *bytes = read_region(m->memory_fd, from, to);
    int64_t changed = bytes ? 0 : -1;

    for (uint64_t at = 0; bytes && at < to - from; at += sizeof(uint64_t)) {
        uint64_t now, then = 0;
        memcpy(&now, bytes + at, sizeof now);
        if (before)
            memcpy(&then, before + at, sizeof then);
        if (now != then)
            changed += (int64_t)sizeof now;
    }
    free(bytes);
    return changed;
}

/* The part of a region of today that begins at FROM and is wholly new or wholly old; its end. *OLD says which. */
static uint64_t part_end(const struct private_memory *m, uint64_t from, uint64_t to, int *old)
{
    *old = 0;
    for (int i = 0; i < m->count; i++) {
        const struct private_region *r = &m->region[i];
        if (from >= r->from && from < r->to) {
            *old = 1;
            return to < r->to ? to : r->to;
        }
        if (r->from > from && r->from < to)
            to = r->from;
    }
    return to;
}

int64_t private_changed(const struct private_memory *m)
{
    struct private_region now[PRIVATE_REGIONS];
    int count = read_map(m->map_fd, now);
    int64_t changed = 0;

    /* What was writable, whatever its protection is by now. */
    for (int i = 0; count >= 0 && i < m->count; i++) {
        const struct private_region *r = &m->region[i];
        int64_t more = r->bytes ? differing(m, r->from, r->to, r->bytes) : 0;
        if (more < 0)
            return -1;
        changed += more;
    }
    /* What is new: the stack and the process's break may have grown. */
    for (int i = 0; i < count; i++) {
        for (uint64_t from = now[i].from, to; from < now[i].to; from = to) {
            int old;
            to = part_end(m, from, now[i].to, &old);
            int64_t more = old ? 0 : differing(m, from, to, NULL);
            if (more < 0)
                return -1;
            changed += more;
        }
    }
    return count < 0 ? -1 : changed;
}

void private_forget(struct private_memory *m)
{
    for (int i = 0; i < m->count; i++)
        free(m->region[i].bytes);
    if (m->memory_fd > 0)
        close(m->memory_fd);
    if (m->map_fd > 0)
        close(m->map_fd);
    *m = (struct private_memory){ .memory_fd = -1, .map_fd = -1 };
}
