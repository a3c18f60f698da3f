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
#include <sys/types.h>
#include <unistd.h>

#include "build_source.h"
#include "elf_file.h"
#include "tool.h"

#define GCC "/usr/bin/gcc"
#define OBJCOPY "/usr/bin/objcopy"
#define OBJECT_LIMIT ((size_t)64 << 20)

/* All that a runner calls or looks at by name. */
static const char *const entry_points[] = {
    "mm_init", "mm_malloc", "mm_free", "mm_realloc", "mm_calloc", "mm_checkheap",
    "mm_gc_roots", "mm_gc_collect", "mm_gc_stats", "team", NULL,
};

static const char *const runner_objects[] = { "runner.o", "memlib.o", "runner_libc.o", NULL };

/* One way to compile; tried from the first to the last. */
static const struct attempt { const char *standard, *inlining, *headers; } attempts[] = {
    { "-std=gnu11", NULL, NULL },
    { "-std=gnu11", NULL, "-DMM_NO_CHECKHEAP" },
    { "-std=gnu11", NULL, "-DMM_NO_TEAM" },
    { "-std=gnu11", NULL, "-Ibare" },
    { "-std=gnu11", "-fgnu89-inline", NULL },
    { "-std=gnu11", "-fgnu89-inline", "-DMM_NO_CHECKHEAP" },
    { "-std=gnu11", "-fgnu89-inline", "-DMM_NO_TEAM" },
    { "-std=gnu11", "-fgnu89-inline", "-Ibare" },
    { "-std=gnu89", NULL, NULL },
    { "-std=gnu89", NULL, "-Ibare" },
};
enum { ATTEMPTS = sizeof attempts / sizeof *attempts };

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
    char define_alignment[48], include_allocators[PATH_MAX + 2];
    char *log;             /* of the last tool */
    char *first_log;       /* of the first attempt: what a student should read */
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

/* ---- folders: ours, removed at exit ---- */

static char *folders[256];
static size_t folder_count;

void build_cleanup(void)
{
    while (folder_count) {
        char *folder = folders[--folder_count];
        tool_folder_remove(folder);
        free(folder);
    }
}

static int write_file(const char *folder, const char *name, const void *bytes, size_t size)
{
    char path[PATH_MAX];

    snprintf(path, sizeof path, "%s/%s", folder, name);
    int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
    ssize_t n = fd < 0 ? -1 : write(fd, bytes, size);
    if (fd >= 0)
        close(fd);
    return n == (ssize_t)size ? 0 : -1;
}

static int copy_file(const char *from, const char *folder, const char *name)
{
    size_t size;
    unsigned char *bytes = read_whole(from, OBJECT_LIMIT, &size);
    int rc = bytes ? write_file(folder, name, bytes, size) : -1;

    free(bytes);
    return rc;
}

/* Each header from the first folder that has it: the edition's own, then those
 * that editions share. This project's edition uses mm.h and memlib.h beside mdriver. */
static int copy_headers(const struct job *j)
{
    static const char *const names[] = { "mm.h", "memlib.h", "config.h", "contracts.h" };
    char own[64], path[PATH_MAX], to[64];
    snprintf(own, sizeof own, "courses/include/%s", dialect_word(j->request->course->dialect));
    int ours = j->request->course->dialect == DIALECT_MALLOCLAB;
    const char *const places[] = { ours ? "." : own, own, "courses/include/shared" };
    int missing = 0;

    snprintf(path, sizeof path, "%s/courses/include/bare/mm.h", program_folder());
    missing |= copy_file(path, j->tool.folder, "bare/mm.h");
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        int found = 0;
        snprintf(to, sizeof to, "include/%s", names[i]);
        for (size_t k = 0; k < sizeof places / sizeof *places && !found; k++) {
            snprintf(path, sizeof path, "%s/%s/%s", program_folder(), places[k], names[i]);
            found = copy_file(path, j->tool.folder, to) == 0;
        }
        missing |= !found;
    }
    return missing ? -1 : 0;
}

static int copy_objects(const struct job *j)
{
    char path[PATH_MAX];
    int rc = 0;

    for (size_t i = 0; runner_objects[i]; i++) {
        snprintf(path, sizeof path, "%s/build/runner%d/%s", program_folder(), j->bits, runner_objects[i]);
        rc |= copy_file(path, j->tool.folder, runner_objects[i]);
    }
    return rc;
}

