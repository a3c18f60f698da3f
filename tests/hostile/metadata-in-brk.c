// expect: abort
/* Moves the process's own break, which the limit on its data does not allow. */
#define _GNU_SOURCE
#include <stdlib.h>
#include <sys/syscall.h>
#include <unistd.h>

#define AT_INIT() (sbrk(1 << 16) == (void *)-1 ? abort() : (void)0)
