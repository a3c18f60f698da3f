// expect: build
/* Instructions of its own in the section that runs before main. */
#include <stdlib.h>

__asm__(".section .init,\"ax\",@progbits\n\tcall early\n\t.text");
void early(void);
void early(void) { _Exit(0); }
