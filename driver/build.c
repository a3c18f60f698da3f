/* build.c - one source file to a runner: compile, look, make local, link. */
#define _GNU_SOURCE
#include "build.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "build_folder.h"
#include "build_link.h"
#include "build_source.h"
#include "dialect.h"
#include "elf_file.h"
#include "tool.h"
#include "wire.h"

#define GCC "/usr/bin/gcc"
#define OBJCOPY "/usr/bin/objcopy"

/* All that a runner calls or looks at by name. */
static const char *const entry_points[] = {
    "mm_init", "mm_malloc", "mm_free", "mm_realloc", "mm_calloc", "mm_checkheap",
    "mm_gc_roots", "mm_gc_collect", "mm_gc_stats", "team", NULL,
};

#define ON(dialect) (1u << DIALECT_##dialect)
#define ON_ANY (~0u)

/* What is done about old C and about files that bring what a header would give: when STEP failed and its log has WORD
 * in it. In this order; each is added to those before it. */
static const struct remedy { const char *step, *word, *flags[2]; unsigned dialects; } remedies[] = {
    { "compile", "mm_checkheap", { "-DMM_NO_CHECKHEAP" }, ON(AUTOLAB) | ON(CMU16) },
    { "compile", "conflicting types for ‘team", { "-DMM_NO_TEAM" }, ON_ANY },
    { "compile", "unknown type name ‘team_t", { "-include", "team.h" }, ON_ANY & ~ON(CLASSIC) },
    { "compile", "mm_", { "-Ibare" }, ON_ANY },
    { "link", "mm_malloc", { "-DDRIVER" }, ON(CLASSIC) | ON(MALLOCLAB) },
    { "link", "undefined reference", { "-fgnu89-inline" }, ON_ANY },
    { "compile", "", { "-std=gnu89" }, ON_ANY },
};
enum { REMEDIES = sizeof remedies / sizeof *remedies };

struct words { const char *w[48]; size_t n; };

static void add(struct words *to, const char *word)
{
    if (word && to->n < 47)
        to->w[to->n++] = word;
    to->w[to->n] = NULL;
}

/* The work in progress. */
struct job {
    const struct build_request *request;
    struct source source;
    struct tool tool;
    int bits;
    int applied[REMEDIES];
    char define_alignment[48], include_allocators[PATH_MAX + 2];
    char *log;             /* of the last tool */
    char *warnings;        /* of the compiler, when it succeeded */
    struct { const char *step; int rc; char *log, *warnings; } first; /* attempt that failed: for the student */
    char *error;
    size_t error_size;
};

__attribute__((format(printf, 3, 4)))
static enum build_status fail(const struct job *j, enum build_status status, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    vsnprintf(j->error, j->error_size, format, args);
    va_end(args);
    return status;
}

/* What all compilations of a source that was read have in common. */
static enum build_status prepare(struct job *j)
{
    const struct course *course = j->request->course;

    j->tool.trusted = j->source.shipped;
    if (course->alignment)
        snprintf(j->define_alignment, sizeof j->define_alignment, "-DMM_ALIGNMENT=%d", (int)course->alignment);
    snprintf(j->include_allocators, sizeof j->include_allocators, "-I%s/allocators", program_folder());
    if (!j->tool.trusted && tool_sandbox_works(j->error, j->error_size))
        return BUILD_OURS;
    j->tool.folder = build_folder_new(j->source.shipped ? DIALECT_MALLOCLAB : course->dialect, j->error, j->error_size);
    if (!j->tool.folder)
        return BUILD_OURS;
    if (build_folder_write(j->tool.folder, "mm.c", j->source.bytes, j->source.size) == 0)
        return BUILD_OK;
    build_folder_unwritable(j->tool.folder, j->error, j->error_size);
    return BUILD_OURS;
}

static enum build_status prepare_objects(struct job *j)
{
    return build_folder_objects(j->tool.folder, j->bits, j->error, j->error_size) ? BUILD_OURS : BUILD_OK;
}

/* ---- one attempt ---- */

