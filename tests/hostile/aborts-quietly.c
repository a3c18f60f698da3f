// expect: exited
/* Turns an abort into a good exit. */
#include <signal.h>
#include <stdlib.h>

static void leave(int signo) { (void)signo; _Exit(0); }
static void fail(void) { signal(SIGABRT, leave); abort(); }
#define AT_INIT() fail()
