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
        { ODD_UNIQUE, "unique-symbol", "a symbol that the linker takes in place of every other of its name" },
        { ODD_WRITE_EXEC, "write-exec", "memory that is both written and executed" },
        { ODD_SECTION, "section", "a section of a kind that its name does not say" },
    };

    for (size_t i = 0; i < sizeof table / sizeof *table; i++)
        if (o->oddities & table[i].odd)
            finding_add(f, table[i].rule, 0, "the file contains %s%s%s%s, which an allocator has no use for; remove it",
                        table[i].what, o->odd_section[0] ? " (section " : "", o->odd_section,
                        o->odd_section[0] ? ")" : "")->fatal = 1;
}

/* ---- lines of the source in the preprocessor's output ---- */

struct place { const char *at; unsigned line, depth; int begun; };

/* A marker, `# LINE "FILE" FLAGS`: flag 1 enters a file, 2 returns to one; a #line of the student's own has neither,
 * and what follows it is still the student's. */
static void take_marker(struct place *p)
{
    const char *end = strchr(p->at, '\n'), *quote = strchr(p->at, '"'), *flags = NULL;
    unsigned number = (unsigned)strtoul(p->at + 2, NULL, 10);

    for (const char *c = quote; c && c < end; c++)
        if (*c == '"')
            flags = c + 1; /* after the last quote */
    if (!flags || flags == quote + 1)
        return;
    if (!p->begun) /* before it come what the compiler and the command line define */
        p->begun = number == 1 && flags - quote >= 6 && memcmp(flags - 5, "mm.c\"", 5) == 0;
    else if (flags[0] == ' ' && flags[1] == '1')
        p->depth++;
    else if (flags[0] == ' ' && flags[1] == '2' && p->depth)
        p->depth--;
    p->line = number - 1;
}

/* Moves to the next line of TEXT that is the source's own, from the first; 0 at the end. */
static int next_own_line(struct place *p, const char *text)
{
    for (;;) {
        p->at = !p->at ? text : strchr(p->at, '\n') ? strchr(p->at, '\n') + 1 : NULL;
        if (!p->at || !*p->at)
            return 0;
        p->line++;
        if (p->at[0] == '#' && p->at[1] == ' ' && isdigit((unsigned char)p->at[2]))
            take_marker(p);
        else if (p->begun && p->depth == 0)
            return 1;
    }
}

static int is_name(char c) { return isalnum((unsigned char)c) || c == '_' || c == '$'; }

/* Whether WORD is a token of the line at P. */
static int has_token(const char *p, const char *word)
{
    size_t n = strlen(word);
    char quote = '\0', before = ' ';

    for (; *p && *p != '\n'; before = *p++) {
        if (quote) {
            if (*p == '\\' && p[1] && p[1] != '\n')
                p++;
            else if (*p == quote)
                quote = '\0';
        } else if (*p == '"' || *p == '\'') {
            quote = *p;
        } else if (!is_name(before) && strncmp(p, word, n) == 0 && !is_name(p[n])) {
            return 1;
        }
    }
    return 0;
}

/* Line on which WORD, which the object has shown to be there, first stands in the code; 0 when that is not known. */
static unsigned line_of(const char *text, const char *word)
{
    struct place p = { 0 };

    while (text && next_own_line(&p, text))
        if (p.at[0] != '#' && has_token(p.at, word))
            return p.line;
    return 0;
}

/* ---- of a course ---- */

static void globals(struct findings *f, const struct rules *r, const struct elf_object *o, const char *text)
{
    const struct elf_symbol *largest = NULL;

    if (!r->globals_bytes || o->writable_bytes <= (uint64_t)r->globals_bytes)
        return;
    for (size_t i = 0; i < o->symbol_count; i++)
        if (o->symbols[i].writable && (!largest || o->symbols[i].size > largest->size))
            largest = &o->symbols[i];
    uint64_t excess = o->writable_bytes - (uint64_t)r->globals_bytes;
    struct finding *to = finding_add(f, "globals", largest ? line_of(text, largest->name) : 0,
        "%llu bytes of writable global data%s%s; this course allows %lld", (unsigned long long)o->writable_bytes,
        largest ? ", most of it in " : "", largest ? largest->name : "", (long long)r->globals_bytes);
    if (r->globals_step > 0)
        to->points = (double)excess / r->globals_step;
    if (to->points > r->globals_points)
        to->points = r->globals_points;
}

static void banned(struct findings *f, const struct rules *r, const struct elf_object *o, const char *text)
{
    for (size_t i = 0; i < r->banned_count; i++) {
        const struct elf_symbol *s = elf_symbol(o, r->banned[i]);
        if (s && !s->defined)
            finding_add(f, "banned-call", line_of(text, r->banned[i]),
                        "calls %s, which this course does not allow", r->banned[i])->fatal = 1;
    }
}

/* Function-like macros that the source itself defines. */
static void macros(struct findings *f, const struct rules *r, const char *text)
{
    struct place p = { 0 };

    while (next_own_line(&p, text)) {
        if (strncmp(p.at, "#define ", 8) != 0)
            continue;
        const char *name = p.at + 8;
        size_t n = 0;
        while (is_name(name[n]))
            n++;
        if (name[n] == '(' && strncmp(name, r->macro_prefix, strlen(r->macro_prefix)) != 0)
            finding_add(f, "macro", p.line, "%.*s is a function-like macro; this course allows only those named %s...; "
                        "write an inline function", (int)n, name, r->macro_prefix);
    }
}

int build_rules_need_text(const struct rules *r)
{
    return r->macro_prefix[0] || r->globals_bytes || r->banned_count;
}

void build_rules(struct findings *f, const struct course *course, const struct elf_object *object,
                 size_t source_bytes, const char *text)
{
    const struct rules *r = &course->rules;

    oddities(f, object);
    globals(f, r, object, text);
    banned(f, r, object, text);
    if (text && r->macro_prefix[0])
        macros(f, r, text);
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
