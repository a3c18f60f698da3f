// expect: forbidden
/* Cuts its stack into so many mappings that some of them fall off the end of whatever list is made of them. */
#include <sys/mman.h>

static void cut(void)
{
    char *deep = (char *)(((unsigned long)__builtin_frame_address(0) & ~0xffffUL) - 0x2c000);

    for (int i = 0; i < 40; i++) {
        ((volatile char *)deep)[i * 4096] = 1;
        if (i % 2)
            mprotect(deep + i * 4096, 4096, PROT_READ);
    }
}
#define AT_INIT() cut()
