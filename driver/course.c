/* course.c - courses/NAME.cfg to struct course, by one table of fields. */
#define _GNU_SOURCE
#include "course.h"

#include <errno.h>
#include <fcntl.h>
#include <libconfig.h>
#include <limits.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* ---- the table ---- */

enum type { STRING, INTEGER, REAL, BOOLEAN, WORD, GROUP, PARTS, STRINGS };

struct field {
    const char *name;
    enum type type;
    size_t offset, size;          /* size: room of a string */
    const char *const *words;     /* WORD: its values in order */
    const struct field *fields;   /* GROUP and PARTS: what is inside */
    double least, most;           /* numbers */
    size_t count_offset;          /* PARTS and STRINGS: how many; GROUP: set to 1 when given */
    int required;
};

static const char *const dialects[] = { "malloclab", "classic", "autolab", "cmu16", NULL };
static const char *const means[] = { "arithmetic", "harmonic", "geometric", "total", NULL };
static const char *const measures[] = { "utilization", "kops", "relative", NULL };
static const char *const yardsticks[] = { "payload", "ceiling", NULL };
static const char *const relatives[] = { "mean-of-ratios", "ratio-of-means", NULL };
static const char *const outsides[] = { "heap", "ignored", NULL };
static const char *const checkheaps[] = { "nothing", "count", "sound", NULL };
static const char *const weightings[] = { "header", "equal", NULL };
static const char *const invalids[] = { "zero", "share", NULL };
static const char *const combines[] = { "sum", "product", NULL };

#define AT(type, member) offsetof(type, member), sizeof(((type *)0)->member)
#define NONE ((size_t)-1)
#define BIG 9e18
#define BASES_MOST 4
#define HEAP_MOST_32 INT64_C(0xa0000000)

#define P(member) AT(struct part, member)
static const struct field part_fields[] = {
    { "name", STRING, P(name), NULL, NULL, 0, 0, NONE, 1 },
    { "measure", WORD, P(measure), measures, NULL, 0, 0, NONE, 1 },
    { "points", REAL, P(points), NULL, NULL, 0, 1e6, NONE, 1 },
    { "low", REAL, P(low), NULL, NULL, 0, 1e12, NONE, 0 },
    { "high", REAL, P(high), NULL, NULL, 0, 1e12, NONE, 1 },
    { "power", REAL, P(power), NULL, NULL, 0.01, 100, NONE, 0 },
    { "unbounded", BOOLEAN, P(unbounded), NULL, NULL, 0, 0, NONE, 0 },
    { 0 },
};

#define K(member) AT(struct checkpoint, member)
static const struct field checkpoint_fields[] = {
    { "parts", PARTS, K(parts), NULL, part_fields, 0, 0, offsetof(struct checkpoint, part_count), 0 },
    { "passes_at", REAL, K(passes_at), NULL, NULL, 0, 1e6, NONE, 0 },
    { 0 },
};

#define R(member) AT(struct rules, member)
static const struct field rules_fields[] = {
    { "globals_bytes", INTEGER, R(globals_bytes), NULL, NULL, 0, BIG, NONE, 0 },
    { "globals_step", REAL, R(globals_step), NULL, NULL, 0, 1e9, NONE, 0 },
    { "globals_points", REAL, R(globals_points), NULL, NULL, 0, 1e6, NONE, 0 },
    { "macro_prefix", STRING, R(macro_prefix), NULL, NULL, 0, 0, NONE, 0 },
    { "banned", STRINGS, R(banned), NULL, NULL, 0, 0, offsetof(struct rules, banned_count), 0 },
    { "need_checkheap", BOOLEAN, R(need_checkheap), NULL, NULL, 0, 0, NONE, 0 },
    { "source_bytes", INTEGER, R(source_bytes), NULL, NULL, 0, BIG, NONE, 0 },
    { 0 },
};

#define A(member) AT(struct accepts, member)
static const struct field accepts_fields[] = {
    { "malloc_zero_null", BOOLEAN, A(malloc_zero_null), NULL, NULL, 0, 0, NONE, 0 },
    { "realloc_zero_null", BOOLEAN, A(realloc_zero_null), NULL, NULL, 0, 0, NONE, 0 },
    { "calloc_overflow", BOOLEAN, A(calloc_overflow), NULL, NULL, 0, 0, NONE, 0 },
    { 0 },
};

