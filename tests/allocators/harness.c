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
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { CASE_SECONDS = 60 };

uint64_t seed;
const char *allocator;
struct misused *misused;

enum family family(void)
{
    static const char *const names[FAMILIES] = { [NAIVE] = "naive", [BUDDY] = "buddy", [SLAB] = "slab", [GC] = "gc",
                                                 [CHAMPION] = "champion" };

    for (int f = 0; f < FAMILIES; f++)
        if (names[f] && strcmp(names[f], allocator) == 0)
            return (enum family)f;
    return TAGS;
}

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

size_t soak_requests(size_t otherwise)
{
    const char *given = getenv("SOAK");
    size_t requests = given ? (size_t)strtoull(given, NULL, 0) : otherwise;

    alarm((unsigned)(CASE_SECONDS + requests / 20000));
    return requests < 10 ? 10 : requests;
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

/* The sentence with its number put in. */
static void complete(char *out, size_t size, const char *sentence)
{
    const char *percent = strchr(sentence, '%');
    char number[32] = "";

    if (!percent) {
        snprintf(out, size, "%s", sentence);
        return;
    }
    if (percent[1] == 'd')
        snprintf(number, sizeof number, "%d", MM_ALIGNMENT);
    else
        snprintf(number, sizeof number, percent[1] == '#' ? "%#zx" : "%zu", misused->number);
    const char *rest = strpbrk(percent, "dux") + 1;
    snprintf(out, size, "%.*s%s%s", (int)(percent - sentence), sentence, number, rest);
}

/* Must be the death of a program, with exactly its sentence. */
static int dies(const struct misuse_case *c)
{
    char text[4096], sentence[256], wanted[400];
    int status = run_child(c->body, text, sizeof text);

    complete(sentence, sizeof sentence, c->sentence[family()]);
    snprintf(wanted, sizeof wanted, "mm.c: %s(%p): %s\n", c->call, misused->address, sentence);
    if (WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT && strcmp(text, wanted) == 0)
        return 1;
    printf("FAILED %s, alignment %d, %zu bits: %s: must abort with\n    %s  but ended with status %#x and\n    %s\n",
           allocator, MM_ALIGNMENT, 8 * sizeof(void *), c->name, wanted, (unsigned)status, text);
    return 0;
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
    misused = mmap(NULL, sizeof *misused, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (misused == MAP_FAILED)
        fail("mmap: %s", strerror(errno));
    for (const struct test_case *c = test_cases; c->name; c++)
        *(succeeds(c) ? &passed : &failed) += 1;
    for (const struct test_case *c = collector_cases; c && c->name; c++)
        *(succeeds(c) ? &passed : &failed) += 1;
    for (const struct misuse_case *c = misuse_cases; c->name; c++)
        if (c->sentence[family()])
            *(dies(c) ? &passed : &failed) += 1;
    printf("%s, alignment %d, %zu bits, SEED=%llu: %d passed, %d failed\n", allocator, MM_ALIGNMENT,
           8 * sizeof(void *), (unsigned long long)seed, passed, failed);
    return failed ? 1 : 0;
}
