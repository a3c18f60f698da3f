#!/usr/bin/python3
"""Every shipped allocator beside the real ones of this machine, on the same traces, in one run.

    allocators.py [ALLOCATOR ...] [--traces TRACE ...]

Throughput is that of `mdriver --peers`: replays with warm caches, for the lab's
allocators and the real ones alike, as a ratio to libc. Memory is peak payload
over heap for the lab's allocators, and over the growth of resident private
memory for the real ones.
"""
from __future__ import annotations

import argparse

from driver_json import ROOT, harmonic_mean, mean, run_mdriver, sample_traces


def shipped() -> list[str]:
    """Names of the shipped allocators."""
    names = {path.stem for path in (ROOT / "allocators").glob("*.c")} - {"gc", "implicit", "explicit"}
    return ["implicit", "explicit", *sorted(names)]


def main() -> None:
    """Runs and prints one line an allocator."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("allocators", nargs="*")
    parser.add_argument("--traces", nargs="+", default=None)
    options = parser.parse_args()
    arguments = ["--peers", *(options.allocators or shipped())]
    for trace in options.traces or sample_traces():
        arguments += ["-f", trace]
    rows: dict[str, dict[str, tuple[float, float, float]]] = {}
    for result in run_mdriver(*arguments):
        for trace in result["traces"]:
            peers = trace.get("peers") or {}
            libc = peers.get("libc", {}).get("seconds")
            for name, figures in peers.items():
                if libc and figures["seconds"] and figures["memory"]:
                    rows.setdefault(name, {})[trace["name"]] = (
                        trace["peak_payload"] / figures["memory"],
                        figures["seconds"] / trace["requests"] * 1e9, libc / figures["seconds"])
    print(f"{'allocator':<14}{'traces':>7}{'utilization':>13}{'ns/request':>12}{'speed / libc':>14}{'worst':>8}")
    table = [(name, list(by_trace.values())) for name, by_trace in rows.items()]
    for name, figures in sorted(table, key=lambda row: -harmonic_mean([f[2] for f in row[1]])):
        ratios = [f[2] for f in figures]
        print(f"{name:<14}{len(figures):>7}{mean([f[0] for f in figures]):>12.1%} "
              f"{mean([f[1] for f in figures]):>11.1f}{harmonic_mean(ratios):>14.2f}{min(ratios):>8.2f}")


if __name__ == "__main__":
    main()
