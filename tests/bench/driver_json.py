"""Runs mdriver and reads its JSON; shared by the benchmarks here."""
from __future__ import annotations

import json
import math
import subprocess
import sys
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]


def run_mdriver(*arguments: str) -> list[dict[str, Any]]:
    """Results of one run of mdriver, one for each allocator named; ends the program when there are none."""
    command = [str(ROOT / "mdriver"), "--json", "-", *arguments]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    try:
        parsed = json.loads(done.stdout)
    except json.JSONDecodeError:
        sys.exit(f"{' '.join(command)}: exit status {done.returncode}, no JSON\n{done.stderr.strip()}")
    return parsed.get("results", [parsed])


def sample_traces(most: int = 6) -> list[str]:
    """Some of the shipped traces that count for speed, of middling length: quick to repeat."""
    found = sorted((ROOT / "traces").rglob("*.rep*"), key=lambda path: path.stat().st_size)
    if not found:
        sys.exit("no traces under traces/")
    step = max(1, len(found) // (most + 2))
    return [str(path) for path in found[step::step][:most]]


def harmonic_mean(values: list[float]) -> float:
    """Harmonic mean; 0 when there is nothing, or a 0."""
    return len(values) / sum(1 / v for v in values) if values and all(v > 0 for v in values) else 0.0


def mean(values: list[float]) -> float:
    """Arithmetic mean."""
    return sum(values) / len(values)


def deviation(values: list[float]) -> float:
    """Standard deviation of a sample."""
    if len(values) < 2:
        return 0.0
    centre = mean(values)
    return math.sqrt(sum((v - centre) ** 2 for v in values) / (len(values) - 1))
