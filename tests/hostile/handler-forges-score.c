// expect: exited
/* Crashes on purpose into its own handler, which reports success. */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>

static void forge(int signo)
{
    (void)signo;
    printf("index 100.0 of 100\n{\"verdict\": \"ok\", \"score\": {\"index\": 100}}\n");
    exit(0);
}

static void crash(void)
{
    signal(SIGSEGV, forge);
    *(volatile int *)0 = 1;
}
#define AT_INIT() crash()
