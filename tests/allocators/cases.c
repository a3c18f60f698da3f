/*
 * The cases that an allocator must live through: random requests against a model, sizes at the edges, an
 * exhausted heap, the same answers twice.
 */
#define MEMLIB_HOST
#include "mm.h"
#include "memlib.h"
#include "harness.h"

#include <setjmp.h>
#include <signal.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/time.h>

#define HEAP ((size_t)512 << 20)

/* ---- the model ---- */

enum { SLOTS = 1024 };
static struct slot { unsigned char *at; size_t size; uint64_t key; } slot[SLOTS];

static uint64_t state;

/* xorshift64* (Vigna 2016) */
static uint64_t random64(void)
{
    state ^= state >> 12;
    state ^= state << 25;
    state ^= state >> 27;
    return state * UINT64_C(0x2545f4914f6cdd1d);
}

static size_t random_below(size_t n) { return (size_t)((random64() >> 33) % n); }

static unsigned char byte_of(uint64_t key, size_t i)
{
    return (unsigned char)((key + (uint64_t)i * UINT64_C(0x9e3779b97f4a7c15)) >> 56);
}

static void fill(const struct slot *s)
{
    for (size_t i = 0; i < s->size; i++)
        s->at[i] = byte_of(s->key, i);
}

static void verify(const struct slot *s, size_t size, const char *when)
{
    for (size_t i = 0; i < size; i++)
        if (s->at[i] != byte_of(s->key, i))
            fail("byte %zu of the block %p of %zu bytes has changed %s", i, (void *)s->at, s->size, when);
}

static void verify_place(const unsigned char *p, size_t size, const char *what)
{
    const unsigned char *lo = mem_heap_lo();

    if ((uintptr_t)p % MM_ALIGNMENT)
        fail("%s(%zu) gave %p, not a multiple of %d", what, size, (const void *)p, MM_ALIGNMENT);
    if (p < lo || (size_t)(p - lo) > mem_heapsize() || size > mem_heapsize() - (size_t)(p - lo))
        fail("%s(%zu) gave %p, not wholly in the heap", what, size, (const void *)p);
}

/* Whether NULL is right: naive and the like may have used up everything. */
static int exhausted(size_t size) { return mem_heapsize() + 2 * size + (HEAP >> 4) > HEAP; }

static size_t random_size(size_t largest)
{
    switch (random_below(8)) {
    case 0: return random_below(largest);
    case 1: return random_below(4) * 1024 + random_below(3);
    case 2: return (size_t)1 << random_below(10);
    default: return random_below(300);
    }
}

/* One random request on one random slot. Returns 0 when the heap is used up. */
static int random_request(size_t slots, size_t largest)
{
    struct slot *s = &slot[random_below(slots)];
    size_t size = random_size(largest), old = s->size;
    uint64_t choice = random_below(8);
    unsigned char *p;

    if (!s->at) {
        p = choice < 6 ? mm_malloc(size) : choice < 7 ? mm_calloc(1, size) : mm_realloc(NULL, size);
        if (!p && size)
            return exhausted(size) ? 0 : (fail("no memory for %zu bytes", size), 0);
        for (size_t i = 0; p && choice == 6 && i < size; i++)
            if (p[i])
                fail("mm_calloc(1, %zu): byte %zu is not zero", size, i);
        verify_place(p, size, choice == 6 ? "mm_calloc" : "mm_malloc");
    } else if (choice < 5) {
        verify(s, s->size, "before mm_free");
        mm_free(s->at);
        *s = (struct slot){ 0 };
        return 1;
    } else {
        size += choice == 5 ? old + 1 : 1; /* growth in small steps, too */
        p = mm_realloc(s->at, size);
        if (!p)
            return exhausted(size) ? 0 : (fail("no memory to realloc to %zu bytes", size), 0);
        verify_place(p, size, "mm_realloc");
        s->at = p;
        verify(s, old < size ? old : size, "in mm_realloc");
    }
    *s = (struct slot){ p, size, random64() };
    fill(s);
    return 1;
}

static void verify_all(const char *when)
{
    for (size_t i = 0; i < SLOTS; i++)
        verify(&slot[i], slot[i].size, when);
}

