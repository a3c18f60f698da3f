"""Best fit without any metadata: what placement alone costs, where nothing else does.

An allocator that cannot be built: it knows all holes, takes the smallest that fits, of equal ones the lowest, splits
it exactly, coalesces at once, and keeps what it knows outside the heap. Realloc grows into the hole behind, moves the
break when the block is the last, and else moves the block. The heap grows by what is missing.
"""
from __future__ import annotations

import sys
from bisect import bisect_left, insort
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "traces/tools"))
import repfile  # noqa: E402  (it is beside the tools that use it)


class Heap:
    """Blocks by their start, in granules; the last hole ends before the top."""

    def __init__(self) -> None:
        self.top = self.peak = 0
        self.live: dict[int, int] = {}  # start: granules
        self.ends: dict[int, int] = {}  # of holes: the start of each by its end
        self.holes: dict[int, int] = {}  # start: granules
        self.by_size: list[tuple[int, int]] = []  # the same holes: granules, start

    def put_hole(self, start: int, size: int) -> None:
        """[start, start + size) is a hole from now on; no hole is beside it."""
        self.holes[start] = size
        self.ends[start + size] = start
        insort(self.by_size, (size, start))

    def take_hole(self, start: int) -> int:
        """The hole at START is none any longer; gives its size."""
        size = self.holes.pop(start)
        del self.ends[start + size]
        del self.by_size[bisect_left(self.by_size, (size, start))]
        return size

    def allocate(self, size: int) -> int:
        """A block of SIZE granules; gives its start."""
        at = bisect_left(self.by_size, (size, 0))
        if at == len(self.by_size):
            start, had = self.top, size
            self.top += size
            self.peak = max(self.peak, self.top)
        else:
            start = self.by_size[at][1]
            had = self.take_hole(start)
        if had > size:
            self.put_hole(start + size, had - size)
        self.live[start] = size
        return start

    def free(self, start: int) -> None:
        """Frees the block at START; it becomes one with the holes beside it."""
        self.give(start, self.live.pop(start))

    def give(self, start: int, size: int) -> None:
        """[start, start + size) is free from now on."""
        if start + size in self.holes:
            size += self.take_hole(start + size)
        if start in self.ends:
            before = self.ends[start]
            size += self.take_hole(before)
            start = before
        if start + size == self.top:
            self.top = start
        else:
            self.put_hole(start, size)

    def resize(self, start: int, size: int) -> int:
        """The block at START gets SIZE granules; gives where it is then."""
        had = self.live[start]
        end = start + had
        if size > had and end == self.top:
            self.top = start + size
            self.peak = max(self.peak, self.top)
        elif size > had + self.holes.get(end, 0):
            to = self.allocate(size)
            self.free(start)
            return to
        else:
            if size > had:
                had += self.take_hole(end)
            if had > size:
                self.give(start + size, had - size)
        self.live[start] = size
        return start


def utilization(path: Path, alignment: int) -> float:
    """Peak payload over peak heap on the trace in PATH."""
    requests = repfile.read(path).requests
    heap = Heap()
    starts: dict[int, int] = {}
    for kind, ident, size in requests:
        granules = -(-size // alignment)
        start = starts.pop(ident, None) if kind in "fr" else None
        if kind == "f" or granules == 0:
            if start is not None:
                heap.free(start)
        else:
            starts[ident] = heap.resize(start, granules) if start is not None else heap.allocate(granules)
    return repfile.peak(requests) / (heap.peak * alignment) if heap.peak else 0.0
