/*
 * The cases that an allocator must not live through in silence: each is one misuse, with the call and the
 * sentence that it must end in. allocators/README.md explains the sentences.
 */
#define MEMLIB_HOST
#include "mm.h"
#include "memlib.h"
#include "harness.h"

#include <stdint.h>
#include <string.h>

#define HEAP ((size_t)16 << 20)
#define WORD sizeof(size_t)

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

static void misuse_free(void *p)
{
    misused->address = p;
    mm_free(p);
}

static void misuse_realloc(void *p)
{
    misused->address = p;
    mm_realloc(p, 100);
}

/* ---- blocks that are free already ---- */

static void double_free(void)
{
    blocks(48);
    mm_free(block[3]);
    misuse_free(block[3]);
}

static void double_free_of_large(void)
{
    blocks(20000);
    mm_free(block[3]);
    misuse_free(block[3]);
}

static void double_free_after_neighbour(void)
{
    blocks(48);
    mm_free(block[3]);
    mm_free(block[2]);
    misuse_free(block[3]);
}

static void double_free_before_neighbour(void)
{
    blocks(48);
    mm_free(block[2]);
    mm_free(block[3]);
    misuse_free(block[3]);
}

static void double_free_of_all(void)
{
    blocks(300);
    for (size_t i = 0; i < 8; i++)
        mm_free(block[i]);
    misuse_free(block[0]);
}

static void realloc_of_freed(void)
{
    blocks(48);
    mm_free(block[3]);
    misuse_realloc(block[3]);
}

/* ---- what never was a block ---- */

static void free_on_stack(void)
{
    unsigned char local[64];

    blocks(48);
    misuse_free(local + (-(uintptr_t)local) % MM_ALIGNMENT);
}

static void free_below_heap(void)
{
    blocks(48);
    misuse_free((void *)((uintptr_t)mem_heap_lo() - 4096));
}

static void free_past_break(void)
{
    blocks(48);
    misuse_free((void *)(((uintptr_t)mem_heap_hi() + 4096) / MM_ALIGNMENT * MM_ALIGNMENT));
}

static void realloc_of_foreign(void)
{
    static unsigned char global[64] __attribute__((aligned(16)));

    blocks(48);
    misuse_realloc(global);
}

static void misaligned(void)
{
    blocks(48);
    misuse_free(block[3] + 1);
}

static void misaligned_by_half(void)
{
    blocks(48);
    misuse_free(block[3] + MM_ALIGNMENT / 2);
}

static void realloc_misaligned(void)
{
    blocks(48);
    misuse_realloc(block[3] + 4);
}

static size_t word_at(const unsigned char *p)
{
    size_t word;

    memcpy(&word, p, WORD);
    return word;
}

/* What an allocator with headers takes the word before P for; the flags are no part of a size. */
static void note_header(const unsigned char *p)
{
    size_t word = word_at(p - WORD);

    misused->number = family() == BUDDY ? word : family() == NAIVE ? word & ~(size_t)1 : word & ~(size_t)3;
}

static void interior(void)
{
    blocks(200);
    note_header(block[3] + 2 * MM_ALIGNMENT);
    misuse_free(block[3] + 2 * MM_ALIGNMENT);
}

static void interior_of_large(void)
{
    blocks(20000);
    note_header(block[3] + 8192);
    misuse_free(block[3] + 8192);
}

static void realloc_interior(void)
{
    blocks(200);
    note_header(block[3] + 4 * MM_ALIGNMENT);
    misuse_realloc(block[3] + 4 * MM_ALIGNMENT);
}

static void first_byte_of_heap(void)
{
    blocks(48);
    misuse_free(mem_heap_lo());
}