static enum build_status prepare(struct job *j)
{
    static const char *const inner[] = { "include", "bare" };
    char path[PATH_MAX];

    j->tool.folder = tool_folder();
    if (!j->tool.folder || folder_count == sizeof folders / sizeof *folders)
        return fail(j, BUILD_OURS, "cannot make a private folder for the build: %s", strerror(errno));
    folders[folder_count++] = (char *)(uintptr_t)j->tool.folder;
    for (size_t i = 0; i < 2; i++) {
        snprintf(path, sizeof path, "%s/%s", j->tool.folder, inner[i]);
        if (mkdir(path, 0755) || chmod(path, 0755))
            return fail(j, BUILD_OURS, "%s: %s", path, strerror(errno));
    }
    if (copy_headers(j))
        return fail(j, BUILD_OURS, "the headers of the %s edition are missing under %s/courses/include",
                    dialect_word(j->request->course->dialect), program_folder());
    if (copy_objects(j)) {
        if (j->bits == 32)
            return fail(j, BUILD_FAILED, "32-bit runners are not built: install gcc-multilib and run make again");
        return fail(j, BUILD_OURS, "the runner's objects are missing under %s/build; run make", program_folder());
    }
    if (write_file(j->tool.folder, "mm.c", j->source.bytes, j->source.size))
        return fail(j, BUILD_OURS, "cannot copy the source into %s: %s", j->tool.folder, strerror(errno));
    return BUILD_OK;
}

/* ---- one attempt ---- */

static int run(struct job *j, const struct words *words, const char *output)
{
    free(j->log);
    j->tool.stdout_name = output;
    return tool_run(&j->tool, words->w, &j->log);
}

/* The compiler's words up to the source, the same for compiling and for looking. */
static void compile_words(const struct job *j, const struct attempt *a, struct words *w)
{
    const struct course *course = j->request->course;

    add(w, GCC);
    add(w, a->standard);
    add(w, a->inlining);
    add(w, "-O2"), add(w, "-g"), add(w, "-fno-pie"), add(w, "-fno-common"), add(w, "-fmax-errors=20");
    add(w, "-fdiagnostics-color=never"), add(w, "-fno-diagnostics-show-caret");
    add(w, j->bits == 32 ? "-m32" : NULL);
    add(w, j->define_alignment);
    for (size_t i = 0; i < course->flag_count; i++)
        add(w, course->flags[i]);
    add(w, j->request->extra_flag);
    add(w, a->headers);
    add(w, "-Iinclude");
    if (j->source.shipped)
        add(w, j->include_allocators);
}

/* Compiles, localises and links. The status of the tool that failed; *STEP says which. */
static int attempt(struct job *j, const struct attempt *a, const char **step)
{
    struct words compile = { .n = 0 }, localise = { .n = 0 }, link = { .n = 0 };
    char keep[16][48];
    int rc;

    *step = "compile";
    compile_words(j, a, &compile);
    add(&compile, "-c"), add(&compile, "-o"), add(&compile, "mm.o");
    add(&compile, j->source.shipped ? j->source.path : "mm.c");
    rc = run(j, &compile, NULL);
    if (rc)
        return rc;
    char *said = j->log; /* warnings are worth keeping */
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
    if (rc == 0) {
        free(j->log);
        j->log = said;
    } else {
        free(said);
    }
    return rc;
}

