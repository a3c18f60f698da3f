/* printed.h - what a runner prints: the first and the last of it, however much that is. */
#ifndef PRINTED_H
#define PRINTED_H

#include <stddef.h>

struct printed {
    int fd;        /* a file in memory that the runner appends to, or -1 */
    size_t cap;    /* bytes kept */
    char *text;    /* what was taken out of the file so far */
    size_t length;
    int cut;       /* some was between the first and the last, and is gone */
};

/* Starts with an empty file. 0, or -1 with errno. */
int printed_open(struct printed *p, size_t cap);

/* The file as the runner has it, or -1 with errno. */
int printed_writer(const struct printed *p);

/* Most bytes that the file may hold: what one turn may print. */
size_t printed_room(const struct printed *p);

/* Makes room, while the runner waits. */
void printed_make_room(struct printed *p);

/* Ends it. All that is kept, malloc'd, NUL-terminated, fit to be shown; NULL when nothing was printed. */
char *printed_close(struct printed *p);

#endif
