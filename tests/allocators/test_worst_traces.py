"""The worst trace that each allocator names at its top is bad for it, and no trouble to another one."""
from __future__ import annotations

from collections.abc import Callable, Iterable
from itertools import count
from pathlib import Path

import pytest

from mdriver import result

Requests = Iterable[tuple[str, int] | tuple[str, int, int]]


def one_that_grows() -> Requests:
    """naive: a block that grows by realloc."""
    yield "a", 0, 16
    for size in range(32, 9600, 16):
        yield "r", 0, size


def hidden_behind_probes() -> Requests:
    """segregated: blocks of the low end of a class, freed after one of its high end, for which there is a request."""
    fresh = count()
    low: list[int] = []
    for _ in range(24):
        low.append(next(fresh))
        yield "a", low[-1], 520
        yield "a", next(fresh), 40
    high = next(fresh)
    yield "a", high, 1000
    for _ in range(300):
        yield "a", next(fresh), 1040  # of another class: it stays, and keeps the free ones apart
        for block in (high, *low):
            yield "f", block
        high, low = next(fresh), [next(fresh) for _ in low]
        yield "a", high, 1000
        for block in low:
            yield "a", block, 520


def just_above_a_step() -> Requests:
    """tlsf: blocks freed between blocks that stay, and as many of their size asked for."""
    for i in range(1000):
        yield "a", 2 * i, 1032
        yield "a", 2 * i + 1, 16
    yield from (("f", 2 * i) for i in range(1000))
    yield from (("a", 2000 + i, 1032) for i in range(1000))


def powers_of_two() -> Requests:
    """buddy: the header takes each to the next order."""
    return (("a", i, 1024) for i in range(500))


def neighbours_that_are_no_buddies() -> Requests:
    """buddy: the second and third of every four are freed, and blocks of twice the size asked for."""
    yield from (("a", i, 56) for i in range(4000))
    yield from (("f", i) for i in range(4000) if i % 4 in (1, 2))
    yield from (("a", 4000 + i, 112) for i in range(1000))


def one_of_each_class() -> Requests:
    """slab: a run for each."""
    linear = range(16, 129, 16)
    doublings = (step * size // 4 for size in (128, 256, 512) for step in (5, 6, 7, 8))
    return (("a", i, size) for i, size in enumerate((*linear, *doublings)))


def one_kept_in_each_run() -> Requests:
    """slab: no run is empty, and another size cannot use them."""
    yield from (("a", i, 64) for i in range(12000))
    yield from (("f", i) for i in range(12000) if i % 60)
    yield from (("a", 12000 + i, 200) for i in range(3000))


def written(path: Path, requests: Requests) -> Path:
    """A trace file."""
    lines = [" ".join(map(str, request)) for request in requests]
    path.write_text("\n".join(["1", str(len(lines)), str(len(lines)), "0", *lines]) + "\n")
    return path


@pytest.mark.parametrize(("name", "requests", "at_most", "other", "at_least"), [
    ("naive", one_that_grows, 0.01, "implicit", 0.95),
    ("segregated", hidden_behind_probes, 0.6, "explicit", 0.95),
    ("tlsf", just_above_a_step, 0.55, "segregated", 0.95),
    ("buddy", powers_of_two, 0.51, "explicit", 0.95),
    ("buddy", neighbours_that_are_no_buddies, 0.6, "explicit", 0.85),
    ("slab", one_of_each_class, 0.2, "explicit", 0.9),
    ("slab", one_kept_in_each_run, 0.55, "segregated", 0.75),
])
def test_the_worst_trace(name: str, requests: Callable[[], Requests], at_most: float, other: str, at_least: float,
                         tmp_path: Path) -> None:
    """Utilization, of the one and of the other."""
    trace = written(tmp_path / "worst.rep", requests())
    used = {}
    for allocator in (name, other):
        graded = result("-f", trace, "--check-only", "--reference", "none", allocator)
        assert graded["exit"] == 0, graded
        used[allocator] = graded["traces"][0]["utilization"]
    assert used[name] <= at_most and used[other] >= at_least, used
