/* score.c - means, thresholds and points. */
#include "score.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define HEADER_BYTES 8
#define HEADER_MINIMUM 32

static double fraction(uint64_t part, uint64_t whole)
{
    return whole ? (double)part / (double)whole : part ? 0 : 1;
}

void outcome_measure(struct outcome *o, uint64_t alignment)
{
    const struct trace *t = o->trace;
    const struct record *r = &o->record;

    o->ceiling = fraction(t->peak_payload, trace_peak_aligned(t, alignment));
    o->header_ceiling = fraction(t->peak_payload,
                                 trace_peak_headers(t, HEADER_BYTES, alignment, HEADER_MINIMUM));
    o->utilization = r->verdict == VERDICT_OK ? fraction(r->peak_payload, record_heap(r)) : 0;
    o->timed = r->verdict == VERDICT_OK && r->best_seconds > 0;
    o->kops = o->timed ? (double)t->count / r->best_seconds / 1000 : 0;
    o->relative = o->timed && r->best_reference > 0 ? r->best_reference / r->best_seconds : 0;
}

double mean_of(enum mean mean, const double *values, size_t n)
{
    double sum = 0;

    for (size_t i = 0; i < n; i++) {
        if (mean != MEAN_ARITHMETIC && values[i] <= 0)
            return 0;
        sum += mean == MEAN_HARMONIC ? 1 / values[i] : mean == MEAN_GEOMETRIC ? log(values[i]) : values[i];
    }
    if (n == 0)
        return 0;
    return mean == MEAN_HARMONIC ? (double)n / sum : mean == MEAN_GEOMETRIC ? exp(sum / (double)n) : sum / (double)n;
}

double part_points(const struct part *part, double value)
{
    double x = (value - part->low) / (part->high - part->low);

    if (!(x > 0))
        return 0;
    if (x > 1 && !part->unbounded)
        x = 1;
    return part->points * pow(x, part->power);
}

/* ---- weights ---- */

/* Which of the course's scored files a trace is, or -1. */
static int scored_as(const struct course *course, const struct trace *t)
{
    size_t length = strlen(t->name);

    if (length > 3 && strcmp(t->name + length - 3, ".gz") == 0)
        length -= 3;
    for (size_t i = 0; i < course->scored_count; i++)
        if (strlen(course->scored[i]) == length && strncmp(t->name, course->scored[i], length) == 0)
            return (int)i;
    return -1;
}

void score_weigh(const struct course *course, struct trace *traces, size_t n, int from_folder,
                 char *note, size_t note_size)
{
    size_t found = 0;
    const char *absent = NULL;

    note[0] = '\0';
    for (size_t i = 0; i < n; i++) {
        traces[i].weight = course->weights == WEIGHTS_EQUAL ? WEIGHT_BOTH : traces[i].weight;
        found += from_folder && scored_as(course, &traces[i]) >= 0;
    }
    if (found == 0)
        return;
    for (size_t i = 0; i < n; i++)
        if (scored_as(course, &traces[i]) < 0)
            traces[i].weight = WEIGHT_NONE;
    for (size_t k = 0; k < course->scored_count && !absent; k++) {
        size_t i = 0;
        while (i < n && scored_as(course, &traces[i]) != (int)k)
            i++;
        absent = i == n ? course->scored[k] : NULL;
    }
    if (absent)
        snprintf(note, note_size, "course %s scores %zu files by name, of which %zu are here; missing is %s",
                 course->name, course->scored_count, found, absent);
    else if (found < n)
        snprintf(note, note_size, "course %s scores %zu of these %zu traces; the others must only be valid",
                 course->name, found, n);
}

/* ---- the three measures over a set of traces ---- */

enum column { COLUMN_UTILIZATION, COLUMN_KOPS, COLUMN_REFERENCE_KOPS, COLUMN_RELATIVE };

static double value_of(const struct outcome *o, enum column column, const struct course *course)
{
    switch (column) {
    case COLUMN_UTILIZATION:
        return course->utilization.of == OF_CEILING ? o->utilization / o->ceiling : o->utilization;
    case COLUMN_KOPS:
        return o->kops;
    case COLUMN_REFERENCE_KOPS:
        return o->record.best_reference > 0 ? (double)o->trace->count / o->record.best_reference / 1000 : 0;
    default:
        return o->relative;
    }
}

/* Numerator and denominator of a total: bytes, or requests and seconds. */
static void total_terms(const struct outcome *o, enum column column, double *over, double *under)
{
    if (column == COLUMN_UTILIZATION) {
        *over += (double)o->record.peak_payload;
        *under += (double)record_heap(&o->record);
    } else {
        *over += (double)o->trace->count / 1000;
        *under += column == COLUMN_KOPS ? o->record.best_seconds : o->record.best_reference;
    }
}

static int counts(const struct outcome *o, enum column column)
{
    enum trace_weight weight = o->trace->weight;

    if (o->record.verdict != VERDICT_OK)
        return 0;
    if (column == COLUMN_UTILIZATION) /* a trace that never holds a byte has no utilization */
        return (weight == WEIGHT_BOTH || weight == WEIGHT_UTIL) && o->trace->peak_payload > 0;
    return (weight == WEIGHT_BOTH || weight == WEIGHT_SPEED) && o->trace->count > 0;
}

