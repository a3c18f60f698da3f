// expect: ok
/* Global symbols that only the assembler sees. */
__asm__(".globl clock_gettime, memcmp, replay_timed\nclock_gettime:\nmemcmp:\nreplay_timed:\n\txorl %eax, %eax\n\tret");
