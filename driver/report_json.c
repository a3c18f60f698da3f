/* report_json.c - a result as JSON, and as the platforms' last line. */
#define _GNU_SOURCE
#include "report.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* A finite number, without a negative zero. */
static json_t *number(double value) { return json_real(isfinite(value) && value != 0 ? value : 0.0); }

static json_t *number_if(int known, double value) { return known ? number(value) : json_null(); }

/* Text of any bytes: what is not UTF-8 becomes '?'. */
static json_t *text(const char *s)
{
    json_t *value = json_string(s ? s : "");

    if (value)
        return value;
    char *copy = strdup(s);
    for (char *p = copy; copy && *p; p++)
        if ((unsigned char)*p >= 0x80)
            *p = '?';
    value = json_string(copy ? copy : "");
    free(copy);
    return value;
}

static json_t *numbers(const double *values, size_t n)
{
    json_t *list = json_array();

    for (size_t i = 0; values && i < n; i++)
        json_array_append_new(list, number(values[i]));
    return list;
}

static json_t *latencies(const struct record *r)
{
    static const char *const names[] = { "malloc", "calloc", "realloc", "free" };
    json_t *all = json_object();

    for (size_t k = 0; k < 4; k++) {
        const struct latency *l = &r->latency[k];
        if (l->count == 0)
            continue;
        json_object_set_new(all, names[k], json_pack("{s:I, s:o, s:o, s:o, s:o, s:I}",
            "count", (json_int_t)l->count, "p50", number(l->p50), "p99", number(l->p99), "p999", number(l->p999),
            "max", number(l->max), "max_request", (json_int_t)l->max_request + 1));
    }
    return all;
}

static json_t *pauses(const struct record *r)
{
    if (r->pauses.count == 0)
        return json_null();
    return json_pack("{s:I, s:o, s:o}", "count", (json_int_t)r->pauses.count, "total", number(r->pauses.total),
                     "longest", number(r->pauses.longest));
}

/* Whether the verdict is about one place in the heap, so that the record's address tells it. */
static int has_place(const struct record *r)
{
    switch (r->verdict) {
    case VERDICT_MISALIGNED: case VERDICT_OUTSIDE: case VERDICT_OVERLAP: case VERDICT_DAMAGED: case VERDICT_LOST:
    case VERDICT_NOT_ZERO: case VERDICT_PAST_BREAK:
        return r->address != OFFSET_NULL;
    default:
        return 0;
    }
}

static json_t *trace_json(const struct outcome *o)
{
    static const char *const weights[] = { "none", "both", "util", "speed" };
    const struct trace *t = o->trace;
    const struct record *r = &o->record;
    json_t *j = json_object();

    json_object_set_new(j, "name", text(t->name));
    json_object_set_new(j, "path", text(t->path));
    json_object_set_new(j, "weight", json_string(weights[t->weight]));
    json_object_set_new(j, "verdict", json_string(verdict_word(r->verdict)));
    json_object_set_new(j, "message", text(r->message));
    json_object_set_new(j, "hint", text(r->hint));
    json_object_set_new(j, "line", json_integer((json_int_t)r->line));
    json_object_set_new(j, "request", json_integer((json_int_t)r->request));
    json_object_set_new(j, "address", has_place(r) ? json_integer((json_int_t)r->address) : json_null());
    json_object_set_new(j, "requests", json_integer((json_int_t)t->count));
    json_object_set_new(j, "peak_payload", json_integer((json_int_t)t->peak_payload));
    json_object_set_new(j, "scale_shift", json_integer((json_int_t)t->scale_shift));
    json_object_set_new(j, "heap", json_integer((json_int_t)record_heap(r)));
    json_object_set_new(j, "outside", json_integer((json_int_t)r->outside));
    json_object_set_new(j, "break_moves", json_integer((json_int_t)r->break_moves));
    json_object_set_new(j, "utilization", number(o->utilization));
    json_object_set_new(j, "ceiling", number(o->ceiling));
    json_object_set_new(j, "header_ceiling", number(o->header_ceiling));
    json_object_set_new(j, "seconds", number_if(o->timed, r->best_seconds));
    json_object_set_new(j, "kops", number_if(o->timed, o->kops));
    json_object_set_new(j, "relative", number_if(o->timed && o->relative > 0, o->relative));
    json_object_set_new(j, "relative_error", number_if(o->timed, r->relative_error));
    json_object_set_new(j, "repetitions", numbers(r->seconds, r->repetitions));
    json_object_set_new(j, "reference_repetitions",
                        numbers(r->reference_seconds, r->best_reference > 0 ? r->repetitions : 0));
    if (r->cpu_seconds > 0) { /* --clock=instructions: what the CPU clock says beside it */
        double relative = r->cpu_reference / r->cpu_seconds;
        json_object_set_new(j, "cpu_seconds", number(r->cpu_seconds));
        json_object_set_new(j, "cpu_relative", number_if(relative > 0, relative));
        json_object_set_new(j, "clocks_disagree", json_boolean(timing_disagree(relative, o->relative)));
    }
    json_object_set_new(j, "latency", latencies(r));
    json_object_set_new(j, "pauses", pauses(r));
    if (r->peers)
        json_object_set_new(j, "peers", report_peers_json(r));
    json_object_set_new(j, "output", text(r->output));
    return j;
}

