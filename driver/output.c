/* output.c - files that a run leaves, and the pictures made from them. */
#define _GNU_SOURCE
#include "output.h"

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <limits.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "output_file.h"

#define PYTHON "/usr/bin/python3"

static int failed(char *error, size_t size, const char *path)
{
    snprintf(error, size, "%s: cannot write it: %s", path, strerror(errno));
    return -1;
}

static json_t *results_json(const struct result *r, size_t n)
{
    json_t *list;

    if (n == 1)
        return report_json(r);
    list = json_array();
    for (size_t i = 0; i < n; i++)
        json_array_append_new(list, report_json(&r[i]));
    return json_pack("{s:i, s:o}", "schema", 1, "results", list);
}

int output_json(const char *path, const struct result *r, size_t n, char *error, size_t error_size)
{
    json_t *j = results_json(r, n);
    const size_t flags = JSON_INDENT(1) | JSON_REAL_PRECISION(12);
    struct output_file f;
    int rc = 0;

    if (strcmp(path, "-") == 0) {
        if (json_dumpf(j, stdout, flags) || putchar('\n') == EOF || fflush(stdout))
            rc = failed(error, error_size, "standard output");
    } else if (output_file_open(&f, path)) {
        rc = failed(error, error_size, path);
    } else {
        json_dumpf(j, f.stream, flags); /* whether it worked, the stream remembers */
        putc('\n', f.stream);
        rc = output_file_close(&f) ? failed(error, error_size, path) : 0;
    }
    json_decref(j);
    return rc;
}

/* ---- events ---- */

static int write_events(const char *path, const struct outcome *o)
{
    struct output_file f;

    if (output_file_open(&f, path))
        return -1;
    report_events(f.stream, o);
    return output_file_close(&f);
}

static int make_folder(const char *path)
{
    return mkdir(path, 0777) && errno != EEXIST ? -1 : 0;
}

/* NAME as one component of a path. */
static void file_name(char *out, size_t size, const char *name)
{
    snprintf(out, size, "%s", name);
    for (char *c = out; *c; c++)
        if (*c == '/')
            *c = '_';
    if (out[0] == '.')
        out[0] = '_';
}

/* A trace's file without .gz and .rep, and .tsv after it. */
static void events_name(char *out, size_t size, const char *trace)
{
    file_name(out, size, trace);
    size_t n = strlen(out);
    if (n > 3 && strcmp(out + n - 3, ".gz") == 0)
        out[n -= 3] = '\0';
    if (n > 4 && strcmp(out + n - 4, ".rep") == 0)
        out[n -= 4] = '\0';
    snprintf(out + n, size - n, ".tsv");
}

int output_events(const char *path, const struct result *r, size_t n, char *error, size_t error_size)
{
    char folder[PATH_MAX], file[PATH_MAX], name[256];

    if (n == 1 && r->count == 1)
        return write_events(path, &r->outcomes[0]) ? failed(error, error_size, path) : 0;
    if (make_folder(path))
        return failed(error, error_size, path);
    for (size_t i = 0; i < n; i++) {
        file_name(name, sizeof name, r[i].image.name);
        if (snprintf(folder, sizeof folder, n > 1 ? "%s/%s" : "%s", path, name) >= (int)sizeof folder
            || make_folder(folder))
            return failed(error, error_size, folder);
        for (size_t k = 0; k < r[i].count; k++) {
            events_name(name, sizeof name, r[i].outcomes[k].trace->name);
            if (snprintf(file, sizeof file, "%s/%s", folder, name) >= (int)sizeof file
                || write_events(file, &r[i].outcomes[k]))
                return failed(error, error_size, file);
        }
    }
    return 0;
}

/* ---- before a run ---- */

/* What ALLOCATOR, a path or a shipped name, is called in results (build_source.c). */
static void allocator_name(char *out, size_t size, const char *allocator)
{
    const char *slash = strrchr(allocator, '/');

    file_name(out, size < 64 ? size : 64, slash ? slash + 1 : allocator);
}

/* Events of things with one name would be one file. */
static int check_names(const struct options *o, const struct trace_set *t, char *error, size_t size)
{
    char one[256], other[256];

    for (size_t i = 0; i < o->allocator_count; i++)
        for (size_t k = i + 1; k < o->allocator_count; k++) {
            allocator_name(one, sizeof one, o->allocators[i]);
            allocator_name(other, sizeof other, o->allocators[k]);
            if (strcmp(one, other) == 0) {
                snprintf(error, size, "--events %s: two allocators are called %s there; rename one, or grade them one "
                         "by one", o->events, one);
                return -1;
            }
        }
    for (size_t i = 0; i < t->count; i++)
        for (size_t k = i + 1; k < t->count; k++) {
            events_name(one, sizeof one, t->traces[i].name);
            events_name(other, sizeof other, t->traces[k].name);
            if (strcmp(one, other) == 0) {
                snprintf(error, size, "--events %s: two traces would be %s there; name one of them", o->events, one);
                return -1;
            }
        }
    return 0;
}

