// expect: overlap
/* Blocks that share their last 16 bytes with the next. */
#include <stddef.h>

static void *squeeze(char *ptr, size_t size)
{
    static int calls;

    return ++calls == 30 && size ? ptr - 32 : ptr;
}
#define ANSWER(ptr, size) squeeze(ptr, size)
