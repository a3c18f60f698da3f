/*
 * index.h - the free blocks: tree, classes, reserves, and the recent one.
 */
#ifndef CHAMPION_INDEX_H
#define CHAMPION_INDEX_H

/* ---- the tree: a block's child on side 0 or 1 agrees with it in all higher bits of the size ---- */

FAST unsigned root_of(pos n) { return high_bit(n) / 4; }
FAST unsigned shift_of(unsigned root) { return 4 * root + 3; }

static void tree_insert(pos b, pos n)
{
    unsigned root = root_of(n), shift = shift_of(root);
    pos *link = &h.root[root], parent = 0;
    struct node *x = node(b);

    while (*link) {
        parent = *link;
        struct node *t = node(parent);
        if (t->size == n) {
            x->next = t->next;
            x->prev = parent;
            node(t->next)->prev = b;
            t->next = b;
            x->parent = RING;
            return;
        }
        link = &t->child[n >> shift-- & 1];
    }
    *link = b;
    h.rooted |= 1u << root;
    x->next = x->prev = b;
    x->parent = parent;
    x->child[0] = x->child[1] = 0;
}

static void tree_remove(pos b)
{
    struct node *x = node(b);
    pos heir = 0;

    if (x->next != b) {
        heir = x->next;
        node(x->prev)->next = x->next;
        node(x->next)->prev = x->prev;
        if (x->parent == RING)
            return;
    } else { /* any leaf below */
        pos *link = &x->child[1];
        if (!*link)
            link = &x->child[0];
        if ((heir = *link) != 0) {
            for (pos *down = link; *down; ) {
                link = down;
                heir = *down;
                down = node(heir)->child[1] ? &node(heir)->child[1] : &node(heir)->child[0];
            }
            *link = 0;
        }
    }
    if (heir) {
        struct node *y = node(heir);
        y->parent = x->parent;
        for (int side = 0; side < 2; side++) {
            y->child[side] = x->child[side];
            if (y->child[side])
                node(y->child[side])->parent = heir;
        }
    }
    if (x->parent) {
        struct node *p = node(x->parent);
        p->child[p->child[1] == b] = heir;
    } else {
        unsigned root = root_of(x->size);
        h.root[root] = heir;
        if (!heir)
            h.rooted &= ~(1u << root);
    }
}

/* The smaller of BEST and the smallest block of the subtree T, whose blocks all differ from N alike: it
 * lies on the leftmost path. */
static pos leftmost(pos t, pos best)
{
    for (; t; t = node(t)->child[0] ? node(t)->child[0] : node(t)->child[1])
        if (!best || node(t)->size < node(best)->size)
            best = t;
    return best;
}

/* The smallest free block of the tree with at least N granules, or 0. */
static pos best_fit(pos n)
{
    unsigned root = root_of(n), shift = shift_of(root);
    pos best = 0, larger = 0;

    for (pos t = h.root[root]; t; ) {
        struct node *x = node(t);
        if (x->size >= n && (!best || x->size < node(best)->size)) {
            best = t;
            if (x->size == n)
                return x->next; /* a ring neighbour goes more easily than a tree node */
        }
        unsigned side = n >> shift-- & 1;
        if (!side && x->child[1])
            larger = x->child[1];
        t = x->child[side];
    }
    best = leftmost(larger, best);
    uint32_t higher = h.rooted & (uint32_t)-2 << root;
    if (!best && higher)
        best = leftmost(h.root[low_bit(higher)], 0);
    return best ? node(best)->next : 0;
}

/* ---- free blocks in and out of their index ---- */

FAST bool is_listed(unsigned c) { return h.classes ? c < CLASSES : c == 0; }
FAST pos *list_of(unsigned c) { return h.classes ? &h.classes->first[c] : &h.pairs; }

static void index_block(pos b)
{
    struct node *x = node(b);
    unsigned c = class_of(x->size);

    if (!is_listed(c)) {
        tree_insert(b, x->size);
        return;
    }
    pos *first = list_of(c);
    x->parent = LISTED;
    x->prev = 0;
    x->next = *first;
    if (x->next)
        node(x->next)->prev = b;
    *first = b;
    h.nonempty |= (uint32_t)1 << c;
}

/* The free block B of N granules joins the index: as the recent one, for frees come in the order of
 * addresses and blocks are freed to be allocated again, and either spares the work. */
FAST void insert(pos b, pos n)
{
    if (h.recent)
        index_block(h.recent);
    h.recent = b;
    node(b)->size = n;
    node(b)->parent = RECENT;
}

FAST void unlink_free(pos b)
{
    struct node *x = node(b);

    switch (x->parent) {
    case RECENT:
        h.recent = 0;
        return;
    case RESERVE:
        h.reserved -= x->size;
        h.classes->reserve[x->next] = 0;
        return;
    case LISTED:
        if (x->next)
            node(x->next)->prev = x->prev;
        if (x->prev) {
            node(x->prev)->next = x->next;
        } else {
            unsigned c = class_of(x->size);
            if ((*list_of(c) = x->next) == 0)
                h.nonempty &= ~((uint32_t)1 << c);
        }
        return;
    default:
        tree_remove(b);
    }
}

FAST void set_reserve(unsigned c, pos b, pos n)
{
    node(b)->size = n;
    node(b)->parent = RESERVE;
    node(b)->next = c;
    h.classes->reserve[c] = b;
    h.reserved += n;
}

#endif
