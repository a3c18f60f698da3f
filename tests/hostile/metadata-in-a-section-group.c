// expect: ok, elsewhere, charged
/* Metadata in a section of a group, which the linker may drop or keep. */
__asm__(".pushsection .data.x, \"awG\", @progbits, once, comdat\n.globl table\ntable: .zero 65536\n.popsection");
extern char table[65536];
#define ELSEWHERE table