static int run(struct job *j, const struct words *words, const char *output)
{
    free(j->log);
    j->tool.stdout_name = output;
    return tool_run(&j->tool, words->w, &j->log);
}

/* The compiler's words up to the source, the same for compiling and for looking. */
static void compile_words(const struct job *j, struct words *w)
{
    const struct course *course = j->request->course;

    add(w, GCC);
    add(w, "-std=gnu11");
    add(w, "-O2"), add(w, "-g"), add(w, "-fno-pie"), add(w, "-fno-common"), add(w, "-fmax-errors=20");
    add(w, "-fdiagnostics-color=never"), add(w, "-fno-diagnostics-show-caret");
    add(w, j->bits == 32 ? "-m32" : NULL);
    add(w, j->define_alignment[0] ? j->define_alignment : NULL);
    for (size_t i = 0; i < course->flag_count; i++)
        add(w, course->flags[i]);
    add(w, j->request->extra_flag);
    for (size_t i = 0; i < REMEDIES; i++)
        for (size_t k = 0; j->applied[i] && k < 2; k++)
            add(w, remedies[i].flags[k]);
    add(w, "-Iinclude");
    if (j->source.shipped)
        add(w, j->include_allocators);
}

/* Compiles, localises and links. The status of the tool that failed; *STEP says which. */
static int attempt(struct job *j, const char **step)
{
    struct words compile = { .n = 0 }, localise = { .n = 0 }, link = { .n = 0 };
    char keep[16][48];
    int rc;

    *step = "compile";
    compile_words(j, &compile);
    add(&compile, "-c"), add(&compile, "-o"), add(&compile, "mm.o");
    add(&compile, j->source.shipped ? j->source.path : "mm.c");
    rc = run(j, &compile, NULL);
    if (rc)
        return rc;
    free(j->warnings);
    j->warnings = j->log;
    j->log = NULL;

    *step = "objcopy";
    add(&localise, OBJCOPY);
    for (size_t i = 0; entry_points[i]; i++) {
        snprintf(keep[i], sizeof keep[i], "--keep-global-symbol=%s", entry_points[i]);
        add(&localise, keep[i]);
    }
    add(&localise, "--rename-section"), add(&localise, ".data=mm_data"); /* what a runner puts back: runner.c */
    add(&localise, "--rename-section"), add(&localise, ".bss=mm_bss");
    add(&localise, "mm.o"), add(&localise, "local.o");
    rc = run(j, &localise, NULL);
    if (rc == 0) {
        *step = "link";
        add(&link, GCC);
        add(&link, "-static"), add(&link, "-no-pie");
        add(&link, j->bits == 32 ? "-m32" : NULL);
        add(&link, "-o"), add(&link, "runner");
        for (size_t i = 0; runner_objects[i]; i++)
            add(&link, runner_objects[i]);
        add(&link, "local.o"), add(&link, "-lm");
        rc = run(j, &link, NULL);
    }
    return rc;
}

/* Applies the next remedy against what the last tool said; 0 when none is left. */
static int remedy(struct job *j, const char *step)
{
    for (size_t i = 0; i < REMEDIES; i++) {
        const struct remedy *r = &remedies[i];
        if (j->applied[i] || strcmp(r->step, step) != 0 || !(r->dialects & 1u << j->request->course->dialect)
            || !j->log || !strstr(j->log, r->word))
            continue;
        j->applied[i] = 1;
        return 1;
    }
    return 0;
}

static void describe(const struct words *w, char **out)
{
    size_t length = 1;

    for (size_t i = 0; i < w->n; i++)
        length += strlen(w->w[i]) + 1;
    *out = calloc(1, length);
    for (size_t i = 0; *out && i < w->n; i++) {
        strcat(*out, i ? " " : "");
        strcat(*out, w->w[i]);
    }
}

/* Macros and tokens that are left of the source, with line markers; NULL when there are none. */
static char *preprocess(struct job *j, const struct words *more)
{
    struct words w = { .n = 0 };
    size_t size;

    compile_words(j, &w);
    for (size_t i = 0; i < more->n; i++)
        add(&w, more->w[i]);
    add(&w, "-E"), add(&w, "-dD"), add(&w, j->source.shipped ? j->source.path : "mm.c");
    run(j, &w, "preprocessed"); /* an error, such as an unknown header, ends the text early */
    return (char *)build_folder_read(j->tool.folder, "preprocessed", &size);
}

