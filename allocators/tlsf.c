/*
 * TLSF, two-level segregated fit: the blocks of common/boundary_tags.c under an index of constant cost.
 * Masmano, Ripoll, Crespo and Real, "TLSF: a new dynamic memory allocator for real-time systems", 2004.
 *
 *      first level: powers of two          second level: each cut into COLUMNS equal steps
 *
 *      rows  ...1 0 1                      columns[0]  01000000   sizes in steps of MM_ALIGNMENT
 *               |   |                      columns[2]  00000110   e.g. 256..511 in steps of 32
 *               |   +- row 0                                ||
 *               +----- row 2               lists[2][2], lists[2][1]: free blocks of one step
 *
 * vocabulary
 *      row, column   r and c of a size: its highest bit, and the bits below that one
 *      good fit      a request is rounded up to the next step: then any block of that list, or of any
 *                    later one, is large enough, and the first is taken without a look at its size
 *
 * cost: malloc and free are constant: two searches for a bit, no loops. (Blocks of LARGEST bytes and more
 * share one list, which is walked.)
 * memory: a word a block, and the smallest block is four words; a table of ROWS * COLUMNS words at the
 * start of the heap.
 * worst trace: many blocks of a size just above a step, freed between blocks that stay, and asked for again.
 * The rounding skips the very list they are in, and the heap grows by as much again, though each would fit.
 */
#define MM_INDEX_FOLLOWS
#include "common/boundary_tags.c"
#include "common/log.h"

enum { COLUMN_BITS = 3, COLUMNS = 1 << COLUMN_BITS, ROWS = 24 };
#define ROW_0 ((size_t)COLUMNS * MM_ALIGNMENT) /* sizes below are in row 0 */
#define LARGEST (ROW_0 << (ROWS - 2))          /* sizes from here on share the list of the last row */

struct place { unsigned row, column; };

static struct block *(*lists)[COLUMNS]; /* lists[row][column], at the start of the heap */
static uint32_t rows;                   /* a bit for each row that has a block */
static uint8_t columns[ROWS];           /* the same for its columns */

/* Where a free block of SIZE bytes belongs. */
static struct place place_of(size_t size)
{
    if (size < ROW_0)
        return (struct place){ 0, (unsigned)(size / MM_ALIGNMENT) };
    if (size >= LARGEST)
        return (struct place){ ROWS - 1, 0 };
    unsigned log = log_2(size);
    return (struct place){ log - log_2(ROW_0) + 1, (unsigned)(size >> (log - COLUMN_BITS)) - COLUMNS };
}

static int index_init(void)
{
    size_t bytes = round_up(ROWS * sizeof *lists, MM_ALIGNMENT);

    lists = mem_sbrk((intptr_t)bytes);
    if (lists == (void *)-1)
        return -1;
    memset(lists, 0, bytes);
    memset(columns, 0, sizeof columns);
    rows = 0;
    return 0;
}

static void index_insert(struct block *b)
{
    struct place p = place_of(size_of(b));

    list_insert(&lists[p.row][p.column], NULL, b);
    columns[p.row] |= (uint8_t)(1u << p.column);
    rows |= UINT32_C(1) << p.row;
}

static void index_remove(struct block *b)
{
    struct place p = place_of(size_of(b));

    list_remove(&lists[p.row][p.column], b);
    if (lists[p.row][p.column])
        return;
    columns[p.row] &= (uint8_t)~(1u << p.column);
    if (!columns[p.row])
        rows &= ~(UINT32_C(1) << p.row);
}

static void index_absorbed(struct block *from, struct block *into) { (void)from, (void)into; }

static struct block *index_find(size_t need)
{
    if (need >= LARGEST) {
        struct block *b = lists[ROWS - 1][0];
        while (b && size_of(b) < need)
            b = b->next;
        return b;
    }
    if (need >= ROW_0)
        need += ((size_t)1 << (log_2(need) - COLUMN_BITS)) - 1;
    struct place p = place_of(need);
    unsigned later = columns[p.row] & ~0u << p.column;
    if (!later) {
        uint32_t above = rows & ~(uint32_t)((UINT64_C(2) << p.row) - 1);
        if (!above)
            return NULL;
        p.row = (unsigned)__builtin_ctz(above);
        later = columns[p.row];
    }
    return lists[p.row][__builtin_ctz(later)];
}

static int index_check(int line, size_t *entries)
{
    int faults = 0;

    for (unsigned row = 0; row < ROWS; row++) {
        if ((columns[row] != 0) != (rows >> row & 1))
            faults += broken(line, "row %u: its bit says the opposite of its columns", row);
        for (unsigned column = 0; column < COLUMNS; column++) {
            const struct block *b = lists[row][column];
            int bad = list_check(line, b, entries);
            faults += bad;
            if ((b != NULL) != (columns[row] >> column & 1))
                faults += broken(line, "list %u,%u: its bit says the opposite of the list", row, column);
            for (; b && !bad; b = b->next) {
                struct place p = place_of(size_of(b));
                if (p.row != row || p.column != column)
                    faults += broken(line, "list %u,%u: free block %p of %zu bytes belongs in list %u,%u", row,
                                     column, (const void *)b, size_of(b), p.row, p.column);
            }
        }
    }
    return faults;
}
