/* report_table.c - a result for people: one table, what failed and why, the score, what to do next. */
#define _GNU_SOURCE
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "plain_text.h"
#include "report.h"
#include "report_text.h"

#define NAME_WIDTH 16 /* of a column; longer traces' names widen theirs, up to LONG_NAME */
#define LONG_NAME 28
#define COLUMNS 55    /* width of the table's other columns */
#define OUTPUT_LINES 12 /* of what an allocator printed, per failing trace */
#define LOG_LINES 40    /* of what the compiler said */
#define FAILURES 6      /* described without -v: most have the same cause */

enum colour { PLAIN, GOOD, BAD, NOTE, DIM };

static const char *const codes[] = { "", "\033[32m", "\033[31m", "\033[33m", "\033[2m" };

struct page {
    FILE *out;
    const struct table_options *options;
    int name, verdict; /* widths of columns */
    int narrow;        /* the terminal has no room for all columns: those that matter most */
};

__attribute__((format(printf, 3, 4)))
static void write_in(const struct page *p, enum colour colour, const char *format, ...)
{
    int on = p->options->colour && colour != PLAIN;
    va_list args;

    if (on)
        fputs(codes[colour], p->out);
    va_start(args, format);
    vfprintf(p->out, format, args);
    va_end(args);
    if (on)
        fputs("\033[0m", p->out);
}

/* A sentence of ours, wrapped to the terminal. */
__attribute__((format(printf, 3, 4)))
static void say(const struct page *p, const char *indent, const char *format, ...)
{
    char text[512];
    va_list args;

    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    print_wrapped(p->out, text, indent, p->options->width);
}

/* ---- the table ---- */

static void table_head(const struct page *p)
{
    fprintf(p->out, "%-*s %-*s %8s", p->name, "trace", p->verdict, "verdict", "requests");
    if (!p->narrow)
        fprintf(p->out, " %7s %7s", "payload", "heap");
    fprintf(p->out, " %6s %6s", "util", "of max");
    if (!p->narrow)
        fprintf(p->out, " %7s", "Kops");
    fprintf(p->out, " %6s", "speed");
    if (p->options->verbosity > 0)
        fprintf(p->out, " %6s %4s", "+-", "runs");
    if (p->options->verbosity > 1)
        fprintf(p->out, " %6s %6s %7s %7s %6s", "max", "header", "outside", "breaks", "weight");
    putc('\n', p->out);
}

static void table_row(const struct page *p, const struct outcome *o)
{
    static const char *const weights[] = { "none", "both", "util", "speed" };
    const struct record *k = &o->record;
    int ok = k->verdict == VERDICT_OK;

    fprintf(p->out, "%-*s ", p->name, short_name(o->trace->name, (size_t)p->name));
    write_in(p, ok ? GOOD : BAD, "%-*s", p->verdict, verdict_word(k->verdict));
    fprintf(p->out, " %8zu", o->trace->count);
    if (!p->narrow)
        fprintf(p->out, " %7s %7s", bytes_text(o->trace->peak_payload), ok ? bytes_text(record_heap(k)) : "-");
    fprintf(p->out, " %6s %6s", percent(ok, o->utilization),
            percent(ok && o->ceiling > 0, o->ceiling > 0 ? o->utilization / o->ceiling : 0));
    if (o->timed && !p->narrow)
        fprintf(p->out, " %7.0f", o->kops);
    else if (!p->narrow)
        fprintf(p->out, " %7s", "-");
    if (o->timed && o->relative > 0)
        fprintf(p->out, " %6.2f", o->relative);
    else
        fprintf(p->out, " %6s", "-");
    if (p->options->verbosity > 0)
        fprintf(p->out, " %6s %4zu", percent(o->timed, k->relative_error), k->repetitions);
    if (p->options->verbosity > 1)
        fprintf(p->out, " %6s %6s %7s %7llu %6s", percent(1, o->ceiling), percent(1, o->header_ceiling),
                bytes_text(k->outside), (unsigned long long)k->break_moves, weights[o->trace->weight]);
    putc('\n', p->out);
}

