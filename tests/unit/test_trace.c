/* The trace parser: tables of text and what becomes of it. */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <zlib.h>
#include "suites.h"
#include "trace.h"

#define COUNT(table) ((int)(sizeof(table) / sizeof *(table)))

/* A trace as one line: "KIND size<ref" for each request, where <ref is the number (from 0) of the request that made
 * the block, and nothing for NULL. */
static void describe(const struct trace *t, char *out, size_t size)
{
    size_t n = 0;

    out[0] = '\0';
    for (size_t i = 0; i < t->count && n < size; i++) {
        const struct request *q = &t->requests[i];
        n += (size_t)snprintf(out + n, size - n, "%s%c", i ? " " : "", "acrf"[q->kind]);
        if (q->kind != REQ_FREE && n < size)
            n += (size_t)snprintf(out + n, size - n, "%llu", (unsigned long long)q->size);
        if (q->ref != REF_NULL && n < size)
            n += (size_t)snprintf(out + n, size - n, "<%u", q->ref);
    }
}

static const struct {
    const char *what, *text, *requests, *warning; /* a part of the warnings; NULL: none at all */
    enum trace_dialect dialect;
    enum trace_weight weight;
    uint64_t peak;
} good[] = {
    { "classic header", "20000\n2\n4\n1\na 0 10\na 1 20\nf 0\nf 1\n", "a10 a20 f<0 f<1", NULL,
      TRACE_CLASSIC, WEIGHT_BOTH, 30 },
    { "autolab header", "2\n1\n2\n0\na 0 10\nf 0\n", "a10 f<0", NULL, TRACE_AUTOLAB, WEIGHT_UTIL, 10 },
    { "cmu16 header", "3\n1\n2\n10\na 0 10\nf 0\n", "a10 f<0", NULL, TRACE_CMU16, WEIGHT_SPEED, 10 },
    { "weight none", "0\n1\n2\n10\na 0 10\nf 0\n", "a10 f<0", NULL, TRACE_CMU16, WEIGHT_NONE, 10 },
    { "classic weight of another kind", "20000\n1\n2\n9\na 0 10\nf 0\n", "a10 f<0", "the weight is 9, expected 0 to 3",
      TRACE_CLASSIC, WEIGHT_BOTH, 10 },
    { "calloc", "1\n1\n2\n8\nc 0 8\nf 0\n", "c8 f<0", NULL, TRACE_CMU16, WEIGHT_BOTH, 8 },
    { "realloc keeps the id and names the latest block", "1\n1\n4\n50\na 0 10\nr 0 50\nr 0 20\nf 0\n",
      "a10 r50<0 r20<1 f<2", NULL, TRACE_CMU16, WEIGHT_BOTH, 50 },
    { "realloc of NULL", "1\n1\n2\n7\nr 0 7\nf 0\n", "r7 f<0", NULL, TRACE_CMU16, WEIGHT_BOTH, 7 },
    { "realloc to nothing frees", "1\n1\n3\n9\na 0 7\nr 0 0\na 0 9\n", "a7 r0<0 a9", NULL,
      TRACE_CMU16, WEIGHT_BOTH, 9 },
    { "its NULL may be freed, once", "1\n1\n3\n7\na 0 7\nr 0 0\nf 0\n", "a7 r0<0 f", NULL,
      TRACE_CMU16, WEIGHT_BOTH, 7 },
    { "its NULL may be resized", "1\n1\n4\n9\na 0 7\nr 0 0\nr 0 9\nf 0\n", "a7 r0<0 r9 f<2", NULL,
      TRACE_CMU16, WEIGHT_BOTH, 9 },
    { "realloc of NULL to nothing makes an empty block", "1\n1\n2\n0\nr 0 0\nf 0\n", "r0 f<0", NULL,
      TRACE_AUTOLAB, WEIGHT_BOTH, 0 },
    { "free(NULL)", "1\n1\n4\n5\nf -1\na 0 5\nf 0\nf -1\n", "f a5 f<1 f", NULL, TRACE_CMU16, WEIGHT_BOTH, 5 },
    { "no size: the one before, whatever asked for it", "1\n3\n5\n60\na 0 10\nr 0 20\na 1\na 2 20\na 3\n",
      "a10 r20<0 a20 a20 a20", "t.rep:7: 2 of the requests \"a id\" have no size", TRACE_CMU16, WEIGHT_BOTH, 80 },
    { "ids used again", "1\n1\n4\n20\na 3 10\nf 3\na 3 20\nf 3\n", "a10 f<0 a20 f<2", NULL,
      TRACE_CMU16, WEIGHT_BOTH, 20 },
    { "blocks live at the end", "1\n2\n2\n30\na 0 10\na 1 20\n", "a10 a20", NULL, TRACE_CMU16, WEIGHT_BOTH, 30 },
    { "size 0", "1\n1\n2\n0\na 0 0\nf 0\n", "a0 f<0", NULL, TRACE_AUTOLAB, WEIGHT_BOTH, 0 },
    { "largest id", "1\n1\n2\n5\na 2147483647 5\nf 2147483647\n", "a5 f<0", NULL, TRACE_CMU16, WEIGHT_BOTH, 5 },
    { "ids counted from 1", "1\n3\n4\n12\na 1 5\na 2 7\nf 1\nf 2\n", "a5 a7 f<0 f<1", NULL,
      TRACE_CMU16, WEIGHT_BOTH, 12 },
    { "CRLF", "1\r\n1\r\n2\r\n10\r\na 0 10\r\nf 0\r\n", "a10 f<0", NULL, TRACE_CMU16, WEIGHT_BOTH, 10 },
    { "byte order mark", "\xef\xbb\xbf" "1\n1\n2\n10\na 0 10\nf 0\n", "a10 f<0", NULL, TRACE_CMU16, WEIGHT_BOTH, 10 },
    { "blanks, tabs, empty lines", "\n 1 \n\n1\n2\t\n10\n\n\ta\t0  10 \n\n f 0\n\n", "a10 f<0", NULL,
      TRACE_CMU16, WEIGHT_BOTH, 10 },
    { "no newline at the end", "1\n1\n2\n10\na 0 10\nf 0", "a10 f<0", NULL, TRACE_CMU16, WEIGHT_BOTH, 10 },
    { "sizes beyond 32 bits", "1\n2\n2\n10000000000\na 0 5000000000\na 1 5000000000\n", "a5000000000 a5000000000", NULL,
      TRACE_CMU16, WEIGHT_BOTH, 10000000000 },
    { "wrong number of ids", "1\n7\n2\n10\na 0 10\nf 0\n", "a10 f<0", "the header says 7 ids, but the requests use 1",
      TRACE_CMU16, WEIGHT_BOTH, 10 },
    { "too few requests", "1\n1\n5\n10\na 0 10\nf 0\n", "a10 f<0", "the header says 5 requests, but 2 follow",
      TRACE_CMU16, WEIGHT_BOTH, 10 },
    { "too many requests", "1\n1\n1\n10\na 0 10\nf 0\n", "a10 f<0", "the header says 1 requests, but 2 follow",
      TRACE_CMU16, WEIGHT_BOTH, 10 },
    { "wrong live bytes", "1\n1\n2\n11\na 0 10\nf 0\n", "a10 f<0",
      "at most 11 bytes are live, but the requests reach 10",
      TRACE_CMU16, WEIGHT_BOTH, 10 },
    { "an absurd count", "1\n99999999999999999999999\n2\n10\na 0 10\nf 0\n", "a10 f<0", "but the requests use 1",
      TRACE_CMU16, WEIGHT_BOTH, 10 },
    { "rubbish after the last request", "1\n1\n2\n10\na 0 10\nf 0\n# the end\n\x1a\n", "a10 f<0",
      "t.rep:7: what follows is no request", TRACE_CMU16, WEIGHT_BOTH, 10 },
};

