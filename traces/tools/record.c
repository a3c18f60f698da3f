/*
 * record.c - records what a program asks of malloc and free.
 *
 *   gcc -O2 -shared -fPIC -pthread -o record.so record.c
 *   MM_RECORD=/tmp/ls LD_PRELOAD=$PWD/record.so ls     writes /tmp/ls.ls.PID
 *   ./convert /tmp/ls.ls.PID -o ls.rep
 *
 * which is what ./record does.
 *
 * Every process writes its own file, PREFIX.PROGRAM.PID; a forked child starts
 * one of its own at its first request. A line is one call, in the syntax that
 * Firefox's logalloc uses: "PID TID malloc(32)=0x55d0c0ffee10". Calls are
 * written in the order in which they took effect, whatever the thread.
 *
 * The file is mapped, not written to: no call of ours can disturb the
 * program's descriptors, and nothing is lost when it ends by _exit, exec or a
 * signal. What was not filled at the end are zero bytes.
 *
 * glibc only: the real functions are reached by glibc's own second names, so
 * that nothing has to be looked up while the program is still being loaded.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <malloc.h>
#include <pthread.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

void *__libc_malloc(size_t size);
void *__libc_calloc(size_t count, size_t size);
void *__libc_realloc(void *ptr, size_t size);
void *__libc_memalign(size_t alignment, size_t size);
void __libc_free(void *ptr);

#define WINDOW ((size_t)1 << 20) /* bytes of the file that are mapped at a time */
#define LONGEST_LINE 160

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static enum { NOT_STARTED, RECORDING, OFF } state;
static char path[4096];
static char *window, *cursor;   /* the mapped part, and where the next line goes */
static off_t window_offset;     /* of the mapped part in the file */
static unsigned long process;
static __thread unsigned long thread __attribute__((tls_model("initial-exec")));

static void before_fork(void) { pthread_mutex_lock(&lock); }
static void after_fork_in_parent(void) { pthread_mutex_unlock(&lock); }

/* The child's window is shared with the parent's: it must not write there. */
static void after_fork_in_child(void)
{
    if (window)
        munmap(window, WINDOW);
    window = NULL;
    thread = 0;
    state = state == RECORDING ? NOT_STARTED : state;
    pthread_mutex_unlock(&lock);
}

/* Not under the lock: glibc may allocate to remember the three. */
__attribute__((constructor)) static void watch_forks(void)
{
    pthread_atfork(before_fork, after_fork_in_parent, after_fork_in_child);
}

static void give_up(const char *what)
{
    char sentence[4200];
    int n = snprintf(sentence, sizeof sentence, "record: cannot %s %s: %s; process %lu is not recorded\n", what, path,
                     strerror(errno), process);
    if (write(STDERR_FILENO, sentence, (size_t)n) < n)
        process = 0; /* nobody listens */
    state = OFF;
}

/* Maps the next part of the file, first of all the first. */
static int next_window(void)
{
    int flags = O_RDWR | O_CLOEXEC | (window ? 0 : O_CREAT | O_EXCL);
    off_t offset = window ? window_offset + (off_t)(cursor - window) : 0, page = offset & ~(off_t)4095;
    int fd = open(path, flags, 0666);

    if (fd < 0)
        return -1;
    if (window)
        munmap(window, WINDOW);
    window = ftruncate(fd, page + (off_t)WINDOW) ? MAP_FAILED
             : mmap(NULL, WINDOW, PROT_READ | PROT_WRITE, MAP_SHARED, fd, page);
    close(fd);
    if (window == MAP_FAILED) {
        window = NULL;
        give_up("map");
        return -1;
    }
    window_offset = page;
    cursor = window + (offset - page);
    return 0;
}

static void start(void)
{
    const char *prefix = getenv("MM_RECORD");

    process = (unsigned long)getpid();
    if (!prefix || !*prefix) {
        state = OFF;
        return;
    }
    for (unsigned again = 0; again < 100; again++) { /* a program may exec itself: the same name and pid */
        char number[16] = "";
        if (again)
            snprintf(number, sizeof number, "-%u", again + 1);
        snprintf(path, sizeof path, "%s.%s.%lu%s", prefix, program_invocation_short_name, process, number);
        if (!next_window()) {
            state = RECORDING;
            break;
        }
        if (state == OFF || errno != EEXIST)
            break;
    }
    if (state == NOT_STARTED)
        give_up("create");
}

/* Writes one line; the lock is held. */
__attribute__((format(printf, 1, 2)))
static void record(const char *format, ...)
{
    va_list args;

    if (state == NOT_STARTED)
        start();
    if (state == OFF)
        return;
    if (cursor + LONGEST_LINE > window + WINDOW && next_window()) {
        if (state != OFF)
            give_up("reopen");
        return;
    }
    if (!thread)
        thread = (unsigned long)syscall(SYS_gettid);
    cursor += sprintf(cursor, "%lu %lu ", process, thread);
    va_start(args, format);
    cursor += vsprintf(cursor, format, args);
    va_end(args);
}

#define ADDRESS(p) ((unsigned long)(uintptr_t)(p))

void *malloc(size_t size)
{
    pthread_mutex_lock(&lock);
    void *p = __libc_malloc(size);
    int saved = errno;
    record("malloc(%zu)=0x%lx\n", size, ADDRESS(p));
    pthread_mutex_unlock(&lock);
    errno = saved;
    return p;
}

void *calloc(size_t count, size_t size)
{
    pthread_mutex_lock(&lock);
    void *p = __libc_calloc(count, size);
    int saved = errno;
    record("calloc(%zu,%zu)=0x%lx\n", count, size, ADDRESS(p));
    pthread_mutex_unlock(&lock);
    errno = saved;
    return p;
}

void *realloc(void *old, size_t size)
{
    pthread_mutex_lock(&lock);
    unsigned long before = ADDRESS(old);
    void *p = __libc_realloc(old, size);
    int saved = errno;
    record("realloc(0x%lx,%zu)=0x%lx\n", before, size, ADDRESS(p));
    pthread_mutex_unlock(&lock);
    errno = saved;
    return p;
}

void *reallocarray(void *old, size_t count, size_t size)
{
    size_t bytes;

    if (__builtin_mul_overflow(count, size, &bytes)) {
        errno = ENOMEM;
        return NULL;
    }
    return realloc(old, bytes);
}

void free(void *p)
{
    int saved = errno;

    pthread_mutex_lock(&lock);
    record("free(0x%lx)\n", ADDRESS(p));
    __libc_free(p);
    pthread_mutex_unlock(&lock);
    errno = saved;
}

void *memalign(size_t alignment, size_t size)
{
    pthread_mutex_lock(&lock);
    void *p = __libc_memalign(alignment, size);
    int saved = errno;
    record("memalign(%zu,%zu)=0x%lx\n", alignment, size, ADDRESS(p));
    pthread_mutex_unlock(&lock);
    errno = saved;
    return p;
}

void *aligned_alloc(size_t alignment, size_t size) { return memalign(alignment, size); }

int posix_memalign(void **result, size_t alignment, size_t size)
{
    if (alignment % sizeof(void *) || !alignment || (alignment & (alignment - 1)))
        return EINVAL;
    void *p = memalign(alignment, size);
    if (!p)
        return ENOMEM;
    *result = p;
    return 0;
}

void *valloc(size_t size) { return memalign((size_t)sysconf(_SC_PAGESIZE), size); }

void *pvalloc(size_t size)
{
    size_t page = (size_t)sysconf(_SC_PAGESIZE);
    return memalign(page, (size + page - 1) / page * page);
}
