/*
 * A conservative mark-and-sweep collector (McCarthy 1960; Boehm and Weiser 1988): the program never has to say
 * that it is done with a block. The heap is that of segregated.c, with two bits more:
 *
 *      roots     [ *-]--.   [ NULL ]   [ *-]---------.               the program's pointers
 *                       v                            v
 *      heap      +---+-----+---+--------+---+-----+---+-----+
 *                | m |  *--|-->| m |    |   |     | m |     |        m: MARK, in the header, while collecting
 *                +---+-----+---+--------+---+-----+---+-----+
 *                                        not reached: swept
 *      starts     0 1 0 0 0 0 0 1 0 0 0 0 0 1 0 0 0 0 1 0 0 0         a bit for each MM_ALIGNMENT bytes: an
 *                                                                    allocated block's payload starts here
 *
 * vocabulary
 *      root        a pointer in the table that mm_gc_roots was given
 *      reference   a root, or a word in the payload of a reachable block at a multiple of a word's size, that
 *                  points to the first byte of an allocated block's payload or anywhere into it (an interior
 *                  pointer). One past the end is not a reference
 *      conservative  what looks like a reference is one. Nobody says which words are pointers, so a number may
 *                  keep a block; and nothing can be moved. Blocks are handed out zeroed, so that no reference of
 *                  an earlier owner is taken for one of the new
 *      mark        from the roots, along references; the blocks still to be looked into wait on a stack of
 *                  STACK entries, and if that does not suffice, the heap is walked for what was left out
 *      sweep       frees each allocated block without a mark
 *      pause       one collection, during which the program waits
 *
 * Until mm_gc_roots is called there are no roots, nothing is collected, and this is an explicit allocator.
 * With roots mm_free still frees at once, which is right as long as no reference is left.
 *
 * cost
 *      malloc    as segregated.c, and clearing the block, which takes time by its size. When the heap would have
 *                to grow and enough was allocated since the last collection (half of what that kept, 1/ROOT_SHARE
 *                of the root table, and LEAST bytes), there is one first: its time is linear in roots, reachable
 *                payload and blocks, and in the blocks once more each time that the heap is walked
 *      memory    as segregated.c, one bit for each MM_ALIGNMENT bytes of heap, and the garbage between two
 *                collections
 *
 * worst trace: a chain of arrays of more than STACK references, each with the next one, below it in the heap, in
 * its last word: the stack is full before that is reached, and the heap is walked for every array. And: no garbage
 * at all; each collection is in vain.
 */
#define MM_INTERFACE_FOLLOWS
#include "segregated.c"

#include <time.h>

enum { STACK = 64, ROOT_SHARE = 16, LEAST = 8192, FIRST_UNITS = 512 };

#define MARK ((size_t)4) /* in a header, only during a collection */
#define UNIT ((size_t)MM_ALIGNMENT)

_Static_assert((MARK & FLAGS) && !(MARK & (ALLOCATED | PREV_ALLOCATED)), "a flag of its own, which size_of ignores");

static struct {
    void **roots;
    size_t count;        /* of roots */
    size_t allocated;    /* bytes of blocks handed out since the last collection */
    size_t kept;         /* bytes of blocks that it kept */
    uint64_t *starts;    /* in a block of this heap; bit 0 is for the first byte of the heap */
    size_t units;        /* that STARTS has bits for */
    uint64_t pauses, total_ns, longest_ns;
} gc;

/* What may be called from outside, where mm.h is that of another course. */
void mm_gc_roots(void **roots, size_t count);
void mm_gc_collect(void);
void mm_gc_stats(uint64_t *pauses, uint64_t *total_ns, uint64_t *longest_ns);

/* ---- where blocks start ---- */

static size_t unit_of(const void *payload) { return ((uintptr_t)payload - (uintptr_t)mem_heap_lo()) / UNIT; }
static int starts_at(size_t unit) { return unit < gc.units && gc.starts[unit / 64] >> unit % 64 & 1; }
static void set_start(size_t unit) { gc.starts[unit / 64] |= UINT64_C(1) << unit % 64; }
static void clear_start(size_t unit) { gc.starts[unit / 64] &= ~(UINT64_C(1) << unit % 64); }

static struct block *block_at_unit(size_t unit) { return block_of((char *)mem_heap_lo() + unit * UNIT); }
static int is_ours(const struct block *b) { return gc.starts && payload_of((struct block *)(uintptr_t)b) == gc.starts; }

