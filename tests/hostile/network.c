// expect: forbidden
/* Sends the traces home. */
#define _GNU_SOURCE
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#define AT_INIT() socket(2, 1, 0)
