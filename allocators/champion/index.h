/*
 * index.h - the free blocks: bins by size, and reserves.
 *
 * A bin is a doubly linked list of free blocks, the one freed last first. Sizes below EXACT_BINS units have bins
 * of their own; above, there are four bins to the octave, and two above 2048 units. Before there is a table, there
 * is one to the octave.
 */
#ifndef CHAMPION_INDEX_H
#define CHAMPION_INDEX_H

enum { LOOKS = 16 }; /* at this many blocks of a bin for the best fit */

FAST pos *bin_list(void) { return h.table ? h.table->bin : h.few_bin; }

SLOW unsigned bin_of_large(pos u)
{
    unsigned o = u ? high_bit(u) : 0;

    if (!h.table)
        return o < FEW_BINS ? o : FEW_BINS - 1;
    unsigned bin = o < 11 ? EXACT_BINS + 4 * (o - 5) + (u >> (o - 2) & 3)
                          : EXACT_BINS + FINE_BINS + 2 * (o - 11) + (u >> (o - 1) & 1);
    return bin < MANY_BINS ? bin : MANY_BINS - 1;
}

FAST unsigned bin_of(pos n)
{
    pos u = n / UNIT;
    return LIKELY(u < EXACT_BINS && h.table) ? u : bin_of_large(u);
}

/* The free block B goes into its bin. */
FAST void put(pos b)
{
    struct node *x = node(b);
    unsigned bin = bin_of(x->size);
    pos *first = &bin_list()[bin];

    x->prev = 0;
    x->next = *first;
    if (*first)
        node(*first)->prev = b;
    else if (LIKELY(h.table))
        h.table->map[bin / 64] |= (uint64_t)1 << (bin % 64);
    else
        h.few_map |= 1u << bin;
    *first = b;
}

/* The free block B of N granules joins the index. A large one is the recent one at first, and in no bin: what is freed
 * next often borders on it, and what is allocated next is often cut from it. */
FAST void insert(pos b, pos n)
{
    struct table *t = h.table;
    struct node *x = node(b);
    pos u = n / UNIT;

    x->size = n;
    x->prev = 0;
    if (LIKELY(t && u < EXACT_BINS)) {
        pos first = t->bin[u];
        x->next = first;
        t->bin[u] = b;
        if (first)
            node(first)->prev = b;
        else
            t->map[0] |= (uint64_t)1 << u;
    } else {
        if (h.recent)
            put(h.recent);
        h.recent = b;
    }
}

FAST void unlink_free(pos b)
{
    struct node *x = node(b);

    if (b == h.recent) {
        h.recent = 0;
        return;
    }
    if (!LIKELY(x->prev != RESERVE)) {
        h.reserved -= x->size;
        h.table->reserve[x->next] = 0;
        return;
    }
    if (x->next)
        node(x->next)->prev = x->prev;
    if (x->prev) {
        node(x->prev)->next = x->next;
        return;
    }
    unsigned bin = bin_of(x->size);
    bin_list()[bin] = x->next;
    if (x->next)
        return;
    if (LIKELY(h.table))
        h.table->map[bin / 64] &= ~((uint64_t)1 << (bin % 64));
    else
        h.few_map &= ~(1u << bin);
}

FAST unsigned class_of(pos n) { return (n - MIN_BLOCK) / UNIT; }
FAST pos size_of_class(unsigned c) { return MIN_BLOCK + c * UNIT; }

FAST void set_reserve(unsigned c, pos b, pos n)
{
    node(b)->size = n;
    node(b)->prev = RESERVE;
    node(b)->next = c;
    h.table->reserve[c] = b;
    h.reserved += n;
}

/* The smallest of the first blocks of a bin with at least N granules, or 0. */
SLOW pos best_of(pos b, pos n)
{
    pos best = 0, size = LIMIT;

    for (unsigned i = 0; b && i < LOOKS; i++, b = node(b)->next) {
        pos m = node(b)->size;
        if (m >= n && m < size) {
            best = b;
            size = m;
            if (m == n)
                break;
        }
    }
    return best;
}

/* The same among the blocks in bins, as far as is looked. */
FAST pos find_in_bins(pos n)
{
    unsigned bin = bin_of(n);

    if (LIKELY(h.table)) {
        const pos *list = h.table->bin;
        uint64_t low = bin < 64 ? h.table->map[0] >> bin : 0;
        if (n / UNIT < EXACT_BINS && low) {
            bin += low_bit(low);
            if (bin < EXACT_BINS)
                return list[bin];
            return best_of(list[bin], n);
        }
        pos b = list[bin] ? best_of(list[bin], n) : 0;
        if (b)
            return b;
        low = bin < 63 ? h.table->map[0] >> bin >> 1 : 0;
        if (low)
            return best_of(list[bin + 1 + low_bit(low)], n);
        uint64_t high = h.table->map[1];
        if (bin >= 64)
            high &= (uint64_t)-2 << (bin - 64);
        return high ? best_of(list[64 + low_bit(high)], n) : 0;
    }
    for (uint32_t map = h.few_map & ~0u << bin; map; map &= map - 1) {
        pos b = best_of(h.few_bin[low_bit(map)], n);
        if (b)
            return b;
    }
    return 0;
}

/* A free block of at least N granules, the best as far as is looked, or 0. */
FAST pos find(pos n)
{
    pos r = h.recent, m = r ? free_size(r) : 0;

    if (m == n)
        return r;
    pos b = find_in_bins(n);
    return m > n && (!b || m < free_size(b)) ? r : b;
}

#endif
