// expect: differs, timed
/* Answers that depend on which process it is. */
#include <unistd.h>
#include "memlib.h"

#define AT_INIT() mem_sbrk(getpid() % 64 * 16)
#define AT_MALLOC(size) (block = (char *)mem_heap_lo() + getpid() % 64 * 16)
