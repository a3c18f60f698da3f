// expect: forbidden
/* System V shared memory, which outlives a process. */
#define _GNU_SOURCE
#include <sys/shm.h>
#include <sys/syscall.h>
#include <unistd.h>

#define AT_INIT() shmget(0x6d6d, 4096, 01600)
