/* mm.h for a file that declares everything itself. */
#ifndef MM_H
#define MM_H

#include <stddef.h>
#include <stdio.h>

#endif
