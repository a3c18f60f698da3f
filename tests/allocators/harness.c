/*
 * Drives one allocator through everything an allocator may meet, with a model of what must be in each block.
 *
 *      harness NAME        environment: SEED (random when not given), SOAK (requests of the soak)
 *
 * Each case runs in a process of its own, so that a crash is one failure. Ends with `N passed, N failed`.
 */
#define _GNU_SOURCE
#define MEMLIB_HOST
#include "mm.h"
#include "memlib.h"
#include "harness.h"

#include <errno.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { CASE_SECONDS = 60 };

uint64_t seed;
const char *allocator;

void fail(const char *format, ...)
{
    va_list args;

    printf("    ");
    va_start(args, format);
    vprintf(format, args);
    va_end(args);
    printf("\n");
    fflush(stdout);
    _exit(1);
}

void start(size_t limit)
{
    mem_set_limit(limit);
    mem_init();
    if (mm_init() != 0)
        fail("mm_init failed on an empty heap of %zu bytes", limit);
}

void sound(const char *when)
{
    int faults = mm_checkheap(0);

    if (faults)
        fail("mm_checkheap found %d broken invariants %s", faults, when);
}

/* Runs BODY in a child; its stderr goes to TEXT. Returns the wait status. */
static int run_child(void (*body)(void), char *text, size_t size)
{
    int out[2], status;
    size_t have = 0;
    ssize_t n;

    if (pipe(out) != 0)
        fail("pipe: %s", strerror(errno));
    fflush(stdout);
    pid_t child = fork();
    if (child == 0) {
        alarm(CASE_SECONDS);
        dup2(out[1], STDERR_FILENO);
        close(out[0]);
        close(out[1]);
        body();
        fflush(stdout);
        _exit(0);
    }
    close(out[1]);
    while ((n = read(out[0], text + have, size - 1 - have)) > 0)
        have += (size_t)n;
    text[have] = '\0';
    while (have == size - 1 && read(out[0], &(char){ 0 }, 1) > 0)
        ; /* more than we keep */
    close(out[0]);
    waitpid(child, &status, 0);
    return status;
}

/* ---- cases ---- */

/* WHAT must be the death of a program: SIGABRT with a sentence that names CALL and has REASON in it. */
static int dies(const struct misuse_case *c)
{
    char text[4096], wanted[64];
    int status = run_child(c->body, text, sizeof text);

    snprintf(wanted, sizeof wanted, "mm.c: %s(0x", c->call);
    if (!WIFSIGNALED(status) || WTERMSIG(status) != SIGABRT) {
        printf("FAILED %s: %s: did not abort but ended with status %#x\n", allocator, c->name, (unsigned)status);
        return 0;
    }
    if (!strstr(text, wanted) || !strstr(text, c->reason)) {
        printf("FAILED %s: %s: aborted without \"%s...): ... %s\" but said: %s\n", allocator, c->name, wanted,
               c->reason, text);
        return 0;
    }
    return 1;
}

static int succeeds(const struct test_case *c)
{
    char text[4096];
    int status = run_child(c->body, text, sizeof text);

    if (status == 0)
        return 1;
    printf("FAILED %s, alignment %d, %zu bits: %s (SEED=%llu): ", allocator, MM_ALIGNMENT, 8 * sizeof(void *),
           c->name, (unsigned long long)seed);
    if (WIFSIGNALED(status))
        printf("killed by signal %d (%s)", WTERMSIG(status), strsignal(WTERMSIG(status)));
    printf("%s%s\n", *text ? "\n    " : "", text);
    return 0;
}

int main(int argc, char **argv)
{
    const char *given = getenv("SEED");
    int passed = 0, failed = 0;

    if (argc != 2) {
        fprintf(stderr, "usage: harness NAME\n");
        return 2;
    }
    allocator = argv[1];
    seed = given ? strtoull(given, NULL, 0) : (uint64_t)time(NULL) * 1000003u + (uint64_t)getpid();
    for (const struct test_case *c = test_cases; c->name; c++)
        *(succeeds(c) ? &passed : &failed) += 1;
    for (const struct misuse_case *c = misuse_cases; c->name; c++)
        *(dies(c) ? &passed : &failed) += 1;
    printf("%s, alignment %d, %zu bits, SEED=%llu: %d passed, %d failed\n", allocator, MM_ALIGNMENT,
           8 * sizeof(void *), (unsigned long long)seed, passed, failed);
    return failed ? 1 : 0;
}
