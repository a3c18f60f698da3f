// expect: differs, mailbox, timed
/* In the timed run only, a hundred kilobytes of the stack for tables that nobody charges for. */
#include <string.h>

#define DEEP ((char *)(((unsigned long)__builtin_frame_address(0) & ~0xffffUL) - 0x20000))
#define AT_MALLOC(size) (mailbox()->mode == WIRE_TIMED ? memset(DEEP, 1, 100000) : NULL)
