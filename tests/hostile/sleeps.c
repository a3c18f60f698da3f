// expect: forbidden
/* Sleeps, which costs no CPU time. */
#define _GNU_SOURCE
#include <sys/syscall.h>
#include <unistd.h>

#define AT_INIT() sleep(1000)
