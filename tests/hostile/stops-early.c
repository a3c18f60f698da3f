// expect: differs, mailbox, timed
/* In the timed run, says that it is done after the last request to malloc: the frees are not served. */
#define _GNU_SOURCE
#include <signal.h>
#include <unistd.h>

static uint64_t mallocs;
static void stop_at_last(void)
{
    static uint64_t served, all;
    const struct wire_request *request = mailbox()->mode == WIRE_TIMED ? requests_of() : 0;

    if (mailbox()->mode != WIRE_TIMED)
        return;
    for (uint64_t i = 0; !mallocs && i < mailbox()->request_count - 8; i++)
        all += request[i].kind != 3;
    mallocs = all;
    if (++served > mallocs)
        kill(getpid(), SIGSTOP);
}
#define AT_MALLOC(size) stop_at_last()
