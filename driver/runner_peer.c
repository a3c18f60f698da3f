/*
 * runner_peer.c - a real allocator behind the lab's interface.
 *
 * Linked dynamically with runner.c, so the same loop replays the same requests;
 * which malloc answers is decided by LD_PRELOAD. The extra jump costs a peer
 * less than a nanosecond a request.
 *
 * With TOUCH, every page of a payload is written, as a program would: memory
 * that nobody touches is not resident, and this build is for measuring memory.
 */
#include <stdlib.h>

#include "mm.h"

#define PAGE 4096

static void *touched(void *block, size_t size)
{
#ifdef TOUCH
    volatile unsigned char *payload = block;

    for (size_t i = 0; payload && i < size; i += PAGE)
        payload[i] = 1;
    if (payload && size)
        payload[size - 1] = 1;
#else
    (void)size;
#endif
    return block;
}

int mm_init(void) { return 0; }
void *mm_malloc(size_t size) { return touched(malloc(size), size); }
void *mm_calloc(size_t count, size_t size) { return touched(calloc(count, size), count * size); }
void *mm_realloc(void *ptr, size_t size) { return touched(realloc(ptr, size), size); }
void mm_free(void *ptr) { free(ptr); }
