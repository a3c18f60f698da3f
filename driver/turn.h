/*
 * turn.h - taking turns with other mdrivers on the same machine.
 */
#ifndef TURN_H
#define TURN_H

#include <stddef.h>

/* Waits until nobody else holds the lock file PATH, and holds it until turn_end
 * or the end of this process, however that comes. The file must exist; reading it
 * is enough. NULL is a turn at once. 0, or -1 with a sentence in ERROR; when
 * the run is cancelled meanwhile (process.h), 0. */
int turn_begin(int *turn, const char *path, char *error, size_t error_size);

/* Lets the next one in. */
void turn_end(int *turn);

#endif
