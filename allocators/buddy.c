/*
 * Binary buddies (Knowlton 1965; Knuth, The Art of Computer Programming, volume 1, 2.5): every block is a
 * power of two long and begins at a multiple of its length, counted from the start of the heap.
 *
 *      offset   0        64   96  128            256                     384
 *               +--------+----+----+--------------+-----------------------+
 *               | 64     | 32 | 32 | 128, free    | 128                   |  <- the break
 *               +--------+----+----+--------------+-----------------------+
 *                         buddies    buddy of 0..127, whose parts are in use
 *
 *      block    +-----------------+
 *               | TAG | order | a |  header, one word
 *               +-----------------+ <- aligned: blocks begin one word before a multiple of MM_ALIGNMENT
 *               | next            |  payload; the links are there while the block is free
 *               | previous        |
 *               +-----------------+
 *
 * vocabulary
 *      order     k: the block has 2^k bytes, header included
 *      buddy     the other half of the block of the next order: at this offset with bit k inverted. Two free
 *                buddies are joined, and nothing else ever is
 *      a         1 when the block is allocated
 *      TAG       a constant, the same in every header: how a pointer to anything else is noticed
 *
 * cost
 *      malloc    a search for a bit among the orders, then a split for each order in between
 *      free      the buddy's address is computed, never searched for; at most one join for each order
 *      realloc   grows in place while the upper buddies are free
 *      memory    payload and header are rounded up to a power of two: a quarter of the heap on average for
 *                sizes of no pattern. A table of a list for each order is at the start of the heap
 *
 * worst trace: payloads that are exact powers of two. The header takes each to the next order, and half the
 * heap is never used. And: of a row of blocks the second and third of every four are freed. They lie side by
 * side, but are not buddies, and are never joined.
 */
#include "mm.h"
#include "memlib.h"

#include <stdint.h>
#include <string.h>

#include "common/arith.h"
#include "common/calloc.h"
#include "common/log.h"
#include "common/report.h"

/* ---- the block ---- */

struct block {
    size_t header;             /* TAG | order << 8 | allocated */
    struct block *next, *prev; /* while free: in the list of its order */
};

#include "common/list.h"

#define TAG ((size_t)0xb0dd << 16)
#define ALLOCATED ((size_t)1)
#define ORDERS (WORD == 8 ? 48u : 31u) /* blocks are smaller than 2^ORDERS bytes */
#define LOWEST (log_2(round_up(sizeof(struct block), MM_ALIGNMENT) - 1) + 1)

static struct {
    uintptr_t base;       /* of the lowest block: what offsets are counted from */
    size_t size;          /* bytes of all blocks: those up to the break */
    struct block **lists; /* of free blocks, by order; at the start of the heap */
    uint64_t nonempty;    /* a bit for each order whose list has a block */
} heap;

static size_t header_of(unsigned order, size_t allocated) { return TAG | (size_t)order << 8 | allocated; }
static unsigned order_of(const struct block *b) { return b->header >> 8 & 0xff; }
static size_t size_of(const struct block *b) { return (size_t)1 << order_of(b); }
static size_t offset_of(const struct block *b) { return (uintptr_t)b - heap.base; }
static struct block *block_at(size_t offset) { return (void *)(heap.base + offset); }
static void *payload_of(struct block *b) { return &b->next; }
static struct block *block_of(void *payload) { return (void *)((uintptr_t)payload - WORD); }

/* Whether the word at B can be the header of a block there. */
static int is_header(const struct block *b)
{
    unsigned order = order_of(b);

    return (b->header & ~ALLOCATED) == header_of(order, 0) && order >= LOWEST && order < ORDERS
        && offset_of(b) % ((size_t)1 << order) == 0 && (size_t)1 << order <= heap.size - offset_of(b);
}

/* Whether a block of ORDER is at OFFSET, and free. */
static int is_free(size_t offset, unsigned order)
{
    return offset < heap.size && block_at(offset)->header == header_of(order, 0);
}

