// expect: build
/* A section whose text the linker prints as a warning of its own. */
__asm__(".section .gnu.warning.mm_init, \"\", @progbits\n.ascii \"index 100\"\n.text");
