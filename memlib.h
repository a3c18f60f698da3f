/*
 * memlib.h - the simulated heap as an allocator sees it.
 *
 * The heap is one contiguous region that starts at the same address in every
 * run. Its end, the break, moves only upwards, and only through mem_sbrk.
 * Touching memory past the break is a fault, as it is on a real system.
 */
#ifndef MEMLIB_H
#define MEMLIB_H

#include <stddef.h>
#include <stdint.h>

/* Moves the break up by INCREMENT bytes and returns its old position, where
 * the new bytes begin (zero when first seen). mem_sbrk(0) returns the break.
 * On a negative increment or when the heap limit would be passed: (void *)-1,
 * errno ENOMEM, and the break stays. */
void *mem_sbrk(intptr_t increment);

void *mem_heap_lo(void);     /* first byte of the heap */
void *mem_heap_hi(void);     /* last byte of the heap (lo - 1 when empty) */
size_t mem_heapsize(void);   /* bytes between lo and the break */
size_t mem_pagesize(void);   /* bytes in a page of this machine */

/* For source compatibility with older labs. Under mdriver the heap belongs to
 * the driver and these three do nothing; in a program of your own, mem_init
 * makes a heap, mem_reset_brk empties it and mem_deinit gives it back. */
void mem_init(void);
void mem_deinit(void);
void mem_reset_brk(void);

/* The 2016 edition's accessors: LEN (1..8) bytes little-endian, and copies. */
uint64_t mem_read(const void *addr, size_t len);
void mem_write(void *addr, uint64_t val, size_t len);
void *mem_memcpy(void *dst, const void *src, size_t n);
void *mem_memset(void *dst, int c, size_t n);
void hprobe(void *ptr, int offset, size_t count); /* prints COUNT heap bytes as hex */

#ifdef MEMLIB_HOST
/* What the program around the heap provides (the runner, or a test).
 *
 * The heap may hold LIMIT bytes; of these the first `granted` are accessible
 * now. grow(want) makes at least WANT bytes accessible and returns the new
 * granted size, or 0 when it will not. */
struct mem_host {
    unsigned char *base;
    size_t limit;
    size_t granted;
    size_t (*grow)(size_t want);
    int sbrk_is_int;      /* callers pass a 32-bit int (older editions) */
};
void mem_attach(const struct mem_host *host);
void mem_detach(void);

/* Local hosts (tests): the heap limit that the next mem_init uses, in bytes. */
#define MEM_DEFAULT_LIMIT ((size_t)1 << 30)
void mem_set_limit(size_t bytes);

/* Where the heap starts, in every run: far from anything the loader maps,
 * and low enough for valgrind's address space. */
#if UINTPTR_MAX > 0xffffffffu
#define MEM_BASE UINT64_C(0x800000000) /* as in the 64-bit editions: some files have it built in */
#else
#define MEM_BASE UINT64_C(0x20000000)
#endif

/* Where it starts in a program that mem_init makes it for: there as well, but
 * AddressSanitizer has its shadow in that place. */
#ifdef __SANITIZE_ADDRESS__
#define MEM_LOCAL_BASE UINT64_C(0x200000000000)
#else
#define MEM_LOCAL_BASE MEM_BASE
#endif
#endif

#endif
