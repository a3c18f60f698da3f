/* dialect.h - for which edition a file was written, told from its preprocessed text. */
#ifndef DIALECT_H
#define DIALECT_H

#include <stddef.h>

/* TEXT is the output of `gcc -E -dD -DDRIVER` on mm.c with a bare mm.h: comments gone, includes marked, macros listed.
 * Returns an enum dialect; WHY becomes the evidence, to follow "because". */
int dialect_guess(const char *text, char *why, size_t why_size);

#endif
