// expect: forbidden
/* System calls by way of a ring that no filter watches. */
#define _GNU_SOURCE
#include <sys/syscall.h>
#include <unistd.h>

#define AT_INIT() syscall(425, 8, (char[256]){ 0 })