/* The aggregate of one column; *KNOWN is 0 when a trace that counts was not timed or none counts. */
static double aggregate(const struct outcome *o, size_t n, const struct course *course, enum column column,
                        enum mean mean, int *known)
{
    double *values = calloc(n + 1, sizeof *values), over = 0, under = 0;
    size_t used = 0;

    *known = values != NULL;
    for (size_t i = 0; values && i < n; i++) {
        if (!counts(&o[i], column))
            continue;
        if (column != COLUMN_UTILIZATION && (!o[i].timed || (column != COLUMN_KOPS && o[i].relative <= 0)))
            *known = 0;
        values[used++] = value_of(&o[i], column, course);
        total_terms(&o[i], column, &over, &under);
    }
    double result = mean == MEAN_TOTAL && column != COLUMN_RELATIVE ? under > 0 ? over / under : 0
                  : mean_of(mean == MEAN_TOTAL ? MEAN_HARMONIC : mean, values, used);
    *known = *known && used > 0;
    free(values);
    return isfinite(result) ? result : 0;
}

static void measure(struct score *s, const struct outcome *o, size_t n, const struct course *c)
{
    enum mean speed = (enum mean)c->throughput.mean;

    s->utilization = aggregate(o, n, c, COLUMN_UTILIZATION, (enum mean)c->utilization.mean, &s->has_utilization);
    s->kops = aggregate(o, n, c, COLUMN_KOPS, speed, &s->has_kops);
    s->relative = aggregate(o, n, c, COLUMN_RELATIVE, speed, &s->has_relative);
    if (c->throughput.relative == RATIO_OF_MEANS) {
        double reference = aggregate(o, n, c, COLUMN_REFERENCE_KOPS, speed, &s->has_relative);
        s->relative = reference > 0 ? s->kops / reference : 0;
    }
}

/* ---- points ---- */

static void add_parts(struct score *s, const struct course *c, int checkpoint)
{
    int own = checkpoint && c->checkpoint.part_count;
    const struct part *parts = own ? c->checkpoint.parts : c->parts;
    int unbounded = 0;

    s->part_count = own ? c->checkpoint.part_count : c->part_count;
    s->raw = s->max_index = c->combine == COMBINE_PRODUCT;
    s->has_index = 1;
    for (size_t i = 0; i < s->part_count; i++) {
        const struct part *p = &parts[i];
        struct score_part *to = &s->part[i];
        double value = p->measure == MEASURE_UTILIZATION ? s->utilization
                     : p->measure == MEASURE_KOPS ? s->kops : s->relative;
        memcpy(to->name, p->name, sizeof to->name);
        to->known = p->measure == MEASURE_UTILIZATION ? s->has_utilization
                  : p->measure == MEASURE_KOPS ? s->has_kops : s->has_relative;
        to->points = to->known ? part_points(p, value) : 0;
        to->max = p->unbounded ? 0 : p->points;
        unbounded |= p->unbounded;
        s->has_index &= to->known;
        s->raw = c->combine == COMBINE_PRODUCT ? s->raw * to->points : s->raw + to->points;
        s->max_index = c->combine == COMBINE_PRODUCT ? s->max_index * p->points : s->max_index + p->points;
    }
    if (unbounded)
        s->max_index = 0;
}

struct score score_outcomes(const struct outcome *o, size_t n, const struct course *course,
                            double deduction, int checkpoint)
{
    struct score s = { .deduction = deduction };
    int faults = 0; /* of ours */

    for (size_t i = 0; i < n; i++) {
        faults |= o[i].record.verdict == VERDICT_GRADER;
        if (o[i].record.verdict == VERDICT_SKIPPED || o[i].record.verdict == VERDICT_GRADER)
            continue;
        s.correct += o[i].record.verdict == VERDICT_OK;
        s.invalid += o[i].record.verdict != VERDICT_OK;
        if (o[i].trace->weight == WEIGHT_NONE)
            continue;
        s.scored++;
        s.valid += o[i].record.verdict == VERDICT_OK;
    }
    measure(&s, o, n, course);
    add_parts(&s, course, checkpoint);
    /* No trace at all: the file did not build, which is worth 0. None that counts: there is no index. */
    double share = s.scored ? (double)s.valid / (double)s.scored : n > 0;
    if (course->invalid == INVALID_ZERO && s.invalid > 0)
        share = 0;
    if (share < 1) {
        s.has_index |= share <= 0; /* known to be 0, timed or not */
        s.raw *= share;
        for (size_t i = 0; i < s.part_count; i++)
            s.part[i].points *= share;
    }
    s.index = s.raw > deduction ? s.raw - deduction : 0;
    if (checkpoint && course->checkpoint.passes_at > 0)
        s.index = s.index >= course->checkpoint.passes_at ? s.max_index : 0;
    else if (!checkpoint && s.index < course->zero_below)
        s.index = 0;
    s.has_index &= !faults;
    return s;
}
