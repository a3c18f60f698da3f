/*
 * plain_text.h - makes what a stranger's program wrote fit to be shown.
 */
#ifndef PLAIN_TEXT_H
#define PLAIN_TEXT_H

#include <stddef.h>

/* LENGTH bytes at TEXT become valid UTF-8 that only says something: control characters other than newline and
 * tab, broken sequences and marks that reorder a line become '?'. The length stays. */
void plain_text(char *text, size_t length);

#endif
