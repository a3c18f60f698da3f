/*
 * confine_valgrind.c - the wider cage around a runner under valgrind.
 *
 * Valgrind maps anonymous and executable memory, reads files and writes one in
 * its temporary directory, so the runner's own filter cannot hold around it.
 * This one is a deny-list, tight enough for what comes here: code that has
 * already passed the check pass and a timed run in the tight cage, and whose
 * instruction count is a second opinion and not the score.
 */
#define _GNU_SOURCE
#include "confine_valgrind.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/mount.h>
#include <math.h>
#include <sched.h>
#include <seccomp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/personality.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#define VALGRIND_MEMORY (UINT64_C(6) << 30) /* address space for valgrind besides the heap */

/* Redeclared: <sys/mount.h> and <linux/mount.h> of this C library do not mix. */
int mount(const char *, const char *, const char *, unsigned long, const void *);
#define MOUNT_PRIVATE_ALL ((1ul << 18) | (1ul << 14)) /* MS_PRIVATE | MS_REC */

static const char *const denied[] = {
    "fork", "vfork", "clone", "clone3", "ptrace", "process_vm_readv", "process_vm_writev", "socket",
    "socketcall", "socketpair", "io_uring_setup", "bpf", "keyctl", "userfaultfd", "memfd_create",
    "perf_event_open", "pidfd_open", "pidfd_getfd", "unshare", "setns", "mount", "umount", "umount2",
    "mount_setattr", "open_tree", "move_mount", "fsopen", "kcmp", "rename", "link", "symlink", "linkat",
    "symlinkat", "renameat", "renameat2", "mknod", "mknodat", "chmod", "fchmod", "fchmodat", "chown",
    "fchown", "lchown", "fchownat", "shmget", "msgget", "semget", "inotify_init", "timer_create",
    "setitimer", "alarm",
};

const char *valgrind_path(void)
{
    static const char *const places[] = { "/usr/bin/valgrind", "/usr/local/bin/valgrind" };

    for (size_t i = 0; i < sizeof places / sizeof *places; i++)
        if (!access(places[i], X_OK))
            return places[i];
    return NULL;
}

static int write_id(const char *path, const char *format, unsigned id)
{
    char line[32];
    // cppcheck-suppress wrongPrintfScanfArgNum ; a format may have no place for it
    int length = snprintf(line, sizeof line, format, id), fd = open(path, O_WRONLY | O_CLOEXEC);
    int rc = fd < 0 || write(fd, line, (size_t)length) != length ? -1 : 0;

    if (fd >= 0)
        close(fd);
    return rc;
}

/* A file system that nothing can be written to but an empty /tmp, and no network. */
static int read_only_view(void)
{
    struct mount_attr read_only = { .attr_set = MOUNT_ATTR_RDONLY };
    unsigned uid = geteuid(), gid = getegid();

    prctl(PR_SET_DUMPABLE, 1); /* or the maps below belong to root; the exec decides anew */
    if (unshare(CLONE_NEWUSER | CLONE_NEWNS | CLONE_NEWNET | CLONE_NEWIPC))
        return -1;
    /* An ordinary user inside, so that the exec drops all capabilities. */
    if (write_id("/proc/self/setgroups", "deny", 0) || write_id("/proc/self/uid_map", "1000 %u 1", uid)
        || write_id("/proc/self/gid_map", "1000 %u 1", gid))
        return -1;
    if (mount(NULL, "/", NULL, MOUNT_PRIVATE_ALL, NULL)
        || syscall(SYS_mount_setattr, AT_FDCWD, "/", AT_RECURSIVE, &read_only, sizeof read_only))
        return -1;
    return mount("tmpfs", "/tmp", "tmpfs", 0, "size=1m");
}

static int limit(__rlimit_resource_t what, uint64_t value)
{
    struct rlimit l = { value, value };

    return setrlimit(what, &l);
}

static int filter(void)
{
    scmp_filter_ctx ctx = seccomp_init(SCMP_ACT_ALLOW);
    int rc = ctx ? seccomp_arch_add(ctx, SCMP_ARCH_X86) : -ENOMEM;

    if (rc == -EEXIST)
        rc = 0;
    for (size_t i = 0; !rc && i < sizeof denied / sizeof *denied; i++) {
        int number = seccomp_syscall_resolve_name(denied[i]);
        if (number != __NR_SCMP_ERROR)
            rc = seccomp_rule_add(ctx, SCMP_ACT_KILL_PROCESS, number, 0);
        if (rc == -EDOM || rc == -EACCES)
            rc = 0;
    }
    /* Signals to itself only. */
    const int signals[] = { SCMP_SYS(kill), SCMP_SYS(tkill), SCMP_SYS(tgkill) };
    for (size_t i = 0; !rc && i < sizeof signals / sizeof *signals; i++)
        rc = seccomp_rule_add(ctx, SCMP_ACT_KILL_PROCESS, signals[i], 1,
                              SCMP_A0(SCMP_CMP_NE, (scmp_datum_t)getpid()));
    if (!rc)
        rc = seccomp_load(ctx);
    if (ctx)
        seccomp_release(ctx);
    errno = -rc;
    return rc ? -1 : 0;
}

int confine_valgrind(const struct confinement *c)
{
    if (personality(ADDR_NO_RANDOMIZE) < 0)
        return -1;
    if (read_only_view())
        return -1;
    if (limit(RLIMIT_CORE, 0) || limit(RLIMIT_AS, c->address_space + VALGRIND_MEMORY)
        || limit(RLIMIT_CPU, (uint64_t)ceil(c->cpu_seconds) + 1) || limit(RLIMIT_FSIZE, c->file_bytes)
        || limit(RLIMIT_NPROC, 1) || limit(RLIMIT_MEMLOCK, 0) || limit(RLIMIT_MSGQUEUE, 0))
        return -1;
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) || prctl(PR_SET_PDEATHSIG, SIGKILL))
        return -1;
    return filter();
}

void exec_valgrind(int exec_fd)
{
    static char executable[32], report[32];

    if (!valgrind_path()) {
        errno = ENOENT;
        return;
    }
    snprintf(executable, sizeof executable, "/proc/self/fd/%d", exec_fd);
    snprintf(report, sizeof report, "--log-fd=%d", COUNT_FD);
    /* --command-line-only: nothing from the environment, the home or the working directory counts. */
    char *const argv[] = { (char *)"valgrind", (char *)"--command-line-only=yes", (char *)"--tool=cachegrind",
                           (char *)"--cache-sim=no", (char *)"--cachegrind-out-file=/dev/null",
                           (char *)"--vgdb=no", report, executable, NULL };
    char *const envp[] = { NULL };
    execve(valgrind_path(), argv, envp);
}
