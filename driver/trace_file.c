/*
 * trace_file.c - a trace file's text, unpacked if it is gzipped.
 */
#include "trace.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>

/* Reads FILE to its end, at most TRACE_TEXT_LIMIT bytes. NULL with the reason in WHY. */
static char *read_all(gzFile file, size_t *length, char *why, size_t why_size)
{
    char *text = NULL;
    size_t capacity = 0;
    int n, zlib;

    *length = 0;
    do {
        if (*length == capacity) {
            capacity = capacity ? 2 * capacity : 1 << 16;
            char *grown = capacity > TRACE_TEXT_LIMIT ? NULL : realloc(text, capacity);
            if (!grown) {
                snprintf(why, why_size, "expected less than %d MiB of text, unpacked",
                         TRACE_TEXT_LIMIT >> 20);
                free(text);
                return NULL;
            }
            text = grown;
        }
        n = gzread(file, text + *length, (unsigned)(capacity - *length));
        *length += n > 0 ? (size_t)n : 0;
    } while (n > 0);

    const char *reason = gzerror(file, &zlib);
    if (zlib == Z_OK || zlib == Z_STREAM_END)
        return text;
    snprintf(why, why_size, "expected a whole gzip file, but %s",
             zlib == Z_BUF_ERROR ? "it is cut short; copy it again"
             : zlib == Z_ERRNO ? strerror(errno) : reason);
    free(text);
    return NULL;
}

int trace_load(struct trace *t, const char *path, char *error, size_t error_size)
{
    char why[128] = "out of memory", *text = NULL;
    size_t length;
    struct stat status;
    gzFile file = NULL;
    int fd = open(path, O_RDONLY | O_CLOEXEC);

    *t = (struct trace){ 0 };
    if (fd < 0 || fstat(fd, &status))
        snprintf(why, sizeof why, "expected a readable trace file: %s", strerror(errno));
    else if (S_ISDIR(status.st_mode))
        snprintf(why, sizeof why, "expected a trace file, found a directory; name a file in it");
    else if ((file = gzdopen(fd, "rb")) != NULL) /* reads plain files as they are */
        text = read_all(file, &length, why, sizeof why);
    if (file)
        gzclose_r(file);
    else if (fd >= 0)
        close(fd);
    if (!text) {
        snprintf(error, error_size, "%s: %s", path, why);
        return -1;
    }
    int result = trace_parse(t, path, text, length, error, error_size);
    free(text);
    return result;
}
