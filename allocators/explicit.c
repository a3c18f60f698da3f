/* A list of the free blocks, newest first: the reference that throughput is measured against.
 * See the picture in common/boundary_tags.c. */
#include "common/boundary_tags.c"
