/* mm.h for a file whose functions differ from those that its edition declares. */
#ifndef MM_H
#define MM_H

#include <stddef.h>
#include <stdio.h>

#ifndef MM_NO_TEAM
#include "team.h"
#endif

#endif
