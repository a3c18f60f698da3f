/* output_file.h - a file that appears whole or not at all, and keeps what it replaces until then. */
#ifndef OUTPUT_FILE_H
#define OUTPUT_FILE_H

#include <limits.h>
#include <stdio.h>

struct output_file {
    FILE *stream;
    char target[PATH_MAX]; /* with links resolved */
    char part[PATH_MAX];   /* what is written meanwhile, beside the target; empty for a pipe or device */
};

/* Whether PATH can be written, which is left as it is. 0, or -1 with a sentence that begins with OPTION and PATH. */
int output_file_check(const char *option, const char *path, char *error, size_t error_size);

/* The same for the files of a folder that is made when it is not there: it, or the folder around it. */
int output_folder_check(const char *option, const char *path, char *error, size_t error_size);

/* Opens F->stream for what is to stand in PATH: a file beside it, or PATH itself where it is a pipe or a device.
 * 0, or -1 with errno. */
int output_file_open(struct output_file *f, const char *path);

/* Closes it; the file takes its place when all of it was written, else it is removed. 0, or -1 with errno. */
int output_file_close(struct output_file *f);

#endif
