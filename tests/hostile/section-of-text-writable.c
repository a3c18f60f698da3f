// expect: build
/* Writable code: the whole text becomes a store. */
__asm__(".section .text.depot,\"aw\",@progbits\ndepot: .zero 16\n\t.text");
extern char depot[];
#define AT_INIT() (depot[0] = 1)