/* The edition that the source looks like, or that of the course when there is nothing to see. */
static int look_at_dialect(struct job *j, char *why, size_t why_size)
{
    const struct words bare = { { "-Ibare", "-DDRIVER" }, 2 };
    char *text = preprocess(j, &bare);
    int dialect = j->request->course->dialect;

    if (text && text[0])
        dialect = dialect_guess(text, why, why_size);
    else
        snprintf(why, why_size, "the preprocessor gave nothing to tell it by");
    free(text);
    return dialect;
}

/* Whether another edition's headers could be what it lacks: a classic file suits the default course's as well, and what
 * compiles fails to link for that reason only when a function is missing. */
static int may_be_of_another(const struct job *j, int dialect, const char *step, const char *log)
{
    int own = j->request->course->dialect;

    return dialect != own && !(own == DIALECT_MALLOCLAB && dialect == DIALECT_CLASSIC)
        && (strcmp(step, "link") != 0 || (log && strstr(log, "undefined reference")));
}

static int defines(const struct elf_object *facts, const char *name)
{
    return elf_symbol(facts, name) != NULL && elf_symbol(facts, name)->defined;
}

/* Whether it compiled to functions that are called malloc and so on: the handout's macros were lost. */
static int lacks_macros(const struct job *j)
{
    size_t size;
    unsigned char *object = build_folder_read(j->tool.folder, "mm.o", &size);
    struct elf_object facts = { 0 };
    char error[256];
    int lacks = object && elf_read_object(&facts, object, size, error, sizeof error) == 0 && defines(&facts, "malloc")
             && !defines(&facts, "mm_malloc");

    elf_object_free(&facts);
    free(object);
    return lacks;
}

/* The header of the student's own that is not there, from the compiler's words; "" when that is not the reason. */
static void missing_header(const char *log, char *out, size_t size)
{
    static const char fatal[] = ": fatal error: ";
    const char *name = log ? strstr(log, fatal) : NULL;
    const char *end = name ? strstr(name, ": No such file or directory\n") : NULL;

    out[0] = '\0';
    if (end && !memchr(name, '\n', (size_t)(end - name)))
        snprintf(out, size, ": %.*s is not here, for a submission is one file; put what is needed of it into that",
                 (int)(end - name) - (int)strlen(fatal), name + strlen(fatal));
}

/* Why it cannot be built: a sentence, and the words below it. */
static enum build_status explain(struct job *j, int rc, const char *step, const char *log)
{
    const char *name = j->source.name;
    char why[160], hint[256] = "", reason[400];

    if (rc == TOOL_BROKEN)
        return fail(j, BUILD_OURS, "%s: %s", name, j->log ? j->log : "out of memory");
    if ((rc == TOOL_KILLED || (log && strstr(log, "No space left on device"))) /* words prove nothing */
        && build_folder_is_full(j->tool.folder))
        return fail(j, BUILD_OURS, "%s: the disk of %s is full; TMPDIR can name another folder", name, j->tool.folder);
    if (rc == TOOL_LATE || rc == TOOL_KILLED)
        return fail(j, BUILD_FAILED, "%s: the %s was stopped: it needed more time or memory than any allocator does",
                    name, strcmp(step, "compile") == 0 ? "compiler" : "linker");
    int dialect = look_at_dialect(j, why, sizeof why);
    if (strcmp(step, "link") == 0 && lacks_macros(j))
        snprintf(hint, sizeof hint, ", but malloc: write `#define malloc mm_malloc`, and the same for free, realloc "
                 "and calloc, above its functions");
    else if (may_be_of_another(j, dialect, step, log))
        snprintf(hint, sizeof hint, "; it looks like a file of the %s edition, because %s: try --course auto",
                 dialect_word(dialect), why);
    if (strcmp(step, "compile") == 0 && memchr(j->source.bytes, '\0', j->source.size))
        return fail(j, BUILD_FAILED, "%s: does not compile: it holds zero bytes, so it is no plain text; "
                    "save it as UTF-8", name);
    missing_header(log, reason, sizeof reason);
    if (strcmp(step, "compile") == 0)
        return fail(j, BUILD_FAILED, "%s: does not compile%s%s%s", name, j->bits == 32 ? " as a 32-bit file" : "",
                    reason, hint);
    if (log && link_reason(name, log, reason, sizeof reason) == 0)
        return fail(j, BUILD_FAILED, "%s: %s%s", name, reason, hint);
    if (log && strstr(log, "relocation truncated to fit"))
        return fail(j, BUILD_FAILED, "%s: does not link: its static data is larger than 2 GiB", name);
    return fail(j, BUILD_FAILED, "%s: does not link%s", name, j->bits == 32 ? " as a 32-bit file; -V shows what the "
                "linker said" : "; -V shows what the linker said");
}

