/*
 * trace_set.h - the traces of one run: named files, or all in a folder.
 */
#ifndef TRACE_SET_H
#define TRACE_SET_H

#include "trace.h"

struct trace_set {
    struct trace *traces;
    size_t count;
    uint64_t requests; /* of all of them */
};

/* Loads FILES (COUNT of them); one that is not found as it stands is looked for in
 * FOLDER, if that is given. Without files, every .rep and .rep.gz file in
 * FOLDER and the folders in it, in the order of their paths. 0, or -1 with one
 * sentence in ERROR and the set empty. */
int trace_set_load(struct trace_set *s, const char *const *files, size_t count, const char *folder,
                   char *error, size_t error_size);
void trace_set_free(struct trace_set *s);

#endif
