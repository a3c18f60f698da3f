/* mm.h - entry points of the 2012 to 2015 edition. mm.c is compiled with
 * -DDRIVER and maps malloc and friends to these names itself. */
#ifndef MM_H
#define MM_H

#include <stddef.h>
#include <stdio.h>

#ifdef DRIVER
extern void *mm_malloc(size_t size);
extern void mm_free(void *ptr);
extern void *mm_realloc(void *ptr, size_t size);
extern void *mm_calloc(size_t nmemb, size_t size);
#else
extern void *malloc(size_t size);
extern void free(void *ptr);
extern void *realloc(void *ptr, size_t size);
extern void *calloc(size_t nmemb, size_t size);
#endif

extern int mm_init(void);
#ifndef MM_NO_CHECKHEAP /* some files return int */
extern void mm_checkheap(int verbose);
#endif

#endif
