/*
 * Slabs (Bonwick 1994), or size-class runs: small blocks have no header at all. Those of one size lie side by
 * side in a run of pages, and one bit each, kept at the start of the run, says which are free.
 *
 *      pages   0     1     2     3     4     5     6     7     8
 *              +-----+-----------------+-----------+-----------+
 *              | run | large block     | free span | run       |  <- the break
 *              +-----+-----------------+-----------+-----------+
 *      map       0   LRG   IN    IN    FRE   FRE   0     1        a byte for each page
 *
 *      run     +--------------------+------+------+------+------+--
 *              | class, bits 0 1 1 0| slot | slot | slot | slot |      all of one size
 *              +--------------------+------+------+------+------+--
 *                     used, free, free, used
 *
 *      large   +------------+-------------------------+
 *              | size | TAG |  payload                |                a header, as there is only one
 *              +------------+-------------------------+
 *
 * vocabulary
 *      page      PAGE bytes; what the heap grows by and is divided into
 *      span      consecutive pages that belong together: a run, a large block, free pages
 *      map       what each page is: for a run, how many pages back its first one is. That leads from any
 *                address to its block without a header; the map moves to a larger span as the heap grows
 *      class     the slots' size: in steps of MM_ALIGNMENT up to 8 of them, then four in each doubling
 *      slot      room for one block of a class
 *      run       pages of one class. The first of a class is short, further ones are longer
 *
 * cost
 *      malloc    small: the first set bit in at most BIT_WORDS words. Large: at most PROBES free spans
 *      free      small: a bit. An empty run goes back to the free pages, unless it is the last one with room
 *      realloc   constant within a class, or while a large block finds free pages after it; else a copy
 *      memory    a run's header and what is left over behind its slots; in a slot less than MM_ALIGNMENT
 *                bytes or a fifth, whichever is more; up to a page for a large block; and a byte of map for
 *                each page, which a block of terabytes makes gigabytes
 *
 * worst trace: one block in each class and nothing more: a run for each. Or many blocks of one size of which
 * one in every run is kept: no run is empty, and no other size can use them.
 */
#include "mm.h"
#include "memlib.h"

#include <stdint.h>
#include <string.h>

#include "common/arith.h"
#include "common/calloc.h"
#include "common/log.h"
#include "common/report.h"

enum {
    PAGE = 1024,
    SMALL = 1024,         /* largest size that has a class */
    LINEAR = 8,           /* classes in steps of MM_ALIGNMENT */
    HEADER = 64,          /* bytes of a run before its slots */
    BIT_WORDS = 4,        /* so a run has at most 256 slots */
    FEWEST_SLOTS = 4,     /* in a class's first run */
    LONGER = 4,           /* further runs are so many times longer, ... */
    RUN_PAGES = 16,       /* ... but never longer than this */
    BINS = WORD == 8 ? 40 : 22, /* lists of free spans, by powers of two of pages */
    PROBES = 24,
    FIRST_MAP = 64        /* pages that the map knows at first */
};
#define LOG_LINEAR (log_2(LINEAR * MM_ALIGNMENT))
#define CLASSES (LINEAR + 4 * (log_2(SMALL) - LOG_LINEAR))
enum { MOST_CLASSES = 24 };

/* What the map says of a page; less than RUN_PAGES: of a run, and how many pages back the run begins. */
enum { LARGE = 0xf0, INSIDE_LARGE, FREE, OWN };

/* A free span has this at its start, and its size in pages in the first word of its last page as well. */
struct block {
    size_t pages;
    struct block *next, *prev; /* in its bin */
};

#include "common/list.h"

struct run {
    uint32_t tag;                  /* TAG | class */
    uint16_t slots, free;          /* of the slots, how many are free */
    uint16_t pages;
    struct run *next, *prev;       /* in the list of runs of the class that have a free slot */
    uint64_t is_free[BIT_WORDS];   /* bit i: slot i is free */
};

#define TAG 0x51ab00u
#define LARGE_TAG 0x1b5u                /* the low bits of a large block's header, whose size is a multiple of PAGE */
#define LARGE_HEADER ((size_t)MM_ALIGNMENT) /* bytes before the payload; the header is the last word of them */

_Static_assert(sizeof(struct run) <= HEADER && HEADER % MM_ALIGNMENT == 0, "a run's header is before its slots");
_Static_assert(MM_ALIGNMENT >= WORD && LINEAR * MM_ALIGNMENT <= SMALL, "sizes that classes are laid out for");
_Static_assert(LARGE_TAG < PAGE, "a large block's tag is in bits that its size leaves");

