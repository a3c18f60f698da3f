/* build_rules.c - static rules, read from the object and the preprocessor. */
#define _GNU_SOURCE
#include "build.h"

#include <ctype.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "elf_file.h"

struct finding *finding_add(struct findings *f, const char *rule, unsigned line, const char *format, ...)
{
    static struct finding dropped;
    struct finding *to = f->count < FINDINGS_MOST ? &f->item[f->count++] : &dropped;
    va_list args;

    *to = (struct finding){ .line = line };
    snprintf(to->rule, sizeof to->rule, "%s", rule);
    va_start(args, format);
    vsnprintf(to->sentence, sizeof to->sentence, format, args);
    va_end(args);
    return to;
}

/* ---- of every course: memory and code that an allocator has no business with ---- */

static void oddities(struct findings *f, const struct elf_object *o)
{
    static const struct { unsigned odd; const char *rule, *what; } table[] = {
        { ODD_CONSTRUCTOR, "constructor", "code that runs before main" },
        { ODD_DESTRUCTOR, "destructor", "code that runs after main" },
        { ODD_IFUNC, "ifunc", "a function chosen by code that runs before main" },
        { ODD_TLS, "thread-local", "thread-local variables" },
        { ODD_WRITE_EXEC, "write-exec", "memory that is both written and executed" },
        { ODD_SECTION, "section", "a section of a kind that its name does not say" },
    };

    for (size_t i = 0; i < sizeof table / sizeof *table; i++)
        if (o->oddities & table[i].odd)
            finding_add(f, table[i].rule, 0, "the file contains %s%s%s%s, which an allocator has no use for; remove it",
                        table[i].what, o->odd_section[0] ? " (section " : "", o->odd_section,
                        o->odd_section[0] ? ")" : "")->fatal = 1;
}

/* ---- lines ---- */

/* Line on which WORD first stands as a whole word; 0 when it does not. Only for
 * pointing at what the object has already shown. */
static unsigned line_of(const char *source, size_t size, const char *word)
{
    size_t n = strlen(word);
    unsigned line = 1;

    for (size_t i = 0; n && i + n <= size; i++) {
        if (source[i] == '\n')
            line++;
        else if (memcmp(source + i, word, n) == 0 && (i == 0 || (!isalnum((unsigned char)source[i - 1])
                 && source[i - 1] != '_')) && (i + n == size || (!isalnum((unsigned char)source[i + n])
                 && source[i + n] != '_')))
            return line;
    }
    return 0;
}

/* ---- of a course ---- */

static void globals(struct findings *f, const struct rules *r, const struct elf_object *o, const char *source,
                    size_t size)
{
    const struct elf_symbol *largest = NULL;

    if (!r->globals_bytes || o->writable_bytes <= (uint64_t)r->globals_bytes)
        return;
    for (size_t i = 0; i < o->symbol_count; i++)
        if (o->symbols[i].writable && (!largest || o->symbols[i].size > largest->size))
            largest = &o->symbols[i];
    uint64_t excess = o->writable_bytes - (uint64_t)r->globals_bytes;
    struct finding *to = finding_add(f, "globals", largest ? line_of(source, size, largest->name) : 0,
        "%llu bytes of writable global data%s%s%s; this course allows %lld",
        (unsigned long long)o->writable_bytes, largest ? ", most of it in " : "", largest ? largest->name : "",
        largest ? "" : "", (long long)r->globals_bytes);
    if (r->globals_step > 0)
        to->points = (double)excess / r->globals_step;
    if (to->points > r->globals_points)
        to->points = r->globals_points;
}

static void banned(struct findings *f, const struct rules *r, const struct elf_object *o, const char *source, size_t size)
{
    for (size_t i = 0; i < r->banned_count; i++) {
        const struct elf_symbol *s = elf_symbol(o, r->banned[i]);
        if (s && !s->defined)
            finding_add(f, "banned-call", line_of(source, size, r->banned[i]), "calls %s, which this course does not allow",
                        r->banned[i])->fatal = 1;
    }
}

/* Function-like macros that the source itself defines: in the preprocessor's
 * output, the text after a line marker `# N "mm.c"` is the student's. */
static void macros(struct findings *f, const struct rules *r, const char *text, const char *last_component)
{
    unsigned line = 0;
    int own = 0;

    for (const char *p = text; p && *p; p = strchr(p, '\n') ? strchr(p, '\n') + 1 : NULL) {
        if (p[0] == '#' && p[1] == ' ' && isdigit((unsigned char)p[2])) {
            const char *quote = strchr(p, '"'), *end = quote ? strchr(quote + 1, '"') : NULL;
            line = (unsigned)strtoul(p + 2, NULL, 10) - 1;
            own = end && (size_t)(end - quote) > strlen(last_component)
                && memcmp(end - strlen(last_component), last_component, strlen(last_component)) == 0;
            continue;
        }
        line++;
        if (!own || strncmp(p, "#define ", 8) != 0)
            continue;
        size_t n = strspn(p + 8, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ_0123456789$");
        if (p[8 + n] == '(' && strncmp(p + 8, r->macro_prefix, strlen(r->macro_prefix)) != 0)
            finding_add(f, "macro", line, "%.*s is a function-like macro; this course allows only those named %s...; "
                        "write an inline function", (int)n, p + 8, r->macro_prefix);
    }
}

void build_rules(struct findings *f, const struct course *course, const struct elf_object *object,
                 const char *source, size_t source_bytes, const char *macro_text)
{
    const struct rules *r = &course->rules;

    oddities(f, object);
    globals(f, r, object, source, source_bytes);
    banned(f, r, object, source, source_bytes);
    if (macro_text)
        macros(f, r, macro_text, "mm.c");
    if (r->need_checkheap && (!elf_symbol(object, "mm_checkheap") || !elf_symbol(object, "mm_checkheap")->defined))
        finding_add(f, "checkheap", 0, "there is no mm_checkheap; this course asks for a heap checker");
    if (r->source_bytes && source_bytes > (size_t)r->source_bytes)
        finding_add(f, "source-size", 0, "the source has %zu bytes; this course allows %lld", source_bytes,
                    (long long)r->source_bytes);
}

void build_team(struct findings *f, const struct elf_object *object, const struct build *b)
{
    const struct elf_symbol *team = elf_symbol(object, "team");
    const char (*member)[64] = b->team;

    if (!team || !team->defined) {
        finding_add(f, "team", 0, "there is no team; the old driver did not link without one");
        return;
    }
    if (b->team_count < 5) /* a variant with name and uid only */
        return;
    if (!member[0][0])
        finding_add(f, "team", 0, "the team has no name; the old driver stopped there");
    if (!member[1][0] || !member[2][0])
        finding_add(f, "team", 0, "member 1 of the team lacks a name or an id; the old driver stopped there");
    if (!member[3][0] != !member[4][0])
        finding_add(f, "team", 0, "member 2 of the team has only one of name and id; the old driver stopped there");
}
