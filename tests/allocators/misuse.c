/*
 * The cases that an allocator must not live through in silence: each is one misuse, with the call and the
 * words that its last sentence must have.
 */
#define MEMLIB_HOST
#include "mm.h"
#include "memlib.h"
#include "harness.h"

#include <stdint.h>
#include <string.h>

#define HEAP ((size_t)16 << 20)

static unsigned char *block[8];

/* Eight blocks of SIZE bytes, filled. */
static void blocks(size_t size)
{
    start(HEAP);
    for (size_t i = 0; i < 8; i++) {
        block[i] = mm_malloc(size);
        memset(block[i], 0xa5, size);
    }
}

static void double_free(void)
{
    blocks(48);
    mm_free(block[3]);
    mm_free(block[3]);
}

static void double_free_of_large(void)
{
    blocks(20000);
    mm_free(block[3]);
    mm_free(block[3]);
}

static void double_free_after_neighbour(void)
{
    blocks(48);
    mm_free(block[3]);
    mm_free(block[2]);
    mm_free(block[3]);
}

static void double_free_of_all(void)
{
    blocks(300);
    for (size_t i = 0; i < 8; i++)
        mm_free(block[i]);
    mm_free(block[0]);
}

static void realloc_of_freed(void)
{
    blocks(48);
    mm_free(block[3]);
    mm_realloc(block[3], 100);
}

static void free_on_stack(void)
{
    unsigned char local[64];

    blocks(48);
    mm_free(local + (-(uintptr_t)local) % MM_ALIGNMENT);
}

static void free_below_heap(void)
{
    blocks(48);
    mm_free((void *)((uintptr_t)mem_heap_lo() - 4096));
}

static void free_past_break(void)
{
    blocks(48);
    mm_free((void *)(((uintptr_t)mem_heap_hi() + 4096) / MM_ALIGNMENT * MM_ALIGNMENT));
}

static void realloc_of_foreign(void)
{
    static unsigned char global[64] __attribute__((aligned(16)));

    blocks(48);
    mm_realloc(global, 100);
}

static void misaligned(void)
{
    blocks(48);
    mm_free(block[3] + 1);
}

static void misaligned_by_half(void)
{
    blocks(48);
    mm_free(block[3] + MM_ALIGNMENT / 2);
}

static void realloc_misaligned(void)
{
    blocks(48);
    mm_realloc(block[3] + 4, 100);
}

static void interior(void)
{
    blocks(200);
    mm_free(block[3] + 2 * MM_ALIGNMENT);
}

static void interior_of_large(void)
{
    blocks(20000);
    mm_free(block[3] + 8192);
}

static void first_byte_of_heap(void)
{
    blocks(48);
    mm_free(mem_heap_lo());
}

/* Eight bytes before a payload that is not the first of its kind: a header, or the end of a neighbour. */
static void damage_before(unsigned char byte)
{
    blocks(48);
    memset(block[3] - sizeof(size_t), byte, sizeof(size_t));
    int headerless = block[3] - block[2] == 48;
    if (!headerless)
        mm_free(block[3]);
    else /* those bytes are the neighbour's payload, and no concern of the allocator: do a misuse instead */
        mm_free(block[3] + MM_ALIGNMENT);
}

static void header_of_ones(void) { damage_before(0xff); }
static void header_of_text(void) { damage_before(0x5a | 1); }
static void header_of_zeroes(void) { damage_before(0); }

const struct misuse_case misuse_cases[] = {
    { "double free", "mm_free", "already free", double_free },
    { "double free of a large block", "mm_free", "already free", double_free_of_large },
    { "double free after the neighbour's", "mm_free", "already free", double_free_after_neighbour },
    { "double free of all", "mm_free", "free", double_free_of_all },
    { "realloc of a freed block", "mm_realloc", "already free", realloc_of_freed },
    { "free of a local variable", "mm_free", "not in the heap", free_on_stack },
    { "free below the heap", "mm_free", "not in the heap", free_below_heap },
    { "free past the break", "mm_free", "not in the heap", free_past_break },
    { "realloc of a global variable", "mm_realloc", "not in the heap", realloc_of_foreign },
    { "free of a misaligned address", "mm_free", "misaligned", misaligned },
    { "free of an address off by half", "mm_free", "misaligned", misaligned_by_half },
    { "realloc of a misaligned address", "mm_realloc", "misaligned", realloc_misaligned },
    { "free inside a block", "mm_free", "", interior },
    { "free inside a large block", "mm_free", "", interior_of_large },
    { "free of the heap's first byte", "mm_free", "", first_byte_of_heap },
    { "header overwritten by ones", "mm_free", "", header_of_ones },
    { "header overwritten by text", "mm_free", "", header_of_text },
    { "header overwritten by zeroes", "mm_free", "", header_of_zeroes },
    { NULL, NULL, NULL, NULL },
};
