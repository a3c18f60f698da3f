/* No index of the free blocks: every search walks the heap. See the picture in common/boundary_tags.c. */
#define MM_IMPLICIT
#include "common/boundary_tags.c"
