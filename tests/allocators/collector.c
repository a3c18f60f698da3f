/*
 * The cases for a garbage collector: programs that build linked structures in payloads and say nothing about
 * what they no longer need. A model outside the heap knows what can be reached.
 */
#define MEMLIB_HOST
#include "mm.h"
#include "memlib.h"
#include "harness.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#define HEAP ((size_t)256 << 20)

enum { ROOTS = 64 };
static void *root[ROOTS];

/* What programs here are made of; KEY and SUM are no pointers, and say whether a node is as it was. */
struct node { struct node *left, *right; size_t key, sum; };

static void begin(size_t limit)
{
    start(limit);
    memset(root, 0, sizeof root);
    mm_gc_roots(root, ROOTS);
}

static uint64_t state;

static size_t random_below(size_t n) /* xorshift64* (Vigna 2016) */
{
    state ^= state >> 12;
    state ^= state << 25;
    state ^= state >> 27;
    return (size_t)((state * UINT64_C(0x2545f4914f6cdd1d) >> 33) % n);
}

static size_t sum_of(const struct node *n) { return n->key * 31 + 17; }

/* A node as a program sees it: allocated, then filled. KEY must be small, so as not to look like a pointer. */
static struct node *new_node(size_t key, struct node *left, struct node *right)
{
    struct node *n = mm_malloc(sizeof *n);

    if (!n)
        fail("no memory for a node");
    const unsigned char *bytes = (const unsigned char *)n;
    for (size_t i = 0; i < sizeof *n; i++)
        if (bytes[i])
            fail("a collector's block is not handed out zeroed: byte %zu is %#x", i, bytes[i]);
    *n = (struct node){ left, right, key, 0 };
    n->sum = sum_of(n);
    return n;
}

static void intact(const struct node *n, size_t key, const char *where)
{
    if ((uintptr_t)n < (uintptr_t)mem_heap_lo() || (uintptr_t)n > (uintptr_t)mem_heap_hi() - sizeof *n)
        fail("%s: a reference was changed to %p", where, (const void *)n);
    if (n->key != key || n->sum != sum_of(n))
        fail("%s: the node %p, key %zu, was changed", where, (const void *)n, key);
}

static uint64_t pauses(void)
{
    uint64_t count, total, longest;

    mm_gc_stats(&count, &total, &longest);
    if (longest > total || (count == 0) != (total == 0))
        fail("%llu pauses of %llu ns, the longest %llu", (unsigned long long)count, (unsigned long long)total,
             (unsigned long long)longest);
    return count;
}

static void bounded(size_t bytes, const char *what)
{
    if (mem_heapsize() > bytes)
        fail("%s: the heap grew to %zu bytes, more than %zu", what, mem_heapsize(), bytes);
    sound(what);
}

/* Makes garbage of all sizes. */
static void litter(size_t blocks)
{
    for (size_t i = 0; i < blocks; i++) {
        size_t size = 1 + random_below(random_below(10) ? 200 : 5000);
        unsigned char *p = mm_malloc(size);
        if (!p)
            fail("no memory, though all but a little is garbage");
        memset(p, (int)(i | 1), size);
    }
}

/* ---- what can be reached stays ---- */

/* A list in the heap, longer than any stack would be for recursion, while garbage is made all the time. */
static void long_list(void)
{
    enum { NODES = 200000 };
    const struct rlimit stack = { 256 << 10, 256 << 10 };

    setrlimit(RLIMIT_STACK, &stack);
    begin(HEAP);
    for (size_t i = 0; i < NODES; i++) {
        root[3] = new_node(i, root[3], NULL);
        litter(i % 10 == 0);
    }
    mm_gc_collect();
    litter(20000);
    const struct node *n = root[3];
    for (size_t i = NODES; i-- > 0; n = n->left)
        intact(n, i, "in a long list");
    if (n)
        fail("the long list has grown");
    sound("with a long list");
    if (pauses() < 2)
        fail("%llu collections only", (unsigned long long)pauses());
}

static struct node *tree(size_t depth, size_t key)
{
    struct node *n = new_node(key, NULL, NULL);

    if (depth == 0)
        return n;
    void *kept = root[depth]; /* what is half made is held by the program's own roots */
    root[depth] = n;
    n->left = tree(depth - 1, 2 * key);
    n->right = tree(depth - 1, 2 * key + 1);
    root[depth] = kept;
    return n;
}

static void whole_tree(const struct node *n, size_t depth, size_t key)
{
    intact(n, key, "in a tree");
    if (depth) {
        whole_tree(n->left, depth - 1, 2 * key);
        whole_tree(n->right, depth - 1, 2 * key + 1);
    }
}

