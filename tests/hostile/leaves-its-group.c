// expect: forbidden
/* setsid: out of reach of whoever signals the group. */
#define _GNU_SOURCE
#include <sys/syscall.h>
#include <unistd.h>

#define AT_INIT() setsid()