START_TEST(test_good)
{
    struct trace t;
    char error[512] = "", found[512];

    int status = trace_parse(&t, "folder/t.rep", good[_i].text, strlen(good[_i].text), error, sizeof error);
    ck_assert_msg(status == 0, "%s: %s", good[_i].what, error);
    describe(&t, found, sizeof found);
    ck_assert_msg(strcmp(found, good[_i].requests) == 0, "%s: %s", good[_i].what, found);
    ck_assert_msg(t.dialect == good[_i].dialect && t.weight == good[_i].weight, "%s: dialect %d, weight %d",
                  good[_i].what, t.dialect, t.weight);
    ck_assert_msg(t.peak_payload == good[_i].peak, "%s: peak %llu", good[_i].what,
                  (unsigned long long)t.peak_payload);
    ck_assert_msg(good[_i].warning ? t.warnings && strstr(t.warnings, good[_i].warning) : !t.warnings,
                  "%s: warns \"%s\"",
                  good[_i].what, t.warnings ? t.warnings : "");
    ck_assert_str_eq(t.name, "t.rep");
    ck_assert_str_eq(t.path, "folder/t.rep");
    trace_free(&t);
}
END_TEST

#define HEADER "1\n1\n2\n10\n"

static const struct { const char *what, *text, *error; } bad[] = {
    { "nothing", "", "t.rep:1: expected a number of at least 0 (line 1 of the header: its weight, or the suggested "
      "heap size), found the end of the file" },
    { "header of letters", "hello\n", "t.rep:1: expected a number of at least 0 (line 1 of the header: its weight, or "
      "the suggested heap size), found \"hello\"" },
    { "negative header", "1\n-1\n2\n10\n", "t.rep:2: expected a number of at least 0 (line 2 of the header: how many "
      "ids there are), found \"-1\"" },
    { "header with two numbers a line", "1 1\n2 10\n", "t.rep:1: expected a number of at least 0 (line 1 of the "
      "header: its weight, or the suggested heap size), found \"1 1\"" },
    { "header cut short", "1\n1\n2\n", "t.rep:4: expected a number of at least 0 (line 4 of the header: weight, "
      "ignore_ranges or maximum live bytes), found the end of the file" },
    { "header of three lines", "1\n1\n2\na 0 10\n", "t.rep:4: expected a number of at least 0 (line 4 of the header: "
      "weight, ignore_ranges or maximum live bytes), found \"a 0 10\"" },
    { "header alone", HEADER, "t.rep:5: expected at least one request (\"a id size\", \"c id size\", \"r id size\" or "
      "\"f id\") after the header, found the end of the file" },
    { "unknown letter", HEADER "a 0 10\nx 0\n",
      "t.rep:6: expected \"a id size\", \"c id size\", \"r id size\" or \"f id\", "
      "found \"x 0\"" },
    { "a word", HEADER "alloc 0 10\n", "t.rep:5: expected \"a id size\", \"c id size\", \"r id size\" or \"f id\", "
      "found \"alloc 0 10\"" },
    { "letter alone", HEADER "a\n", "t.rep:5: expected \"a id size\", found \"a\"" },
    { "a letter for an id", HEADER "a b 10\n", "t.rep:5: expected \"a id size\", found \"a b 10\"" },
    { "no size and none before", HEADER "a 0\n", "t.rep:5: expected \"a id size\" (no request before it has a size to "
      "reuse), found \"a 0\"" },
    { "realloc without a size", HEADER "a 0 10\nr 0\n", "t.rep:6: expected \"r id size\", found \"r 0\"" },
    { "calloc without a size", HEADER "c 0\n", "t.rep:5: expected \"c id size\", found \"c 0\"" },
    { "a word too many", HEADER "a 0 10 20\n", "t.rep:5: expected \"a id size\", found \"a 0 10 20\"" },
    { "free with a size", HEADER "a 0 10\nf 0 10\n", "t.rep:6: expected \"f id\", found \"f 0 10\"" },
    { "a unit", HEADER "a 0 10k\n", "t.rep:5: expected \"a id size\", found \"a 0 10k\"" },
    { "negative size", HEADER "a 0 -10\n", "t.rep:5: expected a size of at least 0 bytes, found \"a 0 -10\"" },
    { "too large a size", HEADER "a 0 9223372036854775809\n", "t.rep:5: expected a size of at most 2^63 bytes, found "
      "\"a 0 9223372036854775809\"" },
    { "beyond 64 bits", HEADER "a 0 99999999999999999999\n", "t.rep:5: expected a size of at most 2^63 bytes, found "
      "\"a 0 99999999999999999999\"" },
    { "malloc of NULL", HEADER "a -1 10\n", "t.rep:5: expected an id from 0 to 2147483647, found \"a -1 10\"" },
    { "free of a negative id", HEADER "f -2\n", "t.rep:5: expected an id from 0 to 2147483647, or -1 for free(NULL), "
      "found \"f -2\"" },
    { "too large an id", HEADER "a 2147483648 10\n", "t.rep:5: expected an id from 0 to 2147483647, found "
      "\"a 2147483648 10\"" },
    { "id in use", HEADER "a 0 10\na 0 20\n", "t.rep:6: expected an id that is not in use, but 0 is live (since line "
      "5); free it first" },
    { "calloc of an id in use", HEADER "a 7 10\nr 7 20\nc 7 20\n", "t.rep:7: expected an id that is not in use, but 7 "
      "is live (since line 6); free it first" },
    { "freed twice", HEADER "a 0 10\nf 0\nf 0\n",
      "t.rep:7: expected the id of a live block, but 0 is not live; \"f -1\" "
      "is free(NULL)" },
    { "freed a third time, by realloc", HEADER "a 0 10\nr 0 0\nf 0\nf 0\n", "t.rep:8: expected the id of a live block, "
      "but 0 is not live; \"f -1\" is free(NULL)" },
    { "never allocated", HEADER "f 5\n", "t.rep:5: expected the id of a live block, but 5 is not live; \"f -1\" is "
      "free(NULL)" },
    { "unprintable", HEADER "a 0\x01\xff 10\n", "t.rep:5: expected \"a id size\", found \"a 0\\x01\\xff 10\"" },
    { "rubbish before the header's count", HEADER "a 0 10\n# comment\nf 0\n", "t.rep:6: expected \"a id size\", \"c id "
      "size\", \"r id size\" or \"f id\", found \"# comment\"" },
    { "CRLF does not move line numbers", "1\r\n1\r\n2\r\n10\r\na 0 10\r\nq\r\n", "t.rep:6: expected \"a id size\", \"c "
      "id size\", \"r id size\" or \"f id\", found \"q\"" },
};