static struct {
    uintptr_t base;                 /* of page 0, where the heap begins */
    size_t pages;                   /* up to the break */
    uint8_t *map;                   /* a byte for each page */
    size_t mapped;                  /* pages that MAP has room for */
    struct run *runs[MOST_CLASSES]; /* runs with a free slot */
    uint32_t had_run;               /* a bit for each class that had a run */
    struct block *bins[BINS];       /* free spans */
    uint8_t first_map[FIRST_MAP];
} heap;

static void *page_at(size_t page) { return (void *)(heap.base + page * PAGE); }
static size_t page_of(const void *p) { return ((uintptr_t)p - heap.base) / PAGE; }
static int is_run(size_t page) { return heap.map[page] < RUN_PAGES; }

static void set_map(size_t page, size_t pages, int what) { memset(heap.map + page, what, pages); }

/* ---- spans ---- */

static void bin_insert(size_t page, size_t pages)
{
    struct block *span = page_at(page), *last = page_at(page + pages - 1);

    last->pages = span->pages = pages;
    list_insert(&heap.bins[log_2(pages)], NULL, span);
}

static void bin_remove(struct block *span) { list_remove(&heap.bins[log_2(span->pages)], span); }

/* Pages become a free span, joined with those beside it. */
static void free_pages(size_t page, size_t pages)
{
    set_map(page, pages, FREE);
    if (page + pages < heap.pages && heap.map[page + pages] == FREE) {
        struct block *next = page_at(page + pages);
        bin_remove(next);
        pages += next->pages;
    }
    if (page > 0 && heap.map[page - 1] == FREE) {
        size_t before = ((struct block *)page_at(page - 1))->pages;
        bin_remove(page_at(page - before));
        page -= before;
        pages += before;
    }
    bin_insert(page, pages);
}

/* The smallest of the first spans in the bin of PAGES that are large enough, or the first of a later bin. */
static struct block *find_span(size_t pages)
{
    struct block *best = NULL;
    unsigned bin = log_2(pages);
    int probes = 0;

    if (pages > heap.pages) /* there may be no bin for so many */
        return NULL;
    for (struct block *span = heap.bins[bin]; span && probes < PROBES; span = span->next, probes++)
        if (span->pages >= pages && (!best || span->pages < best->pages))
            best = span;
    while (!best && ++bin < BINS)
        best = heap.bins[bin];
    return best;
}

/* Pages for a map that knows END pages, half as many again, and its own. */
static size_t map_pages(size_t end)
{
    size_t wanted = end + end / 2;

    return (wanted + wanted / 512) / PAGE + 1;
}

/* Moves the break up by PAGES pages, which are then the caller's; if the map is full, a larger one is put after
 * them, and the old one becomes free. 0 when the heap is exhausted. */
static int more_pages(size_t pages)
{
    size_t old = heap.pages, end = old + pages, own = end > heap.mapped ? map_pages(end) : 0;

    if (end > MAX_REQUEST / PAGE - own || mem_sbrk((intptr_t)((pages + own) * PAGE)) == (void *)-1)
        return 0;
    heap.pages = end + own;
    if (!own)
        return 1;
    uint8_t *before = heap.map;
    heap.map = memcpy(page_at(end), before, old);
    set_map(end, own, OWN);
    if (before != heap.first_map)
        free_pages(page_of(before), heap.mapped / PAGE);
    heap.mapped = own * PAGE;
    return 1;
}

/* Pages of the free span that begins at PAGE; 0 when there is none. */
static size_t free_from(size_t page)
{
    return page < heap.pages && heap.map[page] == FREE ? ((struct block *)page_at(page))->pages : 0;
}

/* Makes the free pages at the end of the heap, HAVE of them and perhaps none, into PAGES that are the caller's.
 * 0 when the heap is exhausted. */
static int extend(size_t have, size_t pages)
{
    size_t page = heap.pages - have;

    if (have) { /* ours before the map moves: what that frees must not be joined with them */
        bin_remove(page_at(page));
        set_map(page, have, OWN);
    }
    if (more_pages(pages - have))
        return 1;
    if (have)
        free_pages(page, have);
    return 0;
}

/* The first of PAGES pages, which are then the caller's; SIZE_MAX when the heap is exhausted. */
static size_t take_pages(size_t pages)
{
    struct block *span = find_span(pages);

    if (!span) { /* there may be free pages at the end, but too few, or not looked at */
        size_t last = heap.pages - 1;
        size_t have = heap.pages && heap.map[last] == FREE ? ((struct block *)page_at(last))->pages : 0;
        if (have < pages) {
            size_t page = heap.pages - have;
            return extend(have, pages) ? page : SIZE_MAX;
        }
        span = page_at(heap.pages - have);
    }
    size_t page = page_of(span), have = span->pages;
    bin_remove(span);
    if (have > pages)
        bin_insert(page + pages, have - pages);
    return page;
}

