/* record.c - the life of a record. */
#include "record.h"

#include <stdlib.h>

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
