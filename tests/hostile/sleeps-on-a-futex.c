// expect: timeout
/* Sleeps in the one call that may wait. */
#include <sys/syscall.h>
#include <unistd.h>

static int word;
#define AT_INIT() syscall(SYS_futex, &word, 0, 0, (void *)0, (void *)0, 0)
