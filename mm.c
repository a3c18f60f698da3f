/*
 * A boundary-tag allocator (Knuth, The Art of Computer Programming, volume 1, 2.5), in one file.
 *
 * The heap is a row of blocks without gaps. A block begins with its header, one word; a free block
 * repeats its size in its last word, the footer, so that the block after it can find its beginning:
 *
 *      allocated                            free
 *      +---------------------+             +---------------------+
 *      | size        | p | 1 |  header     | size        | 1 | 0 |  header
 *      +---------------------+ <- aligned  +---------------------+
 *      |                     |             | next free block     |  (explicit only)
 *      |      payload        |             | previous free block |  (explicit only)
 *      |                     |             |       ...           |
 *      |                     |             | size                |  footer
 *      +---------------------+             +---------------------+
 *
 *      heap:  [padding] block block ... block [epilogue: a header of size 0, allocated]
 *
 * vocabulary
 *      word      sizeof(size_t); block sizes count bytes, header included, multiples of MM_ALIGNMENT
 *      p         1 when the block before this one is allocated. It is what lets an allocated block do
 *                without a footer: nobody looks for the beginning of an allocated block
 *      coalesce  to join a block that is freed with its free neighbours, at once: two free blocks
 *                never touch
 *      index     how a free block is found. Chosen at build:
 *                  -DMM_IMPLICIT       no index: walk every block in address order
 *                  (default: explicit) a doubly linked list of the free blocks, newest first, or
 *                                      lowest address first with -DMM_ORDER_ADDRESS
 *      fit       which block that is large enough: -DMM_FIT_FIRST (default), -DMM_FIT_NEXT (go on
 *                where the last search ended), -DMM_FIT_BEST (the smallest). First and next fit
 *                give up a search of the free list after MM_PROBES blocks, and the heap grows instead
 *
 * cost
 *      malloc    implicit: linear in all blocks; explicit: at most MM_PROBES free blocks are looked at
 *                (best fit: all of them)
 *      free      constant; with MM_ORDER_ADDRESS linear in the free blocks
 *      realloc   constant while it shrinks, or grows into a free block after it or the end of the
 *                heap; else it copies: into the free block before it when that is enough, or elsewhere
 *      memory    one word a block, and the smallest block is four words (implicit: two)
 *
 * worst trace: small blocks allocated in turn with large ones, the small ones freed, and more large
 * ones asked for. Every search walks over small holes, and none of them is ever of use.
 */
#include "mm.h"
#include "memlib.h"

#include <stdint.h>
#include <string.h>

/*
 * arith.h - the sizes that every allocator here computes with.
 */

#include <stddef.h>

#define WORD sizeof(size_t)
#define MAX_REQUEST (SIZE_MAX / 2 - 4 * MM_ALIGNMENT) /* mem_sbrk takes a signed number */

/* N, or the next multiple of UNIT, a power of two. */
__attribute__((unused)) static inline size_t round_up(size_t n, size_t unit) { return (n + unit - 1) & ~(unit - 1); }

/*
 * report.h - how an allocator says that it was misused or that its heap is broken.
 *
 * Whatever its own file is called, it is graded as mm.c, so that is the name in the sentence.
 */

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

/* The caller of CALL did something that no heap survives: one sentence on stderr, then abort. */
__attribute__((noreturn, cold, unused, format(printf, 3, 4)))
static void misuse(const char *call, const void *ptr, const char *format, ...)
{
    va_list args;

    fprintf(stderr, "mm.c: %s(%p): ", call, ptr);
    va_start(args, format);
    vfprintf(stderr, format, args);
    va_end(args);
    fputc('\n', stderr);
    abort();
}

/* A broken invariant, seen by mm_checkheap(LINE): one sentence on stderr. Returns 1, to be counted. */
__attribute__((cold, unused, format(printf, 2, 3)))
static int broken(int line, const char *format, ...)
{
    va_list args;

    fprintf(stderr, "mm.c: mm_checkheap(%d): ", line);
    va_start(args, format);
    vfprintf(stderr, format, args);
    va_end(args);
    fputc('\n', stderr);
    return 1;
}

#if !defined(MM_FIT_FIRST) && !defined(MM_FIT_NEXT) && !defined(MM_FIT_BEST)
#define MM_FIT_FIRST
#endif
#ifndef MM_PROBES
#if defined(MM_IMPLICIT) || defined(MM_FIT_BEST)
#define MM_PROBES SIZE_MAX
#else
#define MM_PROBES 100
#endif
#endif

