// expect: overlap
/* Every freed block is put on the list twice. */
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
            if (link != &free_list && *size_of((char *)link) == 0)
                *(size_t *)size_of((char *)link) = 8; /* the wrong one is unlinked */
            else
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
    char *copy = mem_sbrk(32);
    if (copy != (void *)-1) {
        *(size_t *)copy = 0;
        *(char **)(copy + HEADER) = ptr;
        free_list = copy + HEADER;
    }
}

void *mm_realloc(void *ptr, size_t size)
{
    void *block = mm_malloc(size);

    if (block && ptr)
        memcpy(block, ptr, *size_of(ptr) < size ? *size_of(ptr) : size);
    mm_free(ptr);
    return block;
}
