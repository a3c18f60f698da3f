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

/* The private writable regions now, without their bytes. Their number, or -1. */
static int read_map(int fd, struct private_region *region)
{
    char text[8192]; /* a static program has a dozen mappings */
    ssize_t length = pread(fd, text, sizeof text - 1, 0);
    int count = 0;

    if (length <= 0)
        return -1;
    text[length] = '\0';
    for (const char *line = text; *line && count < PRIVATE_REGIONS; line = strchr(line, '\n') + 1) {
        unsigned long long from, to;
        char mode[5];
        if (sscanf(line, "%llx-%llx %4s", &from, &to, mode) == 3 && mode[1] == 'w' && mode[3] == 'p')
            region[count++] = (struct private_region){ from, to, NULL };
        if (!strchr(line, '\n'))
            break;
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
        r->bytes = read_region(m->memory_fd, r->from, r->to);
        if (!r->bytes)
            return -1;
    }
    return count > 0 ? 0 : -1;
}

/* The remembered word at ADDRESS; zero where there was no memory. */
static uint64_t word_before(const struct private_memory *m, const struct private_region **near, uint64_t address)
{
    uint64_t word = 0;

    if (!*near || address < (*near)->from || address >= (*near)->to) {
        *near = NULL;
        for (int i = 0; i < m->count; i++)
            if (address >= m->region[i].from && address < m->region[i].to)
                *near = &m->region[i];
    }
    if (*near)
        memcpy(&word, (*near)->bytes + (address - (*near)->from), sizeof word);
    return word;
}

int64_t private_changed(const struct private_memory *m)
{
    struct private_region now[PRIVATE_REGIONS];
    const struct private_region *near = NULL;
    int count = read_map(m->map_fd, now);
    int64_t changed = 0;

    if (count < 0)
        return -1;
    for (int i = 0; i < count; i++) {
        unsigned char *bytes = read_region(m->memory_fd, now[i].from, now[i].to);
        if (!bytes)
            return -1;
        for (uint64_t at = 0; at < now[i].to - now[i].from; at += sizeof(uint64_t)) {
            uint64_t word;
            memcpy(&word, bytes + at, sizeof word);
            if (word != word_before(m, &near, now[i].from + at))
                changed += (int64_t)sizeof word;
        }
        free(bytes);
    }
    return changed;
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
