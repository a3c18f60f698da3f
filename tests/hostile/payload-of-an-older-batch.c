// expect: damaged, mailbox
/* Borrows a block of an older batch and restores it with a key of this one. */
#include <stddef.h>

static char *old;
static void *borrow(void *ptr, size_t size)
{
    static int calls, since;

    calls++;
    if (!old && size >= 64)
        old = ptr, since = calls;
    if (old && calls - since == 60)
        *(uint64_t *)old = mailbox()->key[0].a ^ mailbox()->key[1].b;
    return ptr;
}
#define ANSWER(ptr, size) borrow(ptr, size)
#define AT_FREE(ptr) (old = (ptr) == old ? NULL : old)
