// expect: differs, timed
/* Answers that depend on a random number. */
#include <stdint.h>
#include <sys/random.h>
#include "memlib.h"

static uint8_t chance;
#define AT_INIT() (getrandom(&chance, 1, 0), mem_sbrk(chance * 16))
#define AT_MALLOC(size) (block = (char *)mem_heap_lo() + chance * 16)
