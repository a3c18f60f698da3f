/* process.c - starting, driving and ending one runner. */
#define _GNU_SOURCE
#include "process.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/close_range.h>
#include <linux/futex.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define MEMLIB_HOST
#include "confine.h"
#include "confine_valgrind.h"
#include "memlib.h"

#define PAGE 4096u
#define THREAD_BLOCK (16u << 10) /* what the C library takes through brk at its start, rounded up generously */
#define EXEC_FD 64 /* where the child keeps its executable until the exec */

/* How long a futex wait sleeps before it looks whether the runner still lives:
 * a death rings no bell there. */
#define SLICE_NS 5000000

volatile sig_atomic_t process_cancelled;

double monotonic_seconds(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

static uint64_t pages(uint64_t bytes) { return (bytes + PAGE - 1) / PAGE * PAGE; }

static void *map_new(const char *name, uint64_t size, int *fd, int flags)
{
    *fd = memfd_create(name, MFD_CLOEXEC | MFD_ALLOW_SEALING);
    if (*fd < 0 || ftruncate(*fd, (off_t)size))
        return NULL;
    void *p = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED | flags, *fd, 0);
    return p == MAP_FAILED ? NULL : p;
}

uint64_t heap_base_of(int bits) { return bits == 32 ? UINT64_C(0x20000000) : MEM_BASE; }

/* ---- start ---- */

struct child_fds { int mailbox, heap, requests, answers, log, count, trouble; };

/* Says through the pipe which step failed; the exec closes it silently. */
static void give_up(int trouble, char step)
{
    const unsigned char word[2] = { (unsigned char)step, (unsigned char)errno };

    if (write(trouble, word, sizeof word) < 0)
        _exit(124);
    _exit(125);
}

/* Runs in the child: only system calls from here to the exec. */
static void child(const struct process_setup *s, const struct child_fds *fds, const struct confinement *c)
{
    int from[] = { fds->mailbox, fds->heap, fds->requests, fds->answers };
    sigset_t none;

    sigemptyset(&none);
    for (int signo = 1; signo < NSIG; signo++)
        signal(signo, SIG_DFL);
    signal(SIGXFSZ, SIG_IGN); /* what is printed past the cap is lost, no more */
    sigprocmask(SIG_SETMASK, &none, NULL);
    /* First out of the way of the fixed numbers, then onto them. */
    int trouble = fcntl(fds->trouble, F_DUPFD_CLOEXEC, 80);
    int log = fcntl(fds->log, F_DUPFD, 80), null = open("/dev/null", O_RDONLY);
    int count = fds->count < 0 ? -1 : fcntl(fds->count, F_DUPFD, 80);
    for (int i = 0; i < 4; i++)
        from[i] = from[i] < 0 ? -1 : fcntl(from[i], F_DUPFD, 80);
    if (null < 0 || dup2(null, 0) < 0 || dup2(log, 1) < 0 || dup2(log, 2) < 0)
        give_up(trouble, 'o');
    if (dup2(s->image->exec_fd, EXEC_FD) < 0)
        give_up(trouble, 'x');
    for (int i = 0; i < 4; i++) {
        close(FD_MAILBOX + i);
        if (from[i] >= 0 && dup2(from[i], FD_MAILBOX + i) < 0)
            give_up(trouble, 'd');
    }
    if (close_range(FD_ANSWERS + 1, ~0u, CLOSE_RANGE_CLOEXEC))
        give_up(trouble, 'd');
    if (s->count_instructions) {
        if (dup2(count, COUNT_FD) < 0 || fcntl(EXEC_FD, F_SETFD, 0))
            give_up(trouble, 'd');
        if (confine_valgrind(c))
            give_up(trouble, 'n');
        exec_valgrind(EXEC_FD);
        give_up(trouble, 'v');
    }
    if (!s->image->trusted && confine_self(c))
        give_up(trouble, 'c');
    char preload[512];
    snprintf(preload, sizeof preload, "LD_PRELOAD=%s", s->image->preload ? s->image->preload : "");
    char *const argv[] = { (char *)"runner", NULL };
    char *const envp[] = { s->image->preload ? preload : NULL, NULL };
    syscall(SYS_execveat, EXEC_FD, confine_exec_path, argv, envp, AT_EMPTY_PATH);
    give_up(trouble, 'x');
}

