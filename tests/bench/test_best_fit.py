"""The best fit that docs/CHAMPION.md compares with: by hand, and against a plain model of memory."""
from __future__ import annotations

import random
from pathlib import Path

import best_fit
import pytest


def test_smallest_hole_then_the_lowest() -> None:
    """Of the holes 4, 2, 2 a block of 2 takes the first of the small ones, and one of 3 the large one."""
    heap = best_fit.Heap()
    blocks = [heap.allocate(size) for size in (4, 1, 2, 1, 2, 1)]
    for hole in (blocks[4], blocks[0], blocks[2]):
        heap.free(hole)
    assert [heap.allocate(2), heap.allocate(3), heap.allocate(2)] == [blocks[2], blocks[0], blocks[4]]
    assert heap.peak == 11


def test_neighbours_become_one_and_the_top_goes_down() -> None:
    """Freed in any order, three neighbours are one hole; at the top there is none."""
    for order in ((0, 1, 2), (2, 0, 1), (0, 2, 1)):
        heap = best_fit.Heap()
        blocks = [heap.allocate(3) for _ in range(4)]
        for i in order:
            heap.free(blocks[i])
        assert heap.holes == {0: 9}
        heap.free(blocks[3])
        assert not heap.holes and not heap.by_size and not heap.ends
        assert (heap.top, heap.peak) == (0, 12)


def test_resize_in_place_at_the_end_and_elsewhere() -> None:
    """It grows into a hole, moves the break when last, moves when neither; what is cut off is free."""
    heap = best_fit.Heap()
    first, second, last = (heap.allocate(4) for _ in range(3))
    heap.free(second)
    assert heap.resize(first, 6) == first and heap.holes == {6: 2}
    assert heap.resize(last, 10) == last and heap.peak == 18
    assert heap.resize(first, 9) == 18 and heap.holes == {0: 8}
    assert heap.resize(last, 1) == last and heap.holes == {0: 8, 9: 9}


def test_against_a_map_of_memory() -> None:
    """Random requests: no two blocks overlap, and what is no block below the top is a hole, each as long as can be."""
    chance = random.Random(1)
    heap = best_fit.Heap()
    live: list[int] = []
    for _ in range(4000):
        if live and chance.random() < 0.48:
            heap.free(live.pop(chance.randrange(len(live))))
        elif live and chance.random() < 0.3:
            i = chance.randrange(len(live))
            live[i] = heap.resize(live[i], chance.randint(1, 40))
        else:
            live.append(heap.allocate(chance.randint(1, 20)))
        parts = sorted([(start, size, True) for start, size in heap.live.items()]
                       + [(start, size, False) for start, size in heap.holes.items()])
        place, used = 0, True
        for start, size, is_block in parts:
            assert start == place and (is_block or used)
            place, used = start + size, is_block
        assert place == heap.top <= heap.peak and (used or not parts)
        assert sorted(heap.by_size) == heap.by_size == sorted((size, start) for start, size in heap.holes.items())


def test_utilization_of_a_trace(tmp_path: Path) -> None:
    """Peak payload over peak heap; ids may be used again, NULL and size 0 take nothing."""
    trace = tmp_path / "t.rep"
    trace.write_text("0\n2\n7\n1\na 0 10\na 1 0\nf 0\na 0 40\nr 0 20\nf -1\nf 0\n", encoding="ascii")
    assert best_fit.utilization(trace, 16) == pytest.approx(40 / 48)
    assert best_fit.utilization(trace, 8) == pytest.approx(1.0)
