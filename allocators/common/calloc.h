/* calloc.h - mm_calloc out of mm_malloc. */
#ifndef CALLOC_H
#define CALLOC_H

#include "mm.h"

#include <stdint.h>
#include <string.h>

void *mm_calloc(size_t count, size_t size)
{
    if (size && count > SIZE_MAX / size)
        return NULL;
    void *p = mm_malloc(count * size);
    return p ? memset(p, 0, count * size) : NULL;
}

#endif