static int fail(struct process *p, char *error, size_t size, const char *what)
{
    snprintf(error, size, "cannot start the runner: %s: %s", what, strerror(errno));
    process_end(p, NULL);
    return -1;
}

int process_start(struct process *p, const struct process_setup *s, char *error, size_t error_size)
{
    struct child_fds fds = { -1, -1, -1, -1, -1, -1, -1 };

    *p = (struct process){ .image = s->image, .heap_fd = -1, .printed = { .fd = -1 }, .count_fd = -1,
                           .heap_limit = pages(s->heap_limit),
                           .granted = pages(s->heap_granted), .request_count = s->request_count,
                           .touch_limit = s->touch_limit };
    prctl(PR_SET_DUMPABLE, 0);
    if (confine_prepare(EXEC_FD))
        return fail(p, error, error_size, "syscall filter");
    p->box = map_new("mailbox", pages(sizeof *p->box), &fds.mailbox, 0);
    p->heap_fd = fds.heap = memfd_create("heap", MFD_CLOEXEC);
    if (!p->box || fds.heap < 0 || ftruncate(fds.heap, (off_t)p->granted))
        return fail(p, error, error_size, "shared memory");
    p->heap = mmap(NULL, p->heap_limit, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_NORESERVE, fds.heap, 0);
    if (p->heap == MAP_FAILED) {
        p->heap = NULL;
        return fail(p, error, error_size, "address space for the heap");
    }
    uint64_t shared = 0;
    if (s->mode != WIRE_CHECK) {
        uint64_t bytes = (s->request_count + 1) * sizeof *p->requests;
        p->requests = map_new("requests", bytes, &fds.requests, MAP_POPULATE);
        if (!p->requests)
            return fail(p, error, error_size, "shared memory");
        shared = pages(bytes);
    }
    if (s->mode != WIRE_CHECK || s->flags & WIRE_GC) {
        p->answer_bytes = wire_answer_words(s->mode, s->flags, s->request_count) * sizeof *p->answers;
        p->answers = map_new("answers", p->answer_bytes, &fds.answers, 0);
        if (!p->answers)
            return fail(p, error, error_size, "shared memory");
        shared += pages(p->answer_bytes);
    }
    fds.log = printed_open(&p->printed, s->output_cap) ? -1 : printed_writer(&p->printed);
    if (fds.log < 0)
        return fail(p, error, error_size, "output log");
    if (s->count_instructions) {
        p->count_fd = fds.count = memfd_create("count", MFD_CLOEXEC);
        if (fds.count < 0)
            return fail(p, error, error_size, "file for valgrind's report");
    }

    p->opening = (struct mailbox){
        .magic = WIRE_MAGIC, .mode = s->mode, .flags = s->flags | s->image->conventions,
        .alignment = (uint32_t)s->alignment,
        .heap_base = heap_base_of(s->image->bits), .heap_limit = p->heap_limit, .heap_granted = p->granted,
        .request_count = s->request_count, .repeat = s->repeat,
    };
    *p->box = p->opening;
    struct confinement c = {
        .bits = s->image->bits, .exec_fd = EXEC_FD, .supervisor = getpid(),
        .address_space = p->heap_limit + shared + s->image->writable_bytes + s->stack_limit + (UINT64_C(24) << 20),
        .writable = s->image->writable_bytes + THREAD_BLOCK,
        .cpu_seconds = s->time_limit, .file_bytes = printed_room(&p->printed), .stack = s->stack_limit,
    };
    int trouble[2];
    if (pipe2(trouble, O_CLOEXEC))
        return fail(p, error, error_size, "pipe");
    fds.trouble = trouble[1];
    p->deadline = monotonic_seconds() + s->time_limit;
    p->pid = fork();
    if (p->pid == 0)
        child(s, &fds, &c);
    int saved = errno;
    close(fds.mailbox);
    close(fds.log);
    if (fds.requests >= 0)
        close(fds.requests);
    if (fds.answers >= 0)
        close(fds.answers);
    errno = saved;
    if (p->pid < 0) {
        p->pid = 0;
        close(trouble[0]);
        close(trouble[1]);
        return fail(p, error, error_size, "fork");
    }
    close(trouble[1]);
    unsigned char word[2];
    ssize_t got = read(trouble[0], word, sizeof word);
    close(trouble[0]);
    if (got == sizeof word) {
        errno = word[1];
        return fail(p, error, error_size,
                    word[0] == 'c' ? "confinement" : word[0] == 'x' ? "exec"
                    : word[0] == 'n' ? "namespaces around valgrind (mdriver doctor says more)"
                    : word[0] == 'v' ? "valgrind (package valgrind)" : "descriptors");
    }
    return 0;
}

