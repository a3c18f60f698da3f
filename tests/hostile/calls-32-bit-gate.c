// expect: forbidden
/* mmap through the gate of 32-bit programs, whose numbers are other ones. */
static void gate(void)
{
    int result;

    __asm__ volatile("int $0x80" : "=a"(result) : "a"(192), "b"(0), "c"(65536), "d"(3), "S"(34), "D"(-1) : "memory");
}
#define AT_INIT() gate()
