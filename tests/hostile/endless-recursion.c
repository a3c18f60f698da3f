// expect: crash
/* Stack without end. */
static int deeper(volatile int n)
{
    volatile char frame[4096];

    frame[0] = (char)n;
    return n ? deeper(n + 1) + frame[0] : 0;
}
#define AT_INIT() deeper(1)
