// expect: forbidden
/* SIGSTOP to its process group, and so to the supervisor. */
#define _GNU_SOURCE
#include <signal.h>
#include <sys/syscall.h>
#include <unistd.h>

#define AT_INIT() kill(0, SIGSTOP)