static void random_run(size_t requests, size_t slots, size_t largest, size_t check_every)
{
    start(HEAP);
    state = seed | 1;
    for (size_t i = 1; i <= requests && random_request(slots, largest); i++) {
        if (i % check_every == 0)
            sound("after a random request");
        if (i % (requests / 10) == 0)
            verify_all("while other requests were served");
    }
    verify_all("by the end");
    for (size_t i = 0; i < SLOTS; i++)
        mm_free(slot[i].at);
    sound("with everything freed");
}

static void random_few_blocks(void) { random_run(20000, 24, 5000, 1); }
static void random_many_blocks(void) { random_run(10000, SLOTS, 3000, 7); }
static void random_large_blocks(void) { random_run(3000, 64, 60000, 1); }

static void soak(void)
{
    size_t requests = soak_requests(200000);

    random_run(requests, SLOTS, 2000, requests / 20 + 1);
}

/* ---- edges ---- */

static void boundary_sizes(void)
{
    size_t page = mem_pagesize(), n = 0;
    const size_t sizes[] = {
        0, 1, 7, 8, 9, MM_ALIGNMENT - 1, MM_ALIGNMENT, MM_ALIGNMENT + 1, 2 * MM_ALIGNMENT - 1, 2 * MM_ALIGNMENT,
        2 * MM_ALIGNMENT + 1, 511, 512, 513, 1023, 1024, 1025, page - MM_ALIGNMENT, page - 8, page - 1, page,
        page + 1, page + 8, 2 * page - 1, 2 * page, 2 * page + 1, 65535, 65536, 65537, (1 << 20) - 1, 1 << 20,
    };

    start(HEAP);
    for (int round = 0; round < 3; round++) {
        for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
            struct slot *s = &slot[n++];
            *s = (struct slot){ mm_malloc(sizes[i]), sizes[i], n };
            if (!s->at && sizes[i])
                fail("no memory for %zu bytes", sizes[i]);
            if (s->at)
                verify_place(s->at, sizes[i], "mm_malloc");
            fill(s);
            sound("after mm_malloc of a boundary size");
        }
    }
    verify_all("while boundary sizes were allocated");
    for (size_t i = 0; i < n; i = i + 2) {
        mm_free(slot[i].at);
        slot[i] = (struct slot){ 0 };
        sound("after mm_free of a boundary size");
    }
    verify_all("while boundary sizes were freed");
    mm_free(NULL);
    if (mm_realloc(slot[1].at, 0))
        mm_free(mm_realloc(NULL, 1));
    sound("after mm_realloc to 0");
}

static void huge_sizes(void)
{
    const size_t huge[] = { SIZE_MAX, SIZE_MAX - 1, SIZE_MAX - 7, SIZE_MAX - 8, SIZE_MAX - 15, SIZE_MAX - 16,
                            SIZE_MAX - 31, SIZE_MAX - 4096, SIZE_MAX / 2, SIZE_MAX / 2 + 1, SIZE_MAX / 2 - 15 };

    start(HEAP);
    slot[0] = (struct slot){ mm_malloc(100), 100, 1 };
    fill(&slot[0]);
    size_t before = mem_heapsize();
    for (size_t i = 0; i < sizeof huge / sizeof *huge; i++) {
        if (mm_malloc(huge[i]) || mm_realloc(slot[0].at, huge[i]) || mm_calloc(1, huge[i]))
            fail("a block of %zu bytes was granted", huge[i]);
        sound("after a request that cannot be served");
    }
    if (mm_calloc(SIZE_MAX / 2, 3) || mm_calloc(SIZE_MAX / 16 + 2, 16) || mm_calloc(SIZE_MAX, SIZE_MAX))
        fail("mm_calloc does not notice that the product overflows");
    if (mem_heapsize() != before)
        fail("requests that cannot be served made the heap grow from %zu to %zu bytes", before, mem_heapsize());
    for (size_t size = SIZE_MAX / 2 + 1; size > HEAP; size /= 2) /* each power of two, and just below and above */
        for (size_t n = size - 70; n <= size + 70; n++)
            if (mm_malloc(n) || mm_realloc(slot[0].at, n))
                fail("a block of %zu bytes was granted in a heap of %zu", n, HEAP);
    sound("after sizes around powers of two that cannot be served");
    if (mem_heapsize() > before + 4096) /* what a full heap is searched for may move a little */
        fail("requests that were refused made the heap grow from %zu to %zu bytes", before, mem_heapsize());
    verify(&slot[0], 100, "while huge requests were refused");
}