static void table_foot(const struct page *p, const struct result *r)
{
    const struct score *s = &r->score;
    char kops[24] = "-", relative[24] = "-", valid[32];

    if (s->has_kops)
        snprintf(kops, sizeof kops, "%.0f", s->kops);
    if (s->has_relative)
        snprintf(relative, sizeof relative, "%.2f", s->relative);
    snprintf(valid, sizeof valid, "%zu of %zu", s->valid, s->scored);
    int of_ceiling = r->course->utilization.of == OF_CEILING;
    fprintf(p->out, "%-*s %-*s %8s", p->name, "mean of scored", p->verdict, valid, "");
    if (!p->narrow)
        fprintf(p->out, " %7s %7s", "", "");
    fprintf(p->out, " %6s %6s", of_ceiling ? "" : percent(s->has_utilization, s->utilization),
            of_ceiling ? percent(s->has_utilization, s->utilization) : "");
    if (!p->narrow)
        fprintf(p->out, " %7s", kops);
    fprintf(p->out, " %6s\n\n", relative);
    snprintf(valid, sizeof valid, "%lld", (long long)r->course->alignment);
    say(p, "  ", "util: peak payload / heap.  of max: of what %s-byte alignment makes possible.", valid);
    if (r->reference)
        say(p, "  ", "speed: relative to %s", r->reference);
    if (p->narrow)
        say(p, "  ", "-v: all columns");
    if (p->options->verbosity > 1)
        say(p, "  ", "%s", "max, header: utilization of a perfect allocator without headers; with 8-byte headers and "
            "blocks of at least 32 bytes.");
}

/* ---- failures ---- */

/* The command on a line of its own, to be copied whole. */
static void hint(const struct page *p, const char *text)
{
    const char *command = strstr(text, ": ./mdriver ");
    char why[sizeof ((struct record *)0)->hint];

    snprintf(why, sizeof why, "%.*s", command ? (int)(command - text) + 1 : (int)sizeof why - 1, text);
    print_wrapped(p->out, why, "  ", p->options->width);
    if (command) {
        const char *program = p->options->program;
        fprintf(p->out, "    %s ", program[strcspn(program, " \t\n'\"\\$`;&|<>()*?[#~!")] ? "./mdriver" : program);
        print_lines(p->out, command + strlen(": ./mdriver "), "", -1);
    }
}

static void failure(const struct page *p, const struct outcome *o)
{
    const struct record *k = &o->record;

    putc('\n', p->out);
    write_in(p, BAD, "%s", verdict_word(k->verdict));
    fputs("  ", p->out);
    print_lines(p->out, o->trace->path, "", -1);
    if (k->line)
        fprintf(p->out, "  line %u, request %zu of %zu\n", k->line, k->request, o->trace->count);
    print_wrapped(p->out, k->message, "  ", p->options->width);
    if (k->output && k->output[0]) {
        fprintf(p->out, "  It printed%s:\n", k->output_cut ? " (the first and the last of it are kept)" : "");
        print_lines(p->out, k->output, "    | ", OUTPUT_LINES);
    }
    hint(p, k->hint);
}

static void failures(const struct page *p, const struct result *r)
{
    int seen[VERDICT_COUNT] = { 0 };
    size_t any = 0;

    for (size_t i = 0; i < r->count; i++) {
        enum verdict v = r->outcomes[i].record.verdict;
        if (v == VERDICT_OK || v == VERDICT_SKIPPED)
            continue;
        if (any++ < FAILURES || p->options->verbosity > 0)
            failure(p, &r->outcomes[i]);
        seen[v] = 1;
    }
    if (!any)
        return;
    if (any > FAILURES && p->options->verbosity == 0)
        fprintf(p->out, "\n%zu more traces fail, see the table; -v describes each.\n", any - FAILURES);
    fprintf(p->out, "\nWhat the words mean\n");
    for (int v = 0; v < VERDICT_COUNT; v++)
        if (seen[v])
            fprintf(p->out, "  %-12s %s\n", verdict_word((enum verdict)v), verdict_text((enum verdict)v));
}

