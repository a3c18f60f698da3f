// expect: damaged
/* calloc zeroes COUNT * SIZE bytes from the header on, and 64 before it. */
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
        memcpy(block, ptr, *size_of(ptr) < size ? *size_of(ptr) : size);
    return block;
}

void *mm_calloc(size_t count, size_t size)
{
    char *block = mm_malloc(count * size);

    if (block) {
        size_t total = *size_of(block);
        char *from = block - HEADER - 64 > (char *)mem_heap_lo() ? block - HEADER - 64 : block;
        memset(from, 0, (size_t)(block - from) + total);
        *size_of(block) = total;
    }
    return block;
}