/* NULL once the heap is full; then everything is as before, and what is freed can be had again. */
static void exhaustion(void)
{
    const size_t limit = 1 << 20, size = 1000;
    size_t n = 0;

    start(limit);
    for (unsigned char *p; n < SLOTS && (p = mm_malloc(size)); n++) {
        slot[n] = (struct slot){ p, size, n };
        fill(&slot[n]);
    }
    if (n * size < limit / 3)
        fail("no more than %zu blocks of %zu bytes in a heap of %zu", n, size, limit);
    for (int i = 0; i < 3; i++)
        if (mm_malloc(limit) || mm_realloc(slot[0].at, limit) || mm_calloc(2, limit))
            fail("a block as large as a full heap was granted");
    sound("in a full heap");
    verify_all("in a full heap");
    for (size_t i = 0; i < n; i++) {
        mm_free(slot[i].at);
        slot[i] = (struct slot){ 0 };
    }
    sound("after everything in a full heap was freed");
    if (strcmp(allocator, "naive") && !mm_malloc(size))
        fail("nothing to be had after everything in a full heap was freed");
}

static void tiny_heap(void)
{
    for (size_t limit = mem_pagesize(); limit <= 4 * mem_pagesize(); limit += mem_pagesize()) {
        mem_set_limit(limit);
        mem_init();
        if (mm_init() == 0) {
            for (size_t size = 4 * limit; size; size /= 2)
                mm_malloc(size);
            sound("in a heap of a few pages");
        }
        mem_deinit();
    }
}

/* Freed bytes come back as zero from mm_calloc, whatever was in them. */
static void calloc_zeroes(void)
{
    start(HEAP);
    for (size_t size = 1; size < 20000; size += size / 3 + 1) {
        unsigned char *dirty = mm_malloc(size);
        if (!dirty)
            fail("no memory for %zu bytes", size);
        memset(dirty, 0xff, size);
        mm_free(dirty);
        unsigned char *p = mm_calloc(size, 1);
        for (size_t i = 0; i < size; i++)
            if (!p || p[i])
                fail("mm_calloc(%zu, 1): byte %zu is not zero", size, i);
    }
}

/* The same requests get the same offsets, also after mm_init on a second heap. */
static void same_answers(void)
{
    static unsigned char *first[2000];

    for (int run = 0; run < 2; run++) {
        start(HEAP);
        state = seed | 1;
        memset(slot, 0, sizeof slot);
        for (size_t i = 0; i < 2000; i++) {
            struct slot *s = &slot[random_below(100)];
            mm_free(s->at);
            s->at = mm_malloc(1 + random_size(3000));
            if (run && s->at != first[i])
                fail("request %zu: %p in the first run, %p in the second", i, (void *)first[i], (void *)s->at);
            first[i] = s->at;
        }
        mem_deinit();
    }
}

/* Everything freed in three orders: afterwards one large block must fit where the small ones were. */
static void coalescing(void)
{
    static const int stride[] = { 1, 7, 255 };

    int reuses = strcmp(allocator, "naive") != 0; /* the one that reuses nothing, and must be seen to */

    start(HEAP);
    for (int order = 0; order < 3; order++) {
        for (size_t i = 0; i < 256; i++)
            slot[i].at = mm_malloc(4000);
        size_t before = mem_heapsize();
        for (size_t i = 0; i < 256; i++) {
            mm_free(slot[i * (size_t)stride[order] % 256].at);
            sound("while freeing in another order");
        }
        void *p = mm_malloc(100 * 4000);
        if ((mem_heapsize() == before) != reuses)
            fail("after 256 blocks of 4000 bytes were freed, one of 400000 takes the heap from %zu to %zu bytes",
                 before, mem_heapsize());
        mm_free(p);
    }
}