/* ---- the score ---- */

static void findings(const struct page *p, const struct result *r)
{
    for (size_t i = 0; i < r->build.findings.count; i++) {
        const struct finding *f = &r->build.findings.item[i];
        if (f->fatal)
            continue;
        write_in(p, NOTE, "rule");
        if (f->line)
            fprintf(p->out, "  line %u:", f->line);
        putc(' ', p->out);
        print_lines(p->out, f->sentence, " ", -1);
        if (f->points > 0)
            fprintf(p->out, "      %.1f points off\n", f->points);
    }
}

static void points(const struct page *p, const struct result *r)
{
    const struct score *s = &r->score;

    putc('\n', p->out);
    for (size_t i = 0; i < s->part_count; i++) {
        const struct score_part *part = &s->part[i];
        fprintf(p->out, "  %-*s ", NAME_WIDTH, part->name);
        if (!part->known && s->invalid == 0)
            fprintf(p->out, "%6s", "-");
        else
            fprintf(p->out, "%6.1f", part->points);
        if (part->max > 0)
            fprintf(p->out, " of %.0f", part->max);
        putc('\n', p->out);
    }
    if (s->deduction > 0)
        fprintf(p->out, "  %-*s %6.1f\n", NAME_WIDTH, "static rules", -s->deduction);
    fprintf(p->out, "  %-*s ", NAME_WIDTH, r->checkpoint ? "index (checkpoint)" : "index");
    if (!s->has_index)
        fprintf(p->out, "%6s   (%s)", "-", !s->scored ? "no trace here counts for the score" : s->has_kops
                ? "no reference to compare with" : "not timed");
    else
        write_in(p, s->invalid ? BAD : GOOD, "%6.1f", s->index);
    if (s->has_index && s->max_index > 0)
        fprintf(p->out, " of %.0f", s->max_index);
    if (s->invalid)
        fprintf(p->out, "   %zu of %zu traces invalid", s->invalid, s->correct + s->invalid);
    putc('\n', p->out);
    if (strcmp(r->sandbox, "full") != 0)
        write_in(p, NOTE, "  --no-sandbox: this result is untrusted\n");
}

/* ---- latency ---- */

static void latency_table(const struct page *p, const struct result *r)
{
    static const char *const kinds[] = { "malloc", "calloc", "realloc", "free" };
    int any = 0;

    for (size_t i = 0; i < r->count; i++) {
        for (size_t k = 0; k < 4; k++) {
            const struct latency *l = &r->outcomes[i].record.latency[k];
            if (l->count == 0)
                continue;
            if (!any++)
                fprintf(p->out, "\nCost of single requests, nanoseconds\n  %-14s %-7s %8s %6s %6s %6s %7s  %s\n",
                        "trace", "kind", "count", "p50", "p99", "p99.9", "max", "request (line)");
            fprintf(p->out, "  %-14s %-7s %8zu %6.0f %6.0f %6.0f %7.0f  %zu (%u)\n",
                    short_name(r->outcomes[i].trace->name, 14), kinds[k], l->count, l->p50, l->p99, l->p999,
                    l->max, l->max_request + 1, r->outcomes[i].trace->requests[l->max_request].line);
        }
    }
}

/* ---- a collector's pauses ---- */

