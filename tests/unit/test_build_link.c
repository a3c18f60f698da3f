/* What ld says, and what a student is told. */
#include <check.h>
#include <string.h>
#include "build_link.h"
#include "suites.h"

#define LD "/usr/bin/ld: "
#define END "collect2: error: ld returned 1 exit status\n"

static const struct { const char *log, *told; } logs[] = {
    { "", NULL },
    { END, NULL },
    { LD "local.o: in function `mm_malloc':\n/build/mm.c:12: undefined reference to `place'\n" END,
      "does not link: place (a.c:12) is used and nowhere defined" },
    { LD "local.o:/build/mm.c:4: undefined reference to `counter'\n"
      LD "/build/mm.c:9: undefined reference to `counter'\n",
      "does not link: counter (a.c:4) is used and nowhere defined" },
    { LD "local.o: in function `f':\nmm.c:(.text+0x14): undefined reference to `place'\n",
      "does not link: place is used and nowhere defined" },
    { LD "/build/mm.c:1: undefined reference to `one'\n" LD "/build/mm.c:2: undefined reference to `two'\n",
      "does not link: one (a.c:1), two (a.c:2) are used and nowhere defined" },
    { "x:1: undefined reference to `a'\nx:2: undefined reference to `b'\nx:3: undefined reference to `c'\n"
      "x:4: undefined reference to `d'\nx:5: undefined reference to `e'\nx:6: undefined reference to `f'\n",
      "does not link: a (a.c:1), b (a.c:2), c (a.c:3), d (a.c:4), e (a.c:5) and others are used and nowhere defined" },
    { LD "/build/mm.c:7: undefined reference to `mem_sbrkk'\n",
      "does not link: mem_sbrkk (a.c:7) is used and nowhere defined; did you mean mem_sbrk?" },
    { LD "/driver/runner.c:142: undefined reference to `mm_free'\n"
      LD "/driver/runner.c:9: undefined reference to `mm_init'\n"
      LD "/build/mm.c:7: undefined reference to `place'\n", "it does not define mm_init, mm_free" },
    { "undefined reference to `place", NULL }, /* cut off */
    { LD "local.o: relocation truncated to fit: R_X86_64_PC32 against `.bss'\n", NULL },
};

START_TEST(test_logs)
{
    char told[400];
    int rc = link_reason("a.c", logs[_i].log, told, sizeof told);

    ck_assert_int_eq(rc, logs[_i].told ? 0 : -1);
    if (rc == 0)
        ck_assert_str_eq(told, logs[_i].told);
}
END_TEST

START_TEST(test_long_names_fit)
{
    char log[8192] = "", told[400];

    for (int i = 0; i < 5; i++) {
        strcat(log, "mm.c:1: undefined reference to `");
        memset(log + strlen(log), 'a' + i, 1000);
        strcat(log, "'\n");
    }
    ck_assert_int_eq(
        link_reason("a-name-that-is-as-long-as-any-name-of-a-submission-can-be-here.c", log, told, sizeof told), 0);
    ck_assert_uint_lt(strlen(told), sizeof told);
}
END_TEST

Suite *build_link_suite(void)
{
    Suite *suite = suite_create("build_link");
    TCase *t = tcase_create("words");

    tcase_add_loop_test(t, test_logs, 0, (int)(sizeof logs / sizeof *logs));
    tcase_add_test(t, test_long_names_fit);
    suite_add_tcase(suite, t);
    return suite;
}
