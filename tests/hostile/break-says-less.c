// expect: forbidden, mailbox
/* Moves the break, uses the memory, and tells the supervisor of a smaller one. */
#include <sys/syscall.h>
#include <unistd.h>

static void say(uint32_t event)
{
    struct mailbox *box = mailbox();
    uint32_t turn = box->go;

    box->event = event;
    __atomic_add_fetch(&box->back, 1, __ATOMIC_RELEASE);
    syscall(SYS_futex, &box->back, 1, 1, NULL, NULL, 0);
    while (__atomic_load_n(&box->go, __ATOMIC_ACQUIRE) == turn)
        syscall(SYS_futex, &box->go, 0, turn, NULL, NULL, 0);
}

static void shrink(void)
{
    static int calls;

    if (++calls < 30)
        return;
    for (int i = 0; i < WIRE_BATCH; i++)
        mailbox()->brk[i] = 16;
    mailbox()->done = mailbox()->count;
    say(EVENT_BATCH);
}
#define AT_FREE(ptr) shrink()