/* ---- turns ---- */

static int reaped(struct process *p)
{
    if (p->pid && waitpid(p->pid, &p->status, WNOHANG) == p->pid)
        p->pid = 0;
    return p->pid == 0;
}

/* Bytes of real memory behind the heap, which may be far wider. */
static uint64_t heap_touched(const struct process *p)
{
    struct stat st;

    return fstat(p->heap_fd, &st) ? 0 : (uint64_t)st.st_blocks * 512;
}

/* Waits for `back` to move from BEFORE. */
static enum process_turn wait_back(struct process *p, uint32_t before)
{
    const struct timespec slice = { 0, SLICE_NS };

    while (__atomic_load_n(&p->box->back, __ATOMIC_ACQUIRE) == before) {
        long rc = syscall(SYS_futex, &p->box->back, FUTEX_WAIT, before, &slice, NULL, 0);
        if (rc == 0 && __atomic_load_n(&p->box->back, __ATOMIC_ACQUIRE) != before)
            break;
        if (reaped(p))
            return __atomic_load_n(&p->box->back, __ATOMIC_ACQUIRE) == before ? TURN_DEAD : TURN_OURS;
        p->gorged = p->touch_limit && heap_touched(p) > p->touch_limit;
        if (process_cancelled || p->gorged || monotonic_seconds() > p->deadline)
            return TURN_LATE;
    }
    return TURN_OURS;
}

enum process_turn process_wait(struct process *p) { return wait_back(p, 0); }

enum process_turn process_turn(struct process *p)
{
    uint32_t before = __atomic_load_n(&p->box->back, __ATOMIC_ACQUIRE);

    if (reaped(p))
        return TURN_DEAD;
    printed_make_room(&p->printed);
    __atomic_add_fetch(&p->box->go, 1, __ATOMIC_RELEASE);
    syscall(SYS_futex, &p->box->go, FUTEX_WAKE, 1, NULL, NULL, 0);
    return wait_back(p, before);
}

/* SIGCHLD only has to interrupt a wait. */
static void wake(int signo) { (void)signo; }

enum process_turn process_wait_stop(struct process *p)
{
    sigset_t chld, old;
    struct sigaction action = { .sa_handler = wake };

    sigemptyset(&chld);
    sigaddset(&chld, SIGCHLD);
    sigprocmask(SIG_BLOCK, &chld, &old);
    sigaction(SIGCHLD, &action, NULL);
    enum process_turn turn = TURN_LATE;
    for (;;) {
        pid_t got = waitpid(p->pid, &p->status, WUNTRACED | WNOHANG);
        if (got == p->pid) {
            turn = WIFSTOPPED(p->status) ? TURN_OURS : TURN_DEAD;
            if (turn == TURN_DEAD)
                p->pid = 0;
            break;
        }
        double left = p->deadline - monotonic_seconds();
        if (left <= 0 || process_cancelled)
            break;
        if (left > 0.2)
            left = 0.2; /* in case another child's signal swallowed ours */
        struct timespec t = { 0, (long)(left * 1e9) };
        sigtimedwait(&chld, NULL, &t);
    }
    sigprocmask(SIG_SETMASK, &old, NULL);
    return turn;
}

