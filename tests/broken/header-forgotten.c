// expect: damaged
/* The header's own bytes are forgotten: each block runs into the next one. */
#include <string.h>
#include "memlib.h"
#include "mm.h"

#define HEADER 16

static size_t *size_of(void *ptr) { return (size_t *)((char *)ptr - HEADER); }

static char *next;

int mm_init(void) { return 0; }

void *mm_malloc(size_t size)
{
    size_t total = (size + 15) & ~(size_t)15;
    char *block = mem_heapsize() ? next : mem_sbrk(1 << 22);

    if (block + HEADER + total > (char *)mem_heap_hi())
        return NULL;
    next = block + total;
    *(size_t *)block = size;
    return block + HEADER;
}

void mm_free(void *ptr) { (void)ptr; }

void *mm_realloc(void *ptr, size_t size)
{
    void *block = mm_malloc(size);

    if (block && ptr)
        memcpy(block, ptr, *size_of(ptr) < size ? *size_of(ptr) : size);
    return block;
}
