/*
 * check.h - mm_checkheap: every statement above, checked over the whole heap.
 */
#ifndef CHAMPION_CHECK_H
#define CHAMPION_CHECK_H

static int complain(int line, pos g, const char *what)
{
    return broken(line, "at %p: %s", at(g), what);
}

/* Every free block of the index is one: its number, for comparison with the walk over the heap. */
static int check_index(int line, pos *found)
{
    int wrong = 0;

    for (unsigned i = 0; i < (h.table ? MANY_BINS : FEW_BINS); i++) {
        pos first = bin_list()[i];
        bool marked = h.table ? h.table->map[i / 64] >> (i % 64) & 1 : h.few_map >> i & 1;
        if (!first == marked)
            wrong += complain(line, first, "a bin is marked empty and is not, or the reverse");
        for (pos b = first, prev = 0; b; prev = b, b = node(b)->next, ++*found)
            if (!begins(b) || !is_free(b) || bin_of(free_size(b)) != i || node(b)->prev != prev)
                return wrong + complain(line, b, "a bin holds what does not belong there");
    }
    if (h.recent && (!begins(h.recent) || !is_free(h.recent)))
        wrong += complain(line, h.recent, "the recent block is not free");
    *found += h.recent != 0;
    for (unsigned c = 0; h.table && c < CLASSES; c++) {
        pos r = h.table->reserve[c];
        if (r && (!begins(r) || !is_free(r) || !is_reserve(r) || node(r)->next != c))
            wrong += complain(line, r, "a class's reserve is not a free block that knows its class");
        *found += r != 0;
    }
    return wrong;
}

/* The lists of waiting blocks hold such blocks, each of its own place and size. */
static int check_waiting(int line)
{
    int wrong = 0;
    pos found = 0;

    for (pos i = 0; h.table && i < EXACT_BINS; i++) {
        if (h.table->wait[i] && !(h.used >> i & 1))
            wrong += complain(line, h.table->wait[i], "a list of waiting blocks is marked unused and is not empty");
        for (pos b = h.table->wait[i]; b; b = node(b)->next)
            if (!begins(b) || is_free(b) || (found += end_of(b) - b) > WAIT_MAX || !seems_to_wait(b, end_of(b) - b) ||
                (end_of(b) - b) / UNIT != i)
                return wrong + complain(line, b, "a list of waiting blocks holds what does not belong there");
    }
    return wrong;
}

/* Giants lie side by side from the end of the heap before to the break, and no two free ones are neighbours. */
static int check_giants(int line)
{
    size_t at_byte = (size_t)h.end * GRANULE;
    bool was_free = false;
    int wrong = 0;

    for (pos d = h.giants; d; d = giant(d)->next) {
        struct giant *x = giant(d);
        if (!begins(d) || is_free(d) || !seems_to_wait(d, end_of(d) - d) || !is_own(d))
            return wrong + complain(line, d, "the list of giants holds what is no descriptor");
        if (x->start != at_byte || x->size % MM_ALIGNMENT)
            wrong += complain(line, d, "a giant does not begin where the one before ends");
        if (x->free_now && was_free)
            wrong += complain(line, d, "two free giants side by side");
        was_free = x->free_now;
        at_byte += x->size;
    }
    if (at_byte != mem_heapsize() || h.top > h.end)
        wrong += complain(line, h.top, "the top or the break is not where it should be");
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
        bool prev_free;
        if (g > 0 && (before(g, &prev_free) != prev || prev_free != was_free))
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
    wrong += check_waiting(line);
    if (set != starts)
        wrong += complain(line, 0, "the bits say more or fewer beginnings than there are blocks");
    wrong += check_giants(line);
    wrong += check_index(line, &found);
    if (found != walked)
        wrong += complain(line, 0, "the index holds more or fewer free blocks than the heap");
    return wrong;
}

#endif
