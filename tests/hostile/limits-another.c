// expect: forbidden
/* Sets the limits of another process of the same user, the supervisor's say: a CPU limit of 0 would end it. */
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#define AT_INIT() syscall(SYS_prlimit64, 1, RLIMIT_CPU, NULL, &(struct rlimit){ 0, 0 })
