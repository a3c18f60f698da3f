/* Bump allocation for this project's own edition; its one global counts as heap. */
#include <string.h>
#include "mm.h"
#include "memlib.h"

static size_t blocks; /* 8 bytes */

static size_t round_up(size_t n) { return (n + MM_ALIGNMENT - 1) / MM_ALIGNMENT * MM_ALIGNMENT; }

int mm_init(void)
{
    blocks = 0;
    return 0;
}

void *mm_malloc(size_t size)
{
    size_t *header = mem_sbrk((intptr_t)(16 + round_up(size)));

    if (header == (void *)-1)
        return NULL;
    header[0] = size;
    blocks++;
    return header + 2;
}

void mm_free(void *ptr) { (void)ptr; }

void *mm_realloc(void *ptr, size_t size)
{
    void *fresh = mm_malloc(size);

    if (ptr && fresh) {
        size_t old = ((size_t *)ptr)[-2];
        memcpy(fresh, ptr, old < size ? old : size);
    }
    return fresh;
}
