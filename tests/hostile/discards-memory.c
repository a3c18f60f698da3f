// expect: forbidden
/* madvise: the same, by advice. */
#define _GNU_SOURCE
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#define AT_INIT() madvise((void *)0x7ffffff00000, 4096, 4)
