/* options.c - getopt_long's table, the checks of each value, and the help. */
#define _GNU_SOURCE
#include "options.h"

#include <errno.h>
#include <getopt.h>
#include <math.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "course.h"

#define TIME_LIMIT 20 /* seconds for one trace; the slowest shipped allocator takes a few */

const char options_help[] =
    "Examples\n"
    "  ./mdriver                          grade mm.c on the shipped traces\n"
    "  ./mdriver -V path/to/mm.c          more columns, and what the compiler said\n"
    "  ./mdriver -D -f traces/bash.rep.gz one trace, mm_checkheap after each request\n"
    "  ./mdriver implicit explicit        compare shipped allocators (see --list)\n"
    "  ./mdriver -c classic --bits 32     last year's mm.c, by its course's formula\n"
    "  ./mdriver --peers champion         beside libc, jemalloc, mimalloc, tcmalloc\n"
    "  ./mdriver doctor                   what here disturbs timings or the sandbox\n"
    "\n"
    "Usage\n"
    "  mdriver [options] [ALLOCATOR ...]\n"
    "  ALLOCATOR is a C file or a shipped allocator's name; mm.c when none is given.\n"
    "\n"
    "What is run\n"
    "  -f, --file FILE         this trace (may be repeated); plain or gzipped\n"
    "  -t, --traces DIR        all .rep and .rep.gz in DIR, not the course's traces\n"
    "  -c, --course NAME       rules and formula (--courses); `auto`: by the file\n"
    "      --bits 32|64|auto   word size of the runner (default: the course's)\n"
    "      --reference NAME    allocator that speed is compared with, or `none`\n"
    "\n"
    "How it is run\n"
    "  -D, --check-heap        mm_checkheap after every request; nothing is timed\n"
    "      --check-only        check the answers and utilization; nothing is timed\n"
    "  -s, --seconds SECONDS   time limit of one trace (default 20)\n"
    "      --clock CLOCK       cpu (default), wall, or instructions (by valgrind)\n"
    "      --latency           also the cost of single requests: p50 to p99.9, max\n"
    "      --peers             also the real allocators that are installed\n"
    "  -p, -C, --checkpoint    score by the course's checkpoint formula\n"
    "      --cpu N             time on core N (default: the one we are on)\n"
    "      --timing-seconds S  for timing all traces together (default 6, at most\n"
    "                          0.3 a trace)\n"
    "      --seed N            repeat the payload patterns and batches of a run\n"
    "      --no-sandbox        compile without a wall: only for files that you trust\n"
    "\n"
    "For many mdrivers at once\n"
    "      --check-turn FILE   wait for a lock on FILE; build and check holding it\n"
    "      --timing-turn FILE  wait for a lock on FILE; time holding it\n"
    "      --keep-reference DIR   keep the built, checked reference for the next run\n"
    "\n"
    "What is printed\n"
    "  -v, --verbose           more columns, every failure described; -V: still more\n"
    "  -V, --very-verbose\n"
    "  -A, --autoresult        the platform's line last\n"
    "      --json FILE|-       the result as JSON (docs/JSON.md); -: to stdout\n"
    "      --events PATH       what every request did, as a table (docs/JSON.md)\n"
    "      --plot NAME[=FILE]  a picture: pareto, heap, map, fragmented, waste,\n"
    "                          holes, sizes, traces, latency, class; in the terminal,\n"
    "                          or into a .svg, .png or .pdf file\n"
    "      --color WHEN        auto (default), always, never; NO_COLOR is honoured\n"
    "      --min-score N       exit status 1 when the index is below N\n"
    "      --list              names of the shipped allocators\n"
    "      --courses           names of the courses\n"
    "      --course-json NAME  a course as JSON\n"
    "  -h, --help              this text\n"
    "      --version\n"
    "\n"
    "Accepted from older drivers: -a (a team is never refused), -g (prints correct:N\n"
    "and perfidx:N), -l (as --peers), -c FILE.rep (as -f FILE.rep --check-only),\n"
    "-v N, -d N (2 and more: as -D).\n"
    "\n"
    "Exit status\n"
    "  0    every trace valid\n"
    "  1    a wrong answer, or an index below --min-score\n"
    "  2    usage, or input that cannot be read\n"
    "  3    the file does not build, or breaks a static rule\n"
    "  4    the allocator crashed or timed out\n"
    "  5    a failure of ours\n"
    "  130  interrupted\n";

enum { /* long options without a letter */
    OPT_BITS = 256, OPT_REFERENCE, OPT_CHECK_ONLY, OPT_CLOCK, OPT_LATENCY, OPT_PEERS, OPT_CPU, OPT_SEED,
    OPT_NO_SANDBOX, OPT_JSON, OPT_EVENTS, OPT_PLOT, OPT_COLOUR, OPT_MIN_SCORE, OPT_LIST, OPT_COURSES,
    OPT_COURSE_JSON, OPT_VERSION, OPT_TIMING_SECONDS, OPT_CHECK_TURN, OPT_TIMING_TURN, OPT_KEEP_REFERENCE,
};

