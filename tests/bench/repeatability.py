#!/usr/bin/python3
"""Grades one allocator again and again, idle and beside busy loops, and prints how far the index moves.

    repeatability.py [--times 20] [--allocator champion] [TRACE ...]

The index is 60 U + 40 T. What differs is T: absolute T is throughput over a
constant (here the mean of the idle runs, so that T is comparable), relative T
is throughput over the reference's in the same run. All T are scaled alike and
not cut off at 1, which would hide differences.
"""
from __future__ import annotations

import argparse
import os
import subprocess
import sys

from driver_json import deviation, harmonic_mean, mean, run_mdriver, sample_traces

BUSY_LOOPS = 4
T_TYPICAL = 0.8  # where T is put for the index: 40 T of 32 points


class Busy:
    """Busy loops beside the measurement, ended with the block."""

    def __init__(self, count: int) -> None:
        self.count = count
        self.loops: list[subprocess.Popen[bytes]] = []

    def __enter__(self) -> None:
        loop = [sys.executable, "-c", f"import os\nwhile os.getppid() == {os.getpid()}: pass"]
        self.loops = [subprocess.Popen(loop) for _ in range(self.count)]

    def __exit__(self, *_: object) -> None:
        for loop in self.loops:
            loop.kill()
            loop.wait()


def one_run(clock: str, arguments: list[str]) -> tuple[float, float, float]:
    """Utilization, absolute throughput (kops) and relative throughput of one grading."""
    result = run_mdriver(f"--clock={clock}", *arguments)[0]
    bad = [t for t in result["traces"] if t["verdict"] != "ok"]
    if bad:
        sys.exit(f"{bad[0]['name']}: {bad[0]['verdict']}: {bad[0]['message']}")
    timed = [t for t in result["traces"] if t["relative"]]
    return (mean([t["utilization"] for t in timed]), harmonic_mean([t["kops"] for t in timed]),
            harmonic_mean([t["relative"] for t in timed]))


def measure(times: int, arguments: list[str]) -> dict[str, list[tuple[float, float]]]:
    """Utilization and throughput of each run, by method."""
    methods: dict[str, list[tuple[float, float]]] = {
        "absolute wall": [], "absolute CPU": [], "relative CPU": [], "instructions": []}
    for _ in range(times):
        u, kops, _ = one_run("wall", arguments)
        methods["absolute wall"].append((u, kops))
        u, kops, relative = one_run("cpu", arguments)
        methods["absolute CPU"].append((u, kops))
        methods["relative CPU"].append((u, relative))
    for _ in range(min(times, 3)):  # a count that is the same thrice is the same
        u, _, relative = one_run("instructions", arguments)
        methods["instructions"].append((u, relative))
    return methods


def main() -> None:
    """Measures and prints."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--times", type=int, default=20)
    parser.add_argument("--allocator", default="champion")
    parser.add_argument("traces", nargs="*")
    options = parser.parse_args()
    arguments = [options.allocator]
    for trace in options.traces or sample_traces():
        arguments += ["-f", trace]
    idle = measure(options.times, arguments)
    with Busy(BUSY_LOOPS):
        loaded = measure(options.times, arguments)
    print(f"index of {options.allocator}, {options.times} runs idle and {options.times} beside "
          f"{BUSY_LOOPS} busy loops (instructions: {len(idle['instructions'])})")
    print(f"{'method':<16}{'idle mean':>12}{'sd':>8}{'loaded mean':>14}{'sd':>8}")
    for method, runs in idle.items():
        scale = T_TYPICAL / mean([t for _, t in runs])
        index = [[60 * u + 40 * t * scale for u, t in condition] for condition in (runs, loaded[method])]
        print(f"{method:<16}{mean(index[0]):12.2f}{deviation(index[0]):8.3f}{mean(index[1]):14.2f}"
              f"{deviation(index[1]):8.3f}", flush=True)


if __name__ == "__main__":
    main()
