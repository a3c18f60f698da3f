// expect: forbidden
/* sigqueue: another door to the same. */
#define _GNU_SOURCE
#include <signal.h>
#include <sys/syscall.h>
#include <unistd.h>

#define AT_INIT() sigqueue(1, SIGKILL, (union sigval){ 0 })
