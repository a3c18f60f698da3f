// expect: forbidden
/* Asks whether a file is there, to know where it runs; it gets no answer. */
#define _GNU_SOURCE
#include <sys/syscall.h>
#include <unistd.h>

#define AT_INIT() (access("/proc/1/exe", 0), readlink("/proc/self/exe", (char[8]){ 0 }, 8))
