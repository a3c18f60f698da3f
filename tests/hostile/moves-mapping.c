// expect: forbidden
/* mremap: more memory behind a mapping that is there. */
#define _GNU_SOURCE
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>
#include "memlib.h"

#define AT_INIT() mremap(mem_heap_lo(), 4096, 1 << 20, MREMAP_MAYMOVE)
