/* tool.c - one function that executes a tool, in bubblewrap and under limits. */
#define _GNU_SOURCE
#include "tool.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <limits.h>
#include <linux/close_range.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "plain_text.h"

#define NOBODY 65534
#define SECONDS 20            /* wall clock of one tool; a compilation takes 0.1 */
#define CPU_SECONDS 4
#define ADDRESS_SPACE ((rlim_t)2 << 30)
#define FILE_BYTES ((rlim_t)64 << 20)
#define LOG_BYTES 65536
#define BWRAP "/usr/bin/bwrap"
#define PREFIX "mdriver-"    /* of our folders' names */
#define STALE_SECONDS 60

static int no_sandbox;

void tool_without_sandbox(void) { no_sandbox = 1; }

/* ---- the child ---- */

static void limit(int what, rlim_t most)
{
    const struct rlimit r = { most, most };

    if (setrlimit(what, &r))
        _exit(126);
}

static void drop_root(void)
{
    if (geteuid() == 0 && (setgroups(0, NULL) || setresgid(NOBODY, NOBODY, NOBODY)
                           || setresuid(NOBODY, NOBODY, NOBODY)))
        _exit(126);
}

/* bwrap's own words before ARGV; returns their number. The dynamic loader's
 * folders are links into /usr on every merged system. */
static size_t wall(const char **out, const char *folder)
{
    const char *const words[] = {
        BWRAP, "--unshare-all", "--unshare-user", "--disable-userns", "--die-with-parent", "--new-session",
        "--cap-drop", "ALL", "--clearenv", "--setenv", "PATH", "/usr/bin:/bin", "--setenv", "LC_ALL", "C.UTF-8",
        "--setenv", "TMPDIR", "/tmp", "--ro-bind", "/usr", "/usr", "--symlink", "usr/bin", "/bin",
        "--symlink", "usr/lib", "/lib", "--symlink", "usr/lib64", "/lib64", "--symlink", "usr/lib32", "/lib32",
        "--dev", "/dev", "--size", "268435456", "--tmpfs", "/tmp", "--bind", folder, "/build",
        "--chdir", "/build", "--",
    };
    memcpy(out, words, sizeof words);
    return sizeof words / sizeof *words;
}

static void child(const struct tool *t, const char *const argv[], int log)
{
    const char *words[160];
    size_t n = t->trusted || no_sandbox ? 0 : wall(words, t->folder);
    int null = open("/dev/null", O_RDWR | O_CLOEXEC), out = null;
    sigset_t none;

    while (*argv && n < 159)
        words[n++] = *argv++;
    words[n] = NULL;
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
    signal(SIGINT, SIG_IGN); /* ours to handle */
    if (!t->trusted)
        drop_root();
    prctl(PR_SET_PDEATHSIG, SIGKILL); /* a change of user would have cleared it */
    if (chdir(t->folder))
        _exit(126);
    if (t->stdout_name)
        out = open(t->stdout_name, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0600);
    if (null < 0 || out < 0 || dup2(null, 0) < 0 || dup2(out, 1) < 0 || dup2(log, 2) < 0
        || close_range(3, ~0u, CLOSE_RANGE_CLOEXEC))
        _exit(126);
    limit(RLIMIT_CORE, 0);
    limit(RLIMIT_CPU, CPU_SECONDS);
    limit(RLIMIT_AS, ADDRESS_SPACE);
    limit(RLIMIT_FSIZE, FILE_BYTES);
    static char *const environment[] = { (char *)"PATH=/usr/bin:/bin", (char *)"LC_ALL=C.UTF-8", NULL };
    execve(words[0], (char *const *)(void *)words, environment);
    _exit(127);
}

/* ---- the parent ---- */

