/* mm_init says false. */
#include <stdbool.h>
#include "mm.h"
#include "memlib.h"
#ifdef DRIVER
#define malloc mm_malloc
#define free mm_free
#define realloc mm_realloc
#define calloc mm_calloc
#endif
bool mm_init(void) { return false; }
void *malloc(size_t size) { return mem_sbrk((intptr_t)(size + 15) & ~15); }
void free(void *p) { (void)p; }
void *realloc(void *p, size_t size) { (void)p; return malloc(size); }
void *calloc(size_t n, size_t size) { return malloc(n * size); }
bool mm_checkheap(int line) { return line > 0; }
