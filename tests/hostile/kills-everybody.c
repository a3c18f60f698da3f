// expect: forbidden
/* SIGKILL to every process it may signal. */
#define _GNU_SOURCE
#include <signal.h>
#include <sys/syscall.h>
#include <unistd.h>

#define AT_INIT() kill(-1, SIGKILL)