/* Gives STARTS room for UNITS units. 0 when the heap is exhausted. */
static int cover(size_t units)
{
    units = round_up(units + units / 2, 64);
    struct block *b = allocate(block_size(units / 8));

    if (!b)
        return 0;
    memset(payload_of(b), 0, units / 8);
    if (gc.starts) {
        memcpy(payload_of(b), gc.starts, gc.units / 8);
        release(block_of(gc.starts));
    }
    gc.starts = payload_of(b);
    gc.units = units;
    return 1;
}

/* The allocated block that WORD, an address in the heap, refers to, or NULL. */
static struct block *referent(uintptr_t word)
{
    size_t unit = unit_of((void *)word);
    if (unit >= gc.units)
        unit = gc.units - 1; /* into a block that starts below */
    size_t i = unit / 64;
    uint64_t bits = gc.starts[i] & UINT64_MAX >> (63 - unit % 64);
    while (!bits) {
        if (i == 0)
            return NULL;
        bits = gc.starts[--i];
    }
    struct block *b = block_at_unit(64 * i + 63 - (unsigned)__builtin_clzll(bits));
    return word < (uintptr_t)following(b) ? b : NULL;
}

/* ---- mark ---- */

struct marker {
    struct block *stack[STACK]; /* marked, not looked into */
    size_t depth;
    struct block *walked;       /* blocks from here on will be looked into in any case */
    struct block *left_out;     /* the lowest block below that did not fit on the stack, or NULL */
};

static void mark(struct marker *m, uintptr_t word)
{
    struct block *b = referent(word);

    if (!b || b->header & MARK)
        return;
    b->header |= MARK;
    if (m->depth < STACK)
        m->stack[m->depth++] = b;
    else if (b < m->walked && (!m->left_out || b < m->left_out))
        m->left_out = b;
}

/* Marks all that COUNT words refer to, and what that refers to. Most words are no addresses in the heap, so it
 * is this loop that decides how long a pause is. */
static void look_into(struct marker *m, const uintptr_t *words, size_t count)
{
    const uintptr_t low = (uintptr_t)heap.first, extent = (uintptr_t)heap.end - low;

    for (;;) {
        for (size_t i = 0; i < count; i++)
            if (words[i] - low < extent)
                mark(m, words[i]);
        if (m->depth == 0)
            return;
        struct block *b = m->stack[--m->depth];
        words = payload_of(b);
        count = size_of(b) / WORD - 1;
    }
}

/* Marks all that can be reached from the roots and from ALSO. */
static void mark_all(const void *also)
{
    struct marker m = { .walked = heap.end };

    look_into(&m, (const uintptr_t *)&also, 1);
    for (size_t i = 0; i < gc.count; i += STACK / 2) { /* so few at once that they fit on the stack */
        size_t left = gc.count - i;
        look_into(&m, (const uintptr_t *)gc.roots + i, left < STACK / 2 ? left : STACK / 2);
    }
    while (m.left_out) {
        m.walked = m.left_out;
        m.left_out = NULL;
        for (; m.walked != heap.end; m.walked = following(m.walked))
            if (m.walked->header & MARK)
                look_into(&m, payload_of(m.walked), size_of(m.walked) / WORD - 1);
    }
}

/* ---- sweep ---- */

/* B, allocated, is garbage or given back. */
static void reclaim(struct block *b)
{
    clear_start(unit_of(payload_of(b)));
    release(b);
}

static void sweep(void)
{
    gc.kept = 0;
    for (struct block *b = heap.first; b != heap.end;) {
        struct block *next = following(b);
        if (!is_free(b) && !is_ours(b)) {
            if (b->header & MARK) {
                b->header &= ~MARK;
                gc.kept += size_of(b);
            } else {
                if (is_free(next)) /* joined with B below */
                    next = following(next);
                reclaim(b);
            }
        }
        b = next;
    }
}

/* ---- collections ---- */

