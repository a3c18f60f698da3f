/* build_link.c - reads what ld says of undefined names; the files that it names there are ours, or copies. */
#define _GNU_SOURCE
#include "build_link.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "course.h"

#define UNDEFINED ": undefined reference to `"
enum { NAMES_MOST = 5 };

static const char *const needed[] = { "mm_init", "mm_malloc", "mm_free", "mm_realloc", NULL };
static const char *const offered[] = { "mem_sbrk", "mem_heap_lo", "mem_heap_hi", "mem_heapsize", "mem_pagesize", NULL };

struct undefined {
    char name[64];
    unsigned line; /* 0: the linker does not say */
};

static int is_one_of(const char *name, const char *const *names)
{
    for (; *names; names++)
        if (strcmp(name, *names) == 0)
            return 1;
    return 0;
}

/* Reads "WHERE:LINE: undefined reference to `NAME'", the text up to END. 0, or -1 when it is another line. */
static int read_line(struct undefined *u, const char *text, const char *end)
{
    const char *what = memmem(text, (size_t)(end - text), UNDEFINED, strlen(UNDEFINED));
    const char *name = what ? what + strlen(UNDEFINED) : NULL;
    const char *quote = name ? memchr(name, '\'', (size_t)(end - name)) : NULL, *digits = what;

    if (!quote)
        return -1;
    snprintf(u->name, sizeof u->name, "%.*s", (int)(quote - name), name);
    while (digits > text && digits[-1] >= '0' && digits[-1] <= '9')
        digits--;
    u->line = digits > text && digits[-1] == ':' ? (unsigned)strtoul(digits, NULL, 10) : 0;
    return 0;
}

static void append(char *out, size_t size, const char *text)
{
    size_t n = strlen(out);

    snprintf(out + n, size - n, "%s", text);
}

int link_reason(const char *name, const char *log, char *out, size_t size)
{
    struct undefined found[NAMES_MOST], u;
    size_t names = 0, more = 0;
    char one[192];
    const char *near = NULL;

    out[0] = '\0';
    for (size_t i = 0; needed[i]; i++) {
        snprintf(one, sizeof one, UNDEFINED "%s'", needed[i]);
        if (strstr(log, one)) {
            append(out, size, out[0] ? ", " : "it does not define ");
            append(out, size, needed[i]);
        }
    }
    if (out[0])
        return 0;
    for (const char *line = log; *line; line += strcspn(line, "\n"), line += *line == '\n') {
        size_t known = 0;
        if (read_line(&u, line, line + strcspn(line, "\n")))
            continue;
        while (known < names && strcmp(found[known].name, u.name) != 0)
            known++;
        if (known < names || names == NAMES_MOST)
            more += known == NAMES_MOST;
        else
            found[names++] = u;
    }
    if (names == 0)
        return -1;
    append(out, size, "does not link: ");
    for (size_t i = 0; i < names; i++) {
        snprintf(one, sizeof one, found[i].line ? "%s%s (%s:%u)" : "%s%s", i ? ", " : "", found[i].name, name,
                 found[i].line);
        append(out, size, one);
    }
    append(out, size, more ? " and others are used and nowhere defined" : names > 1 ? " are used and nowhere defined"
                                                                                    : " is used and nowhere defined");
    if (names == 1 && strncmp(found[0].name, "mem_", 4) == 0 && !is_one_of(found[0].name, offered)
        && (near = did_you_mean(found[0].name, offered)) != NULL) {
        append(out, size, "; did you mean ");
        append(out, size, near);
        append(out, size, "?");
    }
    return 0;
}
