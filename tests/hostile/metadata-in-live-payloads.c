// expect: damaged
/* Keeps a word in the last bytes of a block that is in use. */
#include <stddef.h>
#include <string.h>

static char *last;
static size_t length;
static void *remember(void *ptr, size_t size)
{
    if (last && length >= 8)
        memcpy(last + length - 8, &ptr, 8);
    last = ptr, length = size;
    return ptr;
}
#define ANSWER(ptr, size) remember(ptr, size)
#define AT_FREE(ptr) (last = (ptr) == last ? NULL : last)
