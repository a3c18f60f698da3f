// expect: ok, elsewhere, charged
/* Metadata in a large common block, which is in none of the file's sections. */
__asm__(".largecomm table, 65536, 32");

static char *table_address(void)
{
    char *p;

    __asm__("movabsq $table, %0" : "=r"(p));
    return p;
}
#define ELSEWHERE table_address()
