/* build_link.h - what a linker's words mean for the one who wrote the file. */
#ifndef BUILD_LINK_H
#define BUILD_LINK_H

#include <stddef.h>

/* Why the file called NAME does not link, from the linker's LOG, in the student's terms: the functions of mm.h that are
 * missing, else what is used and nowhere defined, with places. 0, or -1 when the log says something else. */
int link_reason(const char *name, const char *log, char *out, size_t size);

#endif