/* Trees come and go; one stays. */
static void trees(void)
{
    begin(HEAP);
    root[40] = tree(12, 1);
    for (int i = 0; i < 200; i++)
        root[41] = tree(8, 1);
    mm_gc_collect();
    whole_tree(root[40], 12, 1);
    whole_tree(root[41], 8, 1);
    bounded((((size_t)1 << 13) + ((size_t)1 << 9)) * 3 * (sizeof(struct node) + 16) + 65536, "trees that come and go");
}

/* More references in one block, and in each of these, than a mark stack has room for. */
static void wide(void)
{
    enum { OUTER = 30, INNER = 3000 };

    begin(HEAP);
    struct node ***outer = root[0] = mm_malloc(OUTER * sizeof *outer);
    for (size_t i = 0; i < OUTER; i++) {
        outer[i] = mm_malloc(INNER * sizeof **outer);
        for (size_t k = 0; k < INNER; k++)
            outer[i][k] = new_node(i * INNER + k, root[1] = new_node(k, NULL, NULL), NULL);
    }
    mm_gc_collect();
    litter(20000);
    for (size_t i = 0; i < OUTER; i++)
        for (size_t k = 0; k < INNER; k++) {
            intact(outer[i][k], i * INNER + k, "in a wide block");
            intact(outer[i][k]->left, k, "behind a wide block");
        }
    sound("with wide blocks");
}

/* The model of a graph: nodes by their keys. NONE stands for NULL. */
enum { NODES = 4000, NONE = NODES };
static struct model { struct node *at; size_t left, right; int reached; } model[NODES];
static size_t rooted[ROOTS];

/* Which nodes can be reached, by the model's own account; how many. */
static size_t reach(void)
{
    static size_t waiting[NODES];
    size_t n = 0, live = 0;

    for (size_t i = 0; i < NODES; i++)
        model[i].reached = 0;
    for (size_t r = 0; r < ROOTS; r++)
        if (rooted[r] != NONE && !model[rooted[r]].reached)
            model[waiting[n++] = rooted[r]].reached = 1;
    while (n) {
        const struct model *m = &model[waiting[--n]];
        live++;
        if (m->left != NONE && !model[m->left].reached)
            model[waiting[n++] = m->left].reached = 1;
        if (m->right != NONE && !model[m->right].reached)
            model[waiting[n++] = m->right].reached = 1;
    }
    return live;
}

/* The key of a node that can be reached: a walk from a root. NONE when that root is empty. */
static size_t walk(void)
{
    size_t key = rooted[random_below(ROOTS)];

    for (size_t steps = random_below(20); key != NONE && steps > 0; steps--) {
        size_t next = random_below(2) ? model[key].left : model[key].right;
        key = next == NONE ? key : next;
    }
    return key;
}

static struct node *node_of(size_t key) { return key == NONE ? NULL : model[key].at; }

/* One reference changes, in a root or in a node; a third of the time to a new node, with the key FRESH. */
static int change(size_t fresh)
{
    size_t from = walk(), to = walk(), r = random_below(ROOTS);
    int made = fresh != NONE && random_below(3) == 0;

    if (made) {
        model[fresh] = (struct model){ new_node(fresh, NULL, NULL), NONE, NONE, 1 };
        to = fresh;
    }
    if (from == NONE || random_below(4) == 0) {
        root[r] = node_of(to);
        rooted[r] = to;
    } else if (random_below(2)) {
        model[from].at->left = node_of(to);
        model[from].left = to;
    } else {
        model[from].at->right = node_of(to);
        model[from].right = to;
    }
    return made;
}

/* A graph whose references change at random, against its model: what the model reaches is as it was, and what
 * it does not reach is reclaimed. */
static void random_graph(void)
{
    size_t live_most = 0, made = 0;

    begin(HEAP);
    state = seed | 1;
    for (size_t r = 0; r < ROOTS; r++)
        rooted[r] = NONE;
    for (int round = 0; round < 400; round++) {
        size_t live = reach(), fresh = 0;
        live_most = live > live_most ? live : live_most;
        for (int i = 0; i < 300; i++) { /* a key is used again only when its node could not be reached */
            while (fresh < NODES && model[fresh].reached)
                fresh++;
            made += (size_t)change(fresh);
        }
        if (round % 40 == 0)
            mm_gc_collect();
        reach();
        for (size_t i = 0; i < NODES; i++) {
            if (!model[i].reached)
                continue;
            intact(model[i].at, i, "in a random graph");
            if (model[i].at->left != node_of(model[i].left) || model[i].at->right != node_of(model[i].right))
                fail("in a random graph: the references of node %zu were changed", i);
        }
        if (round % 10 == 0)
            sound("with a random graph");
    }
    if (pauses() < 11 || made < 10 * live_most)
        fail("%llu collections, %zu nodes made, at most %zu live: too little to tell", (unsigned long long)pauses(),
             made, live_most);
    bounded((live_most + 400) * 3 * (sizeof(struct node) + 16) + 65536, "a random graph");
}

