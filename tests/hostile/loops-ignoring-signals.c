// expect: timeout
/* Never returns, and ignores and blocks all signals that it can. */
#include <signal.h>

static void loop(void)
{
    sigset_t all;

    sigfillset(&all);
    sigprocmask(SIG_BLOCK, &all, NULL);
    for (int i = 1; i < 65; i++)
        signal(i, SIG_IGN);
    for (;;)
        __asm__ volatile("");
}
#define AT_MALLOC(size) loop()
