/* mm.h - entry points of the classic edition. */
#ifndef MM_H
#define MM_H

#include <stddef.h>
#include <stdio.h>

extern int mm_init(void);
extern void *mm_malloc(size_t size);
extern void mm_free(void *ptr);
extern void *mm_realloc(void *ptr, size_t size);

#ifndef MM_NO_TEAM /* a file may bring its own */
#include "team.h"
#endif

#endif