static json_t *score_json(const struct score *s)
{
    json_t *parts = json_array();

    for (size_t i = 0; i < s->part_count; i++)
        json_array_append_new(parts, json_pack("{s:s, s:o, s:o}", "name", s->part[i].name,
            "points", number_if(s->part[i].known || s->invalid > 0, s->part[i].points),
            "max", number_if(s->part[i].max > 0, s->part[i].max)));
    return json_pack("{s:o, s:o, s:o, s:o, s:o, s:o, s:I, s:I, s:I, s:o}",
        "utilization", number_if(s->has_utilization, s->utilization), "kops", number_if(s->has_kops, s->kops),
        "relative", number_if(s->has_relative, s->relative), "index", number_if(s->has_index, s->index),
        "max_index", number_if(s->max_index > 0, s->max_index), "deduction", number(s->deduction),
        "valid", (json_int_t)s->valid, "scored", (json_int_t)s->scored, "invalid", (json_int_t)s->invalid,
        "parts", parts);
}

json_t *report_json(const struct result *r)
{
    const struct runner_image *m = &r->image;
    json_t *j = json_object(), *traces = json_array(), *findings = json_array(), *team = json_array();

    for (size_t i = 0; i < r->count; i++)
        json_array_append_new(traces, trace_json(&r->outcomes[i]));
    for (size_t i = 0; i < r->build.findings.count; i++) {
        const struct finding *f = &r->build.findings.item[i];
        json_array_append_new(findings, json_pack("{s:s, s:o, s:i, s:o}", "rule", f->rule,
                                                  "sentence", text(f->sentence), "line", (int)f->line,
                                                  "points", number(f->points)));
    }
    for (size_t i = 0; i < r->build.team_count; i++)
        json_array_append_new(team, text(r->build.team[i]));
    json_object_set_new(j, "schema", json_integer(1));
    json_object_set_new(j, "tool", json_string("mdriver 1.0"));
    json_object_set_new(j, "course", text(r->course->name));
    json_object_set_new(j, "course_reason", text(r->course_reason));
    json_object_set_new(j, "checkpoint", json_boolean(r->checkpoint));
    json_object_set_new(j, "clock", json_string(r->clock));
    json_object_set_new(j, "sandbox", json_string(r->sandbox));
    json_object_set_new(j, "submission", json_pack("{s:o, s:o, s:s, s:i, s:o, s:I, s:o, s:o, s:o, s:o}",
        "name", text(m->name), "path", text(m->path), "sha256", m->sha256, "bits", m->bits,
        "bits_reason", text(r->build.text), "static_bytes", (json_int_t)m->static_bytes,
        "flags", text(m->flags_used), "build_log", text(m->build_log), "link_log", text(m->link_log), "team", team));
    json_object_set_new(j, "verdict", json_string(verdict_word(r->verdict)));
    json_object_set_new(j, "message", text(r->build_error));
    json_object_set_new(j, "reference", r->reference ? text(r->reference) : json_null());
    json_object_set_new(j, "traces", traces);
    json_object_set_new(j, "score", score_json(&r->score));
    json_object_set_new(j, "findings", findings);
    return j;
}

/* ---- the platform line ---- */

void report_autoresult(char *out, size_t size, const struct result *r)
{
    const struct score *s = &r->score;
    const struct { const char *name; double value; int decimals; } values[] = {
        { "score", s->index, 1 }, { "raw", s->raw >= r->course->zero_below ? s->raw : 0, 1 }, { "index", s->raw, 1 },
        { "kops", s->kops, 0 }, { "util", s->utilization * 100, 1 }, { "correct", (double)s->correct, 0 },
        { "deduction", s->deduction, 1 },
    };
    size_t n = 0;

    out[0] = '\0';
    for (const char *p = r->course->autoresult; *p && n + 64 < size;) {
        size_t k = sizeof values / sizeof *values;
        if (*p == '$')
            for (k = 0; k < sizeof values / sizeof *values; k++)
                if (strncmp(p + 1, values[k].name, strlen(values[k].name)) == 0)
                    break;
        if (k == sizeof values / sizeof *values) {
            out[n++] = *p++;
            out[n] = '\0';
            continue;
        }
        int minus = n && out[n - 1] == '-'; /* "-$deduction" of nothing is 0, not -0 */
        if (minus && values[k].value == 0)
            n--;
        n += (size_t)snprintf(out + n, size - n, "%.*f", values[k].decimals, values[k].value);
        p += 1 + strlen(values[k].name);
    }
}

/* ---- events ---- */

void report_events(FILE *out, const struct outcome *o)
{
    static const char *const kinds[] = { "malloc", "calloc", "realloc", "free" };
    const struct trace *t = o->trace;
    uint64_t live = 0;

    fprintf(out, "request\tline\tkind\tid\tsize\toffset\tbrk\tlive\n");
    for (size_t i = 0; i < t->count && i < o->record.answered; i++) {
        const struct request *q = &t->requests[i];
        const struct answer *a = &o->record.answers[i];
        if (q->ref != REF_NULL)
            live -= t->requests[q->ref].size;
        if (request_makes_block(q))
            live += q->size;
        fprintf(out, "%zu\t%u\t%s\t%d\t%llu\t", i + 1, q->line, kinds[q->kind], q->id, (unsigned long long)q->size);
        if (a->offset == OFFSET_NULL)
            fprintf(out, "-");
        else
            fprintf(out, "%llu", (unsigned long long)a->offset);
        fprintf(out, "\t%llu\t%llu\n", (unsigned long long)a->brk, (unsigned long long)live);
    }
}
