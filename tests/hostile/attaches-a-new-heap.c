// expect: forbidden
/* Calls the runner's own function that starts an empty heap. */
#include <stddef.h>
#include "memlib.h"

struct mem_host { unsigned char *base; size_t limit, granted; size_t (*grow)(size_t); int sbrk_is_int; };
void mem_attach(const struct mem_host *host);

static void begin_again(void)
{
    static int calls;
    struct mem_host host = { mem_heap_lo(), 1 << 30, 1 << 16, NULL, 0 };

    if (++calls == 200)
        mem_attach(&host);
}
#define AT_FREE(ptr) begin_again()
