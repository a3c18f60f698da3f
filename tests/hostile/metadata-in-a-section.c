// expect: ok, elsewhere
/* The blocks' words in a section of its own. */
__attribute__((section("depot"))) static char table[16000];
#define ELSEWHERE table