static const char letters[] = ":012f:t:c:s:d:DpCvVAaglhOT";

static const struct option table[] = {
    { "file", required_argument, NULL, 'f' },
    { "traces", required_argument, NULL, 't' },
    { "course", required_argument, NULL, 'c' },
    { "bits", required_argument, NULL, OPT_BITS },
    { "reference", required_argument, NULL, OPT_REFERENCE },
    { "check-heap", no_argument, NULL, 'D' },
    { "check-only", no_argument, NULL, OPT_CHECK_ONLY },
    { "seconds", required_argument, NULL, 's' },
    { "clock", required_argument, NULL, OPT_CLOCK },
    { "latency", no_argument, NULL, OPT_LATENCY },
    { "peers", no_argument, NULL, OPT_PEERS },
    { "checkpoint", no_argument, NULL, 'p' },
    { "cpu", required_argument, NULL, OPT_CPU },
    { "timing-seconds", required_argument, NULL, OPT_TIMING_SECONDS },
    { "seed", required_argument, NULL, OPT_SEED },
    { "check-turn", required_argument, NULL, OPT_CHECK_TURN },
    { "timing-turn", required_argument, NULL, OPT_TIMING_TURN },
    { "keep-reference", required_argument, NULL, OPT_KEEP_REFERENCE },
    { "no-sandbox", no_argument, NULL, OPT_NO_SANDBOX },
    { "verbose", no_argument, NULL, 'v' },
    { "very-verbose", no_argument, NULL, 'V' },
    { "autoresult", no_argument, NULL, 'A' },
    { "json", required_argument, NULL, OPT_JSON },
    { "events", required_argument, NULL, OPT_EVENTS },
    { "plot", required_argument, NULL, OPT_PLOT },
    { "color", required_argument, NULL, OPT_COLOUR },
    { "colour", required_argument, NULL, OPT_COLOUR },
    { "min-score", required_argument, NULL, OPT_MIN_SCORE },
    { "list", no_argument, NULL, OPT_LIST },
    { "courses", no_argument, NULL, OPT_COURSES },
    { "course-json", required_argument, NULL, OPT_COURSE_JSON },
    { "help", no_argument, NULL, 'h' },
    { "version", no_argument, NULL, OPT_VERSION },
    { NULL, 0, NULL, 0 },
};

/* ---- values ---- */

struct reading {
    char *error;
    size_t error_size;
};

__attribute__((format(printf, 2, 3)))
static int bad(const struct reading *r, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    vsnprintf(r->error, r->error_size, format, args);
    va_end(args);
    return -1;
}

static int number(const struct reading *r, const char *option, const char *text, double least, double most,
                  double *out)
{
    char *end;

    errno = 0;
    *out = strtod(text, &end);
    if (end == text || *end || errno || !(*out >= least && *out <= most))
        return bad(r, "%s %s: expected a number from %.16g to %.16g", option, text, least, most);
    return 0;
}

static int whole_number(const struct reading *r, const char *option, const char *text, double most, double *out)
{
    if (number(r, option, text, 0, most, out))
        return -1;
    return *out == floor(*out) ? 0 : bad(r, "%s %s: expected a whole number", option, text);
}

/* Whether we may run on core N; only trying tells. */
static int is_core(int n)
{
    cpu_set_t before, one;

    CPU_ZERO(&one);
    CPU_SET((size_t)n, &one);
    int allowed = sched_getaffinity(0, sizeof before, &before) == 0 && sched_setaffinity(0, sizeof one, &one) == 0;
    if (allowed)
        sched_setaffinity(0, sizeof before, &before);
    return allowed;
}

/* The index of TEXT in WORDS, or -1 with a sentence. */
static int word(const struct reading *r, const char *option, const char *text, const char *const *words)
{
    char all[128] = "";

    for (int i = 0; words[i]; i++) {
        if (strcmp(text, words[i]) == 0)
            return i;
        strncat(all, i ? ", " : "", sizeof all - strlen(all) - 1);
        strncat(all, words[i], sizeof all - strlen(all) - 1);
    }
    return bad(r, "%s %s: expected one of %s", option, text, all);
}

/* Pictures, which grader/plot.py draws, and what each shows. */
enum { ONE_ALLOCATOR = 1, TIMINGS = 2, LATENCIES = 4 };

