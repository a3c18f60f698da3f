// expect: timeout
/* Dies by SIGKILL, as if the grader had done it. */
#include <signal.h>
#include <unistd.h>

#define AT_INIT() kill(getpid(), SIGKILL)