static char *take(char **text)
{
    char *taken = *text;

    *text = NULL;
    return taken;
}

static enum build_status try_all(struct job *j, struct runner_image *image)
{
    const char *step = "";
    int rc;

    while ((rc = attempt(j, &step)) > 0) {
        int again = remedy(j, step);
        if (!j->first.step) {
            j->first.step = step;
            j->first.rc = rc;
            j->first.log = take(&j->log);
            j->first.warnings = strcmp(step, "compile") == 0 ? NULL : take(&j->warnings);
        }
        if (!again)
            break;
    }
    if (rc > 0) {
        enum build_status status = explain(j, j->first.rc, j->first.step, j->first.log);
        int compiled = strcmp(j->first.step, "compile") != 0;
        image->build_log = take(compiled ? &j->first.warnings : &j->first.log);
        image->link_log = compiled ? take(&j->first.log) : NULL;
        return status;
    }
    if (rc < 0)
        return explain(j, rc, step, NULL);
    struct words w = { .n = 0 };
    compile_words(j, &w);
    describe(&w, &image->flags_used);
    image->build_log = take(&j->warnings);
    return BUILD_OK;
}

/* ---- the finished runner ---- */

/* How the entry points of an edition's files are called. */
static uint32_t conventions(int dialect, int checkheap)
{
    static const uint32_t of_checkheap[] = { [CHECKHEAP_COUNT] = WIRE_CHECK_INT, [CHECKHEAP_SOUND] = WIRE_CHECK_BOOL };
    uint32_t flags = of_checkheap[checkheap];

    if (dialect == DIALECT_CMU16)
        flags |= WIRE_INIT_BOOL;
    if (dialect == DIALECT_CLASSIC || dialect == DIALECT_AUTOLAB)
        flags |= WIRE_SBRK_INT;
    return flags;
}

/* Those of the course, unless the course's headers did not fit and the file looks like one of another edition. */
static uint32_t find_conventions(struct job *j, struct findings *f)
{
    static const int usual[] = { [DIALECT_MALLOCLAB] = CHECKHEAP_COUNT, [DIALECT_CMU16] = CHECKHEAP_SOUND };
    const struct course *course = j->request->course;
    int remedied = 0, dialect = j->source.shipped ? DIALECT_MALLOCLAB : course->dialect;
    char why[160];

    for (size_t i = 0; i < REMEDIES; i++)
        remedied |= j->applied[i];
    if (remedied && !j->source.shipped) {
        dialect = look_at_dialect(j, why, sizeof why);
        if (dialect != course->dialect)
            finding_add(f, "edition", 0, "it is called as a file of the %s edition, because %s; -c %s judges it by "
                        "that edition's rules", dialect_word(dialect), why, dialect_word(dialect));
    }
    return conventions(dialect, dialect == course->dialect ? course->checkheap : usual[dialect]);
}

static enum build_status inspect(struct job *j, struct runner_image *image, struct build *b)
{
    size_t object_size, exec_size;
    const struct words none = { .n = 0 };
    unsigned char *object = build_folder_read(j->tool.folder, "mm.o", &object_size);
    unsigned char *exec = build_folder_read(j->tool.folder, "runner", &exec_size);
    char *text = NULL;
    struct elf_object facts = { 0 };
    enum build_status rc = BUILD_OK;

