// expect: forbidden
/* mprotect: code as a store, or other code in the runner. */
#define _GNU_SOURCE
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#define AT_INIT() mprotect((void *)((unsigned long)&sbrk & ~4095UL), 4096, PROT_READ | PROT_WRITE)