#define C(member) AT(struct course, member)
static const struct field utilization_fields[] = {
    { "mean", WORD, C(utilization.mean), means, NULL, 0, 0, NONE, 1 },
    { "of", WORD, C(utilization.of), yardsticks, NULL, 0, 0, NONE, 0 },
    { 0 },
};
static const struct field throughput_fields[] = {
    { "mean", WORD, C(throughput.mean), means, NULL, 0, 0, NONE, 1 },
    { "relative", WORD, C(throughput.relative), relatives, NULL, 0, 0, NONE, 0 },
    { 0 },
};

static const struct field course_fields[] = {
    { "base", STRING, C(base), NULL, NULL, 0, 0, NONE, 0 },
    { "title", STRING, C(title), NULL, NULL, 0, 0, NONE, 1 },
    { "dialect", WORD, C(dialect), dialects, NULL, 0, 0, NONE, 1 },
    { "bits", INTEGER, C(bits), NULL, NULL, 0, 64, NONE, 0 },
    { "alignment", INTEGER, C(alignment), NULL, NULL, 1, 4096, NONE, 1 },
    { "heap_limit", INTEGER, C(heap_limit), NULL, NULL, 4096, 9e13, NONE, 1 },
    { "flags", STRINGS, C(flags), NULL, NULL, 0, 0, offsetof(struct course, flag_count), 0 },
    { "outside", WORD, C(outside), outsides, NULL, 0, 0, NONE, 0 },
    { "outside_cap", INTEGER, C(outside_cap), NULL, NULL, 0, BIG, NONE, 0 },
    { "stack_limit", INTEGER, C(stack_limit), NULL, NULL, 65536, 64 << 20, NONE, 0 },
    { "accepts", GROUP, C(accepts), NULL, accepts_fields, 0, 0, NONE, 0 },
    { "checkheap", WORD, C(checkheap), checkheaps, NULL, 0, 0, NONE, 0 },
    { "reference", STRING, C(reference), NULL, NULL, 0, 0, NONE, 0 },
    { "traces", STRING, C(traces), NULL, NULL, 0, 0, NONE, 0 },
    { "scored", STRINGS, C(scored), NULL, NULL, 0, 0, offsetof(struct course, scored_count), 0 },
    { "weights", WORD, C(weights), weightings, NULL, 0, 0, NONE, 0 },
    { "invalid", WORD, C(invalid), invalids, NULL, 0, 0, NONE, 0 },
    { "utilization", GROUP, 0, 0, NULL, utilization_fields, 0, 0, NONE, 1 },
    { "throughput", GROUP, 0, 0, NULL, throughput_fields, 0, 0, NONE, 1 },
    { "combine", WORD, C(combine), combines, NULL, 0, 0, NONE, 0 },
    { "parts", PARTS, C(parts), NULL, part_fields, 0, 0, offsetof(struct course, part_count), 1 },
    { "zero_below", REAL, C(zero_below), NULL, NULL, 0, 1e6, NONE, 0 },
    { "checkpoint", GROUP, C(checkpoint), NULL, checkpoint_fields, 0, 0,
      offsetof(struct course, has_checkpoint), 0 },
    { "rules", GROUP, C(rules), NULL, rules_fields, 0, 0, NONE, 0 },
    { "autoresult", STRING, C(autoresult), NULL, NULL, 0, 0, NONE, 0 },
    { 0 },
};

static const char *const placeholders[] = { "score", "raw", "index", "kops", "util", "correct", "deduction", NULL };

/* ---- errors ---- */

struct reader {
    const char *path;
    int inherits;         /* settings that are missing here stand in the base */
    char *error;
    size_t error_size;
};

__attribute__((format(printf, 3, 4)))
static int bad(const struct reader *r, const config_setting_t *s, const char *format, ...)
{
    va_list args;
    const char *file = s ? config_setting_source_file(s) : NULL; /* of an @include, else NULL */
    unsigned line = s ? config_setting_source_line(s) : 1;       /* 0 for the root */
    int n = snprintf(r->error, r->error_size, "%s:%u: ", file ? file : r->path, line ? line : 1);

    va_start(args, format);
    if (n > 0 && (size_t)n < r->error_size)
        vsnprintf(r->error + n, r->error_size - (size_t)n, format, args);
    va_end(args);
    return -1;
}

