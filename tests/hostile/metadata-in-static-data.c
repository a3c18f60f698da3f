// expect: ok, elsewhere
/* The blocks' words in a static array. */
static char table[16000];
#define ELSEWHERE table
