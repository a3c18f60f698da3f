// expect: forbidden
/* ptrace of another process. */
#define _GNU_SOURCE
#include <sys/syscall.h>
#include <unistd.h>

#define AT_INIT() syscall(SYS_ptrace, 16, 1, 0, 0)
