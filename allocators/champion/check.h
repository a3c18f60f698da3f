/*
 * check.h - mm_checkheap: every statement above, checked over the whole heap.
 */
#ifndef CHAMPION_CHECK_H
#define CHAMPION_CHECK_H

static int complain(int line, pos g, const char *what)
{
    return broken(line, "at %p: %s", at(g), what);
}

/* The tree under T: sizes agree with the path to them, rings are whole. Adds its blocks to *FOUND. */
static int check_tree(int line, pos t, pos parent, pos size, unsigned shift, pos *found)
{
    struct node *x = node(t);
    int wrong = 0;

    if (!begins(t) || !is_free(t))
        return complain(line, t, "the tree holds what is not a free block");
    if (x->parent != parent)
        wrong += complain(line, t, "a tree block does not know its parent");
    if (x->size >> shift != size >> shift)
        wrong += complain(line, t, "a block lies in the wrong part of the tree for its size");
    pos r = t;
    do {
        ++*found;
        if (node(r)->size != x->size || node(node(r)->next)->prev != r || (r != t && node(r)->parent != RING))
            return wrong + complain(line, r, "a ring of equal sizes is broken");
        r = node(r)->next;
    } while (r != t);
    for (pos side = 0; side < 2; side++)
        if (x->child[side])
            wrong += check_tree(line, x->child[side], t, (x->size >> shift << shift) | side << (shift - 1),
                                shift - 1, found);
    return wrong;
}

/* Every free block of the index is one: its number, for comparison with the walk over the heap. */
static int check_index(int line, pos *found)
{
    int wrong = 0;

    for (unsigned c = 0; is_listed(c); c++) {
        pos first = *list_of(c), r = h.classes ? h.classes->reserve[c] : 0;
        if (!first != !(h.nonempty >> c & 1))
            wrong += complain(line, first, "a class is marked empty and is not, or the reverse");
        for (pos b = first, prev = 0; b; prev = b, b = node(b)->next, ++*found)
            if (!begins(b) || !is_free(b) || free_size(b) != size_of_class(c) || node(b)->prev != prev ||
                node(b)->parent != LISTED)
                return wrong + complain(line, b, "a class's list holds what does not belong there");
        if (r && (!begins(r) || !is_free(r) || !is_reserve(r) || node(r)->next != c))
            wrong += complain(line, r, "a class's reserve is not a free block that knows its class");
        *found += r != 0;
    }
    if (h.recent && (!begins(h.recent) || !is_free(h.recent) || node(h.recent)->parent != RECENT))
        wrong += complain(line, h.recent, "the recent block is not free");
    *found += h.recent != 0;
    for (unsigned i = 0; i < ROOTS; i++)
        if (h.root[i])
            wrong += check_tree(line, h.root[i], 0, 0, shift_of(i) + 1, found);
    return wrong;
}

int mm_checkheap(int line)
{
    int wrong = 0;
    pos walked = 0, found = 0, starts = 0, set = 0, e;
    bool was_free = false;

    for (pos g = 0, prev = 0; g < h.top; prev = g, g = e) {
        if (page_of(g) > page_of(h.last) || !begins(g))
            return wrong + complain(line, g, "the previous block ends where none begins");
        if (g > 0 && before(g) != prev)
            wrong += complain(line, g, "looking back finds another block than walking forward");
        bool free_now = is_free(g);
        if (free_now && was_free)
            wrong += complain(line, g, "two free blocks side by side were not coalesced");
        if (free_now && g == h.last)
            wrong += complain(line, g, "a free block below the top was not merged into it");
        e = free_now ? g + free_size(g) : end_of(g);
        if (e <= g || e > h.top || (e - g) % UNIT || e - g < MIN_BLOCK)
            return wrong + complain(line, g, "a block's size is impossible");
        if (free_now && e != h.top && !begins(e))
            return wrong + complain(line, g, "a free block's size is not the distance to the next block");
        if (e == h.top && g != h.last)
            wrong += complain(line, g, "the last block is not known as such");
        walked += free_now;
        starts++;
        was_free = free_now;
    }
    for (pos page = 0; page <= page_of(h.last); page++) {
        uint32_t entry = h.dir[page];
        pos run = kind_of(entry) == RUN ? entry >> 2 : 0, i = first_from(entry, 0), in_page = 0;
        if (run) {
            if (page + run > page_of(h.last) || h.dir[page + run - 1] != entry)
                return wrong + complain(line, page * PAGE, "a run of pages without beginnings is mistagged");
            page += run - 1;
            continue;
        }
        for (; i < PAGE; i = first_from(entry, i + 1))
            in_page += begins(page * PAGE + i);
        if (!in_page)
            wrong += complain(line, page * PAGE, "a page in which nothing begins is no run");
        set += in_page;
    }
    if (set != starts)
        wrong += complain(line, 0, "the bits say more or fewer beginnings than there are blocks");
    if (!mem_heapsize() || h.end != mem_heapsize() / GRANULE || h.top > h.end)
        wrong += complain(line, h.top, "the top or the break is not where it should be");
    wrong += check_index(line, &found);
    if (found != walked)
        wrong += complain(line, 0, "the index holds more or fewer free blocks than the heap");
    return wrong;
}

#endif
