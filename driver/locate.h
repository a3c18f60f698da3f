/* locate.h - where in the source a program counter is. */
#ifndef LOCATE_H
#define LOCATE_H

#include <stddef.h>
#include <stdint.h>
#include "runner_image.h"

/* Writes "coalesce (mm.c:123)" for an address in IMAGE's code, or nothing when
 * it is not in the submission's own. */
void locate(const struct runner_image *image, uint64_t pc, char *out, size_t size);

#endif