/* Inside a block, but before and behind it are what might be headers of allocated blocks. */
static void forged_header(void)
{
    blocks(200);
    const size_t header = (4 * MM_ALIGNMENT) | 3;
    for (size_t at = MM_ALIGNMENT; at <= 5 * MM_ALIGNMENT; at += 4 * MM_ALIGNMENT)
        memcpy(block[3] + at - WORD, &header, WORD);
    misuse_free(block[3] + MM_ALIGNMENT);
}

/* ---- damaged metadata ---- */

/* The word before a small block, or what a slab has instead: the start of the run, in the first page. */
static void damage_header(unsigned char byte)
{
    blocks(48);
    memset(family() == SLAB ? (unsigned char *)mem_heap_lo() : block[3] - WORD, byte, WORD);
    note_header(block[3]);
    misuse_free(block[3]);
}

static void header_of_ones(void) { damage_header(0xff); }
static void header_of_text(void) { damage_header(0x5b); }
static void header_of_zeroes(void) { damage_header(0); }

static void header_of_large(void)
{
    blocks(20000);
    memset(block[3] - WORD, 0x5a, WORD);
    note_header(block[3]);
    if (family() == SLAB)
        misused->number = word_at(block[3] - WORD) ^ 0x1b5; /* the tag in its low bits */
    misuse_free(block[3]);
}

static void header_before_realloc(void)
{
    blocks(48);
    memset(family() == SLAB ? (unsigned char *)mem_heap_lo() : block[3] - WORD, 0xee, WORD);
    note_header(block[3]);
    misuse_realloc(block[3]);
}

/* The footer of block 4, free, is the word before the header of block 5. */
static void footer_after(void)
{
    blocks(48);
    mm_free(block[4]);
    memset(block[5] - 2 * WORD, 0x5a, WORD);
    misuse_free(block[3]);
}

static void footer_before(void)
{
    blocks(48);
    mm_free(block[4]);
    memset(block[5] - 2 * WORD, 0x5a, WORD);
    misuse_free(block[5]);
}

/* The next header loses the bit that says that this block is allocated. */
static void header_after(void)
{
    blocks(48);
    block[4][-(ptrdiff_t)WORD] &= (unsigned char)~2;
    misuse_free(block[3]);
}

#define ALREADY "already free"
#define OUTSIDE "not in the heap"
#define MISALIGNED "misaligned, a block starts at a multiple of %d"
#define NO_BLOCK "not a block, or its header was overwritten: no block has %zu bytes"
#define NO_HEADER "not a block, or its header was overwritten: it is %#zx"
#define NO_SLOT "not a block: no slot of its run starts there"
#define NO_PAGE "not a block: no block starts in that place of its page"
#define RUN_DAMAGED "the header of its run was overwritten"
#define FOOTER_AFTER "header and footer disagree in the free block after it"
#define FOOTER_BEFORE "header and footer disagree in the free block before it"
#define NEXT_SAYS_FREE "not a block, or a header was overwritten: the next one says that this is free"
#define ALL(sentence) { sentence, sentence, sentence, sentence, sentence, "the pointer is " sentence }
#define IN_CHAMPION "the pointer is inside a block, not its start"

