// expect: forbidden
/* A filter of its own, that answers for the kernel. */
#define _GNU_SOURCE
#include <sys/syscall.h>
#include <unistd.h>

#define AT_INIT() syscall(SYS_seccomp, 1, 0, 0)
