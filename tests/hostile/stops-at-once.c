// expect: differs, timed
/* Says that it is done at the first request of the timed run. */
#define _GNU_SOURCE
#include <signal.h>
#include <unistd.h>
#include "memlib.h"

static int calls;
#define AT_MALLOC(size) (++calls == 2 && is_timed() ? kill(getpid(), SIGSTOP) : 0)

/* In the timed run the heap is all there from the start. */
static int is_timed(void)
{
    extern long write(int, const void *, unsigned long);
    return write(1, mem_heap_lo(), 1) == 1 && write(1, (char *)mem_heap_lo() + (1 << 14), 1) == 1;
}