static uint64_t now(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

/* ALSO is a root, too, if it is a reference. */
static void collect(const void *also)
{
    if (!gc.roots)
        return;
    uint64_t begin = now();
    mark_all(also);
    sweep();
    gc.allocated = 0;
    uint64_t pause = now() - begin;
    gc.pauses++;
    gc.total_ns += pause;
    if (pause > gc.longest_ns)
        gc.longest_ns = pause;
}

/* Whether a collection is worth its time. */
static int is_due(void)
{
    return gc.roots && gc.allocated >= gc.kept / 2 + gc.count * sizeof *gc.roots / ROOT_SHARE + LEAST;
}

/* An allocated block of NEED bytes that has a start bit; NULL when exhausted. */
static struct block *allocate_known(size_t need)
{
    struct block *b = allocate(need);

    if (b && unit_of(payload_of(b)) >= gc.units && !cover(unit_of(heap.end))) {
        release(b);
        return NULL;
    }
    if (b)
        set_start(unit_of(payload_of(b)));
    return b;
}

/* The same, after collections as they are due; KEEP is not reclaimed. */
static struct block *allocate_or_collect(size_t need, const void *keep)
{
    if (is_due() && !index_find(need)) /* the heap would grow */
        collect(keep);
    struct block *b = allocate_known(need);
    if (!b && gc.roots) { /* exhausted, but perhaps with garbage */
        collect(keep);
        b = allocate_known(need);
    }
    if (b)
        gc.allocated += size_of(b);
    return b;
}

/* ---- the interface ---- */

int mm_init(void)
{
    memset(&gc, 0, sizeof gc);
    return heap_init() == 0 && cover(FIRST_UNITS) ? 0 : -1;
}

void mm_gc_roots(void **roots, size_t count)
{
    gc.roots = roots;
    gc.count = count;
}

void mm_gc_collect(void) { collect(NULL); }

void mm_gc_stats(uint64_t *pauses, uint64_t *total_ns, uint64_t *longest_ns)
{
    *pauses = gc.pauses;
    *total_ns = gc.total_ns;
    *longest_ns = gc.longest_ns;
}

void *mm_malloc(size_t size)
{
    size_t need = block_size(size);
    struct block *b = need ? allocate_or_collect(need, NULL) : NULL;

    return b ? memset(payload_of(b), 0, size_of(b) - WORD) : NULL;
}

void *mm_calloc(size_t count, size_t size)
{
    if (size && count > SIZE_MAX / size)
        return NULL;
    return mm_malloc(count * size);
}

/* The allocated block at PTR, as decode gives it, and not one that only looks like it. */
static struct block *known(void *ptr, const char *call)
{
    struct block *b = decode(ptr, call);

    if (!starts_at(unit_of(ptr)))
        misuse(call, ptr, "not a block: none starts there");
    return b;
}

void mm_free(void *ptr)
{
    if (ptr)
        reclaim(known(ptr, "mm_free"));
}

void *mm_realloc(void *ptr, size_t size)
{
    if (!ptr)
        return mm_malloc(size);
    struct block *b = known(ptr, "mm_realloc");
    if (size == 0) {
        reclaim(b);
        return NULL;
    }
    size_t need = block_size(size), old = size_of(b), kept = old - WORD;
    if (need == 0)
        return NULL;
    if (need <= old || grow_in_place(b, need)) {
        occupy(b, need);
        if (size_of(b) > old) {
            memset((char *)ptr + kept, 0, size_of(b) - old);
            gc.allocated += size_of(b) - old;
        }
        return ptr;
    }
    struct block *copy = allocate_or_collect(need, ptr);
    if (!copy)
        return NULL;
    memcpy(payload_of(copy), ptr, kept);
    memset((char *)payload_of(copy) + kept, 0, size_of(copy) - old);
    reclaim(b);
    return payload_of(copy);
}

int mm_checkheap(int line)
{
    int faults = heap_check(line);
    size_t blocks = 0, bits = 0;

    if (faults)
        return faults;
    for (struct block *b = heap.first; b != heap.end; b = following(b)) {
        if (b->header & MARK)
            faults += broken(line, "block %p: its mark is set, and no collection is going on", (void *)b);
        if (is_free(b) || is_ours(b))
            continue;
        blocks++;
        if (!starts_at(unit_of(payload_of(b))))
            faults += broken(line, "block %p: its start bit is not set", (void *)b);
    }
    for (size_t i = 0; i < gc.units / 64; i++)
        bits += (size_t)__builtin_popcountll(gc.starts[i]);
    if (bits != blocks)
        faults += broken(line, "%zu start bits are set, but %zu blocks are allocated", bits, blocks);
    return faults;
}
