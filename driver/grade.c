/* grade.c - the passes in their order, over all traces. */
#define _GNU_SOURCE
#include "grade.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "locate.h"
#include "peers.h"
#include "process.h"
#include "turn.h"
#include "word_size.h"

/* After so many timeouts of one allocator a trace gets only a generous multiple of what
 * checking it usually takes, or a file that hangs would hold up a class for minutes. */
#define PATIENCE 2
#define HURRIED 50         /* times timing_forecast_check */
#define HURRIED_LEAST 0.5  /* seconds on top */

static struct pass_options pass_options(const struct grading *g)
{
    const struct course *c = g->course;

    return (struct pass_options){
        .alignment = (uint64_t)c->alignment, .heap_limit = (uint64_t)c->heap_limit,
        .time_limit = g->options->seconds, .wire_flags = g->options->check_each ? WIRE_CHECK_EACH : 0,
        .outside_cap = (uint64_t)c->outside_cap, .charge_outside = c->outside == OUTSIDE_HEAP,
        .accepts = c->accepts, .stack_limit = (uint64_t)c->stack_limit, .seed = g->options->seed,
        .cpu = g->options->cpu,
    };
}

/* The check pass, where no time counts, stays on the core we are on. */
static struct pass_options check_options(const struct grading *g)
{
    struct pass_options pass = pass_options(g);

    pass.cpu = -1;
    return pass;
}

double grade_forecast(const struct grading *g, size_t allocators)
{
    int against = !g->options->reference || strcmp(g->options->reference, "none") != 0;
    double sum = 0;

    for (size_t i = 0; i < g->traces->count; i++) {
        size_t n = g->traces->traces[i].count;
        sum += g->options->check_only ? timing_forecast_check(n) : timing_forecast(n, against, &g->timing);
    }
    return sum * (double)allocators;
}

/* ---- the reference ---- */

static const char *reference_name(const struct grading *g)
{
    const char *name = g->options->reference ? g->options->reference : g->course->reference;

    return g->options->check_only || !name[0] || strcmp(name, "none") == 0 ? NULL : name;
}

/* The reference for submissions of BITS, or NULL when there is none. */
static struct reference *reference_for(struct grading *g, int bits, int *rc, char *error, size_t error_size)
{
    struct reference *ref = &g->reference[bits == 32];
    const struct pass_options pass = check_options(g);
    const struct reference_request request = { .name = reference_name(g), .course = g->course, .bits = bits,
                                               .traces = g->traces, .pass = &pass,
                                               .folder = g->options->reference_folder };

    *rc = 0;
    if (!request.name)
        return NULL;
    if (ref->ready == 0)
        *rc = reference_open(ref, &request, error, error_size);
    return ref->ready > 0 ? ref : NULL;
}

/* ---- one trace ---- */

static int is_class(const struct record *r, enum verdict_class class) { return verdict_class(r->verdict) == class; }

/* TEXT as one word of a shell. */
static const char *shell_word(char *out, size_t size, const char *text)
{
    static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_./+,:=@%-";
    size_t n = 0;

    if (text[0] && text[strspn(text, plain)] == '\0')
        return text;
    out[n++] = '\'';
    for (const char *p = text; *p && n + 6 < size; p++) {
        if (*p == '\'') {
            memcpy(out + n, "'\\''", 4);
            n += 4;
        } else {
            out[n++] = *p;
        }
    }
    out[n++] = '\'';
    out[n] = '\0';
    return out;
}

/* What a student would type next. */
static void complete_hint(const struct grading *g, const struct runner_image *image, const char *source,
                          const struct trace *t, struct record *r)
{
    char file[400], name[400], course[400], quoted[350];
    size_t n = strlen(r->hint);

    if (r->verdict == VERDICT_OK || r->verdict == VERDICT_GRADER || r->verdict == VERDICT_SKIPPED
        || (g->options->check_each && g->traces->count == 1)) /* that is what was run */
        return;
    if (!n)
        n = (size_t)snprintf(r->hint, sizeof r->hint, "run this trace alone");
    else if (!strstr(r->hint, "-D"))
        n += (size_t)snprintf(r->hint + n, sizeof r->hint - n, "; this trace alone");
    course[0] = '\0';
    if (strcmp(g->options->course, "malloclab") != 0)
        snprintf(course, sizeof course, " -c %s", shell_word(quoted, sizeof quoted, g->options->course));
    snprintf(r->hint + n, sizeof r->hint - n, ": ./mdriver%s%s%s -f %s %s%s", course,
             g->options->bits == 32 ? " --bits 32" : g->options->bits == 64 ? " --bits 64" : "",
             g->options->check_each || image->has_checkheap || strstr(r->hint, "-D") ? " -D" : "",
             shell_word(file, sizeof file, t->path), source[0] == '-' ? "./" : "",
             shell_word(name, sizeof name, source));
}

