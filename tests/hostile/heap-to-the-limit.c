// expect: heap-limit
/* Moves the break until nothing is left. */
#include "memlib.h"

#define AT_MALLOC(size) while (mem_sbrk(1 << 24) != (void *)-1); return NULL