static int check_events(const struct options *o, const struct trace_set *t, char *error, size_t size)
{
    char folder[PATH_MAX], name[64];
    struct stat st;

    if (o->allocator_count == 1 && t->count == 1)
        return output_file_check("--events", o->events, error, size);
    if (output_folder_check("--events", o->events, error, size) || check_names(o, t, error, size))
        return -1;
    for (size_t i = 0; o->allocator_count > 1 && i < o->allocator_count; i++) {
        allocator_name(name, sizeof name, o->allocators[i]);
        if (snprintf(folder, sizeof folder, "%s/%s", o->events, name) < (int)sizeof folder && stat(folder, &st) == 0
            && output_folder_check("--events", folder, error, size))
            return -1;
    }
    return 0;
}

/* Whether PROGRAM, a path or a name to be found, runs here; only trying tells. */
static int can_run(const char *program)
{
    const char *const argv[] = { program, "--version", NULL };
    posix_spawn_file_actions_t quiet;
    int status = -1;
    pid_t pid;

    posix_spawn_file_actions_init(&quiet);
    posix_spawn_file_actions_addopen(&quiet, STDOUT_FILENO, "/dev/null", O_WRONLY, 0);
    posix_spawn_file_actions_addopen(&quiet, STDERR_FILENO, "/dev/null", O_WRONLY, 0);
    if (posix_spawnp(&pid, program, &quiet, NULL, (char *const *)(void *)argv, environ) == 0)
        while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
            ;
    posix_spawn_file_actions_destroy(&quiet);
    return status == 0;
}

/* Both that draw a picture. */
static int check_tools(const struct options *o, char *error, size_t size)
{
    static const char *const tools[][2] = { { PYTHON, "python3" }, { "gnuplot", "gnuplot-nox" } };

    for (size_t i = 0; i < sizeof tools / sizeof *tools; i++)
        if (!can_run(tools[i][0])) {
            snprintf(error, size, "--plot %s: %s, which draws it, does not run here; install %s (see packages.txt), or "
                     "leave --plot out", o->plot, tools[i][0], tools[i][1]);
            return -1;
        }
    return 0;
}

int output_check(const struct options *o, const struct trace_set *t, char *error, size_t error_size)
{
    const char *picture = o->plot ? strchr(o->plot, '=') : NULL;

    if (o->json && strcmp(o->json, "-") != 0 && output_file_check("--json", o->json, error, error_size))
        return 2;
    if (o->events && check_events(o, t, error, error_size))
        return 2;
    if (picture && output_file_check("--plot", picture + 1, error, error_size))
        return 2;
    return o->plot && check_tools(o, error, error_size) ? 5 : 0;
}

/* ---- pictures ---- */

static int remove_entry(const char *path, const struct stat *st, int type, struct FTW *where)
{
    (void)st, (void)type, (void)where;
    return remove(path);
}

static int run_plot(const char *name, const char *file, const char *json, const char *events)
{
    const char *argv[] = { PYTHON, "-m", "grader", "plot", name, "--result", json, "--events", events,
                           file ? "-o" : NULL, file, NULL };
    int status;
    pid_t pid;

    /* The package is found beside the program, from whichever folder it was called. */
    char python_path[PATH_MAX];
    const char *old = getenv("PYTHONPATH");
    snprintf(python_path, sizeof python_path, "%s%s%s", program_folder(), old ? ":" : "", old ? old : "");
    setenv("PYTHONPATH", python_path, 1);
    fflush(NULL);
    if (posix_spawn(&pid, PYTHON, NULL, NULL, (char *const *)(void *)argv, environ))
        return -1;
    while (waitpid(pid, &status, 0) < 0)
        if (errno != EINTR)
            return -1;
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

int output_plot(const char *spec, const struct result *r, size_t n, char *error, size_t error_size)
{
    const char *base = getenv("TMPDIR"), *equals = strchr(spec, '=');
    char folder[PATH_MAX], json[PATH_MAX], events[PATH_MAX], name[64];
    int rc;

    snprintf(name, sizeof name, "%.*s", equals ? (int)(equals - spec) : 63, spec);
    if (snprintf(folder, sizeof folder - 32, "%s/mdriver-plot-XXXXXX", base && base[0] ? base : "/tmp") >= PATH_MAX - 32
        || !mkdtemp(folder)) {
        snprintf(error, error_size, "no temporary folder for the picture: %s; set TMPDIR", strerror(errno));
        return 5;
    }
    snprintf(json, sizeof json, "%.4000s/result.json", folder);
    snprintf(events, sizeof events, "%.4000s/events", folder);
    if (output_json(json, r, n, error, error_size)
        || (r->count == 1 && n == 1 && mkdir(events, 0777) == 0
                ? (strncat(events, "/trace.tsv", sizeof events - strlen(events) - 1), 0) : 0)
        || output_events(events, r, n, error, error_size)) {
        rc = 5;
    } else {
        rc = run_plot(name, equals ? equals + 1 : NULL, json, events);
        if (rc < 0)
            snprintf(error, error_size, "cannot run " PYTHON " for the picture: %s; install python3", strerror(errno));
        else if (rc > 0)
            snprintf(error, error_size, "no picture '%s' was drawn; the reason stands above", spec);
        rc = rc < 0 ? 5 : rc;
    }
    nftw(folder, remove_entry, 8, FTW_DEPTH | FTW_PHYS);
    return rc;
}
