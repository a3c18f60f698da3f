/* Courses from files: what is read, what is inherited, what is found where. */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "course.h"
#include "suites.h"

static const struct { const char *word, *nearest; } words[] = {
    { "clasic", "classic" }, { "autolb", "autolab" }, { "cmu", "cmu16" }, { "classic", "classic" }, { "zzzzzz", NULL },
};

START_TEST(test_did_you_mean)
{
    static const char *const names[] = { "autolab", "classic", "cmu16", "malloclab", NULL };
    const char *found = did_you_mean(words[_i].word, names);

    if (words[_i].nearest)
        ck_assert_str_eq(found, words[_i].nearest);
    else
        ck_assert_ptr_null(found);
}
END_TEST

START_TEST(test_base)
{
    struct course base, own;
    char error[512];

    ck_assert_msg(course_load(&base, "autolab", error, sizeof error) == 0, "%s", error);
    ck_assert_msg(course_load(&own, "autolab-60-40", error, sizeof error) == 0, "%s", error);
    ck_assert_str_eq(own.name, "autolab-60-40");
    ck_assert_str_eq(own.base, "autolab");
    ck_assert_int_eq(own.heap_limit, base.heap_limit);
    ck_assert_int_eq((int)own.flag_count, (int)base.flag_count);
    ck_assert_double_eq(own.parts[0].low, 0.70);
    ck_assert_double_eq(base.parts[0].low, 0.60);
    ck_assert(own.has_checkpoint && !base.has_checkpoint);
    ck_assert_str_ne(own.title, base.title);
}
END_TEST

/* Every shipped course: its list, its file and its JSON agree. */
START_TEST(test_shipped)
{
    char **names = course_list(), error[512];
    size_t n = 0;

    for (; names[n]; n++) {
        struct course c;
        ck_assert_msg(course_load(&c, names[n], error, sizeof error) == 0, "%s", error);
        json_t *j = course_json(&c);
        ck_assert_str_eq(json_string_value(json_object_get(j, "name")), names[n]);
        ck_assert_int_eq(json_integer_value(json_object_get(j, "alignment")), c.alignment);
        ck_assert_int_eq((int)json_array_size(json_object_get(j, "parts")), (int)c.part_count);
        ck_assert_str_eq(json_string_value(json_object_get(j, "dialect")), dialect_word(c.dialect));
        json_decref(j);
    }
    ck_assert_uint_ge(n, 7);
    course_list_free(names);
}
END_TEST

/* A folder of one's own comes first, and hides what is shipped. */
START_TEST(test_search_path)
{
    char folder[] = "/tmp/courses-XXXXXX", path[64], error[512];
    struct course c;

    ck_assert_ptr_nonnull(mkdtemp(folder));
    snprintf(path, sizeof path, "%s/classic.cfg", folder);
    FILE *f = fopen(path, "w");
    ck_assert_ptr_nonnull(f);
    fprintf(f, "base = \"%s/courses/classic.cfg\";\ntitle = \"mine\";\nalignment = 16;\n", program_folder());
    fclose(f);
    setenv("MDRIVER_COURSES", folder, 1);
    int rc = course_load(&c, "classic", error, sizeof error);
    int other = course_load(&c, "cmu16", error, sizeof error) == 0 ? c.dialect : -1;
    ck_assert_int_eq(course_load(&c, "classic", error, sizeof error), rc);
    unsetenv("MDRIVER_COURSES");
    unlink(path);
    rmdir(folder);
    ck_assert_msg(rc == 0, "%s", error);
    ck_assert_str_eq(c.title, "mine");
    ck_assert_int_eq((int)c.alignment, 16);
    ck_assert_int_eq((int)c.heap_limit, 20971520);
    ck_assert_int_eq(other, DIALECT_CMU16);
}
END_TEST

Suite *course_suite(void)
{
    Suite *s = suite_create("course");
    TCase *t = tcase_create("files");

    tcase_add_loop_test(t, test_did_you_mean, 0, sizeof words / sizeof *words);
    tcase_add_test(t, test_base);
    tcase_add_test(t, test_shipped);
    tcase_add_test(t, test_search_path);
    suite_add_tcase(s, t);
    return s;
}
