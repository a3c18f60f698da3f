/*
 * report.h - how an allocator says that it was misused or that its heap is broken.
 *
 * Whatever its own file is called, it is graded as mm.c, so that is the name in the sentence.
 */
#ifndef REPORT_H
#define REPORT_H

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

/* The caller of CALL did something that no heap survives: one sentence on stderr, then abort. */
__attribute__((noreturn, cold, unused, format(printf, 3, 4)))
static void misuse(const char *call, const void *ptr, const char *format, ...)
{
    va_list args;

    fprintf(stderr, "mm.c: %s(%p): ", call, ptr);
    va_start(args, format);
    vfprintf(stderr, format, args);
    va_end(args);
    fputc('\n', stderr);
    abort();
}

/* A broken invariant, seen by mm_checkheap(LINE): one sentence on stderr. Returns 1, to be counted. */
__attribute__((cold, unused, format(printf, 2, 3)))
static int broken(int line, const char *format, ...)
{
    va_list args;

    fprintf(stderr, "mm.c: mm_checkheap(%d): ", line);
    va_start(args, format);
    vfprintf(stderr, format, args);
    va_end(args);
    fputc('\n', stderr);
    return 1;
}

#endif
