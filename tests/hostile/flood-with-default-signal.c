// expect: forbidden
/* The same, asking to be killed at the limit. */
#include <signal.h>
#include <unistd.h>

static void flood(void)
{
    signal(SIGXFSZ, SIG_DFL);
    for (int i = 0; i < 100000; i++)
        (void)!write(1, "a line that nobody will read, again and again\n", 46);
}
#define AT_INIT() flood()
