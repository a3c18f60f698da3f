"""The timed pass through the command line: counts that repeat, latency, short traces, the doctor."""
from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from mdriver import mdriver, write_trace


def first_trace(*arguments: str) -> dict[str, Any]:
    """The first trace of a run's JSON."""
    done = mdriver("--json", "-", *arguments)
    assert done.returncode in (0, 1), done.stderr
    trace = json.loads(done.stdout)["traces"][0]
    assert trace["verdict"] == "ok", trace["message"]
    return trace


@pytest.fixture(name="trace", scope="module")
def fixture_trace(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A trace of 2000 requests."""
    return write_trace(tmp_path_factory.mktemp("traces") / "mixed.rep", 2000)


def test_instructions_repeat_exactly(trace: Path) -> None:
    """The same build gives the same count, and a plausible one, twice."""
    one, two = (first_trace("--clock=instructions", "implicit", "-f", str(trace)) for _ in range(2))
    assert one["seconds"] == two["seconds"]
    assert one["relative"] == two["relative"]
    assert 5 < one["seconds"] * 1e9 / one["requests"] < 100000


def test_instructions_tell_allocators_apart(trace: Path) -> None:
    """A linear search through every block costs more instructions than a free list."""
    implicit = first_trace("--clock=instructions", "implicit", "-f", str(trace))
    explicit = first_trace("--clock=instructions", "explicit", "-f", str(trace))
    assert implicit["seconds"] > explicit["seconds"]


def test_repetitions_are_kept(trace: Path) -> None:
    """Every repetition of both allocators is in the JSON, and the estimate is the second smallest."""
    found = first_trace("explicit", "-f", str(trace))
    assert len(found["repetitions"]) >= 3
    assert len(found["repetitions"]) == len(found["reference_repetitions"])
    assert found["seconds"] == pytest.approx(sorted(found["repetitions"])[1])
    assert found["relative_error"] >= 0


@pytest.mark.parametrize("clock", ["cpu", "wall", "instructions"])
def test_twelve_requests_are_timed(tmp_path: Path, clock: str) -> None:
    """Twelve requests cost less than a process does: what is reported is the requests."""
    found = first_trace(f"--clock={clock}", "explicit", "-f", str(write_trace(tmp_path / "short.rep", 12)))
    assert 0 < found["seconds"] < 20e-6
    assert found["kops"] == pytest.approx(12 / found["seconds"] / 1e3, rel=1e-3)


def test_latency_by_kind(trace: Path) -> None:
    """Every kind has its count and ordered quantiles, and names a request of that kind as the slowest."""
    kinds = {"malloc": "a", "realloc": "r", "free": "f"}
    lines = trace.read_text().splitlines()[4:]
    found = first_trace("--latency", "explicit", "-f", str(trace))["latency"]
    for kind, letter in kinds.items():
        cost = found[kind]
        assert cost["count"] == sum(line.startswith(letter) for line in lines)
        assert 0 <= cost["p50"] <= cost["p99"] <= cost["p999"] <= cost["max"]
        assert lines[cost["max_request"] - 1].startswith(letter)


def test_doctor_looks_at_everything() -> None:
    """Each part of the examination appears, each line with a level, and advice comes with what to do."""
    done = mdriver("doctor")
    assert done.returncode in (0, 1), done.stderr
    for name in ("cores", "load", "frequency", "swap", "steal", "system calls", "namespaces", "gcc", "valgrind"):
        assert any(name in line and line.split()[0] in ("ok", "advice", "missing")
                   for line in done.stdout.splitlines() if line.startswith("  ")), name
    advised = sum(line.split()[0] in ("advice", "missing") for line in done.stdout.splitlines()
                  if line.startswith("  ") and line.split())
    assert done.stdout.count("to do:") == advised
