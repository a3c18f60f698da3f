/* record.c - the life of a record. */
#include "record.h"

#include <stdlib.h>

void record_free(struct record *r)
{
    free(r->output);
    free(r->answers);
    free(r->seconds);
    free(r->reference_seconds);
    r->output = NULL;
    r->answers = NULL;
    r->seconds = r->reference_seconds = NULL;
}
