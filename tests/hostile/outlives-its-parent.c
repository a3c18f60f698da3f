// expect: forbidden
/* prctl: no signal when the supervisor dies. */
#define _GNU_SOURCE
#include <sys/syscall.h>
#include <unistd.h>

#define AT_INIT() syscall(SYS_prctl, 1, 0)
