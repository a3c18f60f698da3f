/* mm.h - entry points of the classic edition. */
#ifndef MM_H
#define MM_H

#include <stddef.h>
#include <stdio.h>

extern int mm_init(void);
extern void *mm_malloc(size_t size);
extern void mm_free(void *ptr);
extern void *mm_realloc(void *ptr, size_t size);

#ifndef MM_NO_TEAM /* a file may bring its own */
/* Who wrote it. The editions differ after the fifth member. */
typedef struct {
    char *teamname;
    char *name1, *id1;
    char *name2, *id2;
    char *name3, *id3;
    char *name, *uid;
} team_t;

extern team_t team;
#endif

#endif
