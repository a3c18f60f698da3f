// expect: ok
/* The calls by which the runner stops and speaks, as functions that do nothing. */
long syscall(long number, ...) { return number - number; }
int kill(int pid, int signo) { return pid - pid + signo - signo; }
int getpid(void) { return 1; }
void _exit(int status) { for (;;) (void)status; }
