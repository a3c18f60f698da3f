// expect: forbidden
/* Reads the file of users. */
#define _GNU_SOURCE
#include <fcntl.h>
#include <sys/syscall.h>
#include <unistd.h>

#define AT_INIT() open("/etc/passwd", O_RDONLY)
