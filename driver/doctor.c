/* doctor.c - one function per thing looked at; a table of them; a loop. */
#define _GNU_SOURCE
#include "doctor.h"

#include <errno.h>
#include <sched.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/statvfs.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "confine.h"
#include "confine_valgrind.h"
#include "process.h"
#include "tool.h"

enum level { FINE, ADVICE, MISSING };

struct diagnosis {
    enum level level;
    char found[200];
    char todo[240];  /* empty when fine */
};

static void say(struct diagnosis *d, enum level level, const char *todo, const char *format, ...)
    __attribute__((format(printf, 4, 5)));

static void say(struct diagnosis *d, enum level level, const char *todo, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    vsnprintf(d->found, sizeof d->found, format, args);
    va_end(args);
    d->level = level;
    snprintf(d->todo, sizeof d->todo, "%s", level == FINE ? "" : todo);
}

/* First line of a file, without its newline; 0 when there is none. */
static int first_line(const char *path, char *line, size_t size)
{
    FILE *f = fopen(path, "re");
    int got = f && fgets(line, (int)size, f);

    if (f)
        fclose(f);
    if (got)
        line[strcspn(line, "\n")] = '\0';
    return got;
}

/* ---- noise ---- */

static void look_at_cores(struct diagnosis *d)
{
    cpu_set_t set;
    int n = sched_getaffinity(0, sizeof set, &set) ? 1 : CPU_COUNT(&set);

    say(d, n > 1 ? FINE : ADVICE, "give the machine a second core, so that other programs need not share the "
        "one that is measured", "%d usable", n);
}

static void look_at_load(struct diagnosis *d)
{
    double load[1] = { 0 };
    long cores = sysconf(_SC_NPROCESSORS_ONLN);

    if (getloadavg(load, 1) != 1)
        load[0] = 0;
    say(d, load[0] <= 0.5 * (double)cores ? FINE : ADVICE,
        "stop other programs, or wait; until then trust --clock=instructions more than seconds",
        "%.2f runnable programs in the last minute, %ld cores", load[0], cores);
}

static void look_at_frequency(struct diagnosis *d)
{
    char governor[64];

    if (!first_line("/sys/devices/system/cpu/cpu0/cpufreq/scaling_governor", governor, sizeof governor)) {
        say(d, FINE, "", "no frequency scaling is visible (usual in a virtual machine)");
        return;
    }
    say(d, strcmp(governor, "performance") ? ADVICE : FINE,
        "as root: cpupower frequency-set -g performance; relative throughput is affected little, absolute "
        "much",
        "governor %s", governor);
}

static void look_at_turbo(struct diagnosis *d)
{
    char word[16];

    if (first_line("/sys/devices/system/cpu/intel_pstate/no_turbo", word, sizeof word) && word[0] == '0')
        say(d, ADVICE,
            "for stable absolute figures, as root: echo 1 > /sys/devices/system/cpu/intel_pstate/no_turbo",
            "on: the clock rate depends on temperature and on other cores");
    else
        say(d, FINE, "", "off, or not visible");
}

static unsigned long long memory_field(const char *name)
{
    char line[256], format[64];
    unsigned long long kib = 0;
    FILE *f = fopen("/proc/meminfo", "re");

    snprintf(format, sizeof format, "%s:", name);
    while (f && fgets(line, sizeof line, f))
        if (!strncmp(line, format, strlen(format)))
            kib = strtoull(line + strlen(format), NULL, 10);
    if (f)
        fclose(f);
    return kib;
}

static void look_at_memory(struct diagnosis *d)
{
    unsigned long long mib = memory_field("MemAvailable") >> 10;

    say(d, mib >= 1024 ? FINE : ADVICE, "large traces need up to 1 GiB; close programs", "%llu MiB available",
        mib);
}

static void look_at_swap(struct diagnosis *d)
{
    unsigned long long used = (memory_field("SwapTotal") - memory_field("SwapFree")) >> 10;

    say(d, used < 64 ? FINE : ADVICE, "memory was short on this machine: close programs, or run swapoff -a",
        "%llu MiB in use", used);
}

static void read_steal(unsigned long long *steal, unsigned long long *total)
{
    unsigned long long v[8] = { 0 };
    FILE *f = fopen("/proc/stat", "re");

    *steal = *total = 0;
    if (f && fscanf(f, "cpu %llu %llu %llu %llu %llu %llu %llu %llu", &v[0], &v[1], &v[2], &v[3], &v[4],
                    &v[5], &v[6], &v[7]) == 8) {
        *steal = v[7];
        for (int i = 0; i < 8; i++)
            *total += v[i];
    }
    if (f)
        fclose(f);
}

/* Keeps one core busy for SECONDS, so that a hypervisor has something to steal;
 * gives how much slower the median of equal pieces of work was than the fastest. */
