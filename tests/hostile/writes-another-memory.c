// expect: forbidden
/* process_vm_writev into another process. */
#define _GNU_SOURCE
#include <sys/syscall.h>
#include <unistd.h>

#define AT_INIT() syscall(SYS_process_vm_writev, 1, 0, 0, 0, 0, 0)
