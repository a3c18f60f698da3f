/*
 * mdriver.c - the command: flags, then traces, then each allocator through
 * grade(), then every output that was asked for. Only wiring.
 */
#define _GNU_SOURCE
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "build.h"
#include "course.h"
#include "doctor.h"
#include "grade.h"
#include "options.h"
#include "output.h"
#include "process.h"
#include "report.h"
#include "report_text.h"
#include "tool.h"
#include "trace_set.h"

enum { EXIT_USAGE = 2, EXIT_OURS = 5, EXIT_INTERRUPTED = 130 };

static int complain(int status, const char *sentence)
{
    fprintf(stderr, "mdriver: %s\n", sentence);
    return status;
}

/* ---- interruption: what was begun is cleaned up, nothing half is written ---- */

static void cancel(int signo)
{
    (void)signo;
    process_cancelled = 1;
}

static void catch_signals(void)
{
    struct sigaction action = { .sa_handler = cancel };
    static const int signals[] = { SIGINT, SIGTERM, SIGHUP };

    for (size_t i = 0; i < sizeof signals / sizeof *signals; i++)
        sigaction(signals[i], &action, NULL);
    signal(SIGPIPE, SIG_IGN);
}

/* Whether standard output is a pipe that nobody reads any more, as behind `head`: no news to who did that. */
static int reader_is_gone(void)
{
    struct pollfd out = { .fd = STDOUT_FILENO };

    return poll(&out, 1, 0) == 1 && out.revents & POLLERR;
}

/* ---- progress, on a terminal only ---- */

static void clear_progress(void)
{
    if (isatty(STDERR_FILENO))
        fputs("\r\033[K", stderr);
}

static void show_progress(const char *allocator, size_t done, size_t count, const char *trace)
{
    if (isatty(STDERR_FILENO))
        fprintf(stderr, "\r\033[K%.20s: %zu of %zu, %.30s", allocator, done + 1, count, trace);
}

/* ---- lists ---- */

static int list_allocators(void)
{
    for (const char *const *name = shipped_names(); *name; name++)
        puts(*name);
    return 0;
}

static int list_courses(void)
{
    char **names = course_list(), error[1024];
    int rc = 0;

    for (char **name = names; *name; name++) {
        struct course c;
        if (course_load(&c, *name, error, sizeof error))
            rc = complain(EXIT_USAGE, error);
        else
            printf("%-18s %s\n", c.name, c.title);
    }
    course_list_free(names);
    return rc;
}

static int print_course(const char *name)
{
    struct course c;
    char error[1024];

    if (course_load(&c, name, error, sizeof error))
        return complain(EXIT_USAGE, error);
    json_t *j = course_json(&c);
    json_dumpf(j, stdout, JSON_INDENT(2) | JSON_REAL_PRECISION(12));
    putchar('\n');
    json_decref(j);
    return 0;
}

/* ---- grading ---- */

static int in_colour(const struct options *o)
{
    const char *no = getenv("NO_COLOR"), *term = getenv("TERM");

    if (o->colour != WHEN_AUTO)
        return o->colour == WHEN_ALWAYS;
    return isatty(STDOUT_FILENO) && !(no && no[0]) && term && strcmp(term, "dumb") != 0;
}

/* Columns of the terminal that standard output is, or 0. */
static int terminal_width(void)
{
    struct winsize size;

    return isatty(STDOUT_FILENO) && ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 ? size.ws_col : 0;
}

static void say_beforehand(const struct grading *g, const struct options *o)
{
    double seconds = grade_forecast(g, o->allocator_count);

    fprintf(stderr, "%zu trace%s, %llu requests, %zu allocator%s: about %.0f s on a quiet machine\n", g->traces->count,
            g->traces->count == 1 ? "" : "s", (unsigned long long)g->traces->requests, o->allocator_count,
            o->allocator_count == 1 ? "" : "s", seconds < 1 ? 1 : seconds);
}

