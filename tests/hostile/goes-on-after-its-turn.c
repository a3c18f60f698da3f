// expect: forbidden, mailbox
/* Gives the floor back in the middle of a batch and writes on, into claims and heap, while they are verified. */
#include <sys/syscall.h>
#include <unistd.h>

static void race(void)
{
    static int calls;
    struct mailbox *box = mailbox();
    uint32_t turn = box->go;

    if (++calls < 40 || box->done + 1 >= box->count)
        return;
    box->event = EVENT_BATCH;
    __atomic_add_fetch(&box->back, 1, __ATOMIC_RELEASE);
    syscall(SYS_futex, &box->back, 1, 1, NULL, NULL, 0);
    while (__atomic_load_n(&box->go, __ATOMIC_ACQUIRE) == turn) {
        box->block[0] ^= 16, box->brk[0] += 16, box->done ^= 1, box->complaint++;
        *(volatile char *)box->heap_base += 1;
    }
}
#define AT_MALLOC(size) race()