    if (!object || !exec) {
        rc = fail(j, BUILD_FAILED, "%s: the compiler left no runner: %s", j->source.name, strerror(errno));
    } else if (elf_read_object(&facts, object, object_size, j->error, j->error_size)) {
        rc = BUILD_FAILED;
    } else {
        image->bits = facts.bits;
        image->static_bytes = facts.writable_bytes;
        image->writable_bytes = elf_writable_segments(exec, exec_size);
        image->has_gc = defines(&facts, "mm_gc_roots");
        image->has_checkheap = defines(&facts, "mm_checkheap");
        text = build_rules_need_text(&j->request->course->rules) ? preprocess(j, &none) : NULL;
        image->conventions = find_conventions(j, &b->findings);
        build_rules(&b->findings, j->request->course, &facts, j->source.size, text);
        b->team_count = elf_strings_of(exec, exec_size, "team", b->team, sizeof b->team / sizeof *b->team);
        if (j->request->course->dialect == DIALECT_CLASSIC && !j->source.shipped)
            build_team(&b->findings, &facts, b);
    }
    elf_object_free(&facts);
    free(object);
    free(exec);
    free(text);
    return rc;
}

static enum build_status open_runner(struct job *j, struct runner_image *image)
{
    char path[PATH_MAX];

    snprintf(path, sizeof path, "%s/runner", j->tool.folder);
    chmod(path, 0755);
    image->exec_path = strdup(path);
    image->exec_fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    if (image->exec_fd < 0 || !image->exec_path)
        return fail(j, BUILD_OURS, "%s: %s", path, strerror(errno));
    return BUILD_OK;
}

enum build_status build_runner(const struct build_request *request, struct runner_image *image,
                               struct build *b, char *error, size_t error_size)
{
    struct job j = { .request = request, .error = error, .error_size = error_size };

    *image = (struct runner_image){ .exec_fd = -1 };
    *b = (struct build){ .text = "" };
    int rc = source_read(&j.source, request->source, error, error_size);
    image->shipped = j.source.shipped;
    memcpy(image->name, j.source.name, sizeof image->name);
    memcpy(image->sha256, j.source.sha256, sizeof image->sha256);
    image->path = strdup(request->source);
    image->bits = j.bits = request->bits ? request->bits : request->course->bits ? (int)request->course->bits : 64;
    if (rc == 0)
        rc = prepare(&j);
    if (rc == 0)
        rc = prepare_objects(&j);
    if (rc == 0)
        rc = try_all(&j, image);
    if (rc == 0)
        rc = inspect(&j, image, b);
    if (rc == 0)
        rc = open_runner(&j, image);
    free(j.source.bytes);
    free(j.log);
    free(j.warnings);
    free(j.first.log);
    free(j.first.warnings);
    return (enum build_status)rc;
}

enum build_status build_dialect(const char *source, int *dialect, char *why, size_t why_size,
                                char *error, size_t error_size)
{
    static const struct course neutral = { .dialect = DIALECT_AUTOLAB }; /* MM_ALIGNMENT stays a token */
    const struct build_request request = { .source = source, .course = &neutral, .bits = 64 };
    struct job j = { .request = &request, .error = error, .error_size = error_size, .bits = 64 };
    int rc = source_read(&j.source, source, error, error_size);

    if (rc == 0 && j.source.shipped) {
        snprintf(why, why_size, "it is one of ours");
        *dialect = DIALECT_COUNT;
    } else {
        rc = rc ? rc : (int)prepare(&j);
        if (rc == 0)
            *dialect = look_at_dialect(&j, why, why_size);
    }
    free(j.source.bytes);
    free(j.log);
    return (enum build_status)rc;
}

void image_free(struct runner_image *image)
{
    if (image->exec_fd >= 0)
        close(image->exec_fd);
    free(image->path);
    free(image->exec_path);
    free(image->build_log);
    free(image->link_log);
    free(image->flags_used);
    *image = (struct runner_image){ .exec_fd = -1 };
}
