// expect: ok
/* Asks for the break to move down, and to wrap around. */
#include <stdint.h>
#include "memlib.h"

#define AT_MALLOC(size) (mem_sbrk(-4096), mem_sbrk(INTPTR_MIN), mem_sbrk(INTPTR_MAX))
