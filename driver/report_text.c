/* report_text.c - text for tables and terminals. */
#define _GNU_SOURCE
#include "report_text.h"

#include <string.h>

static int is_plain(unsigned char c) { return c >= 0x20 && c != 0x7f; }

static void put(FILE *out, unsigned char c)
{
    if (c == '\n' || c == '\t' || is_plain(c))
        putc(c, out);
    else
        fprintf(out, "\\x%02x", c);
}

void print_lines(FILE *out, const char *text, const char *indent, int most)
{
    int fresh = 1, lines = 0, all = 0;

    for (const char *c = text; most >= 0 && *c; c++)
        all += *c == '\n' || !c[1];
    const int first = most / 3, last = all - (most - first);
    for (const unsigned char *c = (const unsigned char *)text; *c; c++) {
        if (fresh && most >= 0 && all > most && lines++ == first) {
            fprintf(out, "%s... %d lines left out; --json has them\n", indent, last - first);
            for (; lines <= last; lines++)
                c = (const unsigned char *)strchr((const char *)c, '\n') + 1;
        }
        if (fresh)
            fputs(indent, out);
        fresh = *c == '\n';
        put(out, *c);
    }
    if (!fresh)
        putc('\n', out);
}

void print_wrapped(FILE *out, const char *text, const char *indent, int width)
{
    int start = (int)strlen(indent), column = 0;

    if (width <= start) {
        print_lines(out, text, indent, -1);
        return;
    }
    while (*text) {
        size_t blanks = strspn(text, " \n"), length = strcspn(text + blanks, " \n");
        const char *word = text + blanks;
        int columns = 0;
        for (size_t i = 0; i < length; i++) /* a character of several bytes is one column */
            columns += is_plain((unsigned char)word[i]) ? ((unsigned char)word[i] & 0xc0) != 0x80 : 4;
        text = word + length;
        if (!length)
            break;
        if (column && column + 1 + columns > width) {
            putc('\n', out);
            column = 0;
        }
        fputs(column ? " " : indent, out);
        column += columns + (column ? 1 : start);
        for (size_t i = 0; i < length; i++)
            put(out, (unsigned char)word[i]);
    }
    if (column)
        putc('\n', out);
}

const char *short_name(const char *name, size_t width)
{
    static char text[2][256];
    static int turn;
    char *out = text[turn ^= 1];
    size_t n = strlen(name);

    if (n > 3 && strcmp(name + n - 3, ".gz") == 0)
        n -= 3;
    if (n > 4 && strncmp(name + n - 4, ".rep", 4) == 0)
        n -= 4;
    size_t take = n <= width ? n : width - 1;
    for (size_t i = 0; i < take; i++)
        out[i] = (unsigned char)name[i] >= 0x20 && (unsigned char)name[i] < 0x7f ? name[i] : '?';
    if (take < n)
        out[take++] = '~';
    out[take] = '\0';
    return out;
}

const char *bytes_text(uint64_t bytes)
{
    static char text[4][24];
    static unsigned turn;
    static const char units[] = "\0KMGTP";
    char *out = text[turn++ % 4];
    double value = (double)bytes;
    size_t unit = 0;

    while (value >= 9999.5 && unit < 5) {
        value /= 1024;
        unit++;
    }
    snprintf(out, sizeof text[0], "%.*f%.1s", unit == 0 || value >= 99.95 ? 0 : 1, value, &units[unit]);
    return out;
}

const char *percent(int known, double fraction)
{
    static char text[4][16];
    static unsigned turn;
    char *out = text[turn++ % 4];

    snprintf(out, sizeof text[0], known ? "%.1f%%" : "-", 100 * fraction);
    return out;
}
