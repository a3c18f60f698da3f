/* team.h - who wrote a file, as the classic edition asks. Its variants differ after the fifth member: a third
 * pair, or name and uid. */
#ifndef TEAM_H
#define TEAM_H

typedef struct {
    char *teamname;
    char *name1, *id1;
    char *name2, *id2;
    char *name3, *id3;
    char *name, *uid;
} team_t;

extern team_t team;

#endif
