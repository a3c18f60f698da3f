// expect: timeout
/* Stops, so that the supervisor waits for ever. */
#define _GNU_SOURCE
#include <signal.h>
#include <sys/syscall.h>
#include <unistd.h>

#define AT_INIT() kill(getpid(), SIGSTOP)
