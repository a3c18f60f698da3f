/* build_source.h - which file is meant, and what stands in it. */
#ifndef BUILD_SOURCE_H
#define BUILD_SOURCE_H

#include <stddef.h>

struct source {
    char name[64];         /* for tables: "explicit", "mm.c" */
    char path[4096];
    int shipped;           /* ours, hence trusted: it may include its neighbours */
    unsigned char *bytes;
    size_t size;
    char sha256[65];
};

/* Finds and reads WHAT: a shipped name, or a path. 0 or an enum build_status
 * with a sentence in ERROR. Free bytes in either case. */
int source_read(struct source *s, const char *what, char *error, size_t error_size);

/* Reads a regular file of at most MOST bytes; NULL with errno (EFBIG when longer). */
unsigned char *read_whole(const char *path, size_t most, size_t *size);

#endif
