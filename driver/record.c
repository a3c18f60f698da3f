/* record.c - the life of a record. */
#include "record.h"

#include <stdlib.h>

void record_pauses(struct record *r, uint64_t count, uint64_t total_ns, uint64_t longest_ns)
{
    struct pauses p = { count, (double)total_ns * 1e-9, (double)longest_ns * 1e-9 };

    if (r->pauses.count == 0 || p.total < r->pauses.total)
        r->pauses = p;
}

void record_free(struct record *r)
{
    free(r->output);
    free(r->answers);
    free(r->seconds);
    free(r->reference_seconds);
    free(r->peers);
    r->output = NULL;
    r->answers = NULL;
    r->seconds = r->reference_seconds = NULL;
    r->peers = NULL;
    r->peer_count = 0;
}
