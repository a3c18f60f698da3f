// expect: forbidden
/* The kernel's key store as a memory from run to run. */
#define _GNU_SOURCE
#include <sys/syscall.h>
#include <unistd.h>

#define AT_INIT() syscall(SYS_add_key, "user", "depot", "x", 1, -4)
