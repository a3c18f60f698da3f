// expect: outside
/* A mem_sbrk of its own, over memory of its own. */
#include <stddef.h>
#include <stdint.h>

static _Alignas(16) char memory[1 << 20];
static size_t used;
static void *own_sbrk(intptr_t more) { used += (size_t)more; return memory + used - (size_t)more; }
static void *own_lo(void) { return memory; }
static size_t own_size(void) { return used; }
#include "memlib.h"
#define mem_sbrk own_sbrk
#define mem_heap_lo own_lo
#define mem_heapsize own_size