/* ---- what cannot be reached is reclaimed ---- */

/* Garbage without end: the heap stays as small as what is live, and a little. */
static void endless_garbage(void)
{
    begin(HEAP);
    state = seed | 1;
    root[0] = new_node(1, new_node(2, NULL, NULL), NULL);
    litter(2000);
    size_t early = mem_heapsize();
    litter(soak_requests(400000));
    intact(root[0], 1, "beside endless garbage");
    intact(((struct node *)root[0])->left, 2, "beside endless garbage");
    bounded(2 * early + 65536, "endless garbage");
}

/* Rings refer to themselves, and to the next ring, and are garbage all the same. */
static void cycles(void)
{
    begin(HEAP);
    for (size_t ring = 0; ring < 2000; ring++) {
        root[1] = new_node(0, NULL, NULL);
        struct node *last = root[1];
        for (size_t i = 1; i < 100; i++) {
            last->left = new_node(i, NULL, root[1]);
            last = last->left;
        }
        last->left = root[1];
        root[1] = NULL;
    }
    bounded((size_t)100 * 20 * (sizeof(struct node) + 16) + 65536, "rings that nobody refers to");
    uint64_t before = pauses();
    mm_gc_collect();
    if (pauses() != before + 1)
        fail("mm_gc_collect is not counted as a pause");
    void *p = mm_malloc(mem_heapsize() / 2); /* everything has become one free block, or nearly */
    if (!p)
        fail("no memory");
    bounded((size_t)100 * 20 * (sizeof(struct node) + 16) + 65536, "after a collection that leaves nothing");
}

/* A dropped root, a cleared field, and a reference that is overwritten: each lets a large block go. */
static void dropped_references(void)
{
    enum { LARGE = 1 << 20 };

    begin(HEAP);
    struct node *n = root[0] = new_node(1, NULL, NULL);
    for (int i = 0; i < 100; i++) {
        root[1] = mm_malloc(LARGE);
        n->left = mm_malloc(LARGE);
        n->right = n->left;
        if (!root[1] || !n->left)
            fail("no memory in round %d", i);
        memset(root[1], 0x11, LARGE);
        memset(n->left, 0x22, LARGE);
        if (i % 3 == 0)
            root[1] = NULL;
        if (i % 5 == 0)
            n->left = n->right = NULL;
    }
    intact(n, 1, "with large blocks that come and go");
    bounded((size_t)7 * LARGE, "large blocks that come and go");
}

/* Live data that cannot fit gives NULL, not damage; what is then dropped can be had again. */
static void full_heap(void)
{
    size_t nodes = 0;

    begin(1 << 20);
    for (struct node *n; (n = mm_malloc(sizeof *n)); nodes++) {
        *n = (struct node){ .left = root[0], .key = nodes };
        n->sum = sum_of(n);
        root[0] = n;
    }
    if (nodes * sizeof(struct node) < ((size_t)1 << 20) / 3)
        fail("no more than %zu nodes in a heap of 1 MiB", nodes);
    if (mm_malloc(100000) || mm_calloc(1000, 1000) || mm_realloc(root[0], 1 << 20))
        fail("a large block was granted in a full heap");
    sound("in a full heap");
    const struct node *n = root[0];
    for (size_t i = nodes; i-- > 0; n = n->left)
        intact(n, i, "in a full heap");
    root[0] = NULL;
    if (!mm_malloc(250000))
        fail("nothing to be had after everything in a full heap was dropped");
    sound("after everything in a full heap was dropped");
}

/* ---- what is a reference, and what is not ---- */

#define PAST_END PTRDIFF_MAX /* stands for the offset of the first byte after all that the block has room for */

/* Whether a block of 1 MiB survives a collection while a word, OFFSET from its start, is all that refers to it. */
static int survives(ptrdiff_t offset, int in_payload)
{
    enum { LARGE = 1 << 20 };

    begin(HEAP);
    void **holder = mm_malloc(sizeof *holder);
    root[5] = holder;
    unsigned char *block = root[7] = mm_malloc(LARGE);
    root[6] = mm_malloc(64); /* so that the block does not border on the end of the heap */
    memset(block, 0x77, LARGE);
    root[7] = NULL;
    if (offset == PAST_END) /* where the header of the next block is */
        offset = (unsigned char *)root[6] - block - (ptrdiff_t)sizeof(size_t);
    *(in_payload ? holder : &root[7]) = (void *)((uintptr_t)block + (uintptr_t)offset);
    mm_gc_collect();
    int kept = 1;
    unsigned char *other = mm_malloc(LARGE); /* takes its place if that is free */
    if (other == block)
        kept = 0;
    for (size_t i = 0; kept && i < LARGE; i++)
        if (block[i] != 0x77)
            fail("byte %zu of a block that is referred to was changed", i);
    sound("with interior pointers");
    mem_deinit();
    return kept;
}