const struct misuse_case misuse_cases[] = {
    { "double free", "mm_free", double_free, ALL(ALREADY) },
    { "double free of a large block", "mm_free", double_free_of_large,
      { ALREADY, ALREADY, ALREADY, ALREADY, ALREADY,
        "the pointer is already free (merged with a free neighbour), or was never the start of a block" } },
    { "double free after the neighbour's", "mm_free", double_free_after_neighbour,
      { ALREADY, ALREADY, ALREADY, ALREADY, ALREADY,
        "the pointer is already free (merged with a free neighbour), or was never the start of a block" } },
    { "double free after the neighbour before it", "mm_free", double_free_before_neighbour,
      { ALREADY, ALREADY, ALREADY, ALREADY, ALREADY,
        "the pointer is already free (merged with a free neighbour), or was never the start of a block" } },
    { "double free of all", "mm_free", double_free_of_all,
      { ALREADY, ALREADY, ALREADY, ALREADY, ALREADY,
        "the pointer is already free (it went back to the untouched end of the heap)" } },
    { "realloc of a freed block", "mm_realloc", realloc_of_freed, ALL(ALREADY) },
    { "free of a local variable", "mm_free", free_on_stack, ALL(OUTSIDE) },
    { "free below the heap", "mm_free", free_below_heap, ALL(OUTSIDE) },
    { "free past the break", "mm_free", free_past_break, ALL(OUTSIDE) },
    { "realloc of a global variable", "mm_realloc", realloc_of_foreign, ALL(OUTSIDE) },
    { "free of a misaligned address", "mm_free", misaligned,
      { MISALIGNED, MISALIGNED, MISALIGNED, MISALIGNED, MISALIGNED,
        "the pointer is misaligned: no block starts there" } },
    { "free of an address off by half", "mm_free", misaligned_by_half,
      { MISALIGNED, MISALIGNED, MISALIGNED, MISALIGNED, MISALIGNED,
        "the pointer is misaligned: no block starts there" } },
    { "realloc of a misaligned address", "mm_realloc", realloc_misaligned,
      { MISALIGNED, MISALIGNED, MISALIGNED, MISALIGNED, MISALIGNED,
        "the pointer is misaligned: no block starts there" } },
    { "free inside a block", "mm_free", interior, { NO_BLOCK, NO_BLOCK, NO_HEADER, NO_SLOT, NO_BLOCK, IN_CHAMPION } },
    { "free inside a large block", "mm_free", interior_of_large,
      { NO_BLOCK, NO_BLOCK, NO_HEADER, NO_PAGE, NO_BLOCK, IN_CHAMPION } },
    { "realloc inside a block", "mm_realloc", realloc_interior,
      { NO_BLOCK, NO_BLOCK, NO_HEADER, NO_SLOT, NO_BLOCK, IN_CHAMPION } },
    { "free of the heap's first byte", "mm_free", first_byte_of_heap,
      { OUTSIDE, OUTSIDE, OUTSIDE, NO_SLOT, OUTSIDE, "the pointer is the allocator's own memory" } },
    { "free inside a block, before what looks like a header", "mm_free", forged_header,
      { [GC] = "not a block: none starts there", [SLAB] = NO_SLOT, [CHAMPION] = IN_CHAMPION } },
    { "header overwritten by ones", "mm_free", header_of_ones,
      { NO_BLOCK, NO_BLOCK, NO_HEADER, RUN_DAMAGED, NO_BLOCK, NULL } },
    { "header overwritten by text", "mm_free", header_of_text,
      { NO_BLOCK, NO_BLOCK, NO_HEADER, RUN_DAMAGED, NO_BLOCK, NULL } },
    { "header overwritten by zeroes", "mm_free", header_of_zeroes,
      { NO_BLOCK, NO_BLOCK, NO_HEADER, RUN_DAMAGED, NO_BLOCK, NULL } },
    { "header of a large block overwritten", "mm_free", header_of_large,
      { NO_BLOCK, NO_BLOCK, NO_HEADER, "its header was overwritten: no block has %zu bytes", NO_BLOCK, NULL } },
    { "header overwritten before realloc", "mm_realloc", header_before_realloc,
      { NO_BLOCK, NO_BLOCK, NO_HEADER, RUN_DAMAGED, NO_BLOCK, NULL } },
    { "footer of the free block after it overwritten", "mm_free", footer_after,
      { [TAGS] = FOOTER_AFTER, [GC] = FOOTER_AFTER } },
    { "footer of the free block before it overwritten", "mm_free", footer_before,
      { [TAGS] = FOOTER_BEFORE, [GC] = FOOTER_BEFORE } },
    { "bit of the header after it overwritten", "mm_free", header_after,
      { [TAGS] = NEXT_SAYS_FREE, [GC] = NEXT_SAYS_FREE } },
    { .name = NULL },
};
