// expect: forbidden
/* mmap by its number in the x32 interface. */
static void gate(void)
{
    long result;

    __asm__ volatile("syscall" : "=a"(result) : "a"(0x40000000 + 9), "D"(0), "S"(65536), "d"(3)
                     : "rcx", "r11", "memory");
}
#define AT_INIT() gate()