/* ---- the block ---- */

#define ALLOCATED ((size_t)1)
#define PREV_ALLOCATED ((size_t)2)
#define FLAGS ((size_t)7)

struct block {
    size_t header;             /* size | flags */
    struct block *next, *prev; /* explicit, while free: in the free list */
};

#ifdef MM_IMPLICIT
#define MIN_BYTES (2 * WORD) /* header and footer */
#else
#define MIN_BYTES (sizeof(struct block) + WORD)
#endif
#define MIN_BLOCK round_up(MIN_BYTES, MM_ALIGNMENT)

_Static_assert(MM_ALIGNMENT % 8 == 0 && (MM_ALIGNMENT & (MM_ALIGNMENT - 1)) == 0, "FLAGS must be free in a size");
_Static_assert(MM_ALIGNMENT >= WORD, "a header must fit before the first payload");

static struct {
    struct block *first; /* the lowest block */
    struct block *end;   /* the epilogue */
} heap;

static struct block *at(const void *base, size_t offset) { return (void *)((uintptr_t)base + offset); }
static struct block *below(const void *base, size_t offset) { return (void *)((uintptr_t)base - offset); }

static size_t size_of(const struct block *b) { return b->header & ~FLAGS; }
static int is_free(const struct block *b) { return !(b->header & ALLOCATED); }
static int prev_is_free(const struct block *b) { return !(b->header & PREV_ALLOCATED); }

static void *payload_of(struct block *b) { return at(b, WORD); }
static struct block *block_of(void *payload) { return below(payload, WORD); }
static struct block *following(const struct block *b) { return at(b, size_of(b)); }

/* Footers exist in free blocks only. */
static size_t *footer_of(const struct block *b) { return (void *)below(following(b), WORD); }
static size_t footer_before(const struct block *b) { return below(b, WORD)->header; }
static struct block *preceding(const struct block *b) { return below(b, footer_before(b)); }

static void set_size(struct block *b, size_t size) { b->header = size | (b->header & FLAGS); }

/* The block that holds SIZE payload bytes, in bytes; 0 when no block can. */
static size_t block_size(size_t size)
{
    if (size > MAX_REQUEST)
        return 0;
    size_t need = round_up(size + WORD, MM_ALIGNMENT);
    return need < MIN_BLOCK ? MIN_BLOCK : need;
}

/* ---- the index: who it is that knows the free blocks; defined further down ---- */

static int index_init(void);                          /* 0, or -1 when it finds no memory for itself */
static void index_insert(struct block *b);
static void index_remove(struct block *b);
static void index_absorbed(struct block *from, struct block *into); /* FROM is no longer a block */
static struct block *index_find(size_t need);         /* a free block of at least NEED bytes, or NULL */
static int index_check(int line, size_t *entries);    /* broken invariants of its own; counts its entries */

/* ---- blocks become free, and come into use ---- */

/* INTO takes in FROM, the block right after it. */
static void merge(struct block *into, struct block *from)
{
    set_size(into, size_of(into) + size_of(from));
    index_absorbed(from, into);
}

/* B, with an allocated header, becomes free: coalesced and in the index. */
static void release(struct block *b)
{
    struct block *next = following(b);

    b->header &= ~ALLOCATED; /* even if B is taken in below: a second free must find it free */
    if (is_free(next)) {
        index_remove(next);
        merge(b, next);
    }
    if (prev_is_free(b)) {
        struct block *prev = preceding(b);
        index_remove(prev);
        merge(prev, b);
        b = prev;
    }
    *footer_of(b) = size_of(b);
    following(b)->header &= ~PREV_ALLOCATED;
    index_insert(b);
}

/* B, which no index knows any more, becomes allocated with NEED bytes; what is left over is released. */
static void occupy(struct block *b, size_t need)
{
    size_t rest = size_of(b) - need;

    b->header |= ALLOCATED;
    if (rest < MIN_BLOCK) {
        following(b)->header |= PREV_ALLOCATED;
        return;
    }
    set_size(b, need);
    following(b)->header = rest | ALLOCATED | PREV_ALLOCATED;
    release(following(b));
}

/* Moves the end of the heap up by BYTES: the epilogue becomes a block of that size, or part of the block
 * before it. 0 when the heap is exhausted. */
static int grow_heap(size_t bytes)
{
    if (mem_sbrk((intptr_t)bytes) == (void *)-1)
        return 0;
    heap.end = at(heap.end, bytes);
    heap.end->header = ALLOCATED | PREV_ALLOCATED;
    return 1;
}

