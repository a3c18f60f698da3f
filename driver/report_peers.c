/* report_peers.c - the submission beside real allocators, as a table and as JSON. */
#include <string.h>

#include "report.h"

#define ROWS 8

/* Sums over traces of one allocator's figures. */
struct row {
    char name[32];
    size_t traces, compared;
    double utilization, nanoseconds, slowness; /* slowness: seconds over libc's */
};

static const struct peer_figure *find(const struct record *r, const char *name)
{
    for (size_t i = 0; i < r->peer_count; i++)
        if (!strcmp(r->peers[i].name, name))
            return &r->peers[i];
    return NULL;
}

static void add(struct row rows[ROWS], const struct peer_figure *f, const struct outcome *o)
{
    const struct peer_figure *libc = find(&o->record, "libc");
    size_t i = 0;

    while (i < ROWS - 1 && rows[i].name[0] && strcmp(rows[i].name, f->name))
        i++;
    memcpy(rows[i].name, f->name, sizeof rows[i].name);
    rows[i].traces++;
    rows[i].utilization += f->memory ? (double)o->record.peak_payload / (double)f->memory : 0;
    rows[i].nanoseconds += o->trace->count ? f->seconds / (double)o->trace->count * 1e9 : 0;
    if (libc && libc->seconds > 0 && f->seconds > 0) {
        rows[i].compared++;
        rows[i].slowness += f->seconds / libc->seconds;
    }
}

void report_peers(FILE *out, const struct result *r)
{
    struct row rows[ROWS] = { 0 };

    for (size_t i = 0; i < r->count; i++)
        for (size_t k = 0; k < r->outcomes[i].record.peer_count; k++)
            add(rows, &r->outcomes[i].record.peers[k], &r->outcomes[i]);
    if (!rows[0].traces)
        return;
    fprintf(out, "\nBeside real allocators (caches are warm; util of real ones: of resident memory)\n"
                 "  %-14s %6s  %6s  %10s  %12s\n",
            "allocator", "traces", "util", "ns/request", "speed / libc");
    for (size_t i = 0; i < ROWS && rows[i].traces; i++) {
        double n = (double)rows[i].traces;
        fprintf(out, "  %-14s %6zu  %5.1f%%  %10.1f", rows[i].name, rows[i].traces,
                100 * rows[i].utilization / n, rows[i].nanoseconds / n);
        if (rows[i].compared)
            fprintf(out, "  %12.2f\n", (double)rows[i].compared / rows[i].slowness);
        else
            fprintf(out, "  %12s\n", "-");
    }
}

json_t *report_peers_json(const struct record *r)
{
    json_t *all = json_object();

    for (size_t i = 0; i < r->peer_count; i++)
        json_object_set_new(all, r->peers[i].name,
                            json_pack("{s:f, s:I}", "seconds", r->peers[i].seconds, "memory",
                                      (json_int_t)r->peers[i].memory));
    return all;
}
