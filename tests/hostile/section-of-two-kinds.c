// expect: build
/* Two sections of one name, the large one without the flag that counts. */
__asm__(".section depot,\"aw\",@progbits\n\t.zero 8\n\t"
        ".section depot,\"a\",@progbits,unique,1\nstock: .zero 65536\n\t.text");
extern char stock[];
#define AT_INIT() (stock[0] = 1)