static void add_place(const struct runner_image *image, struct record *r)
{
    char place[160];
    size_t n = strlen(r->message);

    if (!is_class(r, CLASS_CRASH) && r->verdict != VERDICT_PAST_BREAK)
        return;
    locate(image, r->fault_pc, place, sizeof place);
    if (place[0])
        snprintf(r->message + n, sizeof r->message - n, ", in %s", place);
    else if (r->fault_caller) {
        locate(image, r->fault_caller - 1, place, sizeof place); /* the call, not what follows it */
        if (place[0])
            snprintf(r->message + n, sizeof r->message - n, r->fault_pc ? ", in a library function called by %s"
                     : ", called by %s", place);
    }
}

static void time_one(struct grading *g, const struct runner_image *image, struct reference *ref, size_t i,
                     const struct pass_options *pass, struct record *r)
{
    const struct trace *t = &g->traces->traces[i];
    struct record *beside = ref ? &ref->records[i] : NULL;

    int usable = beside && beside->verdict == VERDICT_OK;
    if (beside && is_class(beside, CLASS_GRADER)) {
        r->verdict = VERDICT_GRADER;
        snprintf(r->message, sizeof r->message, "%.700s", beside->message);
        return;
    }
    time_trace(image, usable ? &ref->image : NULL, t, pass, &g->timing, r, usable ? beside : NULL);
    if (r->verdict == VERDICT_OK && g->options->latency)
        time_latency(image, t, pass, r);
    if (r->verdict == VERDICT_OK && g->options->peers)
        peers_compare(image, t, pass, &g->timing, r);
}

static double time_limit(const struct grading *g, const struct trace *t, int timeouts)
{
    double hurried = HURRIED_LEAST + HURRIED * timing_forecast_check(t->count);

    return timeouts >= PATIENCE && hurried < g->options->seconds ? hurried : g->options->seconds;
}

/* The check pass over all traces; of the reference only where there is something to compare. */
static void check_all(struct grading *g, struct reference *ref, struct result *r)
{
    const struct pass_options usual = check_options(g);
    struct pass_options pass = usual;
    int timeouts = 0;

    for (size_t i = 0; i < r->count && !process_cancelled; i++) {
        struct record *record = &r->outcomes[i].record;
        const struct trace *t = &g->traces->traces[i];
        if (g->progress)
            g->progress(r->image.name, i, r->count, t->name);
        pass.time_limit = time_limit(g, t, timeouts);
        check_trace(&r->image, t, &pass, record);
        timeouts += record->verdict == VERDICT_TIMEOUT;
        if (record->verdict == VERDICT_OK && ref && !ref->records[i].answers)
            check_trace(&ref->image, t, &usual, &ref->records[i]);
    }
}

static void time_all(struct grading *g, struct reference *ref, struct result *r)
{
    const struct pass_options pass = pass_options(g);

    for (size_t i = 0; i < g->traces->count && !process_cancelled; i++) {
        if (g->progress)
            g->progress(r->image.name, i, g->traces->count, g->traces->traces[i].name);
        if (r->outcomes[i].record.verdict == VERDICT_OK)
            time_one(g, &r->image, ref, i, &pass, &r->outcomes[i].record);
    }
}

static int is_any_valid(const struct result *r)
{
    for (size_t i = 0; i < r->count; i++)
        if (r->outcomes[i].record.verdict == VERDICT_OK)
            return 1;
    return 0;
}

static void finish_outcomes(struct grading *g, const char *source, struct result *r)
{
    uint64_t alignment = (uint64_t)g->course->alignment;

    for (size_t i = 0; i < r->count; i++) {
        struct outcome *o = &r->outcomes[i];
        add_place(&r->image, &o->record);
        complete_hint(g, &r->image, source, o->trace, &o->record);
        outcome_measure(o, alignment);
    }
}

/* ---- one allocator ---- */

static enum verdict first_bad(const struct result *r)
{
    for (size_t i = 0; i < r->count; i++)
        if (r->outcomes[i].record.verdict != VERDICT_OK && r->outcomes[i].record.verdict != VERDICT_SKIPPED)
            return r->outcomes[i].record.verdict;
    return VERDICT_OK;
}