START_TEST(test_bad)
{
    struct trace t;
    char error[512] = "";

    ck_assert_msg(trace_parse(&t, "t.rep", bad[_i].text, strlen(bad[_i].text), error, sizeof error) == -1,
                  "%s: accepted",
                  bad[_i].what);
    ck_assert_msg(strcmp(error, bad[_i].error) == 0, "%s: %s", bad[_i].what, error);
    ck_assert_msg(!t.requests && !t.name && !t.path && !t.warnings, "%s: something is left", bad[_i].what);
}
END_TEST

START_TEST(test_long_line_is_shortened)
{
    enum { LONG = 100000 };
    static char text[LONG + 16];
    char error[512] = "";
    struct trace t;

    memset(text, 'z', LONG);
    memcpy(text, HEADER, strlen(HEADER));
    ck_assert_int_eq(trace_parse(&t, "t.rep", text, LONG, error, sizeof error), -1);
    ck_assert_uint_lt(strlen(error), 300);
    ck_assert_ptr_nonnull(strstr(error, "zzz...\""));
}
END_TEST

/* ---- peaks ---- */

static void parse(struct trace *t, const char *text)
{
    char error[512] = "";

    ck_assert_msg(trace_parse(t, "t.rep", text, strlen(text), error, sizeof error) == 0, "%s", error);
}

