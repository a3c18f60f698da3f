// expect: forbidden
/* unshare: root in a world of its own. */
#define _GNU_SOURCE
#include <sys/syscall.h>
#include <unistd.h>

#define AT_INIT() syscall(SYS_unshare, 0x10000000)
