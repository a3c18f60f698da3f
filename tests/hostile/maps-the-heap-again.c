// expect: abort
/* The heap's file past the break or as a private copy; its descriptor is closed by then. */
#define _GNU_SOURCE
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#define AT_INIT() (mmap(NULL, 1 << 20, PROT_READ | PROT_WRITE, MAP_PRIVATE, 4, 0) == MAP_FAILED ? abort() : (void)0)