START_TEST(test_peaks)
{
    struct trace t;

    parse(&t, "1\n4\n8\n150\na 0 100\nr 0 50\na 1 33\na 2 0\nf 0\na 3 117\nf 1\nf 3\n");
    ck_assert_uint_eq(t.peak_payload, 150);    /* ids 1 and 3: 33 + 117 */
    ck_assert_uint_eq(t.peak_request, 5);
    ck_assert_uint_eq(t.max_size, 117);
    ck_assert_uint_eq(t.max_live, 3);          /* ids 0, 1, 2; then 1, 2, 3 */
    ck_assert_uint_eq(trace_peak_aligned(&t, 8), 160);          /* 40 + 120 */
    ck_assert_uint_eq(trace_peak_aligned(&t, 16), 176);         /* 48 + 128 */
    ck_assert_uint_eq(trace_peak_headers(&t, 8, 16, 32), 176);  /* 48 + 128 */
    ck_assert_uint_eq(trace_peak_headers(&t, 16, 16, 64), 208); /* 64 + 144; size 0 needs nothing */
    trace_free(&t);
}
END_TEST

START_TEST(test_giant_sizes_are_scaled)
{
    struct trace t;

    /* 2^60 live bytes into 2^46: divided by 2^14 */
    parse(&t, "1\n4\n4\n1152921504606847032\na 0 1152921504606846976\na 1 0\na 2 16\na 3 40\n");
    ck_assert_uint_ge(t.scale_shift, 14);
    ck_assert_uint_le(t.scale_shift, 15);
    ck_assert_uint_eq(t.requests[0].size, UINT64_C(1) << (60 - t.scale_shift));
    ck_assert_uint_eq(t.requests[1].size, 0);
    ck_assert_uint_eq(t.requests[2].size, 1);  /* no size becomes 0 */
    ck_assert_uint_eq(t.requests[3].size, 1);
    ck_assert_uint_le(t.peak_payload, UINT64_C(1) << 46);
    ck_assert_ptr_nonnull(strstr(t.warnings, "more than 64 TiB are live at once; all sizes were divided by "));
    trace_free(&t);

    /* sums beyond 64 bits; the order of sizes is kept */
    parse(&t, "1\n4\n4\n0\na 0 9223372036854775808\na 1 9223372036854775807\na 2 9223372036854775808\na 3 5\n");
    ck_assert_uint_ge(t.requests[0].size, t.requests[1].size);
    ck_assert_uint_ge(t.requests[1].size, t.requests[3].size);
    ck_assert_uint_le(t.peak_payload, UINT64_C(1) << 46);
    ck_assert_uint_eq(t.requests[0].size, UINT64_C(1) << (63 - t.scale_shift));
    trace_free(&t);

    parse(&t, "1\n1\n1\n70368744177664\na 0 70368744177664\n"); /* 2^46 fits as it is */
    ck_assert_uint_eq(t.scale_shift, 0);
    trace_free(&t);

    /* 2^46 - 14 bytes fit, but not when each block begins at a multiple of 16 */
    parse(&t, "1\n3\n3\n70368744177650\na 0 70368744177648\na 1 1\na 2 1\n");
    ck_assert_uint_eq(t.scale_shift, 1);
    trace_free(&t);
}
END_TEST

