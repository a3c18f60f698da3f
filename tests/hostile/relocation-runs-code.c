// expect: build
/* A relocation by hand that makes the start-up code call a function. */
__asm__(".section .rela.iplt,\"a\",@progbits\n\t.quad 0x401000, 37, early\n\t.text");
void early(void);
void early(void) { __builtin_trap(); }
