// expect: forbidden
/* Deletes what it finds. */
#define _GNU_SOURCE
#include <sys/syscall.h>
#include <unistd.h>

#define AT_INIT() unlink("mm.c")
