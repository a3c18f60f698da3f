// expect: forbidden
/* pidfd_open, to take descriptors out of another process. */
#define _GNU_SOURCE
#include <sys/syscall.h>
#include <unistd.h>

#define AT_INIT() syscall(434, 1, 0)