/* A block of NEED bytes at the end of the heap, taking in a free one there, which the search may have missed
 * even if it is large enough; NULL when exhausted. */
static struct block *extend(size_t need)
{
    struct block *b = heap.end;
    size_t have = 0;

    if (prev_is_free(b)) {
        b = preceding(b);
        have = size_of(b);
    }
    if (have < need && !grow_heap(need - have))
        return NULL;
    if (have)
        index_remove(b);
    if (have < need)
        set_size(b, need);
    return b;
}

/* ---- the heap ---- */

static int heap_init(void)
{
    if (index_init() != 0 || mem_sbrk(MM_ALIGNMENT) == (void *)-1)
        return -1;
    heap.first = heap.end = below(mem_sbrk(0), WORD);
    heap.end->header = ALLOCATED | PREV_ALLOCATED;
    return 0;
}

/* An allocated block of NEED bytes; NULL when the heap is exhausted. */
static struct block *allocate(size_t need)
{
    struct block *b = index_find(need);

    if (b)
        index_remove(b);
    else if (!(b = extend(need)))
        return NULL;
    occupy(b, need);
    return b;
}

/* Makes B at least NEED bytes without moving it: into a free block after it, or past the heap's end. */
static int grow_in_place(struct block *b, size_t need)
{
    struct block *next = following(b);
    size_t room = size_of(b) + (is_free(next) ? size_of(next) : 0);

    if (room < need) {
        if (at(b, room) != heap.end || !grow_heap(need - room))
            return 0;
        room = need;
    }
    if (is_free(next))
        index_remove(next);
    index_absorbed(next, b);
    set_size(b, room);
    return 1;
}

/* ---- validation: the one place where a pointer from outside becomes a block ---- */

static int is_size(size_t size) { return size >= MIN_BLOCK && size % MM_ALIGNMENT == 0; }

/* The allocated block whose payload is at PTR. Anything else ends the process with a sentence. */
static struct block *decode(void *ptr, const char *call)
{
    struct block *b = block_of(ptr);

    if ((uintptr_t)b < (uintptr_t)heap.first || (uintptr_t)b >= (uintptr_t)heap.end)
        misuse(call, ptr, "not in the heap");
    if ((uintptr_t)ptr % MM_ALIGNMENT)
        misuse(call, ptr, "misaligned, a block starts at a multiple of %d", MM_ALIGNMENT);
    size_t size = b->header & ~(ALLOCATED | PREV_ALLOCATED);
    if (!is_size(size) || size > (uintptr_t)heap.end - (uintptr_t)b)
        misuse(call, ptr, "not a block, or its header was overwritten: no block has %zu bytes", size);
    if (is_free(b))
        misuse(call, ptr, "already free");
    struct block *next = following(b);
    if (prev_is_free(next))
        misuse(call, ptr, "not a block, or a header was overwritten: the next one says that this is free");
    if (is_free(next) && (size_of(next) > (uintptr_t)heap.end - (uintptr_t)next || !is_size(size_of(next))
                          || *footer_of(next) != size_of(next)))
        misuse(call, ptr, "header and footer disagree in the free block after it");
    if (prev_is_free(b)) {
        size_t before = footer_before(b);
        if (!is_size(before) || before > (uintptr_t)b - (uintptr_t)heap.first
            || preceding(b)->header != (before | PREV_ALLOCATED))
            misuse(call, ptr, "header and footer disagree in the free block before it");
    }
    return b;
}

/* ---- the heap checker ---- */

/* What is wrong with B as a block of its own; PREV is the block before it, or NULL. */
static int check_block(int line, const struct block *b, const struct block *prev)
{
    int faults = 0;

    if (((uintptr_t)b + WORD) % MM_ALIGNMENT)
        faults += broken(line, "block %p: its payload is not aligned to %d bytes", (const void *)b, MM_ALIGNMENT);
    if (prev_is_free(b) != (prev && is_free(prev)))
        faults += broken(line, "block %p: its header is wrong about whether the block before it is allocated",
                         (const void *)b);
    if (is_free(b) && *footer_of(b) != size_of(b))
        faults += broken(line, "block %p: header and footer disagree (%zu and %zu bytes)", (const void *)b,
                         size_of(b), *footer_of(b));
    if (is_free(b) && prev && is_free(prev))
        faults += broken(line, "block %p: it and the block before it are both free, not coalesced",
                         (const void *)b);
    return faults;
}