static double busy(double seconds)
{
    double piece[400], begin = monotonic_seconds();
    size_t n = 0;

    while (n < sizeof piece / sizeof *piece && monotonic_seconds() - begin < seconds) {
        struct timespec a, b;
        clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &a);
        for (volatile unsigned i = 0; i < 4000000; i = i + 1)
            ;
        clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &b);
        double cost = (double)(b.tv_sec - a.tv_sec) + (double)(b.tv_nsec - a.tv_nsec) * 1e-9;
        size_t at = n++;
        for (; at && piece[at - 1] > cost; at--)
            piece[at] = piece[at - 1];
        piece[at] = cost;
    }
    return n ? piece[n / 2] / piece[0] - 1 : 0;
}

static void look_at_steadiness(struct diagnosis *d)
{
    double slower = busy(0.4) * 100;

    say(d, slower < 5 ? FINE : ADVICE,
        "something shares the core or its clock rate drifts; repetitions will be many and absolute figures "
        "poor",
        "the same work took %.1f %% more CPU time than at best, in the median", slower);
}

static void look_at_steal(struct diagnosis *d)
{
    unsigned long long steal[2], total[2];

    read_steal(&steal[0], &total[0]);
    busy(0.4);
    read_steal(&steal[1], &total[1]);
    unsigned long long ticks = total[1] - total[0];
    double share = ticks ? 100.0 * (double)(steal[1] - steal[0]) / (double)ticks : 0;
    say(d, share < 1 ? FINE : ADVICE,
        "the hypervisor gives the core to other guests: use a dedicated machine, "
        "or trust --clock=instructions",
        "%.1f %% of the time taken by the hypervisor", share);
}

/* ---- the sandbox ---- */

/* Runs TRY in a child: its wait status. */
static int in_child(int (*try)(void))
{
    int status = -1;
    pid_t pid = fork();

    if (pid == 0)
        _exit(try());
    if (pid > 0)
        waitpid(pid, &status, 0);
    return status;
}

static const struct confinement sample = {
    .bits = 64, .exec_fd = 64, .address_space = UINT64_C(1) << 30, .writable = 1 << 20, .cpu_seconds = 5,
    .file_bytes = 4096,
};

/* A confined child that does what it must not; the kernel should stop it. */
static int break_out(void)
{
    struct rlimit no_core = { 0, 0 };
    struct confinement c = sample;

    c.supervisor = getppid();
    setrlimit(RLIMIT_CORE, &no_core);
    if (confine_self(&c))
        return 3;
    fork();
    return 4;
}

static void look_at_filter(struct diagnosis *d)
{
    if (confine_prepare(sample.exec_fd)) {
        say(d, MISSING, "install libseccomp2", "libseccomp cannot build the filter: %s", strerror(errno));
        return;
    }
    int status = in_child(break_out);
    int held = WIFSIGNALED(status) && WTERMSIG(status) == SIGSYS;
    say(d, held ? FINE : MISSING,
        "the kernel needs CONFIG_SECCOMP_FILTER, and a container must allow seccomp and "
        "personality (docker: --security-opt seccomp=unconfined)",
        "%s",
        held ? "system calls of a submission are filtered"
             : "a confined process was not stopped, or could not be confined");
}

static void look_at_wall(struct diagnosis *d)
{
    char error[512] = "";
    int rc = tool_sandbox_works(error, sizeof error);

    say(d, rc ? MISSING : FINE,
        "install bubblewrap and allow user namespaces (sysctl kernel.unprivileged_userns_clone=1, "
        "user.max_user_namespaces=10000); --no-sandbox works without, and marks results untrusted",
        "%s", rc ? error : "compilations run behind bubblewrap");
}

static int make_namespaces(void) { return confine_valgrind(&sample) ? 1 : 0; }

static void look_at_namespaces(struct diagnosis *d)
{
    int status = in_child(make_namespaces), works = WIFEXITED(status) && WEXITSTATUS(status) == 0;

    say(d, works ? FINE : ADVICE,
        "--clock=instructions needs user namespaces: sysctl user.max_user_namespaces=10000", "%s",
        works ? "an unprivileged process can have its own" : "refused by the kernel or the container");
}

static void look_at_temporary(struct diagnosis *d)
{
    const char *folder = getenv("TMPDIR");
    struct statvfs fs;

    if (!folder || !*folder)
        folder = "/tmp";
    if (statvfs(folder, &fs)) {
        say(d, MISSING, "create it, or set TMPDIR", "%s: %s", folder, strerror(errno));
        return;
    }
    unsigned long long mib = (unsigned long long)fs.f_bavail * fs.f_frsize >> 20;
    if (fs.f_flag & ST_NOEXEC)
        say(d, MISSING, "set TMPDIR to a folder where programs may be executed", "%s is mounted noexec",
            folder);
    else
        say(d, mib >= 64 ? FINE : MISSING, "free some space, or set TMPDIR", "%s, %llu MiB free", folder,
            mib);
}

