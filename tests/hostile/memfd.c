// expect: forbidden
/* A file in memory of its own. */
#define _GNU_SOURCE
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#define AT_INIT() memfd_create("depot", 0)