/* The smallest order that has room for SIZE payload bytes; ORDERS when none has. */
static unsigned order_for(size_t size)
{
    if (size > MAX_REQUEST)
        return ORDERS;
    unsigned order = log_2(size + WORD - 1) + 1;
    return order < LOWEST ? LOWEST : order < ORDERS ? order : ORDERS;
}

/* ---- the lists ---- */

static void insert(struct block *b, unsigned order)
{
    b->header = header_of(order, 0);
    list_insert(&heap.lists[order], NULL, b);
    heap.nonempty |= UINT64_C(1) << order;
}

static void remove_free(struct block *b)
{
    unsigned order = order_of(b);

    list_remove(&heap.lists[order], b);
    if (!heap.lists[order])
        heap.nonempty &= ~(UINT64_C(1) << order);
}

/* ---- split and join ---- */

/* B, of order FROM and in no list, is cut down to order TO: the upper halves become free. */
static void split(struct block *b, unsigned from, unsigned to)
{
    while (from-- > to)
        insert(block_at(offset_of(b) + ((size_t)1 << from)), from);
    b->header = header_of(to, ALLOCATED);
}

/* B becomes free, joined with its buddy as long as that is free, too. */
static void release(struct block *b)
{
    unsigned order = order_of(b);

    b->header &= ~ALLOCATED; /* even if B becomes an upper half below: a second free must find it free */
    for (; is_free(offset_of(b) ^ (size_t)1 << order, order); order++) {
        struct block *buddy = block_at(offset_of(b) ^ (size_t)1 << order);
        remove_free(buddy);
        if (buddy < b)
            b = buddy;
    }
    insert(b, order);
}

/* How many bytes the blocks need at their end for a free block of ORDER to come about there. */
static size_t missing(unsigned order)
{
    size_t size = (size_t)1 << order, begin = heap.size & ~(size - 1), at = begin;

    while (at < heap.size) { /* is all from BEGIN on free? Then it is in joined blocks, the largest first */
        unsigned part = log_2(heap.size - at);
        if (!is_free(at, part))
            return round_up(heap.size, size) + size - heap.size;
        at += (size_t)1 << part;
    }
    return begin + size - heap.size;
}

/* Takes the break up until a block of ORDER is free at the end. 0 when the heap is exhausted. */
static int grow(unsigned order)
{
    size_t bytes = missing(order);

    if (bytes > MAX_REQUEST || mem_sbrk((intptr_t)bytes) == (void *)-1)
        return 0;
    for (size_t end = heap.size + bytes; heap.size < end;) { /* in blocks that may begin where they do */
        size_t left = end - heap.size, aligned = heap.size & -heap.size;
        unsigned part = log_2(aligned && aligned < left ? aligned : left);
        struct block *b = block_at(heap.size);
        heap.size += (size_t)1 << part;
        b->header = header_of(part, 0);
        release(b);
    }
    return 1;
}

/* ---- the interface ---- */

int mm_init(void)
{
    size_t table = round_up(ORDERS * sizeof *heap.lists + WORD, MM_ALIGNMENT) - WORD;
    void *start = mem_sbrk((intptr_t)table);

    if (start == (void *)-1)
        return -1;
    heap.lists = start;
    heap.base = (uintptr_t)start + table;
    heap.size = 0;
    heap.nonempty = 0;
    memset(heap.lists, 0, ORDERS * sizeof *heap.lists);
    return 0;
}

void *mm_malloc(size_t size)
{
    unsigned order = order_for(size);

    if (order == ORDERS || (!(heap.nonempty >> order) && !grow(order)))
        return NULL;
    unsigned from = order + (unsigned)__builtin_ctzll(heap.nonempty >> order);
    struct block *b = heap.lists[from];
    remove_free(b);
    split(b, from, order);
    return payload_of(b);
}

/* The allocated block whose payload is at PTR. Anything else ends the process with a sentence. */
static struct block *decode(void *ptr, const char *call)
{
    struct block *b = block_of(ptr);

