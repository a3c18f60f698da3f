// expect: ok, elsewhere
/* The blocks' words in memory from malloc. */
#include <stdlib.h>

static void *table;
#define PLACES 700
#define AT_INIT() (table = calloc(PLACES, 16))
#define ELSEWHERE table
