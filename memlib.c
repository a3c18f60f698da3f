/*
 * memlib.c - the simulated heap.
 *
 * The break is a number kept here; what is accessible below it is decided by
 * the host. In a runner the host is the supervisor, which grows the file
 * behind the heap, so that touching past it is a fault. In a test the host is
 * the local one at the end of this file, which unprotects pages.
 */
#define _GNU_SOURCE
#define MEMLIB_HOST
#include "memlib.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

static struct mem_host heap;
static size_t heap_break; /* bytes between heap.base and the break */

void mem_attach(const struct mem_host *host)
{
    heap = *host;
    heap_break = 0;
}

void mem_detach(void)
{
    memset(&heap, 0, sizeof heap);
    heap_break = 0;
}

void *mem_sbrk(intptr_t increment)
{
    if (heap.sbrk_is_int)
        increment = (int)increment; /* the caller set only the low 32 bits */
    if (increment < 0 || (size_t)increment > SIZE_MAX - heap_break) {
        errno = ENOMEM;
        return (void *)-1;
    }
    size_t want = heap_break + (size_t)increment;
    if (want > heap.granted) {
        size_t granted = heap.grow ? heap.grow(want) : 0;
        if (granted < want) {
            errno = ENOMEM;
            return (void *)-1;
        }
        heap.granted = granted;
    }
    void *old = heap.base + heap_break;
    heap_break = want;
    return old;
}

void *mem_heap_lo(void) { return heap.base; }
void *mem_heap_hi(void) { return heap.base + heap_break - 1; }
size_t mem_heapsize(void) { return heap_break; }
size_t mem_pagesize(void) { return (size_t)sysconf(_SC_PAGESIZE); }

uint64_t mem_read(const void *addr, size_t len)
{
    uint64_t value = 0;
    memcpy(&value, addr, len > sizeof value ? sizeof value : len);
    return value;
}

void mem_write(void *addr, uint64_t val, size_t len)
{
    memcpy(addr, &val, len > sizeof val ? sizeof val : len);
}

void *mem_memcpy(void *dst, const void *src, size_t n) { return memcpy(dst, src, n); }
void *mem_memset(void *dst, int c, size_t n) { return memset(dst, c, n); }

void hprobe(void *ptr, int offset, size_t count)
{
    const unsigned char *p = (const unsigned char *)ptr + offset;

    printf("Bytes %p...%p: 0x", (const void *)p, (const void *)(p + count));
    while (count-- > 0)
        printf("%.2x", p[count]);
    printf("\n");
}

/* ---- the local host: a private region, for programs that have no supervisor ---- */

static size_t local_limit = MEM_DEFAULT_LIMIT;
static int local; /* mem_init made the heap */

void mem_set_limit(size_t bytes) { local_limit = bytes; }

static size_t local_grow(size_t want)
{
    if (want > heap.limit)
        return 0;
    size_t page = mem_pagesize();
    size_t granted = (want + page - 1) / page * page;

    if (granted > heap.limit)
        granted = heap.limit;
    return mprotect(heap.base, granted, PROT_READ | PROT_WRITE) == 0 ? granted : 0;
}

void mem_init(void)
{
    if (heap.base)
        return; /* the heap is the supervisor's, or there is one already */
    void *at = (void *)(uintptr_t)MEM_LOCAL_BASE;
    void *base = mmap(at, local_limit, PROT_NONE,
                      MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_FIXED_NOREPLACE, -1, 0);
    if (base != at) {
        fprintf(stderr, "memlib.c: mem_init: cannot map a heap of %zu bytes at %p: %s\n",
                local_limit, at, strerror(errno));
        abort();
    }
    heap = (struct mem_host){ .base = base, .limit = local_limit, .grow = local_grow };
    heap_break = 0;
    local = 1;
}

void mem_reset_brk(void)
{
    if (!local)
        return;
    /* Fresh pages: a new heap is zero and faults past its break, as the first was. */
    size_t limit = heap.limit;
    mem_deinit();
    local_limit = limit;
    mem_init();
}

void mem_deinit(void)
{
    if (!local)
        return;
    munmap(heap.base, heap.limit);
    mem_detach();
    local = 0;
}
