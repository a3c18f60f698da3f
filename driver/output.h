/* output.h - results into files and into pictures. */
#ifndef OUTPUT_H
#define OUTPUT_H

#include "options.h"
#include "report.h"
#include "trace_set.h"

/* Whether every file that the options name can be written, and a picture drawn: asked before anything is graded. 0, or
 * an exit status (2 or 5) with a sentence in ERROR. */
int output_check(const struct options *o, const struct trace_set *t, char *error, size_t error_size);

/* Writes N results to PATH ("-": standard output): the object of one, or
 * {"schema", "results"} of several. A file appears whole or not at all. 0, or
 * -1 with a sentence in ERROR. */
int output_json(const char *path, const struct result *r, size_t n, char *error, size_t error_size);

/* Writes what every request did (docs/JSON.md): a file for one trace, else a
 * folder, made if need be. 0, or -1 with a sentence in ERROR. */
int output_events(const char *path, const struct result *r, size_t n, char *error, size_t error_size);

/* Draws SPEC, "NAME" or "NAME=FILE", by way of the grader's plot command. 0, or
 * an exit status (2 or 5) with a sentence in ERROR. */
int output_plot(const char *spec, const struct result *r, size_t n, char *error, size_t error_size);

#endif