static void pauses_table(const struct page *p, const struct result *r)
{
    int any = 0;

    for (size_t i = 0; i < r->count; i++) {
        const struct outcome *o = &r->outcomes[i];
        const struct pauses *k = &o->record.pauses;
        if (k->count == 0)
            continue;
        if (!any++)
            fprintf(p->out, "\nPauses for garbage collection, microseconds\n  %-*s %9s %11s %9s %9s %9s\n", NAME_WIDTH,
                    "trace", "pauses", "in all", "mean", "longest", "of time");
        fprintf(p->out, "  %-*s %9llu %11.0f %9.1f %9.1f %9s\n", NAME_WIDTH, short_name(o->trace->name, NAME_WIDTH),
                (unsigned long long)k->count, k->total * 1e6, k->total * 1e6 / (double)k->count, k->longest * 1e6,
                percent(o->timed, o->record.best_seconds > 0 ? k->total / o->record.best_seconds : 0));
    }
}

static void disagreements(const struct page *p, const struct result *r)
{
    for (size_t i = 0; i < r->count; i++) {
        const struct record *k = &r->outcomes[i].record;
        if (k->cpu_seconds > 0 && k->cpu_reference > 0
            && timing_disagree(k->cpu_reference / k->cpu_seconds, r->outcomes[i].relative))
            write_in(p, NOTE, "  %s: CPU time says %.2f times the reference's speed and instructions %.2f; a person "
                     "should look\n", short_name(r->outcomes[i].trace->name, NAME_WIDTH),
                     k->cpu_reference / k->cpu_seconds, r->outcomes[i].relative);
    }
}

/* ---- the whole ---- */

/* As the classic driver printed it. */
static void team(const struct page *p, const struct build *b)
{
    char line[192];

    for (size_t i = 0; i < b->team_count; i += i ? 2 : 1) {
        const char *id = i + 1 < b->team_count ? b->team[i + 1] : "";
        if (!b->team[i][0])
            continue;
        if (i == 0)
            snprintf(line, sizeof line, "Team Name:%s", b->team[0]);
        else
            snprintf(line, sizeof line, "Member %zu :%s:%s", (i + 1) / 2, b->team[i], id);
        plain_text(line, strlen(line)); /* a stranger's words */
        print_lines(p->out, line, "  ", -1);
    }
}

static void head(const struct page *p, const struct result *r)
{
    print_lines(p->out, r->image.name[0] ? r->image.name : "?", "", -1);
    int timed_otherwise = strcmp(r->clock, "cpu") != 0, has_static = r->image.static_bytes > 0;
    say(p, "  ", "%d-bit, course %s%s%s%s%s%s%s%s", r->image.bits, r->course->name,
        r->reference ? ", speed relative to " : "", r->reference ? r->reference : "",
        timed_otherwise ? ", clock " : "", timed_otherwise ? r->clock : "",
        has_static ? ", " : "", has_static ? bytes_text(r->image.static_bytes) : "",
        has_static ? " bytes of static data" : "");
    if (r->course_reason && r->course_reason[0])
        print_lines(p->out, r->course_reason, "  ", -1);
    if (r->build.text[0])
        print_lines(p->out, r->build.text, "  ", -1);
    team(p, &r->build);
    if (p->options->verbosity > 1 && r->image.flags_used)
        print_lines(p->out, r->image.flags_used, "  ", -1);
}

static void build_failure(const struct page *p, const struct result *r)
{
    write_in(p, BAD, "build");
    fputs("  ", p->out);
    print_lines(p->out, r->build_error, "", -1);
    if (r->image.build_log && r->image.build_log[0])
        print_lines(p->out, r->image.build_log, "  | ", LOG_LINES);
    if (p->options->verbosity > 1 && r->image.link_log && r->image.link_log[0])
        print_lines(p->out, r->image.link_log, "  | ", LOG_LINES);
}

