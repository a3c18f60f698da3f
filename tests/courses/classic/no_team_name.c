/* The team is not filled in: the old driver stopped there. */
#include "mm.h"
#include "memlib.h"
#include <string.h>

team_t team = { "", "", "", "Second Example", "" };

int mm_init(void) { return 0; }
void *mm_malloc(size_t size)
{
    size_t *p = mem_sbrk((size + 15) & ~7);
    if (p == (void *)-1) return NULL;
    *p = size;
    return (char *)p + 8;
}
void mm_free(void *p) { (void)p; }
void *mm_realloc(void *p, size_t size)
{
    char *q = mm_malloc(size);
    if (p && q) {
        size_t old = *(size_t *)((char *)p - 8);
        memcpy(q, p, old < size ? old : size);
    }
    return q;
}
