"""Reading events, and what follows from them: against the allocator that made them, and against brute force."""

import random
from pathlib import Path

import pytest

from grader.errors import Problem
from grader.report.events import HEADER, Block, Events, Extents, read_events
from report.made import FirstFit


@pytest.fixture
def made(tmp_path: Path, dice: random.Random) -> tuple[FirstFit, Events]:
    """A thousand random requests."""
    heap = FirstFit().random(dice, 1000)
    return heap, read_events(heap.write(tmp_path / "e.tsv"))


def test_columns_are_what_was_written(made: tuple[FirstFit, Events]) -> None:
    heap, events = made
    assert len(events) == 1000
    assert list(events.live) == heap.lives
    assert events.heap == heap.heap
    assert events.live[events.peak] == max(heap.lives)
    assert max(heap.lives[:events.peak], default=0) < max(heap.lives)
    assert events.line[0] == 5 and events.line[-1] == 1004


def test_snapshots_are_the_live_blocks(made: tuple[FirstFit, Events]) -> None:
    heap, events = made
    live: dict[int, Block] = {}
    for now, line in enumerate(heap.lines):
        _, _, kind, name, size, offset, _, _ = line.split("\t")
        if kind in ("free", "realloc"):
            live.pop(int(name), None)
        if offset != "-":
            live[int(name)] = Block(int(offset), int(size), now)
        if now % 97 == 0 or now == 999:
            assert events.snapshot(now) == sorted(live.values())


def test_lifetimes_join_blocks_with_their_ends(made: tuple[FirstFit, Events]) -> None:
    _, events = made
    old, end = events.lifetimes
    for now, before in enumerate(old):
        if before >= 0:
            assert end[before] == now and events.id[before] == events.id[now]
    assert sum(e == len(events) for e in end) == len(events.snapshot(len(events) - 1))


def test_the_waste_adds_up_and_knows_the_header(made: tuple[FirstFit, Events]) -> None:
    heap, events = made
    for moment in (0, 100, events.peak, 999):
        waste = events.waste(moment)
        assert waste.payload == heap.lives[moment]
        assert waste.payload + waste.metadata + waste.internal + waste.external + waste.unreleased == heap.heap
        assert min(vars(waste).values()) >= 0
    # 64 bytes of payload fill their block: what is left is the header.
    assert events.extents.least == heap.header
    for size in (24, 64, 100, 500):
        assert events.extents.of(size) == heap.room(size)


def test_static_bytes_are_metadata(made: tuple[FirstFit, Events]) -> None:
    _, events = made
    assert events.waste(events.peak, 1000).metadata == events.waste(events.peak).metadata + 1000


def test_the_largest_hole_is_the_largest_of_all_moments(tmp_path: Path, dice: random.Random) -> None:
    heap = FirstFit().random(dice, 300, most=12)
    events = read_events(heap.write(tmp_path / "e.tsv"))
    best = 0
    for moment in range(300):
        blocks = events.snapshot(moment)
        best = max([best, *(b.offset - a.offset - a.size for a, b in zip(blocks, blocks[1:]))])
    when, size = events.largest_hole()
    assert size == best
    blocks = events.snapshot(when)
    assert best in [b.offset - a.offset - a.size for a, b in zip(blocks, blocks[1:])]


def test_a_size_that_was_not_seen_is_rounded_up() -> None:
    extents = Extents([[(16, 24), (64, 64), (144, 64)]])
    assert extents.of(24) == 48 and extents.of(64) == 80 and extents.least == 16
    assert extents.of(1000) == 1024  # 1000 and the least overhead, rounded up
    assert extents.of(40) == 64      # less than the 80 of the next larger size


def test_a_free_stretch_behind_a_lonely_block_is_a_hole() -> None:
    extents = Extents([[(0, 100), (1_000_000, 8)]])
    assert extents.of(100) == 200  # never more than twice the size


@pytest.mark.parametrize(("text", "words"), [
    ("", ":1: not a file of `mdriver --events`"),
    ("a\tb\n", ":1: not a file of `mdriver --events`"),
    (HEADER + "\n", "holds no request"),
    (HEADER + "\n1\t5\tmalloc\t0\t8\t16\t32\t8\n2\t6\tsteal\t0\t8\t16\t32\t8\n", ":3: not a line"),
    (HEADER + "\n1\t5\tmalloc\t0\t8\t16\t32\t8\n2\t6\tfree\t0\n", ":3: not a line"),
    (HEADER + "\n1\t5\tmalloc\t0\teight\t16\t32\t8\n", ":2: not a line"),
    (HEADER + "\n1\t5\tmalloc\t0\t8\t16\t32\t99999999999999999999\n", "not a line"),
    (HEADER + "\n1\t5\tmalloc\t0\t8\t16\t32\t8\n2\t6\tfr", ":3: the file ends within a line")])
def test_bad_files_are_named_with_their_line(tmp_path: Path, text: str, words: str) -> None:
    path = tmp_path / "bad.tsv"
    path.write_text(text)
    with pytest.raises(Problem) as problem:
        read_events(path)
    assert words in str(problem.value) and str(path) in str(problem.value)


def test_null_answers_and_odd_frees_are_no_blocks(tmp_path: Path) -> None:
    path = tmp_path / "e.tsv"
    path.write_text(HEADER + "\n1\t5\tmalloc\t0\t0\t-\t32\t0\n2\t6\tfree\t-1\t0\t-\t32\t0\n"
                    "3\t7\tmalloc\t1\t8\t16\t32\t8\n4\t8\trealloc\t1\t0\t-\t32\t0\n5\t9\tfree\t0\t0\t-\t32\t0\n")
    events = read_events(path)
    assert [len(events.snapshot(moment)) for moment in range(5)] == [0, 0, 1, 0, 0]
    assert events.waste(4).payload == 0