    if ((uintptr_t)b < heap.base || offset_of(b) >= heap.size)
        misuse(call, ptr, "not in the heap");
    if ((uintptr_t)ptr % MM_ALIGNMENT)
        misuse(call, ptr, "misaligned, a block starts at a multiple of %d", MM_ALIGNMENT);
    if (!is_header(b))
        misuse(call, ptr, "not a block, or its header was overwritten: it is %#zx", b->header);
    if (!(b->header & ALLOCATED))
        misuse(call, ptr, "already free");
    return b;
}

void mm_free(void *ptr)
{
    if (ptr)
        release(decode(ptr, "mm_free"));
}

/* Makes B a block of ORDER without moving it, if all the buddies on the way are above it and free. */
static int grow_in_place(struct block *b, unsigned order)
{
    for (unsigned k = order_of(b); k < order; k++)
        if (offset_of(b) >> k & 1 || !is_free(offset_of(b) + ((size_t)1 << k), k))
            return 0;
    for (unsigned k = order_of(b); k < order; k++)
        remove_free(block_at(offset_of(b) + ((size_t)1 << k)));
    b->header = header_of(order, ALLOCATED);
    return 1;
}

void *mm_realloc(void *ptr, size_t size)
{
    if (!ptr)
        return mm_malloc(size);
    struct block *b = decode(ptr, "mm_realloc");
    if (size == 0) {
        release(b);
        return NULL;
    }
    unsigned order = order_for(size);
    if (order <= order_of(b)) {
        split(b, order_of(b), order);
        return ptr;
    }
    if (order == ORDERS)
        return NULL;
    if (grow_in_place(b, order))
        return ptr;
    void *copy = mm_malloc(size);
    if (copy) {
        memcpy(copy, ptr, size_of(b) - WORD);
        release(b);
    }
    return copy;
}

/* ---- the heap checker ---- */

static int check_list(int line, unsigned order, size_t *entries)
{
    const struct block *prev = NULL;
    int faults = 0;

    if ((heap.lists[order] != NULL) != (heap.nonempty >> order & 1))
        faults += broken(line, "order %u: its bit says the opposite of its list", order);
    for (const struct block *b = heap.lists[order]; b; prev = b, b = b->next) {
        if ((uintptr_t)b < heap.base || offset_of(b) % ((size_t)1 << LOWEST) || !is_free(offset_of(b), order))
            return faults + broken(line, "order %u: its list has %p, which is no free block of that order", order,
                                   (const void *)b);
        if (b->prev != prev) /* also what ends a walk in circles */
            return faults + broken(line, "order %u: %p does not point back to %p", order, (const void *)b,
                                   (const void *)prev);
        *entries += 1;
    }
    return faults;
}

int mm_checkheap(int line)
{
    size_t free_blocks = 0, entries = 0;
    int faults = 0;

    if ((heap.base + WORD) % MM_ALIGNMENT || heap.base + heap.size != (uintptr_t)mem_heap_hi() + 1)
        faults += broken(line, "the blocks are not aligned, or do not end at the break");
    for (size_t at = 0; at < heap.size; at += size_of(block_at(at))) {
        const struct block *b = block_at(at);
        unsigned order = order_of(b);
        if (!is_header(b))
            return faults + broken(line, "block %p: no block has the header %#zx here, the walk ends here",
                                   (const void *)b, b->header);
        if (b->header & ALLOCATED)
            continue;
        free_blocks++;
        if (is_free(at ^ (size_t)1 << order, order))
            faults += broken(line, "block %p: it and its buddy are both free, not joined", (const void *)b);
    }
    for (unsigned order = 0; order < ORDERS; order++)
        faults += check_list(line, order, &entries);
    if (entries != free_blocks)
        faults += broken(line, "the lists have %zu blocks, but %zu blocks are free", entries, free_blocks);
    return faults;
}
