/*
 * dialect.c - the edition of a file, from tokens that the preprocessor let through.
 *
 * What tells them apart: only the 2016 edition's mm_init returns bool; only the autolab editions map malloc to
 * mm_malloc by macro; only the classic one has a team; only this project's own has MM_ALIGNMENT.
 */
#include "dialect.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "course.h"

struct facts {
    unsigned bool_init, int_init, bool_check, int_check, accessors; /* lines of the source, 0: not seen */
    unsigned mapping, contracts;
    unsigned team, team_type;
    unsigned alignment;
};

/* Where the scan is: in which file, at which line of it, how deep in braces. */
struct scan {
    const char *at;
    unsigned line, included_at; /* last line of the source itself */
    int own, depth;
    char word[2][40];           /* this identifier and the one before it; "" after anything else */
};

static int is_name(char c) { return isalnum((unsigned char)c) || c == '_' || c == '$'; }

static size_t name_length(const char *p)
{
    size_t n = 0;

    while (is_name(p[n]))
        n++;
    return n;
}

static int same(const char *p, size_t n, const char *word) { return strlen(word) == n && memcmp(p, word, n) == 0; }

static void note(unsigned *fact, unsigned line)
{
    if (!*fact)
        *fact = line ? line : 1;
}

/* A directive's line: where we are, or a macro of the source's own. */
static void directive(struct scan *s, struct facts *f)
{
    const char *p = s->at, *end = strchr(p, '\n') ? strchr(p, '\n') : p + strlen(p);
    unsigned number = 0;
    char file[256] = "";

    if (sscanf(p, "# %u \"%255[^\"]\"", &number, file) == 2) {
        size_t n = strlen(file);
        s->own = n >= 4 && strcmp(file + n - 4, "mm.c") == 0;
        s->line = number - 1;
        if (n >= 11 && strcmp(file + n - 11, "contracts.h") == 0)
            note(&f->contracts, s->included_at);
    } else if (s->own && strncmp(p, "#define ", 8) == 0) {
        const char *name = p + 8;
        size_t n = name_length(name);
        const char *body = name + n + strspn(name + n, " ");
        if ((same(name, n, "malloc") || same(name, n, "free") || same(name, n, "realloc"))
            && strncmp(body, "mm_", 3) == 0)
            note(&f->mapping, s->line);
        for (const char *q = body; q < end; q++)
            if (strncmp(q, "MM_ALIGNMENT", 12) == 0)
                note(&f->alignment, s->line);
    }
    s->at = end;
}

/* One identifier of the source itself; AFTER is what follows it. */
static void identifier(const struct scan *s, struct facts *f, const char *after)
{
    static const char *const accessors[] = { "mem_read", "mem_write", "mem_memcpy", "mem_memset", "hprobe", NULL };
    const char *word = s->word[0], *before = s->word[1];
    int is_bool = strcmp(before, "bool") == 0 || strcmp(before, "_Bool") == 0;
    int is_int = s->depth == 0 && strcmp(before, "int") == 0;

    if (strcmp(word, "mm_init") == 0 && *after == '(' && (is_bool || is_int))
        note(is_bool ? &f->bool_init : &f->int_init, s->line);
    if (strcmp(word, "mm_checkheap") == 0 && *after == '(' && (is_bool || is_int))
        note(is_bool ? &f->bool_check : &f->int_check, s->line);
    if (strcmp(word, "team") == 0 && s->depth == 0 && (*after == '=' || *after == ';'))
        note(&f->team, s->line);
    if (strcmp(word, "team_t") == 0)
        note(&f->team_type, s->line);
    if (strcmp(word, "MM_ALIGNMENT") == 0 || strncmp(word, "mm_gc_", 6) == 0)
        note(&f->alignment, s->line);
    for (size_t i = 0; accessors[i]; i++)
        if (strcmp(word, accessors[i]) == 0 && *after == '(')
            note(&f->accessors, s->line);
}

/* Past a string or character constant. */
static const char *literal_end(const char *p)
{
    char quote = *p++;

    while (*p && *p != quote && *p != '\n')
        p += *p == '\\' && p[1] ? 2 : 1;
    return *p == quote ? p + 1 : p;
}

static void look(const char *text, struct facts *f)
{
    struct scan s = { .at = text };
    int fresh = 1; /* nothing but blanks on this line yet */

    while (*s.at) {
        char c = *s.at;
        if (c == '\n') {
            s.line++;
            s.at++;
            fresh = 1;
        } else if (c == '#' && fresh) {
            directive(&s, f);
        } else if (isspace((unsigned char)c)) {
            s.at++;
        } else if (is_name(c)) {
            size_t n = name_length(s.at);
            memcpy(s.word[1], s.word[0], sizeof s.word[0]);
            snprintf(s.word[0], sizeof s.word[0], "%.*s", (int)(n < 39 ? n : 39), s.at);
            s.at += n;
            if (s.own) {
                s.included_at = s.line;
                identifier(&s, f, s.at + strspn(s.at, " \t\r\n"));
            }
            fresh = 0;
        } else {
            s.depth += c == '{' ? 1 : c == '}' ? -1 : 0;
            s.word[0][0] = '\0';
            s.at = c == '"' || c == '\'' ? literal_end(s.at) : s.at + 1;
            fresh = 0;
        }
    }
}

int dialect_guess(const char *text, char *why, size_t why_size)
{
    struct facts f = { 0 };

    look(text, &f);
    if (f.bool_init) {
        snprintf(why, why_size, "its mm_init returns bool (line %u)", f.bool_init);
        return DIALECT_CMU16;
    }
    if (f.mapping && !f.int_init && (f.bool_check || f.accessors)) {
        snprintf(why, why_size, "it maps malloc to mm_malloc (line %u) and %s (line %u)", f.mapping,
                 f.bool_check ? "its mm_checkheap returns bool" : "uses mem_read and its kin",
                 f.bool_check ? f.bool_check : f.accessors);
        return DIALECT_CMU16;
    }
    if (f.mapping) {
        snprintf(why, why_size, "it maps malloc to mm_malloc by macro (line %u)", f.mapping);
        return DIALECT_AUTOLAB;
    }
    if (f.contracts) {
        snprintf(why, why_size, "it includes contracts.h");
        return DIALECT_AUTOLAB;
    }
    if (f.team || f.team_type) {
        snprintf(why, why_size, "it has a team_t (line %u)", f.team ? f.team : f.team_type);
        return DIALECT_CLASSIC;
    }
    if (f.alignment) {
        snprintf(why, why_size, "it uses MM_ALIGNMENT or mm_gc_roots (line %u)", f.alignment);
        return DIALECT_MALLOCLAB;
    }
    if (f.int_check) {
        snprintf(why, why_size, "its mm_checkheap returns int (line %u), and it has neither a team_t nor macros for "
                 "malloc", f.int_check);
        return DIALECT_MALLOCLAB;
    }
    snprintf(why, why_size, "its functions are named mm_malloc and so on, and it has neither macros for malloc nor an "
             "int mm_checkheap");
    return DIALECT_CLASSIC;
}
