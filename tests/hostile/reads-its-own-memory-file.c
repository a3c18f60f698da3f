// expect: forbidden
/* Its memory through /proc, where protections do not count. */
#define _GNU_SOURCE
#include <fcntl.h>
#include <sys/syscall.h>
#include <unistd.h>

#define AT_INIT() open("/proc/self/mem", O_RDWR)