static const struct { const char *name; int shows; } pictures[] = {
    { "pareto", TIMINGS }, { "heap", ONE_ALLOCATOR }, { "map", ONE_ALLOCATOR }, { "fragmented", ONE_ALLOCATOR },
    { "waste", ONE_ALLOCATOR }, { "holes", ONE_ALLOCATOR }, { "sizes", ONE_ALLOCATOR }, { "traces", 0 },
    { "latency", ONE_ALLOCATOR | TIMINGS | LATENCIES }, { "class", TIMINGS },
};
enum { PICTURES = sizeof pictures / sizeof *pictures };

/* The NAME[=FILE] of a picture; *SHOWN becomes what it shows. */
static int picture(const struct reading *r, const char *text, int *shown)
{
    const char *equals = strchr(text, '='), *dot = equals ? strrchr(equals, '.') : NULL;
    const char *names[PICTURES + 1] = { NULL };
    char name[32];

    for (size_t i = 0; i < PICTURES; i++)
        names[i] = pictures[i].name;
    snprintf(name, sizeof name, "%.*s", equals ? (int)(equals - text) : 31, text);
    int n = word(r, "--plot", name, names);
    if (n < 0)
        return -1;
    *shown = pictures[n].shows;
    if (equals && (!dot || (strcasecmp(dot, ".svg") && strcasecmp(dot, ".png") && strcasecmp(dot, ".pdf"))))
        return bad(r, "--plot %s: the file's name must end in .svg, .png or .pdf", text);
    if (!equals && !isatty(STDOUT_FILENO))
        return bad(r, "--plot %s: standard output is no terminal to draw in; give a file: --plot %s=%s.svg", text, text,
                   text);
    return 0;
}

static int unknown(const struct reading *r, const char *given, int letter)
{
    const char *names[sizeof table / sizeof *table], *near = NULL;
    char name[64];

    if (letter)
        return bad(r, "no option -%c; see mdriver --help", letter);
    for (size_t i = 0; i < sizeof table / sizeof *table; i++)
        names[i] = table[i].name;
    snprintf(name, sizeof name, "%.*s", (int)strcspn(given + 2, "="), given + 2);
    near = did_you_mean(name, names);
    return near ? bad(r, "no option --%s; did you mean --%s?", name, near)
                : bad(r, "no option --%s; see mdriver --help", name);
}

static void add_file(struct options *o, const char *name)
{
    const char **more = realloc(o->files, (o->file_count + 1) * sizeof *more);

    if (!more)
        abort();
    o->files = more;
    o->files[o->file_count++] = name;
}

/* ---- one option ---- */

static int is_trace_name(const char *name)
{
    size_t n = strlen(name);

    return (n > 4 && strcmp(name + n - 4, ".rep") == 0) || (n > 7 && strcmp(name + n - 7, ".rep.gz") == 0);
}

static int take(struct options *o, const struct reading *r, int letter)
{
    static const char *const clocks[] = { "cpu", "wall", "instructions", NULL };
    static const char *const whens[] = { "auto", "always", "never", NULL };
    static const char *const sizes[] = { "auto", "32", "64", NULL };
    double value = 0;
    int n;

    switch (letter) {
    case 'f': add_file(o, optarg); break;
    case 't': o->folder = optarg; break;
    case 'c':
        if (is_trace_name(optarg)) { /* autolab's and cmu16's: this trace, for correctness only */
            add_file(o, optarg);
            o->check_only = 1;
        } else {
            o->course = optarg;
        }
        break;
    case 's': return number(r, "-s", optarg, 0.01, 86400, &o->seconds);
    case 'd':
        if (whole_number(r, "-d", optarg, 9, &value))
            return -1;
        o->check_each |= value >= 2;
        break;
    case 'D': o->check_each = 1; break;
    case 'p': case 'C': o->checkpoint = 1; break;
    case 'v': o->verbosity = o->verbosity > 1 ? o->verbosity : 1; break;
    case 'V': o->verbosity = 2; break;
    case '0': case '1': case '2': o->verbosity = letter - '0'; break; /* -v2, as older drivers had it */
    case 'A': o->autoresult = 1; break;
    case 'g': o->old_summary = 1; break;
    case 'a': break; /* old drivers could be told not to look at the team's names */
    case 'l': case OPT_PEERS: o->peers = 1; break;
    case 'h': o->action = ACTION_HELP; break;
    case 'O': case 'T':
        return bad(r, "-%c belongs to another driver and has no counterpart here; --json FILE gives every figure",
                   letter);
    case OPT_BITS:
        if ((n = word(r, "--bits", optarg, sizes)) < 0)
            return -1;
        o->bits = n ? n * 32 : BITS_AUTO;
        break;
    case OPT_CLOCK:
        if ((n = word(r, "--clock", optarg, clocks)) < 0)
            return -1;
        o->clock = (enum clock_kind)n;
        break;
    case OPT_COLOUR:
        if ((n = word(r, "--color", optarg, whens)) < 0)
            return -1;
        o->colour = (enum when)n;
        break;
    case OPT_CPU:
        if (whole_number(r, "--cpu", optarg, CPU_SETSIZE - 1, &value))
            return -1;
        o->cpu = (int)value;
        if (!is_core(o->cpu))
            return bad(r, "--cpu %d: there is no such core here, or none that we may use; nproc tells how many there "
                       "are", o->cpu);
        break;
    case OPT_SEED:
        if (whole_number(r, "--seed", optarg, 9007199254740992.0, &value))
            return -1;
        o->seed = (uint64_t)value;
        break;
    case OPT_MIN_SCORE: return number(r, "--min-score", optarg, 0, 1e9, &o->min_score);
    case OPT_TIMING_SECONDS: return number(r, "--timing-seconds", optarg, 0.01, 86400, &o->timing_seconds);
    case OPT_CHECK_TURN: o->check_turn = optarg; break;
    case OPT_TIMING_TURN: o->timing_turn = optarg; break;
    case OPT_KEEP_REFERENCE: o->reference_folder = optarg; break;
    case OPT_REFERENCE: o->reference = optarg; break;
    case OPT_CHECK_ONLY: o->check_only = 1; break;
    case OPT_LATENCY: o->latency = 1; break;
    case OPT_NO_SANDBOX: o->no_sandbox = 1; break;
    case OPT_JSON: o->json = optarg; break;
    case OPT_EVENTS: o->events = optarg; break;
    case OPT_PLOT: o->plot = optarg; break;
    case OPT_LIST: o->action = ACTION_ALLOCATORS; break;
    case OPT_COURSES: o->action = ACTION_COURSES; break;
    case OPT_COURSE_JSON: o->action = ACTION_COURSE_JSON; o->course = optarg; break;
    case OPT_VERSION: o->action = ACTION_VERSION; break;
    default: break;
    }
    return 0;
}

