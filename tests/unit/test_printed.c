/* What a runner prints: all of it when it is little, else the first and the last. */
#define _GNU_SOURCE
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "printed.h"
#include "suites.h"

enum { CAP = 256 };

/* LINES numbered lines, in turns of EACH. */
static char *print(struct printed *p, int lines, int each)
{
    ck_assert_int_eq(printed_open(p, CAP), 0);
    int fd = printed_writer(p);
    ck_assert_int_ge(fd, 0);
    for (int i = 0; i < lines; i++) {
        if (i % each == 0)
            printed_make_room(p);
        ck_assert_int_eq(dprintf(fd, "%06d\n", i), 7);
    }
    close(fd);
    return printed_close(p);
}

START_TEST(test_little_is_kept_whole)
{
    struct printed p;
    char *text = print(&p, 10, 3);

    ck_assert_str_eq(text, "000000\n000001\n000002\n000003\n000004\n000005\n000006\n000007\n000008\n000009\n");
    ck_assert_int_eq(p.cut, 0);
    free(text);
}
END_TEST

START_TEST(test_nothing)
{
    struct printed p;

    ck_assert_ptr_null(print(&p, 0, 1));
    ck_assert_int_eq(p.cut, 0);
}
END_TEST

/* Turns of one line, of less and of more than is kept, and all in one. */
static const int turns[] = { 1, 7, 30, 37, 100, 999, 1000 };

START_TEST(test_first_and_last_are_kept)
{
    struct printed p;
    char *text = print(&p, 1000, turns[_i]);

    ck_assert_uint_le(strlen(text), CAP);
    ck_assert_int_eq(strncmp(text, "000000\n000001\n", 14), 0);
    ck_assert_str_eq(text + strlen(text) - 14, "000998\n000999\n");
    ck_assert_ptr_nonnull(strstr(text, "\n... more was printed here"));
    ck_assert_int_eq(p.cut, 1);
    free(text);
}
END_TEST

Suite *printed_suite(void)
{
    Suite *s = suite_create("printed");
    TCase *c = tcase_create("printed");

    tcase_add_test(c, test_little_is_kept_whole);
    tcase_add_test(c, test_nothing);
    tcase_add_loop_test(c, test_first_and_last_are_kept, 0, (int)(sizeof turns / sizeof *turns));
    suite_add_tcase(s, c);
    return s;
}
