// expect: forbidden
/* munmap: used memory disappears before it is counted. */
#define _GNU_SOURCE
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#define AT_INIT() munmap((void *)0x7ffffff00000, 4096)
