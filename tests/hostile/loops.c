// expect: timeout
/* Never returns. */
#define AT_INIT() for (;;) __asm__ volatile("")
