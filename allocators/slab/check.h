/* check.h - the heap checker of slab.c, which includes this at its end. */
#ifndef SLAB_CHECK_H
#define SLAB_CHECK_H

static int check_run(int line, const struct run *r, size_t page, size_t *listed)
{
    size_t free_slots = 0, i;
    int faults = 0;

    for (i = 1; i < r->pages; i++)
        if (heap.map[page + i] != i)
            faults += broken(line, "page %zu: the map does not lead to its run, %zu pages before", page + i, i);
    for (i = 0; i < BIT_WORDS; i++)
        free_slots += (size_t)__builtin_popcountll(r->is_free[i]);
    if (free_slots != r->free)
        faults += broken(line, "run %p: %zu bits are set, but %u slots are said to be free", (const void *)r,
                         free_slots, r->free);
    for (i = r->slots; i < 64 * BIT_WORDS; i++)
        if (r->is_free[i / 64] >> i % 64 & 1)
            return faults + broken(line, "run %p: bit %zu is set, but it has %u slots", (const void *)r, i, r->slots);
    *listed += r->free > 0;
    return faults;
}

static int check_large(int line, size_t page, size_t pages)
{
    int faults = 0;

    for (size_t i = 1; i < pages; i++)
        if (heap.map[page + i] != INSIDE_LARGE)
            faults += broken(line, "page %zu is inside the large block of page %zu, but the map says %#x", page + i,
                             page, heap.map[page + i]);
    return faults;
}

static int check_free(int line, size_t page, size_t pages)
{
    size_t last = ((struct block *)page_at(page + pages - 1))->pages;
    int faults = 0;

    if (last != pages)
        faults += broken(line, "free pages %zu: header and footer disagree (%zu and %zu pages)", page, pages, last);
    for (size_t i = 1; i < pages; i++)
        if (heap.map[page + i] != FREE)
            return faults + broken(line, "page %zu is in the free span of page %zu, but the map says %#x", page + i,
                                   page, heap.map[page + i]);
    if (page + pages < heap.pages && heap.map[page + pages] == FREE)
        faults += broken(line, "the free spans %zu and %zu are side by side, not joined", page, page + pages);
    return faults;
}

static int check_bins(int line, size_t *entries)
{
    for (unsigned bin = 0; bin < BINS; bin++) {
        const struct block *prev = NULL;
        for (const struct block *span = heap.bins[bin]; span; prev = span, span = span->next) {
            if ((uintptr_t)span < heap.base || ((uintptr_t)span - heap.base) % PAGE || page_of(span) >= heap.pages
                || heap.map[page_of(span)] != FREE || !span->pages || log_2(span->pages) != bin)
                return broken(line, "bin %u has %p, which is no free span of its size", bin, (const void *)span);
            if (span->prev != prev) /* also what ends a walk in circles */
                return broken(line, "bin %u: %p does not point back to %p", bin, (const void *)span,
                              (const void *)prev);
            *entries += 1;
        }
    }
    return 0;
}

static int check_runs(int line, size_t *entries)
{
    for (unsigned class = 0; class < CLASSES; class++) {
        const struct run *prev = NULL;
        for (const struct run *r = heap.runs[class]; r; prev = r, r = r->next) {
            if ((uintptr_t)r < heap.base || ((uintptr_t)r - heap.base) % PAGE || page_of(r) >= heap.pages
                || heap.map[page_of(r)] != 0 || class_of_run(r) != class || !r->free)
                return broken(line, "class %u: its list has %p, which is no run of it with a free slot", class,
                              (const void *)r);
            if (r->prev != prev)
                return broken(line, "class %u: %p does not point back to %p", class, (const void *)r,
                              (const void *)prev);
            *entries += 1;
        }
    }
    return 0;
}

int mm_checkheap(int line)
{
    size_t page = 0, pages, spans = 0, in_bins = 0, runs = 0, in_lists = 0;
    int faults = 0;

    if (heap.base + heap.pages * PAGE != (uintptr_t)mem_heap_hi() + 1)
        faults += broken(line, "the pages do not end at the break");
    for (; page < heap.pages; page += pages) {
        int what = heap.map[page];
        const struct run *r = page_at(page);
        pages = what == 0 ? r->pages : what == FREE ? free_from(page)
            : what == LARGE ? (((const size_t *)page_at(page))[LARGE_HEADER / WORD - 1] ^ LARGE_TAG) / PAGE
            : what == OWN && (void *)heap.map == page_at(page) ? heap.mapped / PAGE : 0;
        if (!pages || pages > heap.pages - page || (what == 0 && !is_sound_run(r, page)))
            return faults + broken(line, "page %zu, of kind %#x: its header is damaged, the walk ends here", page,
                                   what);
        faults += what == 0 ? check_run(line, r, page, &runs) : what == LARGE ? check_large(line, page, pages)
            : what == FREE ? check_free(line, page, pages) : 0;
        spans += what == FREE;
    }
    faults += check_bins(line, &in_bins) + check_runs(line, &in_lists);
    if (in_bins != spans)
        faults += broken(line, "the bins have %zu spans, but %zu spans are free", in_bins, spans);
    if (in_lists != runs)
        faults += broken(line, "the lists have %zu runs, but %zu runs have a free slot", in_lists, runs);
    return faults;
}

#endif