/* Nothing is graded for a picture that cannot be drawn of it. */
static int suits_picture(const struct options *o, const struct reading *r)
{
    int name = (int)strcspn(o->plot, "="), shown;

    if (picture(r, o->plot, &shown))
        return -1;
    if (shown & ONE_ALLOCATOR && o->allocator_count > 1)
        return bad(r, "--plot %.*s shows one allocator, and here are %zu; name one", name, o->plot, o->allocator_count);
    if (shown & TIMINGS && o->check_only)
        return bad(r, "--plot %.*s shows timings, and %s times nothing; leave one of them out", name, o->plot,
                   o->check_each ? "-D" : "--check-only");
    if (shown & LATENCIES && !o->latency)
        return bad(r, "--plot %.*s shows single requests; add --latency", name, o->plot);
    return 0;
}

/* A single digit that is not the name of a file. */
static int is_level(const char *word)
{
    return word[0] >= '0' && word[0] <= '2' && !word[1] && access(word, F_OK) != 0;
}

int options_read(struct options *o, int argc, char **argv, char *error, size_t error_size)
{
    static char *by_default[] = { (char *)"mm.c" };
    const struct reading r = { error, error_size };
    int letter;

    *o = (struct options){ .program = argc > 0 ? argv[0] : "./mdriver", .course = "malloclab", .seconds = TIME_LIMIT,
                           .min_score = -1, .cpu = -1 };
    opterr = 0;
    while ((letter = getopt_long(argc, argv, letters, table, NULL)) != -1) {
        const char *given = argv[optind - 1];
        if (letter == ':')
            return bad(&r, "%s: a value is missing after it; see mdriver --help", given);
        if (letter == '?')
            return given[0] == '-' && given[1] == '-' && optopt == 0 ? unknown(&r, given, 0)
                 : optopt >= 256 ? bad(&r, "%s: this option takes no value", given) : unknown(&r, given, optopt);
        if (take(o, &r, letter))
            return -1;
        if (letter == 'v' && is_level(optind < argc ? argv[optind] : "")) /* autolab's and cmu16's -v N */
            o->verbosity = argv[optind++][0] - '0';
    }
    o->allocators = argv + optind;
    o->allocator_count = (size_t)(argc - optind);
    if (o->action == ACTION_GRADE && o->allocator_count == 1 && strcmp(o->allocators[0], "doctor") == 0)
        o->action = ACTION_DOCTOR;
    if (o->allocator_count == 0) {
        o->allocators = by_default;
        o->allocator_count = 1;
    }
    if (o->check_only || o->check_each) {
        const char *what = o->check_only ? "--check-only" : "-D";
        o->check_only = 1;
        if (o->latency || o->peers || o->clock != CLOCK_CPU)
            return bad(&r, "%s times nothing, and %s asks for a timing; leave one of them out", what,
                       o->latency ? "--latency" : o->peers ? "--peers" : "--clock");
    }
    return o->plot ? suits_picture(o, &r) : 0;
}

void options_free(struct options *o)
{
    free(o->files);
    o->files = NULL;
    o->file_count = 0;
}
