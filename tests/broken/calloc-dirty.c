// expect: not-zero
/* calloc forgets that recycled memory is not zero. */
#include <string.h>
#include "memlib.h"
#include "mm.h"

#define HEADER 16

static size_t *size_of(void *ptr) { return (size_t *)((char *)ptr - HEADER); }

static char *free_list; /* the next block stands in the payload's first bytes */

int mm_init(void)
{
    free_list = NULL;
    return 0;
}

void *mm_malloc(size_t size)
{
    size_t total = (HEADER + (size < 16 ? 16 : size) + 15) & ~(size_t)15;

    for (char **link = &free_list; *link; link = (char **)*link) {
        char *block = *link;
        if (*size_of(block) >= size) {
            *link = *(char **)block;
            return block;
        }
    }
    char *block = mem_sbrk((intptr_t)total);
    if (block == (void *)-1)
        return NULL;
    *(size_t *)block = total - HEADER;
    return block + HEADER;
}

void mm_free(void *ptr)
{
    if (!ptr)
        return;
    *(char **)ptr = free_list;
    free_list = ptr;
}

void *mm_realloc(void *ptr, size_t size)
{
    void *block = mm_malloc(size);

    if (block && ptr)
        memcpy(block, ptr, *size_of(ptr) < size ? *size_of(ptr) : size);
    mm_free(ptr);
    return block;
}

void *mm_calloc(size_t count, size_t size) { return mm_malloc(count * size); }