/* A million requests about ids with a stride; time and memory in proportion, whatever the header claims. */
START_TEST(test_many_ids)
{
    enum { BLOCKS = 300000 };
    static char text[BLOCKS * 40];
    size_t n = (size_t)sprintf(text, "1\n4000000000\n4000000000\n16\n");
    struct trace t;
    char error[512] = "";

    for (unsigned i = 0; i < BLOCKS; i++)
        n += (size_t)sprintf(text + n, "a %u 16\n", i * 4096u % 2147483648u + i / 524288u);
    for (unsigned i = 0; i < BLOCKS; i++)
        n += (size_t)sprintf(text + n, "f %u\n", i * 4096u % 2147483648u + i / 524288u);
    ck_assert_msg(trace_parse(&t, "t.rep", text, n, error, sizeof error) == 0, "%s", error);
    ck_assert_uint_eq(t.count, 2 * BLOCKS);
    ck_assert_uint_eq(t.max_live, BLOCKS);
    trace_free(&t);
}
END_TEST

/* ---- files ---- */

static char file[] = "/tmp/test_trace_XXXXXX";

static void make_file(const void *data, size_t size)
{
    strcpy(file, "/tmp/test_trace_XXXXXX");
    int fd = mkstemp(file);

    ck_assert_int_ge(fd, 0);
    ck_assert_int_eq(write(fd, data, size), (ssize_t)size);
    close(fd);
}

