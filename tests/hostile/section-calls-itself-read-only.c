// expect: build
/* A section that the linker makes writable, though its flags say that it is not. */
__asm__(".section .gnu.linkonce.d.depot,\"a\",@progbits\ndepot: .zero 65536\n\t.text");
extern char depot[];
#define AT_INIT() (depot[0] = 1)
