// expect: forbidden, mailbox
/* Claims to have served 4 thousand million requests of a batch of a few. */
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

#define AT_FREE(ptr) (mailbox()->done = 0xffffffffu, mailbox()->want = 1, say(99))
