/* What strangers print: harmless text stays, everything else becomes '?'. */
#include <check.h>
#include <string.h>
#include "plain_text.h"
#include "suites.h"

static const struct { const char *given, *shown; } texts[] = {
    { "", "" },
    { "plain, with\ttab and\nnewline", "plain, with\ttab and\nnewline" },
    { "caf\xc3\xa9 \xe2\x82\xac \xf0\x9f\x99\x82", "caf\xc3\xa9 \xe2\x82\xac \xf0\x9f\x99\x82" },
    { "\033[2J\007\r\b\177", "?[2J????" },
    { "\xc2\x9b" "2J", "??2J" },                  /* the same control, in two bytes */
    { "\xe2\x80\xae" "evil", "???evil" },         /* right to left from here */
    { "\xe2\x80\x8b\xef\xbb\xbf", "??????" },     /* invisible */
    { "\xe9t\xe9", "?t?" },                       /* Latin-1 */
    { "\xc3", "?" },                              /* cut off */
    { "\xe2\x82", "??" },
    { "\xc0\xaf\xe0\x80\xaf", "?????" },          /* longer than need be */
    { "\xed\xa0\x80", "???" },                    /* half of a pair */
    { "\xf4\x90\x80\x80\xff\xfe", "??????" },     /* past the last code point */
};

START_TEST(test_texts)
{
    char text[64];

    strcpy(text, texts[_i].given);
    plain_text(text, strlen(text));
    ck_assert_str_eq(text, texts[_i].shown);
}
END_TEST

START_TEST(test_zero_bytes_and_length)
{
    char text[] = "a\0b\0c";

    plain_text(text, 4);
    ck_assert_mem_eq(text, "a?b?c", 5);
}
END_TEST

Suite *plain_text_suite(void)
{
    Suite *s = suite_create("plain_text");
    TCase *c = tcase_create("plain_text");

    tcase_add_loop_test(c, test_texts, 0, (int)(sizeof texts / sizeof *texts));
    tcase_add_test(c, test_zero_bytes_and_length);
    suite_add_tcase(s, c);
    return s;
}
