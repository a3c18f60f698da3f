// expect: ok
/* A hundred megabytes of output. */
#include <unistd.h>

static void flood(void)
{
    static char text[65536];

    for (int i = 0; i < 1600; i++)
        (void)!write(1 + i % 2, text, sizeof text);
}
#define AT_INIT() flood()
