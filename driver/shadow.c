/* shadow.c - the 64-ary bitmap tree of shadow.h. */
#include "shadow.h"

#include <stdlib.h>

/* A node's `bits` say which of its 64 parts hold a block. On level 0 a part is
 * one granule and `link` its block's number; above, `link` is a node's index.
 * Emptied nodes stay linked and are used again. */
struct node {
    uint64_t bits;
    uint32_t link[64];
};

struct shadow {
    const struct extent *extents;
    unsigned granule_shift, top; /* level of the root */
    struct node *node;
    uint32_t used, capacity;
};

static uint32_t new_node(struct shadow *s)
{
    if (s->used == s->capacity) {
        uint32_t capacity = s->capacity ? s->capacity * 2 : 256;
        struct node *node = realloc(s->node, capacity * sizeof *node);
        if (!node)
            return SHADOW_NONE;
        s->node = node;
        s->capacity = capacity;
    }
    struct node *n = &s->node[s->used];
    n->bits = 0;
    for (int i = 0; i < 64; i++)
        n->link[i] = SHADOW_NONE;
    return s->used++;
}

struct shadow *shadow_new(uint64_t limit, uint64_t granule, const struct extent *extents)
{
    struct shadow *s = calloc(1, sizeof *s);

    if (!s)
        return NULL;
    s->extents = extents;
    s->granule_shift = (unsigned)__builtin_ctzll(granule);
    uint64_t granules = (limit >> s->granule_shift) + 1;
    while (granules > 64) {
        granules = (granules + 63) / 64;
        s->top++;
    }
    if (new_node(s) == SHADOW_NONE) {
        free(s);
        return NULL;
    }
    return s;
}

void shadow_delete(struct shadow *s)
{
    if (s)
        free(s->node);
    free(s);
}

static unsigned part(uint64_t key, unsigned level) { return (unsigned)(key >> 6 * level) & 63; }
static unsigned lowest(uint64_t bits) { return (unsigned)__builtin_ctzll(bits); }
static unsigned highest(uint64_t bits) { return 63 - (unsigned)__builtin_clzll(bits); }

static uint32_t edge(const struct shadow *s, uint32_t index, unsigned level, int want_highest)
{
    for (;; level--) {
        const struct node *n = &s->node[index];
        uint32_t link = n->link[want_highest ? highest(n->bits) : lowest(n->bits)];
        if (level == 0)
            return link;
        index = link;
    }
}

static uint32_t below(const struct shadow *s, uint32_t index, unsigned level, uint64_t key)
{
    const struct node *n = &s->node[index];
    unsigned at = part(key, level);

    if (n->bits >> at & 1) {
        uint32_t found = level ? below(s, n->link[at], level - 1, key) : n->link[at];
        if (found != SHADOW_NONE)
            return found;
    }
    uint64_t lower = n->bits & ((UINT64_C(1) << at) - 1);
    if (!lower)
        return SHADOW_NONE;
    uint32_t link = n->link[highest(lower)];
    return level ? edge(s, link, level - 1, 1) : link;
}

static uint32_t above(const struct shadow *s, uint32_t index, unsigned level, uint64_t key)
{
    const struct node *n = &s->node[index];
    unsigned at = part(key, level);

    if (level && n->bits >> at & 1) {
        uint32_t found = above(s, n->link[at], level - 1, key);
        if (found != SHADOW_NONE)
            return found;
    }
    uint64_t higher = at == 63 ? 0 : n->bits & ~UINT64_C(0) << (at + 1);
    if (!higher)
        return SHADOW_NONE;
    uint32_t link = n->link[lowest(higher)];
    return level ? edge(s, link, level - 1, 0) : link;
}

uint32_t shadow_at_or_below(const struct shadow *s, uint64_t offset)
{
    return below(s, 0, s->top, offset >> s->granule_shift);
}

uint32_t shadow_above(const struct shadow *s, uint64_t offset)
{
    return above(s, 0, s->top, offset >> s->granule_shift);
}

static uint64_t end(const struct extent *e) { return e->offset + (e->size ? e->size : 1); }

uint32_t shadow_add(struct shadow *s, uint32_t number)
{
    const struct extent *e = &s->extents[number];
    uint32_t other = shadow_at_or_below(s, e->offset);

    if (other != SHADOW_NONE && end(&s->extents[other]) > e->offset)
        return other;
    other = shadow_above(s, e->offset);
    if (other != SHADOW_NONE && s->extents[other].offset < end(e))
        return other;

    uint64_t key = e->offset >> s->granule_shift;
    uint32_t index = 0;
    for (unsigned level = s->top; level; level--) {
        unsigned at = part(key, level);
        uint32_t next = s->node[index].link[at];
        if (next == SHADOW_NONE) {
            next = new_node(s); /* may move the array */
            if (next == SHADOW_NONE)
                abort(); /* the supervisor itself is out of memory */
            s->node[index].link[at] = next;
        }
        s->node[index].bits |= UINT64_C(1) << at;
        index = next;
    }
    s->node[index].bits |= UINT64_C(1) << part(key, 0);
    s->node[index].link[part(key, 0)] = number;
    return SHADOW_NONE;
}

void shadow_remove(struct shadow *s, uint32_t number)
{
    uint64_t key = s->extents[number].offset >> s->granule_shift;
    uint32_t path[16] = { 0 }, index = 0;

    for (unsigned level = s->top; level; level--) {
        path[level] = index;
        index = s->node[index].link[part(key, level)];
    }
    s->node[index].bits &= ~(UINT64_C(1) << part(key, 0));
    for (unsigned level = 1; level <= s->top && !s->node[index].bits; level++) {
        index = path[level];
        s->node[index].bits &= ~(UINT64_C(1) << part(key, level));
    }
}
