// expect: forbidden, mailbox
/* Gives the floor back in the middle of a batch and works on while it is verified. */
#include <sys/syscall.h>
#include <unistd.h>

static void race(void)
{
    static int calls;

    if (++calls < 40)
        return;
    mailbox()->event = EVENT_BATCH;
    __atomic_add_fetch(&mailbox()->back, 1, __ATOMIC_RELEASE);
    syscall(SYS_futex, &mailbox()->back, 1, 1, NULL, NULL, 0);
}
#define AT_MALLOC(size) race()