/* ---- runs ---- */

/* Of SIZE bytes, 1 to SMALL. */
static unsigned class_of(size_t size)
{
    if (size <= LINEAR * MM_ALIGNMENT)
        return (unsigned)((size - 1) / MM_ALIGNMENT);
    unsigned log = log_2(size - 1);
    return LINEAR + 4 * (log - LOG_LINEAR) + (unsigned)((size - 1) >> (log - 2) & 3);
}

static size_t slot_size(unsigned class)
{
    if (class < LINEAR)
        return (class + 1) * (size_t)MM_ALIGNMENT;
    unsigned log = LOG_LINEAR + (class - LINEAR) / 4;
    return ((size_t)1 << log) + (((size_t)(class - LINEAR) % 4 + 1) << (log - 2));
}

static unsigned class_of_run(const struct run *r) { return r->tag ^ TAG; }
static unsigned char *slot_at(struct run *r, size_t i)
{
    return (unsigned char *)r + HEADER + i * slot_size(class_of_run(r));
}

static size_t slots_in(size_t pages, unsigned class) { return (pages * PAGE - HEADER) / slot_size(class); }

static void runs_insert(struct run *r)
{
    struct run **head = &heap.runs[class_of_run(r)];

    r->prev = NULL;
    r->next = *head;
    if (r->next)
        r->next->prev = r;
    *head = r;
}

static void runs_remove(struct run *r)
{
    *(r->prev ? &r->prev->next : &heap.runs[class_of_run(r)]) = r->next;
    if (r->next)
        r->next->prev = r->prev;
}

/* A new run, listed; short for the FIRST of a class. NULL when the heap is exhausted. */
static struct run *new_run(unsigned class, int first)
{
    size_t pages = 1;

    while (slots_in(pages, class) < FEWEST_SLOTS)
        pages++;
    if (!first && (pages *= LONGER) > RUN_PAGES)
        pages = RUN_PAGES;
    while (slots_in(pages, class) > 64 * BIT_WORDS)
        pages--;
    size_t page = take_pages(pages);
    if (page == SIZE_MAX)
        return first ? NULL : new_run(class, 1);
    for (size_t i = 0; i < pages; i++)
        heap.map[page + i] = (uint8_t)i;
    struct run *r = page_at(page);
    *r = (struct run){ .tag = TAG | class, .pages = (uint16_t)pages };
    r->slots = r->free = (uint16_t)slots_in(pages, class);
    for (size_t i = 0; i < r->slots; i++)
        r->is_free[i / 64] |= UINT64_C(1) << i % 64;
    runs_insert(r);
    return r;
}

static void *allocate_small(size_t size)
{
    unsigned class = class_of(size), word = 0;
    struct run *r = heap.runs[class];

    if (!r && !(r = new_run(class, !(heap.had_run >> class & 1))))
        return NULL;
    heap.had_run |= UINT32_C(1) << class;
    while (!r->is_free[word])
        word++;
    unsigned bit = (unsigned)__builtin_ctzll(r->is_free[word]);
    r->is_free[word] &= r->is_free[word] - 1;
    if (--r->free == 0)
        runs_remove(r);
    return slot_at(r, 64 * word + bit);
}

static void free_small(struct run *r, size_t i)
{
    r->is_free[i / 64] |= UINT64_C(1) << i % 64;
    if (r->free++ == 0)
        runs_insert(r);
    if (r->free == r->slots && (r->next || r->prev)) {
        runs_remove(r);
        r->tag = 0;
        free_pages(page_of(r), r->pages);
    }
}

/* ---- large blocks ---- */

static size_t *header_of(const void *payload) { return (size_t *)(uintptr_t)payload - 1; }
static size_t large_pages(size_t size) { return (size + LARGE_HEADER + PAGE - 1) / PAGE; }

/* Marks PAGES pages from PAGE on as one large block. */
static void *set_large(size_t page, size_t pages)
{
    unsigned char *payload = (unsigned char *)page_at(page) + LARGE_HEADER;

    *header_of(payload) = pages * PAGE | LARGE_TAG;
    set_map(page, pages, INSIDE_LARGE);
    heap.map[page] = LARGE;
    return payload;
}

static void *allocate_large(size_t size)
{
    size_t pages = large_pages(size), page = take_pages(pages);

    return page == SIZE_MAX ? NULL : set_large(page, pages);
}

