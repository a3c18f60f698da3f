/* Bump allocation with headers; mm_checkheap returns int, and there is no calloc. */
#include <stdio.h>
#include <string.h>
#include "mm.h"
#include "memlib.h"

#ifdef DRIVER
#define malloc mm_malloc
#define free mm_free
#define realloc mm_realloc
#endif

#define ALIGN(p) (((size_t)(p) + 7) & ~0x7)
#define SIZE_PTR(p) ((size_t *)(((char *)(p)) - ALIGN(sizeof(size_t))))

int mm_init(void) {
  return 0;
}

void *malloc(size_t size) {
  int newsize = ALIGN(size + ALIGN(sizeof(size_t)));
  unsigned char *p = mem_sbrk(newsize);

  if ((long)p < 0)
    return NULL;
  p += ALIGN(sizeof(size_t));
  *SIZE_PTR(p) = size;
  return p;
}

void free(void *ptr) {
  ptr = ptr;
}

void *realloc(void *oldptr, size_t size) {
  size_t oldsize;
  void *newptr;

  if (size == 0) {
    free(oldptr);
    return 0;
  }
  if (oldptr == NULL)
    return malloc(size);
  newptr = malloc(size);
  if (!newptr)
    return 0;
  oldsize = *SIZE_PTR(oldptr);
  if (size < oldsize)
    oldsize = size;
  memcpy(newptr, oldptr, oldsize);
  free(oldptr);
  return newptr;
}

int mm_checkheap(int verbose) {
  return verbose + 1; /* means nothing in this edition */
}
