/* report_text.h - pieces of text for tables: hostile ones made harmless, long ones cut or wrapped. */
#ifndef REPORT_TEXT_H
#define REPORT_TEXT_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

/* Text of strangers, each line after INDENT, control characters as \xNN. Of more than MOST lines (-1: all) the first
 * few, and the last: what was said just before the end says most. */
void print_lines(FILE *out, const char *text, const char *indent, int most);

/* The same, of which no line is wider than WIDTH columns where there are blanks to break it at; 0: not broken. */
void print_wrapped(FILE *out, const char *text, const char *indent, int width);

/* A trace's or allocator's name without what is hostile in it, cut to WIDTH bytes. Two may stand in a statement. */
const char *short_name(const char *name, size_t width);

/* Bytes with four digits and a unit of 1024: 8190, 562K, 14.9M; a fraction as 60.4%, or "-". Four in one statement. */
const char *bytes_text(uint64_t bytes);
const char *percent(int known, double fraction);

#endif
