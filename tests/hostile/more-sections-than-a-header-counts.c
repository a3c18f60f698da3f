// expect: build
/* With 65280 sections their number stands elsewhere than in the header; a constructor hides among them. */
#include <stdio.h>
__asm__(".altmacro\n.macro many n\n.section .text.q\\n,\"ax\"\n.byte 0\n.endm\n.set i, 0\n.rept 65400\nmany %i\n"
        ".set i, i + 1\n.endr\n.text");

__attribute__((constructor)) static void early(void) { printf("index 100\n"); fflush(stdout); }
