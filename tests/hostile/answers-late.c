// expect: differs, mailbox, timed
/* Stops first and means to fill in the answers while the clock does not run. */
#define _GNU_SOURCE
#include <signal.h>
#include <unistd.h>

static int calls;
#define AT_MALLOC(size) (mailbox()->mode == WIRE_TIMED && ++calls == 100 ? (kill(getpid(), SIGSTOP), calls) : 0)
