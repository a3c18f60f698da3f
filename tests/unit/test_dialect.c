/* The edition of a file, told from its preprocessed text. */
#include <check.h>
#include <string.h>
#include "course.h"
#include "dialect.h"
#include "suites.h"

#define OWN "# 1 \"mm.c\"\n"
#define HEADER "# 1 \"include/memlib.h\" 1\n"
#define BACK "# 3 \"mm.c\" 2\n"

static const struct { const char *text; int dialect; const char *why; } files[] = {
    { OWN "_Bool mm_init(void) { return 1; }", DIALECT_CMU16, "returns bool (line 1)" },
    { OWN "\n\nbool\nmm_init (void);", DIALECT_CMU16, "returns bool (line 4)" },
    { OWN "bool ok;\nint mm_init(void) { return 0; }\nteam_t team = {", DIALECT_CLASSIC, "team_t (line 3)" },
    { OWN "#define malloc mm_malloc\nint mm_init(void);", DIALECT_AUTOLAB,
      "maps malloc to mm_malloc by macro (line 1)" },
    { OWN "#define malloc mm_malloc\nbool mm_checkheap(int line) {}", DIALECT_CMU16,
      "mm_checkheap returns bool (line 2)" },
    { OWN "#define free mm_free\nint f(void) { return mem_read(p, 8); }", DIALECT_CMU16, "mem_read" },
    { OWN "#define malloc mm_malloc\nteam_t team = { 0 };", DIALECT_AUTOLAB, "by macro" },
    { OWN "#define malloc(n) my_malloc(n)\nteam_t team;", DIALECT_CLASSIC, "team_t" },
    { OWN "int a;\n# 1 \"include/contracts.h\" 1\n" BACK "int mm_init(void);", DIALECT_AUTOLAB, "contracts.h" },
    { OWN "struct { char *n; } team = { \"x\" };", DIALECT_CLASSIC, "team_t (line 1)" },
    { OWN "int x = MM_ALIGNMENT;", DIALECT_MALLOCLAB, "MM_ALIGNMENT" },
    { OWN "#define ALIGN(p) ((p) & ~(MM_ALIGNMENT - 1))\n", DIALECT_MALLOCLAB, "line 1" },
    { OWN "void mm_gc_roots(void **r, size_t n) {}", DIALECT_MALLOCLAB, "line 1" },
    { OWN "int mm_checkheap(int line) { return 0; }", DIALECT_MALLOCLAB, "mm_checkheap returns int (line 1)" },
    { OWN "void mm_checkheap(int line) { }", DIALECT_CLASSIC, "neither" },
    { OWN "#define malloc mm_malloc\nint mm_init(void);\nbool mm_checkheap(int line) {}", DIALECT_AUTOLAB, "by macro" },
    { OWN "#define free mm_free\nint mm_init(void);\nint f(void) { return mem_read(p, 8); }", DIALECT_AUTOLAB,
      "by macro" },
    { OWN "int mm_init(void);\nvoid *mm_malloc(size_t n);", DIALECT_CLASSIC, "neither" },
    /* what is not the file's own, or not code, says nothing */
    { HEADER "_Bool mm_init(void);\nteam_t team;\n#define malloc mm_malloc\n" BACK "int x = MM_ALIGNMENT;",
      DIALECT_MALLOCLAB, "line 3" },
    { OWN "char *s = \"bool mm_init(void) \\\" team_t team\";\nchar c = '\"';\nint x = MM_ALIGNMENT;",
      DIALECT_MALLOCLAB,
      "line 3" },
    { OWN "void f(void) { int team; team = 3; }\nint x = MM_ALIGNMENT;", DIALECT_MALLOCLAB, "line 2" },
    { OWN "char *s = \"never closed\nint x = MM_ALIGNMENT;", DIALECT_MALLOCLAB, "line 2" },
    { "", DIALECT_CLASSIC, "neither" },
    { "# \"\n#define\n# 99999999999 \"mm.c\"\n\"", DIALECT_CLASSIC, "neither" },
};

START_TEST(test_guess)
{
    char why[160] = "";

    ck_assert_int_eq(dialect_guess(files[_i].text, why, sizeof why), files[_i].dialect);
    ck_assert_msg(strstr(why, files[_i].why) != NULL, "'%s' is not in '%s'", files[_i].why, why);
}
END_TEST

Suite *dialect_suite(void)
{
    Suite *s = suite_create("dialect");
    TCase *t = tcase_create("guess");

    tcase_add_loop_test(t, test_guess, 0, sizeof files / sizeof *files);
    suite_add_tcase(s, t);
    return s;
}
