// expect: ok, charged
/* Writes a log into the stack and makes it read-only, so that it is no writable memory any more. */
#include <string.h>
#include <sys/mman.h>

static void log_and_freeze(void)
{
    static int calls;
    char *page = (char *)(((unsigned long)__builtin_frame_address(0) & ~0xffffUL) - 0x18000) + calls % 4 * 4096;

    if (++calls > 4)
        return;
    memset(page, 0xa5, 4096);
    mprotect(page, 4096, PROT_READ);
}
#define AT_MALLOC(size) log_and_freeze()