void report_table(FILE *out, const struct result *r, const struct table_options *options)
{
    struct page p = { out, options, (int)strlen("mean of scored"), 9, 0 };

    for (size_t i = 0; i < r->count; i++) {
        int name = (int)strlen(short_name(r->outcomes[i].trace->name, LONG_NAME));
        int verdict = (int)strlen(verdict_word(r->outcomes[i].record.verdict));
        p.name = name > p.name ? name : p.name;
        p.verdict = verdict > p.verdict ? verdict : p.verdict;
    }
    p.narrow = options->width > 0 && options->width < p.name + p.verdict + COLUMNS && options->verbosity <= 0;
    if (r->verdict == VERDICT_BUILD) {
        build_failure(&p, r);
        findings(&p, r);
        return;
    }
    head(&p, r);
    if (options->verbosity > 1 && r->image.build_log && r->image.build_log[0])
        print_lines(out, r->image.build_log, "  | ", LOG_LINES);
    putc('\n', out);
    table_head(&p);
    for (size_t i = 0; i < r->count; i++)
        table_row(&p, &r->outcomes[i]);
    table_foot(&p, r);
    failures(&p, r);
    size_t prints = 0;
    for (size_t i = 0; i < r->count; i++) {
        const struct outcome *o = &r->outcomes[i];
        prints += o->timed && o->record.output && o->record.output[0];
        if (options->verbosity > 0 && o->record.verdict == VERDICT_OK && o->record.output && o->record.output[0]) {
            fprintf(out, "\nOn %s it printed:\n", short_name(o->trace->name, NAME_WIDTH));
            print_lines(out, o->record.output, "  | ", OUTPUT_LINES);
        }
        if (o->trace->warnings && (options->verbosity > 0 || o->trace->cut_short))
            print_lines(out, o->trace->warnings, "  note: ", -1);
        if (o->record.verdict == VERDICT_SKIPPED)
            fprintf(out, "  note: %s: %s\n", short_name(o->trace->name, NAME_WIDTH), o->record.message);
        else if (o->trace->scale_shift && !options->verbosity)
            fprintf(out, "  note: sizes in %s were divided by 2^%u to fit the address space\n",
                    short_name(o->trace->name, NAME_WIDTH), o->trace->scale_shift);
    }
    if (prints && options->verbosity == 0)
        say(&p, "  ", "note: it prints on %zu of the timed traces, and the time for that counts; -v shows what",
            prints);
    latency_table(&p, r);
    pauses_table(&p, r);
    report_peers(out, r);
    disagreements(&p, r);
    findings(&p, r);
    points(&p, r);
}

void report_summary(FILE *out, const struct result *r, size_t n, const struct table_options *options)
{
    const struct page p = { out, options, NAME_WIDTH, 12, options->width > 0 && options->width < 70 };

    fprintf(out, "\n%-*s %-*s %7s %7s", p.name, "allocator", p.verdict, "verdict", "valid", "util");
    if (!p.narrow)
        fprintf(out, " %7s", "Kops");
    fprintf(out, " %6s %6s\n", "speed", "index");
    for (size_t i = 0; i < n; i++) {
        const struct score *s = &r[i].score;
        char valid[32], kops[24] = "-", relative[24] = "-", index[24] = "-";
        snprintf(valid, sizeof valid, "%zu/%zu", s->valid, s->scored);
        if (s->has_kops)
            snprintf(kops, sizeof kops, "%.0f", s->kops);
        if (s->has_relative)
            snprintf(relative, sizeof relative, "%.2f", s->relative);
        if (s->has_index)
            snprintf(index, sizeof index, "%.1f", s->index);
        fprintf(out, "%-*s ", p.name, short_name(r[i].image.name, (size_t)p.name));
        write_in(&p, r[i].verdict == VERDICT_OK ? GOOD : BAD, "%-*s", p.verdict, verdict_word(r[i].verdict));
        fprintf(out, " %7s %7s", valid, percent(s->has_utilization, s->utilization));
        if (!p.narrow)
            fprintf(out, " %7s", kops);
        fprintf(out, " %6s %6s\n", relative, index);
    }
}
