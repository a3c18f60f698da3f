/* Links and sizes in words of 8 bytes: in 32 bits the header of 4 bytes misplaces every payload. */
#include <stdint.h>
#include <string.h>
#include "mm.h"
#include "memlib.h"

team_t team = { "eights", "Edsger Example", "edsger@example.edu", "", "" };

typedef unsigned long word; /* 8 bytes where this was written */

static word free_list;

int mm_init(void)
{
    free_list = 0;
    return 0;
}

void *mm_malloc(size_t size)
{
    word *link = &free_list, *b;

    for (; *link; link = (word *)(*link))
        if (((word *)*link)[-1] >= size) {
            b = (word *)*link;
            *link = *b;
            return b;
        }
    size = (size + 7) / 8 * 8;
    if (size < 8)
        size = 8;
    b = mem_sbrk(size + sizeof(word));
    if (b == (void *)-1)
        return NULL;
    *b = size;
    return b + 1;
}

void mm_free(void *p)
{
    *(word *)p = free_list;
    free_list = (word)p;
}

void *mm_realloc(void *p, size_t size)
{
    void *q = mm_malloc(size);

    if (p && q) {
        word old = ((word *)p)[-1];
        memcpy(q, p, old < size ? old : size);
        mm_free(p);
    }
    return q;
}
