// expect: ok
/* Empties the heap as a driver would between traces, again and again. */
#include "memlib.h"

#define AT_MALLOC(size) (mem_reset_brk(), mem_deinit(), mem_init())