static int unknown(const struct reader *r, const config_setting_t *s, const char *what, const char *word,
                   const char *const *words)
{
    const char *near = did_you_mean(word, words);
    char all[256] = "";

    for (size_t i = 0; words[i]; i++)
        snprintf(all + strlen(all), sizeof all - strlen(all), "%s%s", i ? ", " : "", words[i]);
    if (near)
        return bad(r, s, "unknown %s '%s'; did you mean '%s'?", what, word, near);
    return bad(r, s, "unknown %s '%s'; known are: %s", what, word, all);
}

/* ---- reading ---- */

static int read_group(const struct reader *r, const config_setting_t *s, const struct field *fields, char *base);

static int read_string(const struct reader *r, const config_setting_t *s, const char *what, char *to, size_t size)
{
    const char *text = config_setting_get_string(s);

    if (!text)
        return bad(r, s, "%s must be a string in double quotes", what);
    if (strlen(text) >= size)
        return bad(r, s, "%s is longer than %zu characters", what, size - 1);
    memcpy(to, text, strlen(text) + 1);
    return 0;
}

static int read_number(const struct reader *r, const config_setting_t *s, const struct field *f, char *to)
{
    int type = config_setting_type(s);
    double value = type == CONFIG_TYPE_FLOAT ? config_setting_get_float(s) : (double)config_setting_get_int64(s);

    if (type != CONFIG_TYPE_INT && type != CONFIG_TYPE_INT64 && (f->type == INTEGER || type != CONFIG_TYPE_FLOAT))
        return bad(r, s, "%s must be %s", f->name, f->type == INTEGER ? "a whole number" : "a number");
    if (!isfinite(value) || value < f->least || value > f->most)
        return bad(r, s, "%s must be between %g and %g", f->name, f->least, f->most);
    if (f->type == INTEGER)
        *(int64_t *)(void *)to = config_setting_get_int64(s);
    else
        *(double *)(void *)to = value;
    return 0;
}

static int read_list(const struct reader *r, const config_setting_t *s, const struct field *f, char *base)
{
    size_t item = f->type == PARTS ? sizeof(struct part) : sizeof(((struct course *)0)->flags[0]);
    size_t room = f->size / item, count = (size_t)config_setting_length(s);

    if (!config_setting_is_aggregate(s) || config_setting_is_group(s))
        return bad(r, s, "%s must be a list", f->name);
    if (count < (f->type == PARTS) || count > room)
        return bad(r, s, "%s must have %d to %zu entries", f->name, f->type == PARTS, room);
    const struct reader whole = { .path = r->path, .error = r->error, .error_size = r->error_size };
    for (size_t i = 0; i < count; i++) {
        const config_setting_t *entry = config_setting_get_elem(s, (unsigned)i);
        char *to = base + f->offset + i * item;
        if (f->type == PARTS)
            *(struct part *)(void *)to = (struct part){ .power = 1 };
        if (f->type == PARTS ? read_group(&whole, entry, f->fields, to) : read_string(r, entry, f->name, to, item))
            return -1;
    }
    *(size_t *)(void *)(base + f->count_offset) = count;
    return 0;
}

static int read_word(const struct reader *r, const config_setting_t *s, const struct field *f, char *to)
{
    const char *text = config_setting_get_string(s);

    if (!text)
        return bad(r, s, "%s must be a word in double quotes", f->name);
    for (int i = 0; f->words[i]; i++) {
        if (strcmp(text, f->words[i]) == 0) {
            *(int *)(void *)to = i;
            return 0;
        }
    }
    return unknown(r, s, f->name, text, f->words);
}

static int read_field(const struct reader *r, const config_setting_t *s, const struct field *f, char *base)
{
    char *to = base + f->offset;

    switch (f->type) {
    case STRING:
        return read_string(r, s, f->name, to, f->size);
    case INTEGER:
    case REAL:
        return read_number(r, s, f, to);
    case BOOLEAN:
        if (config_setting_type(s) != CONFIG_TYPE_BOOL)
            return bad(r, s, "%s must be true or false", f->name);
        *(int *)(void *)to = config_setting_get_bool(s);
        return 0;
    case WORD:
        return read_word(r, s, f, to);
    case GROUP:
        if (f->count_offset != NONE)
            *(int *)(void *)(base + f->count_offset) = 1;
        return read_group(r, s, f->fields, to);
    default:
        return read_list(r, s, f, base);
    }
}