/* Which attempts are worth making after A failed at STEP. */
static int worth_trying(const struct job *j, const struct attempt *next, int compiled_once)
{
    int dialect = j->request->course->dialect;

    if (next->headers && strcmp(next->headers, "-DMM_NO_TEAM") == 0 && dialect != DIALECT_CLASSIC)
        return 0;
    if (next->headers && strcmp(next->headers, "-DMM_NO_CHECKHEAP") == 0
        && dialect != DIALECT_AUTOLAB && dialect != DIALECT_CMU16)
        return 0;
    return !next->inlining || compiled_once; /* a matter of linking only */
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

static enum build_status explain(struct job *j, int rc, const char *step)
{
    const char *name = j->source.name;

    if (rc == TOOL_BROKEN)
        return fail(j, BUILD_OURS, "%s: %s", name, j->log ? j->log : "out of memory");
    if (rc == TOOL_LATE || rc == TOOL_KILLED)
        return fail(j, BUILD_FAILED, "%s: the %s was stopped: it needed more time or memory than any allocator does",
                    name, strcmp(step, "compile") == 0 ? "compiler" : "linker");
    return fail(j, BUILD_FAILED, "%s: does not %s%s", name, strcmp(step, "link") == 0 ? "link" : "compile",
                j->bits == 32 ? " as a 32-bit file" : "");
}

static enum build_status try_all(struct job *j, struct runner_image *image)
{
    const char *step = "", *first_step = "";
    int compiled_once = 0, first_rc = 0, rc = 0;

    for (size_t i = 0; i < ATTEMPTS; i++) {
        if (i && !worth_trying(j, &attempts[i], compiled_once))
            continue;
        rc = attempt(j, &attempts[i], &step);
        if (rc == 0) {
            struct words w = { .n = 0 };
            compile_words(j, &attempts[i], &w);
            describe(&w, &image->flags_used);
            image->build_log = j->log;
            j->log = NULL;
            return BUILD_OK;
        }
        if (rc < 0)
            return explain(j, rc, step);
        compiled_once |= strcmp(step, "compile") != 0;
        if (!j->first_log) {
            j->first_log = j->log;
            j->log = NULL;
            first_step = step;
            first_rc = rc;
        }
    }
    image->build_log = j->first_log;
    j->first_log = NULL;
    return explain(j, first_rc, first_step);
}

/* ---- the finished runner ---- */

static unsigned char *read_built(const struct job *j, const char *name, size_t *size)
{
    char path[PATH_MAX];

    snprintf(path, sizeof path, "%s/%s", j->tool.folder, name);
    return read_whole(path, OBJECT_LIMIT, size);
}

/* Macros that the source itself defines, with line markers. NULL when a course does not ask. */
static unsigned char *read_macros(struct job *j)
{
    struct words w = { .n = 0 };
    size_t size;

    if (!j->request->course->rules.macro_prefix[0])
        return NULL;
    compile_words(j, &attempts[0], &w);
    add(&w, "-E"), add(&w, "-dD"), add(&w, j->source.shipped ? j->source.path : "mm.c");
    return run(j, &w, "macros") == 0 ? read_built(j, "macros", &size) : NULL;
}

static enum build_status inspect(struct job *j, struct runner_image *image, struct build *b)
{
    size_t object_size, exec_size;
    unsigned char *object = read_built(j, "mm.o", &object_size), *exec = read_built(j, "runner", &exec_size);
    unsigned char *macros = NULL;
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
        image->has_gc = elf_symbol(&facts, "mm_gc_roots") != NULL && elf_symbol(&facts, "mm_gc_roots")->defined;
        macros = read_macros(j);
        build_rules(&b->findings, j->request->course, &facts, (const char *)j->source.bytes, j->source.size,
                    (const char *)macros);
        b->team_count = elf_strings_of(exec, exec_size, "team", b->team, sizeof b->team / sizeof *b->team);
    }
    elf_object_free(&facts);
    free(object);
    free(exec);
    free(macros);
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
    j.tool.trusted = j.source.shipped;
    snprintf(j.define_alignment, sizeof j.define_alignment, "-DMM_ALIGNMENT=%d", (int)request->course->alignment);
    snprintf(j.include_allocators, sizeof j.include_allocators, "-I%s/allocators", program_folder());
    if (rc == 0 && !j.tool.trusted && tool_sandbox_works(error, error_size))
        rc = BUILD_OURS;
    if (rc == 0)
        rc = prepare(&j);
    if (rc == 0)
        rc = try_all(&j, image);
    if (rc == 0)
        rc = inspect(&j, image, b);
    if (rc == 0)
        rc = open_runner(&j, image);
    free(j.source.bytes);
    free(j.log);
    free(j.first_log);
    return (enum build_status)rc;
}

void image_free(struct runner_image *image)
{
    if (image->exec_fd >= 0)
        close(image->exec_fd);
    free(image->path);
    free(image->exec_path);
    free(image->build_log);
    free(image->flags_used);
    *image = (struct runner_image){ .exec_fd = -1 };
}
