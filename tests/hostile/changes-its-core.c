// expect: forbidden
/* sched_setaffinity: a core of its own. */
#define _GNU_SOURCE
#include <sys/syscall.h>
#include <unistd.h>

#define AT_INIT() syscall(SYS_sched_setaffinity, 0, 8, (unsigned long[]){ ~0ul })
