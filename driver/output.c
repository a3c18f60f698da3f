/* output.c - files that a run leaves, and the pictures made from them. */
#define _GNU_SOURCE
#include "output.h"

#include <errno.h>
#include <ftw.h>
#include <limits.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

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
    char part[PATH_MAX];
    struct stat st;
    int rc = 0;

    if (strcmp(path, "-") == 0) {
        rc = json_dumpf(j, stdout, flags) || putchar('\n') == EOF || fflush(stdout) ? failed(error, error_size, "standard output") : 0;
    } else if (stat(path, &st) == 0 && !S_ISREG(st.st_mode)) { /* a pipe or /dev/stdout: nothing to rename */
        FILE *f = fopen(path, "we");
        if (!f || json_dumpf(j, f, flags) || fclose(f))
            rc = failed(error, error_size, path);
    } else {
        snprintf(part, sizeof part, "%s.part", path);
        if (json_dump_file(j, part, flags) || rename(part, path)) {
            rc = failed(error, error_size, path);
            unlink(part);
        }
    }
    json_decref(j);
    return rc;
}

/* ---- events ---- */

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
        return report_events(path, &r->outcomes[0]) ? failed(error, error_size, path) : 0;
    if (make_folder(path))
        return failed(error, error_size, path);
    for (size_t i = 0; i < n; i++) {
        file_name(name, sizeof name, r[i].image.name);
        if (snprintf(folder, sizeof folder, n > 1 ? "%s/%s" : "%s", path, name) >= (int)sizeof folder || make_folder(folder))
            return failed(error, error_size, folder);
        for (size_t k = 0; k < r[i].count; k++) {
            events_name(name, sizeof name, r[i].outcomes[k].trace->name);
            if (snprintf(file, sizeof file, "%s/%s", folder, name) >= (int)sizeof file
                || report_events(file, &r[i].outcomes[k]))
                return failed(error, error_size, file);
        }
    }
    return 0;
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
