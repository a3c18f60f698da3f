// expect: forbidden, mailbox
/* Every claim is the largest number there is. */
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
#include <string.h>

static void lie(void)
{
    struct mailbox *box = mailbox();

    memset(&box->event, 0xff, sizeof *box - offsetof(struct mailbox, event));
    say(EVENT_STOP);
}
#include <stddef.h>
#define AT_FREE(ptr) lie()
