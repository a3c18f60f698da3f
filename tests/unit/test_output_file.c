/* Files that appear whole or not at all: what stood there, links, permissions, what cannot be written. */
#include <check.h>
#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include "output_file.h"
#include "suites.h"

static char folder[] = "/tmp/output-file-XXXXXX";

static void setup(void)
{
    strcpy(folder + strlen(folder) - 6, "XXXXXX");
    ck_assert_ptr_nonnull(mkdtemp(folder));
    ck_assert_int_eq(chdir(folder), 0);
}

static int entries(void)
{
    DIR *d = opendir(".");
    int n = 0;

    for (struct dirent *e; (e = readdir(d)) != NULL;)
        n += e->d_name[0] != '.';
    closedir(d);
    return n;
}

static void teardown(void)
{
    static const char *const names[] = { "file", "link", "fifo" };

    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        unlink(names[i]);
    rmdir("inner");
    ck_assert_int_eq(entries(), 0);
    ck_assert_int_eq(rmdir(folder), 0);
}

static void put(const char *name, const char *text, mode_t mode)
{
    int fd = open(name, O_WRONLY | O_CREAT | O_TRUNC, mode);
    ck_assert_int_eq(write(fd, text, strlen(text)), (int)strlen(text));
    close(fd);
    chmod(name, mode);
}

static const char *content(const char *name)
{
    static char text[64];
    int fd = open(name, O_RDONLY);
    ssize_t n = read(fd, text, sizeof text - 1);

    close(fd);
    text[n > 0 ? n : 0] = '\0';
    return text;
}

START_TEST(test_takes_its_place_when_closed)
{
    struct output_file f;
    struct stat st;

    put("file", "old", 0640);
    ck_assert_int_eq(output_file_open(&f, "file"), 0);
    fputs("new", f.stream);
    fflush(f.stream);
    ck_assert_str_eq(content("file"), "old");
    ck_assert_int_eq(output_file_close(&f), 0);
    ck_assert_str_eq(content("file"), "new");
    ck_assert_int_eq(stat("file", &st), 0);
    ck_assert_uint_eq(st.st_mode & 0777, 0640);
    ck_assert_int_eq(entries(), 1);
}
END_TEST

START_TEST(test_keeps_the_old_one_when_it_fails)
{
    struct output_file f;

    put("file", "old", 0644);
    ck_assert_int_eq(output_file_open(&f, "file"), 0);
    fputs("new", f.stream);
    close(fileno(f.stream)); /* what a full disk does, too: the rest cannot be written */
    ck_assert_int_eq(output_file_close(&f), -1);
    ck_assert_str_eq(content("file"), "old");
    ck_assert_int_eq(entries(), 1);
}
END_TEST

START_TEST(test_a_link_stays)
{
    struct output_file f;
    struct stat st;

    put("file", "old", 0644);
    ck_assert_int_eq(symlink("file", "link"), 0);
    ck_assert_int_eq(output_file_open(&f, "link"), 0);
    fputs("new", f.stream);
    ck_assert_int_eq(output_file_close(&f), 0);
    ck_assert_str_eq(content("file"), "new");
    ck_assert(lstat("link", &st) == 0 && S_ISLNK(st.st_mode));
}
END_TEST

START_TEST(test_a_fifo_is_written_to)
{
    struct output_file f;
    char text[8] = "";

    ck_assert_int_eq(mkfifo("fifo", 0600), 0);
    int reader = open("fifo", O_RDONLY | O_NONBLOCK);
    ck_assert_int_eq(output_file_open(&f, "fifo"), 0);
    fputs("new", f.stream);
    ck_assert_int_eq(output_file_close(&f), 0);
    ck_assert_int_eq(read(reader, text, sizeof text - 1), 3);
    ck_assert_str_eq(text, "new");
    close(reader);
}
END_TEST

START_TEST(test_standard_output_into_a_file_is_not_replaced)
{
    struct output_file f;
    int kept = dup(STDOUT_FILENO);

    fflush(stdout);
    put("file", "", 0644);
    int fd = open("file", O_WRONLY);
    dup2(fd, STDOUT_FILENO);
    printf("before, ");
    int opened = output_file_open(&f, "/dev/stdout");
    if (opened == 0) {
        fputs("between, ", f.stream);
        output_file_close(&f);
    }
    printf("after");
    fflush(stdout);
    dup2(kept, STDOUT_FILENO);
    close(kept);
    close(fd);
    ck_assert_int_eq(opened, 0);
    ck_assert_str_eq(content("file"), "before, between, after");
}
END_TEST

static const struct { const char *path, *of_file, *of_folder; } places[] = {
    { "new", NULL, NULL },
    { "file", NULL, "that is a file" },
    { "inner", "that is a folder", NULL },
    { "inner/", "that is a folder", NULL },
    { "new/", "the name of a folder", NULL },
    { "no/new", "there is no folder no", "there is no folder no" },
    { "file/new", "file is no folder", "file is no folder" },
    { "/proc/new", "cannot write in the folder /proc", "cannot write in the folder /proc" },
    { "/proc", "that is a folder", "cannot write in that folder" },
    { "", "empty", "empty" },
    { "fifo", NULL, "that is a file" },
    { "/dev/null", NULL, "that is a file" },
};

START_TEST(test_places)
{
    char error[256] = "";

    put("file", "old", 0644);
    mkdir("inner", 0755);
    mkfifo("fifo", 0600);
    int found = output_file_check("--json", places[_i].path, error, sizeof error);
    ck_assert_int_eq(found, places[_i].of_file ? -1 : 0);
    ck_assert_msg(!places[_i].of_file || strstr(error, places[_i].of_file), "%s: %s", places[_i].path, error);
    found = output_folder_check("--events", places[_i].path, error, sizeof error);
    ck_assert_int_eq(found, places[_i].of_folder ? -1 : 0);
    ck_assert_msg(!places[_i].of_folder || strstr(error, places[_i].of_folder), "%s: %s", places[_i].path, error);
    ck_assert_str_eq(content("file"), "old");
    ck_assert_int_eq(entries(), 3); /* looking leaves nothing */
}
END_TEST

Suite *output_file_suite(void)
{
    Suite *suite = suite_create("output_file");
    TCase *t = tcase_create("files");

    tcase_add_checked_fixture(t, setup, teardown);
    tcase_add_test(t, test_takes_its_place_when_closed);
    tcase_add_test(t, test_keeps_the_old_one_when_it_fails);
    tcase_add_test(t, test_a_link_stays);
    tcase_add_test(t, test_a_fifo_is_written_to);
    tcase_add_test(t, test_standard_output_into_a_file_is_not_replaced);
    tcase_add_loop_test(t, test_places, 0, (int)(sizeof places / sizeof *places));
    suite_add_tcase(suite, t);
    return suite;
}
