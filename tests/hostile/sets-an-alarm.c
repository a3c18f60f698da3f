// expect: forbidden
/* A timer that interrupts whoever runs. */
#define _GNU_SOURCE
#include <sys/syscall.h>
#include <unistd.h>

#define AT_INIT() alarm(1)
