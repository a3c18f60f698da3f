/* confine.c - rlimits and syscall filters for a runner. */
#define _GNU_SOURCE
#include "confine.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/filter.h>
#include <math.h>
#include <seccomp.h>
#include <signal.h>
#include <stddef.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/personality.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>
#include <linux/audit.h>
#include <linux/seccomp.h>

#include "wire.h"

/* What a static glibc start-up, printf, abort and our own mailbox need. Nothing here names a file, moves a
 * file offset or gives memory back: state that outlives a request must stay where it is counted. */
static const char *const allowed[] = {
    "read", "write", "writev", "close", "brk", "exit", "exit_group", "futex", "futex_time64",
    "arch_prctl", "set_thread_area", "set_tid_address", "set_robust_list", "rseq", "ugetrlimit",
    "getrandom", "uname", "getpid", "gettid",
    "rt_sigaction", "rt_sigprocmask", "rt_sigreturn", "sigaltstack", "sigaction", "sigreturn", "signal",
    "clock_gettime", "clock_gettime64", "gettimeofday", "time", "sched_yield",
};

/* Asked by the C library in passing; it copes with a no. */
static const char *const absent[] = {
    "lseek", "_llseek", "fstat", "newfstatat", "fstat64", "fstatat64", "statx", "readlink", "readlinkat",
};

/* Calls that no honest allocator makes by accident: the process dies there. */
static const char *const deadly[] = {
    "fork", "vfork", "clone", "clone3", "execve", "ptrace", "process_vm_readv", "process_vm_writev",
    "socket", "socketcall", "io_uring_setup", "bpf", "keyctl", "userfaultfd", "memfd_create", "perf_event_open",
    "pidfd_open", "pidfd_getfd", "unshare", "setns", "mount", "seccomp", "prctl", "kcmp",
};

#define NOBODY 65534

const char confine_exec_path[1] = "";

static struct sock_fprog program[2]; /* for 64- and for 32-bit programs */

static int name_rule(scmp_filter_ctx ctx, uint32_t action, const char *name)
{
    int number = seccomp_syscall_resolve_name(name);

    if (number == __NR_SCMP_ERROR)
        return 0; /* unknown to this library: then the default action holds */
    int rc = seccomp_rule_add(ctx, action, number, 0);
    return rc == -EDOM || rc == -EACCES ? 0 : rc; /* not on this architecture; already the default */
}

/* Filter as BPF, by way of a file: libseccomp has no call for memory. */
static int export_program(scmp_filter_ctx ctx, struct sock_fprog *out)
{
    int fd = memfd_create("filter", MFD_CLOEXEC);
    int rc = fd < 0 ? -errno : seccomp_export_bpf(ctx, fd);
    off_t size = rc ? -1 : lseek(fd, 0, SEEK_END);

    if (size > 0) {
        out->filter = malloc((size_t)size);
        out->len = (unsigned short)((size_t)size / sizeof(struct sock_filter));
        if (!out->filter || pread(fd, out->filter, (size_t)size, 0) != size)
            rc = -EIO;
    }
    if (fd >= 0)
        close(fd);
    return rc;
}

/* Memory may be mapped from the descriptors that a runner has at its start and closes before the allocator
 * runs, never anonymous; protection can only be taken away. */
static int memory_rules(scmp_filter_ctx ctx, int map_call)
{
    const struct scmp_arg_cmp taken_away[] = { SCMP_A2(SCMP_CMP_MASKED_EQ, PROT_WRITE | PROT_EXEC, 0) };
    int rc = 0;

    for (int fd = FD_MAILBOX; !rc && fd <= FD_ANSWERS; fd++) { /* one argument can be compared once in a rule */
        const struct scmp_arg_cmp file_map[] = {
            SCMP_A2(SCMP_CMP_MASKED_EQ, PROT_EXEC, 0), SCMP_A3(SCMP_CMP_MASKED_EQ, MAP_ANONYMOUS, 0),
            SCMP_A4(SCMP_CMP_EQ, (scmp_datum_t)fd) };
        rc = seccomp_rule_add_array(ctx, SCMP_ACT_ALLOW, map_call, 3, file_map);
    }
    return rc ? rc : seccomp_rule_add_array(ctx, SCMP_ACT_ALLOW, SCMP_SYS(mprotect), 1, taken_away);
}

/* The rules for one architecture, in a context of their own: old 32-bit calls take other arguments under the
 * names of newer ones (mmap), so no rule may spread from one to the other. */
