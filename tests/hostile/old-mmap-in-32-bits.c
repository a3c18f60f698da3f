// expect: forbidden, with --bits 32
/* The oldest mmap, whose arguments lie in memory where no filter sees them. */
static void map(void)
{
    static unsigned arguments[6] = { 0, 65536, 3, 0x21, 0xffffffffu, 0 };
    int result;

    __asm__ volatile("int $0x80" : "=a"(result) : "a"(90), "b"(arguments), "c"(0), "d"(0), "S"(0), "D"(4) : "memory");
}
#define AT_INIT() map()
