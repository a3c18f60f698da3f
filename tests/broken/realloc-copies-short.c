// expect: lost
/* realloc copies one byte too few. */
#include <string.h>
#include "memlib.h"
#include "mm.h"

#define HEADER 16

static size_t *size_of(void *ptr) { return (size_t *)((char *)ptr - HEADER); }

int mm_init(void) { return 0; }

void *mm_malloc(size_t size)
{
    size_t total = (HEADER + size + 15) & ~(size_t)15;
    char *block = mem_sbrk((intptr_t)total);

    if (block == (void *)-1)
        return NULL;
    *(size_t *)block = size;
    return block + HEADER;
}

void mm_free(void *ptr) { (void)ptr; }

void *mm_realloc(void *ptr, size_t size)
{
    void *block = mm_malloc(size);

    if (block && ptr)
        memcpy(block, ptr, (*size_of(ptr) < size ? *size_of(ptr) : size) - 1);
    return block;
}