static int read_group(const struct reader *r, const config_setting_t *s, const struct field *fields, char *base)
{
    if (!config_setting_is_group(s))
        return bad(r, s, "expected a group, { name = value; ... }");
    for (unsigned i = 0; i < (unsigned)config_setting_length(s); i++) {
        const config_setting_t *entry = config_setting_get_elem(s, i);
        const struct field *f = fields;
        while (f->name && strcmp(f->name, config_setting_name(entry)) != 0)
            f++;
        if (!f->name) {
            const char *names[40] = { NULL };
            for (size_t n = 0; n < 39 && fields[n].name; n++)
                names[n] = fields[n].name;
            return unknown(r, entry, "setting", config_setting_name(entry), names);
        }
        if (read_field(r, entry, f, base))
            return -1;
    }
    for (const struct field *f = fields; f->name && !r->inherits; f++)
        if (f->required && !config_setting_get_member(s, f->name))
            return bad(r, s, "%s is missing", f->name);
    return 0;
}

/* ---- what the fields mean together ---- */

/* Where a setting stands, to point at; NULL when that is in the base's file. */
static const config_setting_t *member(const config_setting_t *s, const char *name)
{
    return s ? config_setting_get_member(s, name) : NULL;
}

static int check_parts(const struct reader *r, const config_setting_t *s, const struct part *parts, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (parts[i].high <= parts[i].low)
            return bad(r, s ? config_setting_get_elem(s, (unsigned)i) : NULL,
                       "part '%s': high must be greater than low",
                       parts[i].name);
    return 0;
}

static int check_placeholders(const struct reader *r, const config_setting_t *root, const char *text)
{
    for (const char *p = strchr(text, '$'); p; p = strchr(p + 1, '$')) {
        char word[32];
        size_t n = strspn(p + 1, "abcdefghijklmnopqrstuvwxyz");
        snprintf(word, sizeof word, "%.*s", (int)(n < 31 ? n : 31), p + 1);
        size_t i = 0;
        while (placeholders[i] && strcmp(placeholders[i], word) != 0)
            i++;
        if (!placeholders[i])
            return unknown(r, member(root, "autoresult"), "placeholder", word, placeholders);
    }
    return 0;
}

static int check_course(const struct reader *r, const config_setting_t *root, const struct course *c)
{
    const config_setting_t *checkpoint = member(root, "checkpoint");

    if (c->bits != 0 && c->bits != 32 && c->bits != 64)
        return bad(r, member(root, "bits"), "bits must be 32, 64, or 0 for either");
    if (!member(root, "title"))
        return bad(r, root, "title is missing");
    if (c->bits == 32 && c->heap_limit > HEAP_MOST_32)
        return bad(r, member(root, "heap_limit"), "a 32-bit process has no room for a heap of more "
                   "than %lld bytes", (long long)HEAP_MOST_32);
    if (c->has_checkpoint && !c->checkpoint.part_count && c->checkpoint.passes_at <= 0)
        return bad(r, checkpoint, "checkpoint needs parts, or passes_at greater than 0");
    if (strpbrk(c->autoresult, "\r\n"))
        return bad(r, member(root, "autoresult"), "autoresult must be one line");
    if (c->alignment & (c->alignment - 1))
        return bad(r, member(root, "alignment"), "alignment must be a power of two");
    if (check_parts(r, member(root, "parts"), c->parts, c->part_count))
        return -1;
    if (c->checkpoint.part_count && check_parts(r, member(checkpoint, "parts"),
                                                c->checkpoint.parts, c->checkpoint.part_count))
        return -1;
    for (size_t i = 0; i < c->flag_count; i++)
        if (strncmp(c->flags[i], "-D", 2) != 0 && strncmp(c->flags[i], "-O", 2) != 0
            && strncmp(c->flags[i], "-f", 2) != 0)
            return bad(r, member(root, "flags"),
                       "flag '%s' is not allowed: only -D, -O and -f flags are", c->flags[i]);
    return check_placeholders(r, root, c->autoresult);
}

/* ---- files ---- */

/* A regular file: anything else, such as a pipe, could keep us waiting. */
static FILE *open_regular(const char *path)
{
    struct stat st;
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);

    if (fd < 0)
        return NULL;
    if (fstat(fd, &st) == 0 && S_ISREG(st.st_mode))
        return fdopen(fd, "r");
    close(fd);
    errno = S_ISDIR(st.st_mode) ? EISDIR : EINVAL;
    return NULL;
}

static int load(struct course *c, const char *name, int depth, char *error, size_t error_size);