void process_continue(struct process *p) { kill(p->pid, SIGCONT); }

uint64_t process_grant(struct process *p, uint64_t want)
{
    if (want > p->heap_limit)
        return 0;
    if (want > p->granted) {
        if (ftruncate(p->heap_fd, (off_t)pages(want)))
            return 0;
        p->granted = pages(want);
    }
    return p->granted;
}

uint64_t process_stop_at(struct process *p)
{
    char path[64], text[128] = "";
    unsigned long long pc = 0;

    if (!p->pid || kill(p->pid, SIGSTOP) || waitpid(p->pid, &p->status, WUNTRACED) != p->pid)
        return 0;
    if (!WIFSTOPPED(p->status)) {
        p->pid = 0;
        return 0;
    }
    snprintf(path, sizeof path, "/proc/%d/syscall", (int)p->pid); /* outside one: -1, stack pointer, counter */
    FILE *f = fopen(path, "re");
    if (f && fgets(text, sizeof text, f) && sscanf(text, "-1 %*s %llx", &pc) != 1)
        pc = 0;
    if (f)
        fclose(f);
    return pc;
}

/* ---- measures ---- */

double process_cpu(const struct process *p)
{
    clockid_t clock;
    struct timespec t;

    if (clock_getcpuclockid(p->pid, &clock) || clock_gettime(clock, &t))
        return 0;
    return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

uint64_t process_instructions(struct process *p)
{
    char report[4096];
    uint64_t count = 0;
    struct timespec pause = { 0, 2000000 };

    while (!reaped(p) && monotonic_seconds() < p->deadline)
        nanosleep(&pause, NULL);
    off_t size = lseek(p->count_fd, 0, SEEK_END);
    off_t from = size >= (off_t)sizeof report ? size - (off_t)sizeof report + 1 : 0;
    ssize_t got = pread(p->count_fd, report, sizeof report - 1, from);
    report[got > 0 ? got : 0] = '\0';
    for (const char *line = report; (line = strstr(line, "I   refs:")); line++) {
        count = 0; /* digits grouped by commas; the last line is valgrind's own */
        for (const char *c = line + strlen("I   refs:"); *c && *c != '\n'; c++)
            if (*c >= '0' && *c <= '9')
                count = count * 10 + (uint64_t)(*c - '0');
    }
    return p->pid == 0 && WIFEXITED(p->status) && WEXITSTATUS(p->status) == 0 ? count : 0;
}

uint64_t process_private_bytes(const struct process *p)
{
    char path[64], line[256];
    unsigned long long kib = 0;

    snprintf(path, sizeof path, "/proc/%d/smaps_rollup", (int)p->pid);
    FILE *f = fopen(path, "re");
    while (f && fgets(line, sizeof line, f))
        if (sscanf(line, "Anonymous: %llu", &kib) == 1)
            break;
    if (f)
        fclose(f);
    return kib << 10;
}

/* ---- end ---- */

void process_end(struct process *p, char **output)
{
    if (p->pid) {
        kill(p->pid, SIGKILL);
        while (waitpid(p->pid, &p->status, 0) < 0 && errno == EINTR)
            ;
        p->pid = 0;
    }
    char *text = printed_close(&p->printed);
    if (output)
        *output = text;
    else
        free(text);
    if (p->box)
        munmap(p->box, pages(sizeof *p->box));
    if (p->heap)
        munmap(p->heap, p->heap_limit);
    if (p->requests)
        munmap(p->requests, (p->request_count + 1) * sizeof *p->requests);
    if (p->answers)
        munmap(p->answers, p->answer_bytes);
    if (p->heap_fd >= 0)
        close(p->heap_fd);
    if (p->count_fd >= 0)
        close(p->count_fd);
    p->box = NULL, p->heap = NULL, p->requests = NULL, p->answers = NULL;
    p->heap_fd = p->count_fd = -1;
}
