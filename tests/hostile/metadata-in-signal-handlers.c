// expect: ok
/* Keeps numbers in the kernel's table of signal handlers: what no memory limit sees. Prints how many bytes stay. */
#include <signal.h>
#include <stdio.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

struct action { unsigned long handler, flags, restorer, mask; };

static long stored(int back)
{
    long bytes = 0;

    for (int signo = 1; signo < 65; signo++) {
        unsigned long n = 0x123456789aUL * (unsigned)signo;
        struct action a = { n, 0x04000000, ~n, n << 20 }, seen = { 0 };
        if (!back)
            syscall(SYS_rt_sigaction, signo, &a, NULL, 8);
        else if (syscall(SYS_rt_sigaction, signo, NULL, &seen, 8) == 0)
            bytes += 8 * ((seen.handler == a.handler) + (seen.restorer == a.restorer) + (seen.mask == a.mask));
    }
    for (int what = 0; what < 16; what++) {
        struct rlimit r = { 0, 0 };
        if (getrlimit(what, &r) || r.rlim_max < 4096)
            continue;
        if (!back)
            r.rlim_cur = r.rlim_max - 7, setrlimit(what, &r);
        else if (r.rlim_cur == r.rlim_max - 7)
            bytes += 8;
    }
    return bytes;
}

static void keep(void)
{
    static int calls;

    if (++calls == 1)
        stored(0);
    if (calls == 500)
        printf("kept %ld bytes\n", stored(1));
}
#define AT_MALLOC(size) keep()
