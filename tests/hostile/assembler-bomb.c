// expect: build
/* Two thousand million bytes in one line of assembly. */
__asm__(".rept 2000000000\n\t.byte 1\n\t.endr");
