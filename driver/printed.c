/* printed.c - the file is emptied between turns; who debugs by printing needs the last lines most. */
#define _GNU_SOURCE
#include "printed.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "plain_text.h"

#define TURN 16 /* times what is kept: what one turn may print */

static const char mark[] = "\n... more was printed here than is kept ...\n";

int printed_open(struct printed *p, size_t cap)
{
    *p = (struct printed){ .fd = memfd_create("log", MFD_CLOEXEC), .cap = cap };
    return p->fd < 0 ? -1 : 0;
}

/* To be written at its end and nowhere else: what cannot be read, mapped or sought in keeps nothing from one request to
 * the next. */
int printed_writer(const struct printed *p)
{
    char path[32];

    snprintf(path, sizeof path, "/proc/self/fd/%d", p->fd);
    return open(path, O_WRONLY | O_APPEND | O_CLOEXEC);
}

size_t printed_room(const struct printed *p) { return p->cap * TURN; }

/* The file's bytes move behind TEXT, of which the first and the last stay. */
static void take(struct printed *p, size_t n)
{
    const size_t half = (p->cap - sizeof mark) / 2;
    char *all = realloc(p->text, p->length + n + sizeof mark);

    if (!all)
        return;
    p->text = all;
    ssize_t got = pread(p->fd, all + p->length, n, 0);
    p->length += got > 0 ? (size_t)got : 0;
    if (p->length > p->cap - sizeof mark) {
        memmove(p->text + half, p->text + p->length - half, half);
        p->length = 2 * half;
        p->cut = 1;
    }
}

void printed_make_room(struct printed *p)
{
    off_t n = lseek(p->fd, 0, SEEK_END);

    if (n < (off_t)p->cap)
        return;
    take(p, (size_t)n);
    (void)!ftruncate(p->fd, 0);
}

char *printed_close(struct printed *p)
{
    off_t n = p->fd < 0 ? 0 : lseek(p->fd, 0, SEEK_END);
    char *text;

    if (n > 0)
        take(p, (size_t)n);
    if (p->fd >= 0)
        close(p->fd);
    p->fd = -1;
    if (p->length && p->cut) {
        memmove(p->text + p->length / 2 + strlen(mark), p->text + p->length / 2, p->length / 2);
        memcpy(p->text + p->length / 2, mark, strlen(mark));
        p->length += strlen(mark);
    }
    text = p->text;
    p->text = NULL;
    if (!p->length) {
        free(text);
        return NULL;
    }
    text[p->length] = '\0';
    plain_text(text, p->length);
    return text;
}