/* Gzips TEXT into FILE in PIECES members, with TRAILER after them. */
static void make_gzip(const char *text, int pieces, const char *trailer)
{
    size_t length = strlen(text);

    make_file("", 0);
    for (int i = 0; i < pieces; i++) {
        gzFile gz = gzopen(file, "ab");
        size_t from = length * (size_t)i / (size_t)pieces, to = length * (size_t)(i + 1) / (size_t)pieces;
        ck_assert_ptr_nonnull(gz);
        ck_assert_int_eq(gzwrite(gz, text + from, (unsigned)(to - from)), (int)(to - from));
        gzclose(gz);
    }
    FILE *more = fopen(file, "ab");
    ck_assert_ptr_nonnull(more);
    fputs(trailer, more);
    fclose(more);
}

static void expect_two_requests(void)
{
    struct trace t;
    char error[512] = "";

    ck_assert_msg(trace_load(&t, file, error, sizeof error) == 0, "%s", error);
    ck_assert_uint_eq(t.count, 2);
    ck_assert_str_eq(t.name, file + strlen("/tmp/"));
    trace_free(&t);
    unlink(file);
}

START_TEST(test_plain_and_gzipped)
{
    static const char text[] = HEADER "a 0 10\nf 0\n";

    make_file(text, strlen(text));
    expect_two_requests();
    make_gzip(text, 1, "");
    expect_two_requests();
    make_gzip(text, 3, "");
    expect_two_requests();
    make_gzip(text, 1, "rubbish");
    expect_two_requests();
}
END_TEST

static void expect_error(const char *path, const char *part)
{
    struct trace t;
    char error[512] = "";

    ck_assert_int_eq(trace_load(&t, path, error, sizeof error), -1);
    ck_assert_msg(strstr(error, part) && !strncmp(error, path, strlen(path)), "%s", error);
}

START_TEST(test_unreadable)
{
    static const char cut[] = "\x1f\x8b\x08\x00\x00\x00\x00\x00\x02\x03\x33";

    expect_error("/tmp/no/such.rep", "expected a readable trace file: No such file or directory");
    expect_error("/tmp", "expected a trace file, found a directory; name a file in it");
    make_file(cut, sizeof cut - 1);
    expect_error(file, "expected a whole gzip file, but it is cut short; copy it again");
    unlink(file);
    make_file("", 0);
    expect_error(file, ":1: expected a number");
    unlink(file);
}
END_TEST

/* 257 MiB of zeroes pack into a quarter of a megabyte: refused by size, not unpacked to the end. */
START_TEST(test_gzip_bomb)
{
    static char zeroes[1 << 20];

    make_file("", 0);
    gzFile gz = gzopen(file, "wb1");
    ck_assert_ptr_nonnull(gz);
    for (int i = 0; i <= TRACE_TEXT_LIMIT >> 20; i++)
        gzwrite(gz, zeroes, sizeof zeroes);
    gzclose(gz);
    expect_error(file, "expected less than 256 MiB of text, unpacked");
    unlink(file);
}
END_TEST

Suite *trace_suite(void)
{
    Suite *suite = suite_create("trace");
    TCase *text = tcase_create("text"), *peaks = tcase_create("peaks"), *files = tcase_create("files");

    tcase_add_loop_test(text, test_good, 0, COUNT(good));
    tcase_add_loop_test(text, test_bad, 0, COUNT(bad));
    tcase_add_test(text, test_long_line_is_shortened);
    tcase_add_test(text, test_many_ids);
    tcase_set_timeout(text, 30);
    tcase_add_test(peaks, test_peaks);
    tcase_add_test(peaks, test_giant_sizes_are_scaled);
    tcase_add_test(files, test_plain_and_gzipped);
    tcase_add_test(files, test_unreadable);
    tcase_add_test(files, test_gzip_bomb);
    tcase_set_timeout(files, 60);
    suite_add_tcase(suite, text);
    suite_add_tcase(suite, peaks);
    suite_add_tcase(suite, files);
    return suite;
}
