"""The shipped allocators and the real ones of this machine on a batch's course and traces, measured once and kept."""

import json
import subprocess
import sys
import tempfile
from pathlib import Path

from grader import statistics
from grader.turns import timing_lock
from grader.run import write_atomically
from grader.statistics import Benchmark
from grader.store import Store
from grader.text import plain
from grader.turns import timing_lock

LIMIT = 3600.0  # seconds for all of it


class _Failed(Exception):
    """mdriver could not measure; the class is shown without benchmarks."""


def of_store(store: Store, measure: bool = True) -> list[Benchmark]:
    """The benchmarks of a batch. With MEASURE, measures those that are not kept yet: some seconds an allocator."""
    path = store.path.parent / "benchmarks.json"
    key = list(store.current())
    try:
        kept = json.loads(path.read_text(encoding="utf-8"))
        if kept["key"] == key:
            return statistics.benchmarks(kept["shipped"], kept["beside"])
    except (OSError, ValueError, KeyError):
        pass  # none yet, or damaged: to be measured
    if not measure:
        return []
    print("Measuring the reference and real allocators on the same traces, once ...", file=sys.stderr)
    try:
        shipped, beside = _measure(store)
    except _Failed as failure:
        print(f"grader: shown without benchmarks: {failure}", file=sys.stderr)
        return []
    write_atomically(path, json.dumps({"key": key, "shipped": shipped, "beside": beside}).encode())
    return statistics.benchmarks(shipped, beside)


def _measure(store: Store) -> tuple[list[dict], dict]:
    """Results of every shipped allocator, and of the reference beside the real ones."""
    program = store.get("mdriver") or ""
    words = [program]
    if course := store.get("course_argument"):
        words += ["-c", course]
    if traces := store.get("trace_folder"):
        words += ["-t", traces]
    words += store.current()[2].split()[1:]  # what the class was timed with; the first word is about the sandbox
    names = _run([program, "--list"]).split()
    if not names:
        raise _Failed("mdriver lists no shipped allocators")
    with timing_lock():
        shipped = _results(words, names)
        reference = next((result["reference"] for result in shipped if result.get("reference")), names[0])
        return shipped, _results([*words, "--peers"], [reference])[0]


def _results(words: list[str], names: list[str]) -> list[dict]:
    """mdriver's results for the allocators NAMES."""
    with tempfile.TemporaryDirectory(prefix="grader-") as folder:
        target = Path(folder, "results.json")
        _run([*words, "--json", str(target), *names])
        try:
            value = json.loads(target.read_bytes())
        except (OSError, ValueError) as error:
            raise _Failed("mdriver wrote no JSON") from error
    return value.get("results") or [value]


def _run(argv: list[str]) -> str:
    """Runs mdriver on allocators of our own: no wall is needed. Invalid traces are a result as well."""
    try:
        done = subprocess.run(argv, capture_output=True, text=True, errors="replace", timeout=LIMIT, check=False,
                              stdin=subprocess.DEVNULL)
    except (OSError, subprocess.TimeoutExpired) as error:
        raise _Failed(plain(str(error), 200)) from error
    if done.returncode in (2, 5) or done.returncode < 0:
        said = done.stderr.strip().splitlines() or [f"status {done.returncode}"]
        raise _Failed(plain(said[-1], 200))
    return done.stdout