/* Counts the broken invariants of blocks and index, with a sentence each. */
static int heap_check(int line)
{
    const struct block *b, *prev = NULL;
    size_t free_blocks = 0, entries = 0;
    int faults = 0;

    for (b = heap.first; b != heap.end; prev = b, b = following(b)) {
        if (!is_size(size_of(b)) || size_of(b) > (uintptr_t)heap.end - (uintptr_t)b)
            return faults + broken(line, "block %p: no block has %zu bytes, the walk ends here", (const void *)b,
                                   size_of(b));
        faults += check_block(line, b, prev);
        free_blocks += (size_t)is_free(b);
    }
    if (size_of(b) != 0 || is_free(b) || prev_is_free(b) != (prev && is_free(prev)))
        faults += broken(line, "the epilogue %p is damaged: its header is %#zx", (const void *)b, b->header);
    if ((uintptr_t)heap.end + WORD != (uintptr_t)mem_heap_hi() + 1)
        faults += broken(line, "the epilogue %p is not at the end of the heap", (const void *)heap.end);
    faults += index_check(line, &entries);
    if (entries != free_blocks)
        faults += broken(line, "the index has %zu blocks, but %zu blocks are free", entries, free_blocks);
    return faults;
}

#ifndef MM_INTERFACE_FOLLOWS /* another file includes this one and has its own */

/* ---- the interface ---- */

int mm_init(void) { return heap_init(); }
int mm_checkheap(int line) { return heap_check(line); }

void *mm_malloc(size_t size)
{
    size_t need = block_size(size);
    struct block *b = need ? allocate(need) : NULL;

    return b ? payload_of(b) : NULL;
}

void mm_free(void *ptr)
{
    if (ptr)
        release(decode(ptr, "mm_free"));
}

/* Moves B's payload down into the free block before it, if that gives NEED bytes; NULL if not. The bytes
 * would have to be copied anyway, and this leaves one hole less. */
static struct block *grow_down(struct block *b, size_t need)
{
    struct block *next = following(b), *prev;

    if (!prev_is_free(b))
        return NULL;
    prev = preceding(b);
    if (size_of(prev) + size_of(b) + (is_free(next) ? size_of(next) : 0) < need)
        return NULL;
    size_t kept = size_of(b) - WORD;
    index_remove(prev);
    if (is_free(next)) {
        index_remove(next);
        merge(b, next);
    }
    merge(prev, b);
    b->header &= ~ALLOCATED; /* a later free of the old address must not find a block */
    memmove(payload_of(prev), payload_of(b), kept);
    return prev;
}

void *mm_realloc(void *ptr, size_t size)
{
    if (!ptr)
        return mm_malloc(size);
    struct block *b = decode(ptr, "mm_realloc"), *moved;
    if (size == 0) {
        release(b);
        return NULL;
    }
    size_t need = block_size(size);
    if (need == 0)
        return NULL;
    if (need <= size_of(b) || grow_in_place(b, need)) {
        occupy(b, need);
        return ptr;
    }
    if ((moved = grow_down(b, need))) {
        occupy(moved, need);
        return payload_of(moved);
    }
    void *copy = mm_malloc(size);
    if (copy) {
        memcpy(copy, ptr, size_of(b) - WORD);
        release(b);
    }
    return copy;
}

/* calloc.h - mm_calloc out of mm_malloc. */

#include "mm.h"

void *mm_calloc(size_t count, size_t size)
{
    if (size && count > SIZE_MAX / size)
        return NULL;
    void *p = mm_malloc(count * size);
    return p ? memset(p, 0, count * size) : NULL;
}

#endif /* MM_INTERFACE_FOLLOWS */

/* ---- lists of free blocks, for an index to be made of ---- */

/*
 * list.h - doubly linked lists of free blocks, which hold the links themselves.
 *
 * Whoever includes this has a struct block with members `next` and `prev` before; a list is a pointer to
 * its first block, or NULL.
 */

/* Puts B after PREV, or at the head when PREV is NULL. */
__attribute__((unused)) static void list_insert(struct block **head, struct block *prev, struct block *b)
{
    struct block **link = prev ? &prev->next : head;

    b->prev = prev;
    b->next = *link;
    *link = b;
    if (b->next)
        b->next->prev = b;
}

__attribute__((unused)) static void list_remove(struct block **head, const struct block *b)
{
    *(b->prev ? &b->prev->next : head) = b->next;
    if (b->next)
        b->next->prev = b->prev;
}