static void say_next(const struct options *o, const struct result *r, size_t n, int width)
{
    size_t built = 0, wrong = 0;
    const char *next = "Next: --plot heap shows where memory goes; --latency finds slow requests.";

    for (size_t i = 0; i < n; i++) {
        built += r[i].verdict != VERDICT_BUILD;
        wrong += r[i].verdict != VERDICT_BUILD && r[i].verdict != VERDICT_OK;
    }
    if (!built || (wrong && r->count == 1)) /* what to run next stands at the failure */
        return;
    if (wrong)
        next = "Next: the command at the end of each failure above runs that trace alone.";
    else if (o->check_only)
        next = o->check_each ? "Next: without -D, for the throughput."
                             : "Next: without --check-only, for the throughput.";
    else if (o->peers || o->plot)
        return;
    putchar('\n');
    print_wrapped(stdout, next, "", width);
}

/* Prints and writes all that was asked for. 0 or an exit status. */
static int put_out(const struct options *o, const struct result *r, size_t n)
{
    const struct table_options table = { .colour = in_colour(o), .verbosity = o->verbosity, .width = terminal_width(),
                                         .program = o->program };
    int to_stdout = o->json && strcmp(o->json, "-") == 0;
    char error[1024];
    int rc = 0;

    for (size_t i = 0; i < n && !to_stdout; i++) {
        if (i)
            printf("\n");
        report_table(stdout, &r[i], &table);
    }
    if (n > 1 && !to_stdout)
        report_summary(stdout, r, n, &table);
    if (o->json && output_json(o->json, r, n, error, sizeof error))
        rc = complain(EXIT_OURS, error);
    if (o->events && output_events(o->events, r, n, error, sizeof error))
        rc = complain(EXIT_OURS, error);
    if (o->plot) {
        fflush(stdout);
        int status = output_plot(o->plot, r, n, error, sizeof error);
        if (status)
            rc = complain(status, error);
    }
    if (!to_stdout && !o->autoresult)
        say_next(o, r, n, table.width);
    const struct score *s = &r[n - 1].score;
    if (o->old_summary && !to_stdout)
        printf("correct:%zu\nperfidx:%.0f\n", s->correct, s->has_index ? s->index : 0);
    if (o->autoresult && !to_stdout) {
        report_autoresult(error, sizeof error, &r[n - 1]);
        if (!error[0])
            complain(0, "this course has no platform line; -A printed none");
        else if (!s->has_index)
            complain(0, "without a timing there is no score for the platform line; -A printed none");
        else
            puts(error);
    }
    return rc;
}

/* --course auto: the course of the edition that the files are written for. 0, or an exit status. */
static int find_course(const struct options *o, const char **name, char *reason, size_t size,
                       char *error, size_t error_size)
{
    int agreed = DIALECT_COUNT, dialect;
    const char *first = "";
    char why[160];

    for (size_t i = 0; i < o->allocator_count; i++) {
        int rc = build_dialect(o->allocators[i], &dialect, why, sizeof why, error, error_size);
        if (rc)
            return rc == BUILD_FAILED ? EXIT_USAGE : rc;
        if (dialect == DIALECT_COUNT) /* ours: goes with any */
            continue;
        if (agreed != DIALECT_COUNT && dialect != agreed) {
            snprintf(error, error_size, "%.200s is a file of the %s edition and %.200s of the %s one; grade them one "
                     "by one, or name a course", first, dialect_word(agreed), o->allocators[i], dialect_word(dialect));
            return EXIT_USAGE;
        }
        if (agreed == DIALECT_COUNT)
            snprintf(reason, size, "course %s, because %s", dialect_word(dialect), why);
        agreed = dialect;
        first = o->allocators[i];
    }
    *name = dialect_word(agreed == DIALECT_COUNT ? DIALECT_MALLOCLAB : agreed);
    return 0;
}

