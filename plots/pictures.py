#!/usr/bin/python3
"""Measures the shipped allocators and draws docs/pictures/*.svg: python3 plots/pictures.py [FOLDER].

FOLDER (default: build/pictures) keeps what was measured; with --again only the drawing is done, from there.
"""

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from grader.plot import Request, draw, make  # noqa: E402
from grader.report.results import Subject, load_results  # noqa: E402

BESIDE = "explicit"  # the allocator beside which the real ones are measured
DRAWN = {            # picture: allocator, trace
    "heap": ("explicit", "tables"), "map": ("segregated", "cc1"), "fragmented": ("segregated", "realloc-doubling"),
    "waste": ("explicit", None), "holes": ("explicit", "drift"), "sizes": ("explicit", "bash"),
    "traces": ("champion", None), "latency": ("explicit", None)}


def measure(folder: Path) -> None:
    """Runs mdriver: every shipped allocator, and one of them beside the real ones."""
    folder.mkdir(parents=True, exist_ok=True)
    mdriver = str(ROOT / "mdriver")
    names = subprocess.run([mdriver, "--list"], capture_output=True, text=True, check=True).stdout.split()
    subprocess.run([mdriver, "--latency", "--json", str(folder / "result.json"), "--events", str(folder / "events"),
                    *names], check=True)
    subprocess.run([mdriver, "--peers", "--json", str(folder / "peers.json"), BESIDE], check=True)


def subjects_in(folder: Path) -> list[Subject]:
    """The shipped allocators; of the one measured with real ones, what its traces say about those."""
    subjects = load_results([folder / "result.json"], folder / "events")
    beside = load_results([folder / "peers.json"])[0]
    for subject in subjects:
        for trace in subject.result["traces"] if subject.name == BESIDE else []:
            trace["peers"] = (beside.trace(trace["name"]) or {}).get("peers") or {}
    return subjects


def main(arguments: list[str]) -> int:
    """Measures, unless told not to, and draws."""
    folder = Path(next((word for word in arguments if not word.startswith("-")), ROOT / "build/pictures"))
    if "--again" not in arguments:
        measure(folder)
    subjects = subjects_in(folder)
    target = ROOT / "docs/pictures"
    target.mkdir(exist_ok=True)
    for name, (allocator, trace) in {"pareto": (None, None), "class": (None, None), **DRAWN}.items():
        data = draw(make(Request(name, subjects, trace, allocator)), "svg")
        (target / f"{name}.svg").write_bytes(data)
        print(f"docs/pictures/{name}.svg: {len(data):,} bytes")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
