// expect: forbidden
/* tgkill: a signal to a thread of another process. */
#define _GNU_SOURCE
#include <signal.h>
#include <sys/syscall.h>
#include <unistd.h>

#define AT_INIT() syscall(SYS_tgkill, 1, 1, SIGKILL)
