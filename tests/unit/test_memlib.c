/* memlib: what mem_sbrk answers, and what lies behind the break. */
#define MEMLIB_HOST
#include "memlib.h"

#include <check.h>
#include <errno.h>
#include <signal.h>
#include <stdint.h>
#include "suites.h"

static void setup(void)
{
    mem_set_limit(1 << 20);
    mem_init();
}

static void teardown(void) { mem_deinit(); }

static const struct {
    const char *what;
    intptr_t increment;
    int ok;
} calls[] = {
    { "zero", 0, 1 },
    { "one byte", 1, 1 },
    { "a page", 4096, 1 },
    { "the whole limit", 1 << 20, 1 },
    { "one past the limit", (1 << 20) + 1, 0 },
    { "minus one", -1, 0 },
    { "the most negative", INTPTR_MIN, 0 },
    { "the most positive", INTPTR_MAX, 0 },
};

START_TEST(test_sbrk)
{
    errno = 0;
    void *p = mem_sbrk(calls[_i].increment);
    if (calls[_i].ok) {
        ck_assert_msg(p == mem_heap_lo(), "%s: the old break", calls[_i].what);
        ck_assert_uint_eq(mem_heapsize(), (size_t)calls[_i].increment);
    } else {
        ck_assert_msg(p == (void *)-1, "%s: refused", calls[_i].what);
        ck_assert_int_eq(errno, ENOMEM);
        ck_assert_uint_eq(mem_heapsize(), 0);
    }
}
END_TEST

START_TEST(test_bounds)
{
    ck_assert_ptr_eq(mem_heap_hi(), (char *)mem_heap_lo() - 1);
    char *p = mem_sbrk(100);
    ck_assert_ptr_eq(mem_heap_hi(), p + 99);
    for (int i = 0; i < 100; i++)
        ck_assert_int_eq(p[i], 0);
    ck_assert_ptr_eq(mem_sbrk(0), p + 100);
    ck_assert_uint_eq((uintptr_t)p, MEM_LOCAL_BASE);
    p[0] = 1;
    mem_reset_brk();
    ck_assert_uint_eq(mem_heapsize(), 0);
    ck_assert_int_eq(*(char *)mem_sbrk(1), 0);
}
END_TEST

START_TEST(test_past_break_faults)
{
    char *p = mem_sbrk(4096);
    ((volatile char *)p)[4096] = 1;
}
END_TEST

START_TEST(test_accessors)
{
    unsigned char *p = mem_sbrk(64);
    mem_write(p, UINT64_C(0x1122334455667788), 4);
    ck_assert_uint_eq(mem_read(p, 2), 0x7788);
    ck_assert_uint_eq(mem_read(p, 8), 0x55667788);
    mem_memset(p + 8, 0x5a, 8);
    mem_memcpy(p + 16, p + 8, 8);
    ck_assert_uint_eq(mem_read(p + 16, 8), UINT64_C(0x5a5a5a5a5a5a5a5a));
}
END_TEST

/* A 32-bit caller leaves the upper half of the register undefined. */
START_TEST(test_int_callers)
{
    mem_deinit();
    static unsigned char space[256];
    mem_attach(&(struct mem_host){ .base = space, .limit = 256, .granted = 256, .sbrk_is_int = 1 });
    ck_assert_ptr_eq(mem_sbrk((intptr_t)UINT64_C(0x7700000010)), space);
    ck_assert_uint_eq(mem_heapsize(), 16);
    ck_assert_ptr_eq(mem_sbrk((intptr_t)UINT64_C(0x00000000ffffffff)), (void *)-1);
    mem_detach();
}
END_TEST

Suite *memlib_suite(void)
{
    Suite *suite = suite_create("memlib");
    TCase *t = tcase_create("heap");

    tcase_add_checked_fixture(t, setup, teardown);
    tcase_add_loop_test(t, test_sbrk, 0, (int)(sizeof calls / sizeof *calls));
    tcase_add_test(t, test_bounds);
    tcase_add_test_raise_signal(t, test_past_break_faults, SIGSEGV);
    tcase_add_test(t, test_accessors);
    tcase_add_test(t, test_int_callers);
    suite_add_tcase(suite, t);
    return suite;
}
