// expect: build
/* Looks for the lab's own sources and traces next to it. */
#include "../../driver/process.c"
#include "../traces/short-ids.rep"
