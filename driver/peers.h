/*
 * peers.h - real allocators (libc, jemalloc, mimalloc, tcmalloc) on the same
 * traces, through the same loop, for comparison.
 *
 * They are trusted programs of this machine: not confined, not checked, and
 * their blocks do not lie in the simulated heap.
 */
#ifndef PEERS_H
#define PEERS_H

#include "timing.h"

/* Names of the peers, NULL at the end; installed or not. */
extern const char *const peer_names[];

/* The runner for the peer NAME. 0, or -1 with a sentence in ERROR: unknown, not
 * installed, or not built. Release with peer_image_free. */
int peer_image(const char *name, struct runner_image *out, char *error, size_t error_size);
void peer_image_free(struct runner_image *image);

/* Measures a peer on T and fills R (zeroed by the caller):
 * - best_seconds, seconds, repetitions: one replay in memory that the allocator
 *   already has, net of the harness. Blocks still live at the end of the trace
 *   are freed after it, the trace is replayed again in the same process, and
 *   the first replays are subtracted: our heaps are prefaulted as well.
 *   seconds[i] is the estimate after i + 1 repetitions.
 * - peak_break: private resident memory that the allocator took for the trace,
 *   every payload page touched: at the request of peak payload or at the end,
 *   whichever is more, less what there was before the first request.
 * - peak_payload; and a verdict: ok, or null when a request got no memory.
 *
 * With CHECKED, the record of its check pass, IMAGE is an allocator of the lab
 * (no collector), confined as ever, and gets its time by the same rule. In
 * time_trace it meets a trace with cold caches and here with warm ones, as the
 * peers do: only figures of this function may stand side by side. peak_break
 * is then that of the check pass. */
void peer_measure(const struct runner_image *image, const struct trace *t,
                  const struct pass_options *options, const struct timing_options *timing,
                  const struct record *checked, struct record *r);

/* Measures IMAGE, whose check pass R is, and then every installed peer, on T;
 * fills R->peers. One that fails on this trace is left out. */
void peers_compare(const struct runner_image *image, const struct trace *t,
                   const struct pass_options *options, const struct timing_options *timing,
                   struct record *r);

#endif