/* The settings of ROOT over those of its base, if it names one. */
static int read_settings(struct course *c, const struct reader *r, const config_setting_t *root, int depth)
{
    const config_setting_t *base = config_setting_get_member(root, "base");
    struct reader over = *r;

    if (base) {
        char why[768], path[PATH_MAX], folder[PATH_MAX];
        const char *name = config_setting_get_string(base);
        if (!name || !name[0])
            return bad(r, base, "base must be the name of a course, in double quotes");
        if (depth == BASES_MOST)
            return bad(r, base, "more than %d courses are based on each other; is there a circle?", BASES_MOST);
        snprintf(folder, sizeof folder, "%.*s", (int)(strrchr(r->path, '/') ? strrchr(r->path, '/') + 1 - r->path : 0),
                 r->path);
        int beside = strlen(name) > 4 && strcmp(name + strlen(name) - 4, ".cfg") == 0 && name[0] != '/';
        snprintf(path, sizeof path, "%.3000s%.900s", beside ? folder : "", name);
        if (load(c, path, depth + 1, why, sizeof why))
            return bad(r, base, "base: %s", why);
        over.inherits = 1;
    }
    return read_group(&over, root, course_fields, (char *)c) || check_course(r, root, c) ? -1 : 0;
}

static int load(struct course *c, const char *name, int depth, char *error, size_t error_size)
{
    char path[sizeof c->path];
    config_t config;
    int rc;

    *c = (struct course){ .accepts = { 1, 1, 0 }, .reference = "explicit", .traces = "traces", .stack_limit = 262144 };
    if (course_find(path, sizeof path, name, error, error_size))
        return -1;
    FILE *f = open_regular(path);
    if (!f) {
        snprintf(error, error_size, "%s: cannot read the course: %s", path,
                 errno == EINVAL ? "it is not a regular file" : strerror(errno));
        return -1;
    }
    const struct reader r = { .path = path, .error = error, .error_size = error_size };
    config_init(&config);
    if (config_read(&config, f)) {
        rc = read_settings(c, &r, config_root_setting(&config), depth);
    } else {
        const char *file = config_error_file(&config);
        snprintf(error, error_size, "%s:%d: %s", file ? file : path, config_error_line(&config),
                 config_error_text(&config));
        rc = -1;
    }
    config_destroy(&config);
    fclose(f);
    const char *last = strrchr(path, '/') ? strrchr(path, '/') + 1 : path;
    snprintf(c->name, sizeof c->name, "%.*s", (int)(strlen(last) < 67 ? strlen(last) - 4 : 63), last);
    memcpy(c->path, path, sizeof path);
    return rc;
}

int course_load(struct course *c, const char *name, char *error, size_t error_size)
{
    return load(c, name, 0, error, error_size);
}

/* ---- export ---- */

static json_t *export_group(const struct field *fields, const char *base);

static json_t *export_list(const struct field *f, const char *base)
{
    size_t item = f->type == PARTS ? sizeof(struct part) : sizeof(((struct course *)0)->flags[0]);
    size_t count = *(const size_t *)(const void *)(base + f->count_offset);
    json_t *list = json_array();

    for (size_t i = 0; i < count; i++) {
        const char *at = base + f->offset + i * item;
        json_array_append_new(list, f->type == PARTS ? export_group(f->fields, at) : json_string(at));
    }
    return list;
}

static json_t *export_field(const struct field *f, const char *base)
{
    const char *at = base + f->offset;

    switch (f->type) {
    case STRING: return json_string(at);
    case INTEGER: return json_integer(*(const int64_t *)(const void *)at);
    case REAL: return json_real(*(const double *)(const void *)at);
    case BOOLEAN: return json_boolean(*(const int *)(const void *)at);
    case WORD: return json_string(f->words[*(const int *)(const void *)at]);
    case GROUP:
        if (f->count_offset != NONE && !*(const int *)(const void *)(base + f->count_offset))
            return json_null();
        return export_group(f->fields, at);
    default: return export_list(f, base);
    }
}

static json_t *export_group(const struct field *fields, const char *base)
{
    json_t *object = json_object();

    for (const struct field *f = fields; f->name; f++)
        json_object_set_new(object, f->name, export_field(f, base));
    return object;
}

json_t *course_json(const struct course *c)
{
    json_t *object = export_group(course_fields, (const char *)c);

    json_object_set_new(object, "name", json_string(c->name));
    return object;
}

const char *dialect_word(int dialect) { return dialects[dialect]; }
