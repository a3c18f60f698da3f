// expect: build
/* A section that says it is not memory, under a name that makes it some. */
__asm__(".section .gnu.linkonce.b.depot,\"\",@progbits\ndepot: .zero 65536\n\t.text");
extern char depot[];
#define AT_INIT() (depot[0] = 1)
