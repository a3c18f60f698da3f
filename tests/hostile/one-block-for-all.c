// expect: overlap
/* The same block for every request. */
#include <stddef.h>

static void *same(void *ptr)
{
    static int calls;
    static void *first;

    first = first ? first : ptr;
    return ++calls > 5 ? first : ptr;
}
#define ANSWER(ptr, size) same(ptr)
