/*
 ******************************************************************************
 *                                   mm.c                                     *
 *      64-bit struct-based explicit free list, first fit, boundary tags      *
 ******************************************************************************
 */
#include <assert.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "memlib.h"
#include "mm.h"

/* Do not change the following! */
#ifdef DRIVER
/* create aliases for driver tests */
#define malloc mm_malloc
#define free mm_free
#define realloc mm_realloc
#define calloc mm_calloc
#define memset mem_memset
#define memcpy mem_memcpy
#endif /* def DRIVER */

#ifdef DEBUG
#define dbg_printf(...) ((void)printf(__VA_ARGS__))
#define dbg_assert(expr) assert(expr)
#else
#define dbg_printf(...) ((void)sizeof(__VA_ARGS__))
#define dbg_assert(expr) ((void)sizeof(expr))
#endif

typedef uint64_t word_t;

static const size_t dsize = 2 * sizeof(word_t);
static const size_t min_block_size = 4 * sizeof(word_t);
static const size_t chunksize = (1 << 12);
static const word_t alloc_mask = 0x1;
static const word_t size_mask = ~(word_t)0xF;

/** A block: header, then payload, or links while it is free; the footer ends it. */
typedef struct block {
    word_t header;
    union {
        struct {
            struct block *next, *prev;
        } links;
        char payload[0];
    } body;
} block_t;

static block_t *heap_start = NULL;
static block_t *free_list = NULL;

static size_t max(size_t x, size_t y) { return (x > y) ? x : y; }
static size_t round_up(size_t size, size_t n) { return n * ((size + (n - 1)) / n); }
static size_t get_size(const block_t *block) { return (size_t)(block->header & size_mask); }
static bool get_alloc(const block_t *block) { return (bool)(block->header & alloc_mask); }
static block_t *payload_to_header(void *bp) { return (block_t *)((char *)bp - offsetof(block_t, body)); }
static block_t *find_next(block_t *block) { return (block_t *)((char *)block + get_size(block)); }
static word_t *find_prev_footer(block_t *block) { return &block->header - 1; }

static void write_block(block_t *block, size_t size, bool alloc)
{
    dbg_assert(size >= min_block_size);
    block->header = size | (alloc ? alloc_mask : 0);
    *find_prev_footer((block_t *)((char *)block + size)) = block->header;
}

static void link_block(block_t *block)
{
    block->body.links.next = free_list;
    block->body.links.prev = NULL;
    if (free_list != NULL)
        free_list->body.links.prev = block;
    free_list = block;
}

static void unlink_block(block_t *block)
{
    block_t *next = block->body.links.next, *prev = block->body.links.prev;

    if (prev != NULL)
        prev->body.links.next = next;
    else
        free_list = next;
    if (next != NULL)
        next->body.links.prev = prev;
}

static block_t *coalesce(block_t *block)
{
    size_t size = get_size(block);
    block_t *next = find_next(block);
    word_t before = *find_prev_footer(block);

    if (!get_alloc(next)) {
        unlink_block(next);
        size += get_size(next);
    }
    if (!(before & alloc_mask)) {
        block = (block_t *)((char *)block - (before & size_mask));
        unlink_block(block);
        size += get_size(block);
    }
    write_block(block, size, false);
    link_block(block);
    return block;
}

static block_t *extend_heap(size_t size)
{
    void *bp;

    size = round_up(size, dsize);
    if ((bp = mem_sbrk((intptr_t)size)) == (void *)-1)
        return NULL;
    block_t *block = payload_to_header(bp);
    write_block(block, size, false);
    find_next(block)->header = alloc_mask;
    return coalesce(block);
}

/**
 * @brief Makes an empty heap
 * @return true on success
 */
bool mm_init(void)
{
    word_t *start = (word_t *)(mem_sbrk(2 * sizeof(word_t)));

    if (start == (void *)-1)
        return false;
    start[0] = alloc_mask; /* prologue: a footer */
    start[1] = alloc_mask; /* epilogue: a header */
    heap_start = (block_t *)&(start[1]);
    free_list = NULL;
    return extend_heap(chunksize) != NULL;
}

void *malloc(size_t size)
{
    block_t *block;

    if (heap_start == NULL)
        mm_init();
    if (size == 0)
        return NULL;
    size_t asize = max(round_up(size + dsize, dsize), min_block_size);
    for (block = free_list; block != NULL; block = block->body.links.next)
        if (get_size(block) >= asize)
            break;
    if (block == NULL && (block = extend_heap(max(asize, chunksize))) == NULL)
        return NULL;
    unlink_block(block);
    size_t rest = get_size(block) - asize;
    if (rest >= min_block_size) {
        write_block(block, asize, true);
        write_block(find_next(block), rest, false);
        link_block(find_next(block));
    } else {
        write_block(block, asize + rest, true);
    }
    dbg_printf("malloc %zu\n", size);
    return block->body.payload;
}

void free(void *bp)
{
    if (bp == NULL)
        return;
    block_t *block = payload_to_header(bp);
    write_block(block, get_size(block), false);
    coalesce(block);
}

void *realloc(void *ptr, size_t size)
{
    if (size == 0) {
        free(ptr);
        return NULL;
    }
    if (ptr == NULL)
        return malloc(size);
    void *fresh = malloc(size);
    if (fresh == NULL)
        return NULL;
    size_t copysize = get_size(payload_to_header(ptr)) - dsize;
    if (size < copysize)
        copysize = size;
    memcpy(fresh, ptr, copysize);
    free(ptr);
    return fresh;
}

void *calloc(size_t elements, size_t size)
{
    size_t asize = elements * size;

    if (elements == 0)
        return NULL;
    if (asize / elements != size)
        return NULL;
    void *bp = malloc(asize);
    if (bp == NULL)
        return NULL;
    memset(bp, 0, asize);
    return bp;
}

/** @brief Whether every block's footer repeats its header. */
bool mm_checkheap(int line)
{
    for (block_t *block = heap_start; get_size(block) > 0; block = find_next(block))
        if (*find_prev_footer(find_next(block)) != block->header) {
            fprintf(stderr, "line %d: footer at %p\n", line, (void *)find_next(block));
            return false;
        }
    return true;
}