/* The course's folder of traces, as short as one would type it beside mdriver: failures are told with it. */
static void traces_folder(char *out, size_t size, const struct course *c)
{
    char here[PATH_MAX];
    if (c->traces[0] == '/' || (getcwd(here, sizeof here) && strcmp(here, program_folder()) == 0))
        snprintf(out, size, "%s", c->traces);
    else
        snprintf(out, size, "%s/%s", program_folder(), c->traces);
}

static int run(const struct options *o)
{
    struct course course;
    struct trace_set traces;
    char error[2048], folder[1400], reason[240] = "";
    const char *name = o->course;
    int rc = 0;

    if (o->no_sandbox)
        tool_without_sandbox();
    for (size_t i = 0; i < o->allocator_count; i++)
        if (!build_can_read(o->allocators[i], error, sizeof error))
            return complain(EXIT_USAGE, error);
    if (strcmp(name, "auto") == 0 && (rc = find_course(o, &name, reason, sizeof reason, error, sizeof error)) != 0)
        return complain(rc, error);
    if (course_load(&course, name, error, sizeof error))
        return complain(EXIT_USAGE, error);
    traces_folder(folder, sizeof folder, &course);
    if (trace_set_load(&traces, o->files, o->file_count, o->folder ? o->folder : o->file_count ? NULL : folder,
                       error, sizeof error))
        return complain(EXIT_USAGE, error);
    if ((rc = output_check(o, &traces, error, sizeof error)) != 0) {
        trace_set_free(&traces);
        return complain(rc, error);
    }
    struct grading g = { .options = o, .course = &course, .course_reason = reason, .traces = &traces,
                         .progress = show_progress, .timing = timing_defaults(traces.count) };
    g.timing.clock = o->clock;
    score_weigh(&course, traces.traces, traces.count, o->file_count == 0, error, sizeof error);
    if (error[0])
        fprintf(stderr, "%s\n", error);
    if (o->checkpoint && !course.has_checkpoint)
        fprintf(stderr, "course %s has no checkpoint: its own formula is used\n", course.name);
    if (o->timing_seconds > 0)
        g.timing.budget = o->timing_seconds / (double)(traces.count ? traces.count : 1);
    struct result *results = calloc(o->allocator_count, sizeof *results);
    if (!results)
        return complain(EXIT_OURS, "out of memory");
    say_beforehand(&g, o);
    size_t n = 0;
    while (n < o->allocator_count && rc == 0 && !process_cancelled) {
        rc = grade(&g, o->allocators[n], &results[n], error, sizeof error);
        n++;
    }
    clear_progress();
    if (process_cancelled)
        rc = complain(EXIT_INTERRUPTED, "interrupted; nothing was written");
    else if (rc)
        complain(rc, error);
    else
        rc = put_out(o, results, n);
    if (rc == 0)
        rc = exit_status(results, n, o->min_score);
    for (size_t i = 0; i < n; i++)
        result_free(&results[i]);
    free(results);
    grading_free(&g);
    trace_set_free(&traces);
    return rc;
}

int main(int argc, char **argv)
{
    struct options o;
    char error[512];
    int rc = 0;

    if (options_read(&o, argc, argv, error, sizeof error)) {
        options_free(&o);
        return complain(EXIT_USAGE, error);
    }
    catch_signals();
    switch (o.action) {
    case ACTION_HELP: fputs(options_help, stdout); break;
    case ACTION_VERSION: puts("mdriver 1.0"); break;
    case ACTION_DOCTOR: rc = doctor_run(stdout, in_colour(&o)) ? EXIT_OURS : 0; break;
    case ACTION_COURSES: rc = list_courses(); break;
    case ACTION_COURSE_JSON: rc = print_course(o.course); break;
    case ACTION_ALLOCATORS: rc = list_allocators(); break;
    case ACTION_GRADE: rc = run(&o); break;
    }
    build_cleanup();
    options_free(&o);
    if ((fflush(stdout) || ferror(stdout)) && rc != EXIT_OURS && rc != EXIT_INTERRUPTED)
        rc = reader_is_gone() ? EXIT_OURS : complain(EXIT_OURS, "standard output cannot be written");
    return rc;
}