/* Many small blocks freed: their memory serves a block of another size. */
static void small_for_large(void)
{
    enum { BLOCKS = 6000 };
    static void *small[BLOCKS];
    int reuses = strcmp(allocator, "naive") != 0;

    start(HEAP);
    for (size_t size = 24; size <= 200; size += 88) {
        for (size_t i = 0; i < BLOCKS; i++)
            small[i] = mm_malloc(size);
        size_t before = mem_heapsize();
        for (size_t i = 0; i < BLOCKS; i++)
            mm_free(small[i * 7 % BLOCKS]);
        sound("with all small blocks freed");
        void *p = mm_malloc(BLOCKS * size / 8);
        if ((mem_heapsize() == before) != reuses)
            fail("after %d blocks of %zu bytes were freed, one of an eighth of that takes the heap from %zu to %zu",
                 BLOCKS, size, before, mem_heapsize());
        mm_free(p);
    }
}

static sigjmp_buf crashed;

static void on_crash(int signo) { siglongjmp(crashed, signo); }

/* What mm_checkheap makes of the heap: 0 sound, 1 broken, -1 it crashed or found no end. */
static int opinion(void)
{
    const struct itimerval patience = { .it_value = { 0, 100000 } }, off = { .it_value = { 0, 0 } };

    if (sigsetjmp(crashed, 1))
        return -1;
    setitimer(ITIMER_VIRTUAL, &patience, NULL);
    int found = mm_checkheap(0) != 0;
    setitimer(ITIMER_VIRTUAL, &off, NULL);
    return found;
}

/* One metadata word after the other is overwritten: mm_checkheap must notice many. Not all: a word of a free
 * block may mean nothing, and a table that leads nowhere may crash it, as long as sentences are the rule. */
static void damaged_metadata(void)
{
    size_t noticed = 0, crashes = 0, tries = 0;

    signal(SIGSEGV, on_crash);
    signal(SIGBUS, on_crash);
    signal(SIGVTALRM, on_crash);
    start(HEAP);
    for (size_t i = 0; i < 16; i++)
        slot[i] = (struct slot){ mm_malloc(40 + 24 * i), 40 + 24 * i, i };
    for (size_t i = 0; i < 16; i += 3) {
        mm_free(slot[i].at);
        slot[i] = (struct slot){ 0 };
    }
    sound("before any damage");
    for (uintptr_t at = (uintptr_t)mem_heap_lo(); at < (uintptr_t)mem_heap_hi(); at += sizeof(size_t)) {
        int payload = 0;
        for (size_t i = 0; i < 16; i++)
            payload |= slot[i].at && at + sizeof(size_t) > (uintptr_t)slot[i].at
                && at < (uintptr_t)slot[i].at + slot[i].size;
        if (payload)
            continue;
        size_t *word = (size_t *)at, kept = *word;
        const size_t damage[5] = { 0, ~(size_t)0, kept ^ 1, kept + 64, (uintptr_t)slot[1].at };
        for (size_t i = 0; i < 5; i++) {
            *word = damage[i];
            int found = opinion();
            tries++;
            noticed += found > 0;
            crashes += found < 0;
        }
        *word = kept;
    }
    if (noticed < 10 || crashes > noticed)
        fail("of %zu ways to damage metadata mm_checkheap notices %zu and crashes on %zu", tries, noticed, crashes);
    sound("with the damage repaired");
}

const struct test_case test_cases[] = {
    { "random requests, few blocks", random_few_blocks },
    { "random requests, many blocks", random_many_blocks },
    { "random requests, large blocks", random_large_blocks },
    { "soak", soak },
    { "boundary sizes", boundary_sizes },
    { "huge sizes", huge_sizes },
    { "exhausted heap", exhaustion },
    { "heap of a few pages", tiny_heap },
    { "calloc zeroes", calloc_zeroes },
    { "same answers twice", same_answers },
    { "coalescing", coalescing },
    { "small blocks freed for a large one", small_for_large },
    { "damaged metadata", damaged_metadata },
    { NULL, NULL },
};
