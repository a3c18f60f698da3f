// expect: forbidden
/* Forks without end. */
#include <unistd.h>

static void bomb(void)
{
    for (;;)
        fork();
}
#define AT_INIT() bomb()