/* Makes the large block of HAVE pages from PAGE on one of PAGES, in its place. 0 when it cannot. */
static int resize_large(size_t page, size_t have, size_t pages)
{
    size_t end = page + have, room = pages > have ? free_from(end) : 0;

    if (pages > have + room) {
        if (end + room != heap.pages || !extend(room, pages - have))
            return 0;
    } else if (pages > have) {
        bin_remove(page_at(end));
        if (have + room > pages)
            bin_insert(page + pages, have + room - pages);
    }
    set_large(page, pages);
    if (pages < have)
        free_pages(page + pages, have - pages);
    return 1;
}

/* ---- validation: the one place where a pointer from outside becomes a block ---- */

/* A decoded block: slot I of a run, or a large block of PAGES pages. */
struct place {
    struct run *run; /* NULL for a large block */
    size_t slot;
    size_t page, pages;
    size_t room;     /* bytes of payload */
};

static int is_sound_run(const struct run *r, size_t page)
{
    return class_of_run(r) < CLASSES && r->pages && r->pages <= RUN_PAGES && page + r->pages <= heap.pages
        && heap.map[page + r->pages - 1] == r->pages - 1 && r->slots <= slots_in(r->pages, class_of_run(r))
        && r->free <= r->slots;
}

static struct place decode_small(void *ptr, const char *call)
{
    size_t page = page_of(ptr) - heap.map[page_of(ptr)];
    struct run *r = page_at(page);

    if (!is_sound_run(r, page))
        misuse(call, ptr, "the header of its run was overwritten");
    size_t offset = (uintptr_t)ptr - (uintptr_t)r - HEADER, size = slot_size(class_of_run(r)), i = offset / size;
    if ((uintptr_t)ptr < (uintptr_t)r + HEADER || i >= r->slots || offset % size)
        misuse(call, ptr, "not a block: no slot of its run starts there");
    if (r->is_free[i / 64] >> i % 64 & 1)
        misuse(call, ptr, "already free");
    return (struct place){ .run = r, .slot = i, .room = size };
}

/* The allocated block whose payload is at PTR. Anything else ends the process with a sentence. */
static struct place decode(void *ptr, const char *call)
{
    size_t page = page_of(ptr);

    if ((uintptr_t)ptr < heap.base || page >= heap.pages)
        misuse(call, ptr, "not in the heap");
    if ((uintptr_t)ptr % MM_ALIGNMENT)
        misuse(call, ptr, "misaligned, a block starts at a multiple of %d", MM_ALIGNMENT);
    if (is_run(page))
        return decode_small(ptr, call);
    if (heap.map[page] == FREE)
        misuse(call, ptr, "already free");
    if (heap.map[page] != LARGE || ((uintptr_t)ptr - heap.base) % PAGE != LARGE_HEADER)
        misuse(call, ptr, "not a block: no block starts in that place of its page");
    size_t size = *header_of(ptr) ^ LARGE_TAG, pages = size / PAGE;
    if (size % PAGE || !pages || pages > heap.pages - page
        || heap.map[page + pages - 1] != (pages == 1 ? LARGE : INSIDE_LARGE)
        || (page + pages < heap.pages && heap.map[page + pages] == INSIDE_LARGE))
        misuse(call, ptr, "its header was overwritten: no block has %zu bytes", size);
    return (struct place){ .page = page, .pages = pages, .room = size - LARGE_HEADER };
}

/* ---- the interface ---- */

int mm_init(void)
{
    size_t padding = -(uintptr_t)mem_sbrk(0) % PAGE;

    memset(&heap, 0, sizeof heap);
    if (mem_sbrk((intptr_t)padding) == (void *)-1)
        return -1;
    heap.base = (uintptr_t)mem_sbrk(0);
    heap.map = heap.first_map;
    heap.mapped = FIRST_MAP;
    return 0;
}

void *mm_malloc(size_t size)
{
    if (size > MAX_REQUEST)
        return NULL;
    return size > SMALL ? allocate_large(size) : allocate_small(size ? size : 1);
}

static void release(const struct place *p)
{
    if (p->run)
        free_small(p->run, p->slot);
    else
        free_pages(p->page, p->pages);
}

void mm_free(void *ptr)
{
    if (!ptr)
        return;
    struct place p = decode(ptr, "mm_free");
    release(&p);
}

void *mm_realloc(void *ptr, size_t size)
{
    if (!ptr)
        return mm_malloc(size);
    struct place p = decode(ptr, "mm_realloc");
    if (size == 0) {
        release(&p);
        return NULL;
    }
    if (size > MAX_REQUEST)
        return NULL;
    if (p.run ? size <= SMALL && class_of(size) == class_of_run(p.run)
              : size > SMALL && resize_large(p.page, p.pages, large_pages(size)))
        return ptr;
    void *copy = mm_malloc(size);
    if (copy) {
        memcpy(copy, ptr, size < p.room ? size : p.room);
        release(&p);
    }
    return copy;
}

#include "slab/check.h"
