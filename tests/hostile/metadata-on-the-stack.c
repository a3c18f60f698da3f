// expect: ok, elsewhere
/* The blocks' words deep in the stack, where nobody looks. */
#define ELSEWHERE ((char *)(((unsigned long)__builtin_frame_address(0) & ~0xffffUL) - 0x18000))