/* Points that static rules take off; a fatal finding becomes the build error. */
static double judge_findings(struct result *r)
{
    double deduction = 0;

    for (size_t i = 0; i < r->build.findings.count; i++) {
        const struct finding *f = &r->build.findings.item[i];
        deduction += f->points;
        if (f->fatal && !r->build_error[0]) {
            char line[32] = "";
            if (f->line)
                snprintf(line, sizeof line, ":%u", f->line);
            snprintf(r->build_error, sizeof r->build_error, "%s%s: %s", r->image.name, line, f->sentence);
        }
    }
    return deduction;
}

/* As grade(), holding and changing TURN. */
static int grade_in_turn(struct grading *g, const char *source, struct result *r, int *turn,
                         char *error, size_t error_size)
{
    static const char *const clocks[] = { "cpu", "wall", "instructions" };
    const struct build_request request = { .source = source, .course = g->course, .bits = g->options->bits };
    int rc = 0;

    *r = (struct result){ .course = g->course, .clock = clocks[g->timing.clock],
                          .sandbox = g->options->no_sandbox ? "none" : "full",
                          .checkpoint = g->options->checkpoint, .reference = reference_name(g),
                          .course_reason = g->course_reason };
    const struct pass_options pass = check_options(g);
    int chosen = request.bits == BITS_AUTO || (!request.bits && !g->course->bits);
    enum build_status status = chosen ? word_size_build(&request, &pass, &r->image, &r->build, error, error_size)
                                      : build_runner(&request, &r->image, &r->build, error, error_size);
    if (status == BUILD_BAD_INPUT || status == BUILD_OURS)
        return (int)status;
    if (status == BUILD_FAILED)
        snprintf(r->build_error, sizeof r->build_error, "%s", error);
    if (status == BUILD_OK && g->options->check_each && !r->image.has_checkheap)
        finding_add(&r->build.findings, "checkheap", 0, "-D has nothing to call: there is no mm_checkheap");
    double deduction = judge_findings(r);
    r->verdict = r->build_error[0] ? VERDICT_BUILD : VERDICT_OK;
    if (r->verdict == VERDICT_OK) {
        struct reference *ref = reference_for(g, r->image.bits, &rc, error, error_size);
        if (rc)
            return rc;
        r->outcomes = calloc(g->traces->count + 1, sizeof *r->outcomes);
        if (!r->outcomes) {
            snprintf(error, error_size, "out of memory");
            return 5;
        }
        r->count = g->traces->count;
        for (size_t i = 0; i < r->count; i++)
            r->outcomes[i].trace = &g->traces->traces[i];
        check_all(g, ref, r);
        turn_end(turn);
        if (!g->options->check_only && is_any_valid(r)) {
            if (turn_begin(turn, g->options->timing_turn, error, error_size))
                return 2;
            time_all(g, ref, r);
            turn_end(turn);
        }
        finish_outcomes(g, source, r);
        r->verdict = first_bad(r);
    }
    r->score = score_outcomes(r->outcomes, r->count, g->course, deduction, g->options->checkpoint);
    return 0;
}

int grade(struct grading *g, const char *source, struct result *r, char *error, size_t error_size)
{
    int turn;

    if (turn_begin(&turn, g->options->check_turn, error, error_size))
        return 2;
    int rc = grade_in_turn(g, source, r, &turn, error, error_size);
    turn_end(&turn);
    return rc;
}

void result_free(struct result *r)
{
    for (size_t i = 0; i < r->count; i++)
        record_free(&r->outcomes[i].record);
    free(r->outcomes);
    image_free(&r->image);
    *r = (struct result){ .image = { .exec_fd = -1 } };
}

void grading_free(struct grading *g)
{
    for (int k = 0; k < 2; k++)
        reference_close(&g->reference[k], g->traces->count);
}

int exit_status(const struct result *r, size_t n, double min_score)
{
    static const int gravity[] = { 0, 1, 4, 3, 5 }; /* from the least */
    size_t worst = 0;

    for (size_t k = 0; k < n; k++) {
        size_t level = r[k].verdict == VERDICT_BUILD ? 3 : 0;
        if (min_score >= 0 && !(r[k].score.has_index && r[k].score.index >= min_score))
            level = level > 1 ? level : 1;
        for (size_t i = 0; i < r[k].count; i++) {
            static const size_t of_class[] = { [CLASS_OK] = 0, [CLASS_WRONG] = 1, [CLASS_CHEAT] = 1,
                                               [CLASS_CRASH] = 2, [CLASS_GRADER] = 4 };
            const struct record *record = &r[k].outcomes[i].record;
            size_t here = record->verdict == VERDICT_SKIPPED ? 0 : of_class[verdict_class(record->verdict)];
            level = here > level ? here : level;
        }
        worst = level > worst ? level : worst;
    }
    return gravity[worst];
}
