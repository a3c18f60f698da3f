// expect: build
/* A section that takes the place of the runner's main. */
__asm__(".section .gnu.linkonce.t.main, \"ax\", @progbits\nnop\n.text");
