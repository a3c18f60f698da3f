/* log.h - the size of a size. */
#ifndef LOG_H
#define LOG_H

#include <stddef.h>

/* The position of the highest bit of N, which is not 0. */
static inline unsigned log_2(size_t n)
{
    return (unsigned)(8 * sizeof(long) - 1) - (unsigned)__builtin_clzl(n);
}

#endif
