// expect: abort, mailbox
/* A word in the rest of the page that it shares with the supervisor. */
#include <stdlib.h>

static void keep(void)
{
    static int calls;
    char *rest = (char *)mailbox() + sizeof(struct mailbox) + 64;

    if (calls == 100 && *rest != 7)
        abort();
    if (!calls++)
        *rest = 7;
    else if (calls == 2)
        *rest = 7;
}
#define AT_MALLOC(size) keep()