static void interior_pointers(void)
{
    static const struct { ptrdiff_t offset; int kept; } table[] = {
        { 0, 1 }, { 1, 1 }, { 8, 1 }, { 4096, 1 }, { (1 << 19) + 3, 1 }, { (1 << 20) - 1, 1 },
        { PAST_END, 0 }, { (1 << 20) + 64, 0 }, { -(ptrdiff_t)sizeof(size_t), 0 }, { -1, 0 },
    };

    for (size_t i = 0; i < sizeof table / sizeof *table; i++)
        for (int in_payload = 0; in_payload < 2; in_payload++)
            if (survives(table[i].offset, in_payload) != table[i].kept)
                fail("a block was %s, when the only word about it, in %s, points to its start + %td",
                     table[i].kept ? "reclaimed" : "kept", in_payload ? "a payload" : "the roots", table[i].offset);
}

/* Words that are no references are left alone: into free memory, into headers, out of the heap, anything. */
static void words_of_all_kinds(void)
{
    begin(HEAP);
    state = seed | 1;
    uintptr_t *words = root[0] = mm_malloc(4096 * sizeof *words);
    for (int round = 0; round < 50; round++) {
        for (size_t i = 0; i < 4096; i++)
            words[i] = i % 3 == 0 ? (uintptr_t)mem_heap_lo() - 64 + random_below(mem_heapsize() + 128)
                : i % 3 == 1 ? (uintptr_t)random_below(1u << 30) * random_below(1u << 30) : i;
        root[1] = (void *)((uintptr_t)mem_heap_lo() + random_below(mem_heapsize()));
        uintptr_t copy[4096];
        memcpy(copy, words, sizeof copy);
        litter(100);
        mm_gc_collect();
        if (memcmp(copy, words, sizeof copy))
            fail("words in a reachable block were changed");
        sound("with words of all kinds");
    }
}

/* References move with a block that is made larger; what it had is zeroed beyond. */
static void growing_blocks(void)
{
    size_t count = 1;

    begin(HEAP);
    state = seed | 1;
    root[2] = mm_calloc(count, sizeof(struct node *));
    for (size_t i = 0; i < 3000; i++) {
        if (i == count) {
            count += count / 2 + 1;
            root[2] = mm_realloc(root[2], count * sizeof(struct node *));
            struct node **table = root[2];
            for (size_t k = i; k < count; k++)
                if (table[k])
                    fail("mm_realloc leaves a word that is not zero behind the old ones");
        }
        ((struct node **)root[2])[i] = new_node(i, NULL, NULL);
        litter(3);
    }
    for (size_t i = 0; i < 3000; i++)
        intact(((struct node **)root[2])[i], i, "in a block that grew");
    /* During the call the block that it is about is referred to, even if nothing else does. */
    for (size_t round = 0; round < 50; round++) {
        struct node **table = root[5] = mm_calloc(2000, sizeof *table);
        root[4] = mm_malloc(40); /* behind it, so that it must move */
        table[7] = new_node(round, NULL, NULL);
        root[5] = NULL;
        table = mm_realloc(table, 20000 * sizeof *table);
        intact(table[7], round, "in a block that only realloc was told of");
    }
    sound("with a block that grew");
}

/* A program may free by itself what it knows to be garbage. */
static void frees_besides(void)
{
    begin(HEAP);
    state = seed | 1;
    for (size_t i = 0; i < 20000; i++) {
        size_t r = random_below(ROOTS);
        struct node *n = root[r];
        if (n) {
            intact(n, r, "beside blocks that are freed");
            root[r] = NULL;
            if (random_below(2))
                mm_free(n);
        } else {
            root[r] = new_node(r, NULL, NULL);
        }
        if (i % 500 == 0)
            sound("with blocks freed and blocks dropped");
    }
    bounded(ROOTS * 4 * (sizeof(struct node) + 16) + 65536, "blocks freed and blocks dropped");
}

const struct test_case collector_cases[] = {
    { "a long list", long_list },
    { "trees", trees },
    { "wide blocks", wide },
    { "a random graph", random_graph },
    { "endless garbage", endless_garbage },
    { "cycles", cycles },
    { "dropped references", dropped_references },
    { "a full heap of live nodes", full_heap },
    { "interior pointers", interior_pointers },
    { "words of all kinds", words_of_all_kinds },
    { "references in growing blocks", growing_blocks },
    { "frees besides", frees_besides },
    { NULL, NULL },
};
