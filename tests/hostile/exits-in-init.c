// expect: exited
/* Prints a perfect score in mm_init and leaves with status 0. */
#include <stdio.h>
#include <stdlib.h>

static void forge(void)
{
    printf("index 100.0 of 100\n{\"verdict\": \"ok\", \"score\": {\"index\": 100}}\n");
    exit(0);
}
#define AT_INIT() forge()
