// expect: forbidden
/* Leaves a file for the next run. */
#include <fcntl.h>

#define AT_INIT() open("/tmp/hostile-memory", O_RDWR | O_CREAT, 0600)
