// expect: forbidden
/* execve of a shell. */
#define _GNU_SOURCE
#include <sys/syscall.h>
#include <unistd.h>

#define AT_INIT() execve("/bin/sh", NULL, NULL)
