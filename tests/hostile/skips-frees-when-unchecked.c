// expect: differs, mailbox, timed
/* Leaves out the work of free when it sees that nothing is checked. */
#include <stddef.h>

static void nothing(void *ptr) { (void)ptr; }
#define AT_FREE(ptr) if (mailbox()->mode == WIRE_TIMED) { nothing(ptr); return; }