/* Counts the blocks of a list; returns its broken invariants. */
__attribute__((unused)) static int list_check(int line, const struct block *head, size_t *entries)
{
    const struct block *prev = NULL;

    for (const struct block *b = head; b; prev = b, b = b->next) {
        if ((uintptr_t)b < (uintptr_t)heap.first || (uintptr_t)b >= (uintptr_t)heap.end
            || ((uintptr_t)b + WORD) % MM_ALIGNMENT || !is_free(b) || !is_size(size_of(b)))
            return broken(line, "a free list has %p, which is no free block", (const void *)b);
        if (b->prev != prev) /* also what ends a walk in circles */
            return broken(line, "a free list is broken: %p does not point back to %p", (const void *)b,
                          (const void *)prev);
        *entries += 1;
    }
    return 0;
}

#ifndef MM_INDEX_FOLLOWS /* another file includes this one and defines the index after it */

/* ---- the index: none, or a list; a search starts at first_candidate() ---- */

static struct block *rover; /* next fit: where to go on; NULL at the beginning */

#ifdef MM_IMPLICIT

static int index_init(void)
{
    rover = NULL;
    return 0;
}

static void index_insert(struct block *b) { (void)b; }
static void index_remove(struct block *b) { (void)b; }

static void index_absorbed(struct block *from, struct block *into)
{
    if (rover == from)
        rover = into;
}

static struct block *first_candidate(void) { return heap.first == heap.end ? NULL : heap.first; }

static struct block *next_candidate(const struct block *b)
{
    struct block *next = following(b);
    return next == heap.end ? NULL : next;
}

static int index_check(int line, size_t *entries)
{
    int found = rover == NULL;

    for (struct block *b = first_candidate(); b; b = next_candidate(b)) {
        *entries += (size_t)is_free(b);
        found |= b == rover;
    }
    return found ? 0 : broken(line, "the rover %p is not a block", (void *)rover);
}

#else /* explicit */

static struct block *free_list;

static int index_init(void)
{
    free_list = rover = NULL;
    return 0;
}

static void index_insert(struct block *b)
{
    struct block *prev = NULL;

#ifdef MM_ORDER_ADDRESS
    for (struct block *next = free_list; next && next < b; next = next->next)
        prev = next;
#endif
    list_insert(&free_list, prev, b);
}

static void index_remove(struct block *b)
{
    list_remove(&free_list, b);
    if (rover == b)
        rover = b->next;
}

static void index_absorbed(struct block *from, struct block *into) { (void)from, (void)into; }

static struct block *first_candidate(void) { return free_list; }
static struct block *next_candidate(const struct block *b) { return b->next; }

static int index_check(int line, size_t *entries)
{
    int found = rover == NULL, faults = list_check(line, free_list, entries);

    for (const struct block *b = free_list; b && !faults; b = b->next) {
        found |= b == rover;
#ifdef MM_ORDER_ADDRESS
        if (b->next && b->next < b)
            return broken(line, "the free list is out of order: %p is before %p", (const void *)b,
                          (const void *)b->next);
#endif
    }
    return faults + (found ? 0 : broken(line, "the rover %p is not in the free list", (void *)rover));
}

#endif /* MM_IMPLICIT */

static int fits(const struct block *b, size_t need) { return is_free(b) && size_of(b) >= need; }

/* The first candidate of NEED bytes from FROM on, up to but not including STOP. */
static struct block *first_fit(struct block *from, const struct block *stop, size_t need)
{
    size_t probes = 0;

    for (struct block *b = from; b != stop && probes < MM_PROBES; b = next_candidate(b), probes++)
        if (fits(b, need))
            return b;
    return NULL;
}

static struct block *index_find(size_t need)
{
#if defined(MM_FIT_FIRST)
    return first_fit(first_candidate(), NULL, need);
#elif defined(MM_FIT_NEXT)
    struct block *b = first_fit(rover, NULL, need);
    if (!b)
        b = first_fit(first_candidate(), rover, need);
    if (b)
        rover = b;
    return b;
#else
    struct block *best = NULL;
    for (struct block *b = first_fit(first_candidate(), NULL, need); b;
         b = first_fit(next_candidate(b), NULL, need)) {
        if (!best || size_of(b) < size_of(best))
            best = b;
        if (size_of(b) == need)
            break;
    }
    return best;
#endif
}

#endif /* MM_INDEX_FOLLOWS */
