// expect: ok, elsewhere, charged
/* Metadata in a common block, which is in none of the file's sections. */
__asm__(".comm table, 65536, 32");
extern char table[65536];
#define ELSEWHERE table