static void look_at_limits(struct diagnosis *d)
{
    struct rlimit as = { RLIM_INFINITY, RLIM_INFINITY };
    char mode[16] = "0";

    getrlimit(RLIMIT_AS, &as);
    first_line("/proc/sys/vm/overcommit_memory", mode, sizeof mode);
    if (as.rlim_cur != RLIM_INFINITY)
        say(d, ADVICE, "ulimit -v unlimited: the heap is reserved as address space",
            "address space limited to %llu "
            "MiB",
            (unsigned long long)as.rlim_cur >> 20);
    else
        say(d, mode[0] == '2' ? ADVICE : FINE,
            "sysctl vm.overcommit_memory=0, or heaps of giant traces cannot be "
            "reserved",
            "unlimited, vm.overcommit_memory=%s", mode);
}

/* ---- tools ---- */

static int on_path(const char *program)
{
    static const char *const folders[] = { "/usr/bin", "/bin", "/usr/local/bin" };
    char path[256];

    for (size_t i = 0; i < sizeof folders / sizeof *folders; i++) {
        snprintf(path, sizeof path, "%s/%s", folders[i], program);
        if (!access(path, X_OK))
            return 1;
    }
    return 0;
}

static void look_for(struct diagnosis *d, const char *program, const char *todo, enum level without)
{
    int found = on_path(program);

    say(d, found ? FINE : without, todo, "%s", found ? "installed" : "not found");
}

static void look_for_gcc(struct diagnosis *d)
{
    look_for(d, "gcc", "install gcc: it compiles submissions", MISSING);
}
static void look_for_objcopy(struct diagnosis *d)
{
    look_for(d, "objcopy", "install binutils: it hides a submission's other symbols", MISSING);
}
static void look_for_valgrind(struct diagnosis *d)
{
    look_for(d, "valgrind", "install valgrind for --clock=instructions", ADVICE);
}
static void look_for_gnuplot(struct diagnosis *d)
{
    look_for(d, "gnuplot", "install gnuplot-nox for pictures", ADVICE);
}

static void look_for_multilib(struct diagnosis *d)
{
    char path[512] = "";
    FILE *f = popen("gcc -m32 -print-file-name=libc.a 2>/dev/null", "re");

    if (f && !fgets(path, sizeof path, f))
        path[0] = '\0';
    if (f)
        pclose(f);
    path[strcspn(path, "\n")] = '\0';
    int found = path[0] == '/' && !access(path, R_OK);
    say(d, found ? FINE : ADVICE, "install gcc-multilib: most classic submissions are only right in 32 bits",
        "%s", found ? "32-bit programs can be linked" : "no 32-bit C library");
}

/* ---- the whole examination ---- */

static const struct check { const char *part, *name; void (*look)(struct diagnosis *); } checks[] = {
    { "Noise", "cores", look_at_cores },
    { "Noise", "load", look_at_load },
    { "Noise", "frequency", look_at_frequency },
    { "Noise", "turbo", look_at_turbo },
    { "Noise", "memory", look_at_memory },
    { "Noise", "swap", look_at_swap },
    { "Noise", "steadiness", look_at_steadiness },
    { "Noise", "steal", look_at_steal },
    { "Sandbox", "system calls", look_at_filter },
    { "Sandbox", "compilation", look_at_wall },
    { "Sandbox", "namespaces", look_at_namespaces },
    { "Sandbox", "temporary files", look_at_temporary },
    { "Sandbox", "address space", look_at_limits },
    { "Tools", "gcc", look_for_gcc },
    { "Tools", "objcopy", look_for_objcopy },
    { "Tools", "gcc -m32", look_for_multilib },
    { "Tools", "valgrind", look_for_valgrind },
    { "Tools", "gnuplot", look_for_gnuplot },
};

int doctor_run(FILE *out, int colour)
{
    static const char *const words[] = { "ok", "advice", "missing" };
    static const char *const colours[] = { "\033[32m", "\033[33m", "\033[31m" };
    const char *part = "";
    unsigned count[3] = { 0 };

    for (size_t i = 0; i < sizeof checks / sizeof *checks; i++) {
        struct diagnosis d = { FINE, "", "" };
        if (strcmp(part, checks[i].part))
            fprintf(out, "%s%s\n", i ? "\n" : "", checks[i].part);
        part = checks[i].part;
        fflush(out); /* or a child's copy of the buffer appears twice */
        checks[i].look(&d);
        count[d.level]++;
        fprintf(out, "  %s%-8s%s%-16s %s\n", colour ? colours[d.level] : "", words[d.level],
                colour ? "\033[0m" : "", checks[i].name, d.found);
        if (d.todo[0])
            fprintf(out, "  %-8s%-16s to do: %s\n", "", "", d.todo);
    }
    fprintf(out, "\n%s\n", count[MISSING] ? "This machine cannot grade yet: see what is missing."
            : count[ADVICE] ? "This machine can grade; following the advice makes it better."
            : "Nothing to complain about.");
    return count[MISSING] != 0;
}
