#!/usr/bin/python3
"""Measures the champion beside libc and mimalloc and writes the figures into docs/CHAMPION.md, between markers.

    champion_doc.py [--classic DIR] [classic] [shipped] [variants]

classic: the classic lab's traces, which are not part of this repository, at 8-byte alignment in 64 bits. shipped: the
traces under traces/, at 16-byte alignment. variants: traces of the same kinds with other sizes, orders and lengths,
from a fixed seed. Without a name, all three.
"""
from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import best_fit
from document import machine
from driver_json import ROOT, mean, run_mdriver
from page import write_part

PEERS = ("champion", "libc", "mimalloc")
SEED = "20261124"
TOO_LITTLE = 0.6e-9  # seconds a request: mdriver gives half a nanosecond when the clocks could not tell any


def told(trace: dict[str, Any]) -> dict[str, float]:
    """Seconds of each allocator on the trace, where the clocks could tell any."""
    peers = trace.get("peers") or {}
    seconds = {name: peers[name]["seconds"] for name in PEERS if name in peers}
    return {name: s for name, s in seconds.items() if s > TOO_LITTLE * trace["requests"]}


def row(trace: dict[str, Any]) -> list[str]:
    """One line of the table: utilization, that of best fit, the two ceilings, and nanoseconds a request."""
    seconds = told(trace)
    cells = [trace["name"].removesuffix(".gz").removesuffix(".rep")]
    cells += [f"{trace[key]:.1%}" for key in ("utilization", "best_fit", "ceiling", "header_ceiling")]
    cells += [f"{seconds[name] / trace['requests'] * 1e9:.1f}" if name in seconds else "-" for name in PEERS]
    return cells


def summary(traces: list[dict[str, Any]]) -> str:
    """Two sentences: means, and how the champion stands to the others."""
    gap = [t["ceiling"] - t["utilization"] for t in traces]
    above = sum(t["utilization"] > t["header_ceiling"] for t in traces)
    timed = [seconds for seconds in map(told, traces) if len(seconds) == len(PEERS)]
    text = (f"Mean utilization {mean([t['utilization'] for t in traces]):.1%}; {mean(gap) * 100:.1f} points below the "
            f"headerless ceiling on average, at most 3 on {sum(g <= 0.03 for g in gap)} of {len(traces)} traces; above "
            f"the ceiling of 8-byte headers and 32-byte blocks on {above}. Best fit, with all metadata for nothing: mean "
            f"{mean([t['best_fit'] for t in traces]):.1%}, at most 3 points below the headerless ceiling on "
            f"{sum(t['ceiling'] - t['best_fit'] <= 0.03 for t in traces)}; the champion is at most 3 points below it on "
            f"{sum(t['best_fit'] - t['utilization'] <= 0.03 for t in traces)}, and above it on "
            f"{sum(t['utilization'] > t['best_fit'] for t in traces)}.")
    for name in PEERS[1:]:
        ratios = [p[name] / p["champion"] for p in timed]
        if ratios:
            all_time = [sum(p[who] for p in timed) for who in (name, "champion")]
            text += (f" Speed relative to {name}: {all_time[0] / all_time[1]:.2f} over all requests; by trace "
                     f"{mean(ratios):.2f} on average, {min(ratios):.2f} at worst, at least equal on "
                     f"{sum(r >= 1 for r in ratios)} of {len(ratios)}.")
    return text


def table(alignment: int, *arguments: str) -> str:
    """Measures, and gives the table and its summary in Markdown; ends the program when a trace fails."""
    traces = [t for t in run_mdriver("--peers", *arguments, "champion")[0]["traces"] if t["weight"] != "none"]
    bad = [t["name"] for t in traces if t["verdict"] != "ok"]
    if bad or not traces:
        sys.exit(f"mdriver --peers {' '.join(arguments)} champion: no figures, these traces fail: {', '.join(bad)}")
    for trace in traces:
        trace["best_fit"] = best_fit.utilization(ROOT / trace["path"], alignment)
    lines = ["| trace | utilization | best fit, metadata free | headerless ceiling | ceiling with headers "
             "| champion ns/request | libc | mimalloc |", "| --- | --- | --- | --- | --- | --- | --- | --- |"]
    lines += ["| " + " | ".join(row(t)) + " |" for t in sorted(traces, key=lambda t: t["name"])]
    return f"{machine()}:\n\n" + "\n".join(lines) + "\n\n" + summary(traces)


def classic(folder: Path) -> str:
    """The classic traces."""
    if not list(folder.glob("*.rep*")):
        sys.exit(f"{folder}: no traces there; name the folder of the classic lab's traces with --classic, "
                 "or ask for the other tables only")
    return table(8, "-c", "classic", "--bits", "64", "-t", str(folder))


def variants() -> str:
    """Variants of the shipped traces, made in a folder that is removed afterwards."""
    with tempfile.TemporaryDirectory() as folder:
        generate = [str(ROOT / "traces/tools/generate.py"), "vary", "--seed", SEED, "-o", folder, str(ROOT / "traces")]
        done = subprocess.run(["/usr/bin/python3", *generate], capture_output=True, text=True, check=False)
        if done.returncode:
            sys.exit(f"{' '.join(generate)}: exit status {done.returncode}\n{done.stderr}")
        return table(16, "-t", folder)


def main() -> None:
    """Measures, then replaces what stands between each table's markers."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("--classic", type=Path, default=ROOT.parent / "shared/traces/classic", metavar="DIR")
    parser.add_argument("parts", nargs="*", metavar="PART")
    options = parser.parse_args()
    measures = {"classic": lambda: classic(options.classic), "shipped": lambda: table(16, "-t", str(ROOT / "traces")),
                "variants": variants}
    for part in options.parts:
        if part not in measures:
            parser.error(f"no part is called '{part}'; there are: {', '.join(measures)}")
    for part in options.parts or measures:
        write_part(ROOT / "docs" / "CHAMPION.md", part, measures[part]())


if __name__ == "__main__":
    main()
