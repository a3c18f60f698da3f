#!/usr/bin/python3
"""Measures every shipped allocator and writes the table of allocators/README.md, between its two markers.

All figures are of the default course (64-bit, 16-byte alignment) on the shipped traces, from mdriver's JSON.
"""
from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from document import machine
from driver_json import ROOT, harmonic_mean, mean, run_mdriver, sample_traces
from page import write_part

ALLOCATORS = ROOT / "allocators"
README = ALLOCATORS / "README.md"
LADDER = ["naive", "implicit", "explicit", "segregated", "tlsf", "buddy", "slab", "gc", "champion"]
BLOCKS, PAYLOAD = 20000, 48  # for the bytes beside a block


def shipped() -> list[str]:
    """The ladder, from the lowest rung; what it does not know comes last."""
    found = {path.stem for path in ALLOCATORS.glob("*.c")}
    return [name for name in LADDER if name in found] + sorted(found - set(LADDER))


def by_name(results: list[dict[str, Any]]) -> dict[str, list[dict[str, Any]]]:
    """The traces of each allocator; ends the program when one is not valid."""
    traces = {}
    for result in results:
        name = result["submission"]["name"]
        bad = [t for t in result["traces"] if t["verdict"] != "ok"]
        if bad:
            sys.exit(f"{name} on {bad[0]['name']}: {bad[0]['verdict']}: {bad[0]['message']}")
        traces[name] = result["traces"]
    return traces


def lines_of_code(name: str) -> int:
    """Lines of the one file that would be handed in, without comments and empty ones."""
    with tempfile.TemporaryDirectory() as folder:
        source = Path(folder) / "mm.c"
        subprocess.run([ALLOCATORS / "amalgamate.py", ALLOCATORS / f"{name}.c", "-o", source], check=True)
        bare = subprocess.run(["gcc", "-fpreprocessed", "-dD", "-E", "-P", source], capture_output=True, text=True,
                              check=True).stdout
    return sum(bool(line.strip()) for line in bare.splitlines())


def beside_a_block(names: list[str]) -> dict[str, float]:
    """Heap bytes for each of many equal blocks, none of them freed, less the payload."""
    with tempfile.TemporaryDirectory() as folder:
        trace = Path(folder) / "equal.rep"
        requests = "".join(f"a {i} {PAYLOAD}\n" for i in range(BLOCKS))
        trace.write_text(f"1\n{BLOCKS}\n{BLOCKS}\n1\n{requests}")
        traces = by_name(run_mdriver("--check-only", "-f", str(trace), *names))
    return {name: (t[0]["heap"] - t[0]["peak_payload"]) / BLOCKS for name, t in traces.items()}


def instructions(names: list[str]) -> dict[str, float]:
    """Instructions a request, the mean over some of the traces."""
    arguments = ["--clock=instructions", *names]
    for trace in sample_traces():
        arguments += ["-f", trace]
    traces = by_name(run_mdriver(*arguments))
    return {name: mean([t["seconds"] * 1e9 / t["requests"] for t in rows]) for name, rows in traces.items()}


def utilization(rows: list[dict[str, Any]]) -> tuple[float, float, float]:
    """Mean, harmonic mean, and the least, over the traces that count for it."""
    values = [t["utilization"] for t in rows if t["weight"] in ("both", "util")]
    return mean(values), harmonic_mean(values), min(values)


def tail(rows: list[dict[str, Any]]) -> float:
    """The 99.9th percentile of the cost of mm_malloc where it is highest, in microseconds."""
    return max((t["latency"]["malloc"]["p999"] for t in rows if "malloc" in t["latency"]), default=0.0) / 1000


def pauses(name: str, rows: list[dict[str, Any]]) -> list[str]:
    """A sentence about a collector's pauses."""
    stopped = [t for t in rows if t.get("pauses")]
    if not stopped:
        return []
    longest = max(stopped, key=lambda t: t["pauses"]["longest"])
    count, total = (sum(t["pauses"][key] for t in stopped) for key in ("count", "total"))
    return ["", f"`{name}` paused {count} times in {len(stopped)} of {len(rows)} traces, "
                f"{total / count * 1e6:.0f} microseconds on average; the longest pause, on "
                f"{longest['name'].split('.')[0]}, took {longest['pauses']['longest'] * 1e3:.1f} ms "
                f"of a replay of {longest['seconds'] * 1e3:.0f} ms."]


def measure() -> list[str]:
    """The lines between the markers."""
    names = shipped()
    timed = by_name(run_mdriver("--latency", "-s", "120", *names))
    counted, beside = instructions(names), beside_a_block(names)
    traces = next(iter(timed.values()))
    lines = [f"{machine()}; {len(traces)} traces, {sum(t['requests'] for t in traces)} requests.", "",
             "| allocator | utilization: mean | harmonic | worst trace | throughput / explicit's "
             "| instructions a request | malloc p99.9, µs | bytes beside a block | lines |",
             "| --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: |"]
    for name in names:
        rows = timed[name]
        average, harmonic, worst = utilization(rows)
        relative = harmonic_mean([t["relative"] for t in rows if t["weight"] in ("both", "speed") and t["relative"]])
        lines.append(f"| {name} | {average:.1%} | {harmonic:.1%} | {worst:.1%} | {relative:.2f} | {counted[name]:.0f} "
                     f"| {tail(rows):.1f} | {beside[name]:.1f} | {lines_of_code(name)} |")
    for name in names:
        lines += pauses(name, timed[name])
    return lines


def main() -> None:
    """Measures, then replaces what stands between the markers."""
    argparse.ArgumentParser(description=__doc__.split("\n")[0]).parse_args()
    write_part(README, "measured", "\n".join(measure()))


if __name__ == "__main__":
    main()
