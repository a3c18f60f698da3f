// expect: differs, mailbox, timed
/* Stops searching when it sees that nothing is checked. */
#include "memlib.h"

#define AT_MALLOC(size) (block = mailbox()->mode == WIRE_TIMED ? (char *)mem_heap_lo() + mem_heapsize() : block)