static double now(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

/* Reads the log until its end or the deadline; what is past the cap is dropped. 0 when ended. */
static int read_log(int fd, char *log, size_t *read_bytes, double deadline)
{
    size_t length = 0;
    char rest[4096];

    for (;; *read_bytes = length) {
        struct pollfd p = { .fd = fd, .events = POLLIN };
        double left = deadline - now();
        if (left <= 0)
            return -1;
        if (poll(&p, 1, (int)(left * 1000) + 1) <= 0)
            continue;
        ssize_t n = length < LOG_BYTES - 1 ? read(fd, log + length, LOG_BYTES - 1 - length)
                                           : read(fd, rest, sizeof rest);
        if (n <= 0)
            return 0;
        if (length < LOG_BYTES - 1)
            length += (size_t)n;
    }
}

/* gcc runs others and reports their ends by words. */
static int was_too_much(const char *log)
{
    static const char *const words[] = { "signal terminated program", "virtual memory exhausted", "out of memory",
                                         "memory exhausted", "File too large" };

    for (size_t i = 0; i < sizeof words / sizeof *words; i++)
        if (strstr(log, words[i]))
            return 1;
    return 0;
}

static int broken(char *log, const char *what)
{
    snprintf(log, LOG_BYTES, "%s: %s", what, strerror(errno));
    return TOOL_BROKEN;
}

int tool_run(const struct tool *t, const char *const argv[], char **log)
{
    int pipes[2], status = 0;

    *log = calloc(1, LOG_BYTES);
    if (!*log)
        return TOOL_BROKEN;
    if (pipe2(pipes, O_CLOEXEC))
        return broken(*log, "pipe");
    pid_t pid = fork();
    if (pid == 0)
        child(t, argv, pipes[1]);
    close(pipes[1]);
    if (pid < 0) {
        close(pipes[0]);
        return broken(*log, "fork");
    }
    size_t length = 0;
    int late = read_log(pipes[0], *log, &length, now() + SECONDS);
    if (late)
        kill(pid, SIGKILL);
    while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
        ;
    close(pipes[0]);
    plain_text(*log, length);
    if (late)
        return TOOL_LATE;
    if (WIFSIGNALED(status) || WEXITSTATUS(status) > 128 || (WEXITSTATUS(status) && was_too_much(*log)))
        return TOOL_KILLED;
    if (WEXITSTATUS(status) == 127) {
        snprintf(*log, LOG_BYTES, "%s: cannot be run", argv[0]);
        return TOOL_BROKEN;
    }
    return WEXITSTATUS(status) == 126 ? broken(*log, "cannot confine a tool") : WEXITSTATUS(status);
}

int tool_sandbox_works(char *error, size_t error_size)
{
    static int known; /* 1 it does, -1 it does not */
    static char reason[512];
    static const char *const argv[] = { "/usr/bin/true", NULL };

    if (no_sandbox || known == 1)
        return 0;
    if (!known) {
        char *folder = tool_folder(), *log = NULL, no_folder[256];
        snprintf(no_folder, sizeof no_folder, geteuid() == 0 && errno == EINVAL
                 ? "root compiles as user 65534 (nobody), whom this user namespace does not have (run as an ordinary "
                   "user, or map all ids)" : "no temporary folder: %s (set TMPDIR)", strerror(errno));
        struct tool t = { .folder = folder };
        int rc = folder ? tool_run(&t, argv, &log) : TOOL_BROKEN;
        known = rc == 0 ? 1 : -1;
        if (log)
            log[strcspn(log, "\n")] = '\0';
        snprintf(reason, sizeof reason, "%s", access(BWRAP, X_OK) ? BWRAP " is missing (package bubblewrap)"
                                              : !folder           ? no_folder
                                              : log && log[0]     ? log : "bubblewrap does not start");
        free(log);
        if (folder)
            tool_folder_remove(folder);
        free(folder);
    }
    if (known == 1)
        return 0;
    snprintf(error, error_size, "the compiler cannot be walled off here: %s; allow user namespaces (sysctl "
             "user.max_user_namespaces, kernel.unprivileged_userns_clone), or pass --no-sandbox for files that you "
             "trust", reason);
    return -1;
}

/* ---- folders ---- */

static void remove_at(int parent, const char *name, int depth)
{
    int fd = depth < 8 ? openat(parent, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC) : -1;
    DIR *d = fd >= 0 ? fdopendir(fd) : NULL;

    for (struct dirent *e; d && (e = readdir(d)) != NULL;)
        if (strcmp(e->d_name, ".") != 0 && strcmp(e->d_name, "..") != 0 && unlinkat(fd, e->d_name, 0))
            remove_at(fd, e->d_name, depth + 1);
    if (d)
        closedir(d);
    unlinkat(parent, name, AT_REMOVEDIR);
}

/* Removes what runs that were killed have left: folders that nobody has locked,
 * old enough that nobody is about to. */
static void sweep(const char *base)
{
    DIR *d = opendir(base);

    for (struct dirent *e; d && (e = readdir(d)) != NULL;) {
        struct stat st;
        int fd = strncmp(e->d_name, PREFIX, strlen(PREFIX)) == 0
               ? openat(dirfd(d), e->d_name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC) : -1;
        if (fd >= 0 && fstat(fd, &st) == 0 && st.st_uid == (geteuid() ? geteuid() : NOBODY)
            && time(NULL) - st.st_ctime > STALE_SECONDS && flock(fd, LOCK_EX | LOCK_NB) == 0)
            remove_at(dirfd(d), e->d_name, 0);
        if (fd >= 0)
            close(fd);
    }
    if (d)
        closedir(d);
}

/* Whether the user that tools run as can reach PATH: root's own folders are often closed to others. */
static int reachable(const char *path)
{
    char part[PATH_MAX];
    struct stat st;

    if (!realpath(path, part))
        return 0;
    for (char *slash = part + strlen(part); slash; slash = strrchr(part, '/')) {
        *slash = '\0';
        if (stat(part[0] ? part : "/", &st) || !(st.st_mode & S_IXOTH))
            return 0;
    }
    return 1;
}

char *tool_folder(void)
{
    const char *base = getenv("TMPDIR");
    char *path = NULL;

    if (!base || base[0] != '/' || (geteuid() == 0 && !reachable(base)))
        base = "/tmp";
    static int swept;
    if (!swept++)
        sweep(base);
    if (asprintf(&path, "%s/" PREFIX "XXXXXX", base) < 0)
        return NULL;
    /* The lock, held until this process ends, says that somebody still works there. */
    int fd = mkdtemp(path) ? open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC) : -1;
    if (fd < 0 || flock(fd, LOCK_SH) || (geteuid() == 0 && fchown(fd, NOBODY, NOBODY))) {
        int why = errno;
        if (fd >= 0) {
            close(fd);
            rmdir(path);
        }
        free(path);
        errno = why;
        return NULL;
    }
    return path;
}

void tool_folder_remove(const char *folder) { remove_at(AT_FDCWD, folder, 0); }
