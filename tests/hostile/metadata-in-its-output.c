// expect: abort
/* Writes to its output and wants to read it back. */
#include <stdlib.h>
#include <unistd.h>

static void keep(void)
{
    char byte = 7;

    if (write(1, &byte, 1) != 1 || lseek(1, 0, SEEK_SET) != 0 || read(1, &byte, 1) != 1 || pread(1, &byte, 1, 0) != 1)
        abort();
}
#define AT_INIT() keep()
