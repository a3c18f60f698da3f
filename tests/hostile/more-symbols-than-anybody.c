// expect: build
/* A symbol table that takes long to go through, for every name that is looked up. */
__asm__(".altmacro\n.macro many n\n.globl q\\n\nq\\n: .byte 0\n.endm\n.set i, 0\n"
        ".rept 250000\nmany %i\n.set i, i + 1\n.endr");
