/* As C was written before 1989: definitions without prototypes, implicit int, undeclared functions, an own team_t. */
#include "mm.h"
#include "memlib.h"

typedef struct {
    char *teamname;
    char *name;
    char *uid;
} team_t;

team_t team = { "K&R", "Dennis Example", "dmr" };

static rover;
static int (*volatile rounding)(); /* its address is taken, so the inline function must exist */

inline round_up(n)
{
    return (n + 7) / 8 * 8;
}

int mm_init()
{
    rover = 0;
    rounding = round_up;
    return 0;
}

check_nothing(p)
char *p;
{
    if (p == 0)
        puts("nothing");
    return 0;
}

void *mm_malloc(size)
size_t size;
{
    char *p;

    rover++;
    if ((int)(p = mem_sbrk((*rounding)(size) + 8)) == -1)
        return NULL;
    *(int *)p = size;
    check_nothing(p);
    return p + 8;
}

void mm_free(p)
void *p;
{
}

void *mm_realloc(p, size)
void *p;
size_t size;
{
    char *q = mm_malloc(size);

    if (p && q)
        memcpy(q, p, *(int *)((char *)p - 8) < (int)size ? *(int *)((char *)p - 8) : (int)size);
    return q;
}