static int fill(scmp_filter_ctx ctx, int bits, int exec_fd)
{
    int rc = 0;

    if (bits == 32) {
        rc = seccomp_arch_remove(ctx, SCMP_ARCH_NATIVE);
        rc = rc ? rc : seccomp_arch_add(ctx, SCMP_ARCH_X86);
    }
    for (size_t i = 0; !rc && i < sizeof allowed / sizeof *allowed; i++)
        rc = name_rule(ctx, SCMP_ACT_ALLOW, allowed[i]);
    for (size_t i = 0; !rc && i < sizeof absent / sizeof *absent; i++)
        rc = name_rule(ctx, SCMP_ACT_ERRNO(ENOSYS), absent[i]);
    for (size_t i = 0; !rc && i < sizeof deadly / sizeof *deadly; i++)
        rc = name_rule(ctx, SCMP_ACT_KILL_PROCESS, deadly[i]);
    if (!rc) /* its own limits only: the supervisor may have the same user */
        rc = seccomp_rule_add(ctx, SCMP_ACT_ALLOW, SCMP_SYS(prlimit64), 1, SCMP_A0(SCMP_CMP_EQ, 0));
    if (!rc)
        rc = memory_rules(ctx, bits == 32 ? SCMP_SYS(mmap2) : SCMP_SYS(mmap));
    /* Signals to itself only: the second filter compares the process. */
    for (int i = 0; !rc && i < 3; i++)
        rc = name_rule(ctx, SCMP_ACT_ALLOW, (const char *[]){ "kill", "tgkill", "tkill" }[i]);
    /* The one exec: by descriptor, which closes on that exec. A path would count instead of the descriptor if it
     * began with a slash, so it must be our own empty string. */
    if (!rc && bits == 64)
        rc = seccomp_rule_add(ctx, SCMP_ACT_ALLOW, SCMP_SYS(execveat), 3,
                              SCMP_A0(SCMP_CMP_EQ, (scmp_datum_t)exec_fd),
                              SCMP_A1(SCMP_CMP_EQ, (scmp_datum_t)(uintptr_t)confine_exec_path),
                              SCMP_A4(SCMP_CMP_EQ, AT_EMPTY_PATH));
    return rc;
}

/* A 32-bit program is started by a 64-bit call, and could make others: both sets of rules hold for it. */
static int build_program(int bits, int exec_fd, struct sock_fprog *out)
{
    /* TRAP: a handler in the runner can say which call it was; the call itself does not happen. */
    scmp_filter_ctx ctx = seccomp_init(SCMP_ACT_TRAP), narrow = bits == 32 ? seccomp_init(SCMP_ACT_TRAP) : NULL;
    int rc = ctx && (narrow || bits != 32) ? fill(ctx, 64, exec_fd) : -ENOMEM;

    if (!rc && narrow) {
        rc = fill(narrow, 32, exec_fd);
        rc = rc ? rc : seccomp_merge(ctx, narrow);
        narrow = rc ? narrow : NULL; /* merged, it belongs to the other */
    }
    if (!rc)
        rc = export_program(ctx, out);
    if (narrow)
        seccomp_release(narrow);
    if (ctx)
        seccomp_release(ctx);
    return rc;
}

int confine_prepare(int exec_fd)
{
    if (program[0].filter)
        return 0;
    int rc = build_program(64, exec_fd, &program[0]);
    if (!rc)
        rc = build_program(32, exec_fd, &program[1]);
    errno = -rc;
    return rc ? -1 : 0;
}

/* kill, tkill and tgkill with another target than ourselves end the process. */
static int confine_signals(void)
{
    const uint32_t self = (uint32_t)getpid();
#define LOAD(field) BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, field))
#define EQ(value, yes, no) BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, value, yes, no)
    struct sock_filter filter[] = {
        LOAD(arch),
        EQ(AUDIT_ARCH_X86_64, 0, 5),
        LOAD(nr),
        EQ(62 /* kill */, 8, 0),
        EQ(200 /* tkill */, 7, 0),
        EQ(234 /* tgkill */, 6, 0),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
        LOAD(nr),
        EQ(37 /* the same in 32 bits */, 3, 0),
        EQ(238, 2, 0),
        EQ(270, 1, 0),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
        LOAD(args[0]),
        EQ(self, 0, 1),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_KILL_PROCESS),
    };
    struct sock_fprog p = { sizeof filter / sizeof *filter, filter };

    return prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &p);
}

static int limit(__rlimit_resource_t what, uint64_t value)
{
    struct rlimit l = { value, value };

    return setrlimit(what, &l);
}

/* Started by root, it becomes nobody where there is such a user: limits on processes hold for nobody, and no
 * capability is left. A namespace without that user has no power outside it either. */
static int drop_root(void)
{
    if (geteuid() != 0)
        return 0;
    if (setgroups(0, NULL) && errno != EPERM)
        return -1;
    return (setresgid(NOBODY, NOBODY, NOBODY) || setresuid(NOBODY, NOBODY, NOBODY)) && errno != EINVAL ? -1 : 0;
}

int confine_self(const struct confinement *c)
{
    if (drop_root())
        return -1;
    if (personality(ADDR_NO_RANDOMIZE) < 0)
        return -1;
    if (limit(RLIMIT_STACK, c->stack ? c->stack : CONFINE_STACK) || limit(RLIMIT_CORE, 0)
        || limit(RLIMIT_AS, c->address_space) || limit(RLIMIT_DATA, c->writable)
        || limit(RLIMIT_CPU, (uint64_t)ceil(c->cpu_seconds) + 1)
        || limit(RLIMIT_FSIZE, c->file_bytes) || limit(RLIMIT_NPROC, 1)
        || limit(RLIMIT_MEMLOCK, 0) || limit(RLIMIT_MSGQUEUE, 0))
        return -1;
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) || prctl(PR_SET_PDEATHSIG, SIGKILL))
        return -1;
    if (getppid() != c->supervisor) { /* it died before it was listened for */
        errno = ESRCH;
        return -1;
    }
    if (confine_signals())
        return -1;
    return prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program[c->bits == 32]);
}
