/* trace_set.c - which trace files a run is about. */
#define _GNU_SOURCE
#include "trace_set.h"

#include <errno.h>
#include <fts.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static int add(struct trace_set *s, const char *path, char *error, size_t error_size)
{
    struct trace *more = realloc(s->traces, (s->count + 1) * sizeof *more);

    if (!more) {
        snprintf(error, error_size, "%s: out of memory", path);
        return -1;
    }
    s->traces = more;
    if (trace_load(&s->traces[s->count], path, error, error_size))
        return -1;
    s->requests += s->traces[s->count++].count;
    return 0;
}

static int ends_in(const char *name, const char *ending)
{
    size_t n = strlen(name), m = strlen(ending);

    return n > m && strcmp(name + n - m, ending) == 0;
}

static int by_path(const FTSENT **a, const FTSENT **b) { return strcmp((*a)->fts_name, (*b)->fts_name); }

static int add_folder(struct trace_set *s, const char *folder, char *error, size_t error_size)
{
    char *const roots[] = { (char *)(size_t)folder, NULL };
    FTS *walk = fts_open(roots, FTS_PHYSICAL | FTS_NOCHDIR, by_path);
    int rc = walk ? 0 : -1;

    if (!walk)
        snprintf(error, error_size, "%s: %s", folder, strerror(errno));
    for (FTSENT *e; rc == 0 && (e = fts_read(walk)) != NULL;) {
        if (e->fts_info == FTS_D && e->fts_level > 0 && e->fts_name[0] == '.')
            fts_set(walk, e, FTS_SKIP);
        else if (e->fts_info == FTS_DNR || e->fts_info == FTS_NS || e->fts_info == FTS_ERR) {
            snprintf(error, error_size, "%s: %s; give a folder of traces to -t", e->fts_path, strerror(e->fts_errno));
            rc = -1;
        } else if ((e->fts_info == FTS_F || e->fts_info == FTS_SL) && e->fts_name[0] != '.'
                   && (ends_in(e->fts_name, ".rep") || ends_in(e->fts_name, ".rep.gz")))
            rc = add(s, e->fts_path, error, error_size);
    }
    if (walk)
        fts_close(walk);
    if (rc == 0 && s->count == 0) {
        snprintf(error, error_size, "%s: no .rep or .rep.gz file there; name traces with -f, or their folder with -t",
                 folder);
        rc = -1;
    }
    return rc;
}

int trace_set_load(struct trace_set *s, const char *const *files, size_t count, const char *folder,
                   char *error, size_t error_size)
{
    char path[PATH_MAX];
    int rc = 0;

    *s = (struct trace_set){ 0 };
    for (size_t i = 0; i < count && rc == 0; i++) {
        int n = folder && access(files[i], F_OK) ? snprintf(path, sizeof path, "%s/%s", folder, files[i]) : -1;
        rc = add(s, n > 0 && n < (int)sizeof path && access(path, F_OK) == 0 ? path : files[i], error, error_size);
    }
    if (count == 0)
        rc = add_folder(s, folder, error, error_size);
    if (rc)
        trace_set_free(s);
    return rc;
}

void trace_set_free(struct trace_set *s)
{
    for (size_t i = 0; i < s->count; i++)
        trace_free(&s->traces[i]);
    free(s->traces);
    *s = (struct trace_set){ 0 };
}
