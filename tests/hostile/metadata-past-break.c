// expect: past-break
/* Keeps a word between the break and the end of its page. */
#include "memlib.h"

static void keep(void)
{
    char *hi = (char *)mem_heap_lo() + mem_heapsize();

    if ((unsigned long)hi % 4096)
        *hi = 1;
}
#define AT_FREE(ptr) keep()
