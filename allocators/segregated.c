/*
 * Segregated fits: the blocks of common/boundary_tags.c, and one free list for each power of two.
 *
 *      nonempty  ...0 1 1 0 1 0          a bit for each class that has a block
 *      lists     [  ] [ ] [ ] [ ] [ ]
 *                      |   |       |
 *                     300 130     40     free blocks, sizes 2^c <= size < 2^(c+1), newest first
 *                      |   |
 *                     411 255
 *
 * vocabulary
 *      class     c: the free blocks of 2^c up to but not including 2^(c+1) bytes; the last has the rest
 *      good fit  the smallest of the first PROBES blocks of the class that are large enough; when it
 *                has none, the same in the next class with a block, where every block is large enough
 *
 * cost: malloc looks at no more than 2 * PROBES blocks, whatever the size of the heap; free is constant.
 * memory: a word a block, and the smallest block is four words; one word a class at the start of the heap.
 * worst trace: PROBES blocks at the low end of a class freed after one at its high end, then requests
 * for the high end. The block that fits is never seen, and the heap grows.
 */
#define MM_INDEX_FOLLOWS
#include "common/boundary_tags.c"
#include "common/log.h"

enum { CLASSES = 32, LOWEST = 4, PROBES = 24 }; /* classes from 2^LOWEST bytes on */

static struct block **lists; /* at the start of the heap */
static uint32_t nonempty;

static unsigned class_of(size_t size)
{
    unsigned log = log_2(size);
    return log < LOWEST + CLASSES ? log - LOWEST : CLASSES - 1;
}

static int index_init(void)
{
    lists = mem_sbrk((intptr_t)(CLASSES * sizeof *lists));
    if (lists == (void *)-1)
        return -1;
    memset(lists, 0, CLASSES * sizeof *lists);
    nonempty = 0;
    return 0;
}

static void index_insert(struct block *b)
{
    unsigned class = class_of(size_of(b));

    list_insert(&lists[class], NULL, b);
    nonempty |= UINT32_C(1) << class;
}

static void index_remove(struct block *b)
{
    unsigned class = class_of(size_of(b));

    list_remove(&lists[class], b);
    if (!lists[class])
        nonempty &= ~(UINT32_C(1) << class);
}

static void index_absorbed(struct block *from, struct block *into) { (void)from, (void)into; }

/* The smallest that is large enough among the first of a list. */
static struct block *good_fit(struct block *b, size_t need)
{
    struct block *best = NULL;

    for (int probes = 0; b && probes < PROBES; b = b->next, probes++) {
        if (size_of(b) == need)
            return b;
        if (size_of(b) > need && (!best || size_of(b) < size_of(best)))
            best = b;
    }
    return best;
}

static struct block *index_find(size_t need)
{
    unsigned class = class_of(need);
    struct block *b = good_fit(lists[class], need);
    uint32_t larger = class == CLASSES - 1 ? 0 : nonempty & ~(uint32_t)((UINT64_C(2) << class) - 1);

    if (!b && larger)
        b = good_fit(lists[__builtin_ctz(larger)], need);
    return b;
}

static int index_check(int line, size_t *entries)
{
    int faults = 0;

    for (unsigned class = 0; class < CLASSES; class++) {
        int bad = list_check(line, lists[class], entries);
        faults += bad;
        if ((lists[class] != NULL) != (nonempty >> class & 1))
            faults += broken(line, "class %u: its bit says the opposite of its list", class);
        for (const struct block *b = bad ? NULL : lists[class]; b; b = b->next)
            if (class_of(size_of(b)) != class)
                faults += broken(line, "class %u: free block %p of %zu bytes belongs in class %u", class,
                                 (const void *)b, size_of(b), class_of(size_of(b)));
    }
    return faults;
}
