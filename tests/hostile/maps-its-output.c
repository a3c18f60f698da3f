// expect: forbidden
/* The file of its output as memory. */
#define _GNU_SOURCE
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#define AT_INIT() mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, 1, 0)
