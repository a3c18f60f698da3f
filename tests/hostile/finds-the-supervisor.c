// expect: forbidden
/* Asks who its parent is. */
#define _GNU_SOURCE
#include <sys/syscall.h>
#include <unistd.h>

#define AT_INIT() getppid()
