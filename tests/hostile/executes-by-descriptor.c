// expect: forbidden
/* The one execveat that the filter lets through, with a path that counts instead of the descriptor. */
#define _GNU_SOURCE
#include <sys/syscall.h>
#include <unistd.h>

#define AT_INIT() syscall(SYS_execveat, 64, "/bin/sh", NULL, NULL, 0x1000)
