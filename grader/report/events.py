"""What a replay looked like from outside: mdriver's events, and what follows from them about the heap.

Nothing here knows how an allocator lays out its blocks. What lies between two live payloads is split into overhead and
free holes by observation: see `Extents`.
"""

from array import array
from bisect import bisect_left, insort
from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import NamedTuple

from grader.errors import Problem

HEADER = "request\tline\tkind\tid\tsize\toffset\tbrk\tlive"
FIELDS = 8
KINDS = ("malloc", "calloc", "realloc", "free")
CODE = {kind.encode(): code for code, kind in enumerate(KINDS)}
FREE = KINDS.index("free")
NOWHERE = -1      # the offset of no block
ROUNDING = 16     # bytes: the alignment assumed of a size not seen
MOMENTS = 24      # snapshots from which extents are learnt
CHUNK = 1 << 18   # bytes read at a time: what the processor's cache holds


class Block(NamedTuple):
    """A live block: offset from the heap's start and payload size, in bytes, and the request (from 0) that made it."""

    offset: int
    size: int
    made: int


@dataclass(frozen=True)
class Waste:
    """Where a heap's bytes are at one moment. They add up to the heap."""

    payload: int
    metadata: int    # what every block pays: the least distance ever seen between two neighbours
    internal: int    # padding and unused room inside blocks
    external: int    # free holes between blocks
    unreleased: int  # above the last block, up to the highest break of the trace


@dataclass
class Events:
    """One trace's events as columns, one entry a request."""

    path: Path
    kind: bytearray = field(default_factory=bytearray)
    line: array = field(default_factory=lambda: array("q"))
    id: array = field(default_factory=lambda: array("q"))
    size: array = field(default_factory=lambda: array("q"))
    offset: array = field(default_factory=lambda: array("q"))
    brk: array = field(default_factory=lambda: array("q"))
    live: array = field(default_factory=lambda: array("q"))

    def __len__(self) -> int:
        return len(self.kind)

    @cached_property
    def peak(self) -> int:
        """The first request (from 0) after which the live payload is at its peak."""
        return self.live.index(max(self.live))

    @cached_property
    def heap(self) -> int:
        """The highest break, in bytes."""
        return max(self.brk)

    @cached_property
    def first(self) -> int:
        """The lowest offset of any block of the trace; 0 when there is none."""
        return min((offset for offset in self.offset if offset >= 0), default=0)

    @cached_property
    def _replay(self) -> tuple[array, array, list[list[int]]]:
        """`lifetimes`, and the requests whose blocks live at moments spread over the trace and at its peak."""
        total = len(self)
        old, end = array("q", [NOWHERE]) * total, array("q", [NOWHERE]) * total
        live: dict[int, int] = {}
        samples = []
        start = 0
        for moment in sorted({(i + 1) * total // MOMENTS - 1 for i in range(MOMENTS)} - {-1} | {self.peak}):
            for now in range(start, moment + 1):
                if self.kind[now] >= 2:  # realloc, free
                    before = live.pop(self.id[now], NOWHERE)
                    if before >= 0:
                        old[now] = before
                        end[before] = now
                if self.offset[now] >= 0:
                    live[self.id[now]] = now
                    end[now] = total
            samples.append(list(live.values()))
            start = moment + 1
        return old, end, samples

    @property
    def lifetimes(self) -> tuple[array, array]:
        """(old, end): the request whose block a request frees or moves, or NOWHERE; the request that ends the block
        which a request made: `len(self)` when none does, and NOWHERE when it made none."""
        return self._replay[:2]

    def snapshot(self, moment: int) -> list[Block]:
        """The blocks that live after request MOMENT, by address."""
        end = self._replay[1]
        return sorted(Block(self.offset[made], self.size[made], made) for made in range(moment + 1)
                      if end[made] > moment)

    @cached_property
    def extents(self) -> "Extents":
        """How much room blocks take, learnt at moments spread over the trace and at its peak."""
        return Extents(sorted((self.offset[made], self.size[made]) for made in live) for live in self._replay[2])

    def waste(self, moment: int, outside: int = 0) -> Waste:
        """Where the heap's bytes are after request MOMENT. OUTSIDE: static bytes that count as heap."""
        blocks = self.snapshot(moment)
        payload = sum(block.size for block in blocks)
        if not blocks:
            return Waste(0, outside, 0, 0, self.heap)
        spans = self.extents.spans(blocks, self.brk[moment])
        inside = sum(end - start for start, end in spans)
        own = min(self.extents.least * len(blocks), inside - payload)
        # What lies before all blocks of the trace was never anybody's: the allocator's own tables.
        first, top = self.first, spans[-1][1]
        holes = top - first - inside
        return Waste(payload, own + first + outside, inside - payload - own, holes, self.heap - top)

    def largest_hole(self) -> tuple[int, int]:
        """(request from 0, bytes) of the largest free stretch between two live payloads; (0, 0) when there is none."""
        old, _ = self.lifetimes
        starts: list[int] = []
        size_at: dict[int, int] = {}
        best, when = 0, 0
        for now, offset in enumerate(self.offset):
            gone = old[now]
            places = []
            if gone >= 0 and size_at.pop(self.offset[gone], None) is not None:
                place = bisect_left(starts, self.offset[gone])
                del starts[place]
                places.append(place)
            if offset >= 0:
                insort(starts, offset)
                size_at[offset] = self.size[now]
                place = bisect_left(starts, offset)
                places += [place, place + 1]
            for place in places:
                if 0 < place < len(starts):
                    hole = starts[place] - starts[place - 1] - size_at.get(starts[place - 1], 0)
                    if hole > best:
                        best, when = hole, now
        return when, best


class Extents:
    """How many bytes of the heap a block of a given size takes, by observation.

    It is the least distance ever seen from the start of a block of that size, or of a larger one, to the start of the
    next; at most twice the size, or size + 64. A size that was not seen pays the least overhead of all and is rounded
    up. What lies beyond, up to the next block, is a free hole.
    """

    def __init__(self, moments: Iterable[list[tuple[int, int]]]) -> None:
        """MOMENTS: (offset, size) of the live blocks by address at each."""
        distance: dict[int, int] = {}
        for blocks in moments:
            # The last block tells nothing: what follows it may be the end of the heap, without the next one's header.
            for (offset, size), (after, _) in zip(blocks, blocks[1:]):
                if size <= after - offset < distance.get(size, 1 << 62):
                    distance[size] = after - offset
        self.sizes = sorted(distance)
        self.room: list[int] = []
        least = 1 << 62
        for size in reversed(self.sizes):
            least = min(least, distance[size])
            self.room.append(least)
        self.room.reverse()
        # What every block pays at least: header, footer.
        self.least = min((room - size for size, room in zip(self.sizes, self.room)), default=0)

    def of(self, size: int) -> int:
        """Bytes that a block with SIZE bytes of payload takes."""
        place = bisect_left(self.sizes, size)
        seen = place < len(self.sizes) and self.sizes[place] == size
        most = size + max(size, 64) if seen else (size + self.least + ROUNDING - 1) // ROUNDING * ROUNDING
        return max(size, min(self.room[place], most)) if place < len(self.sizes) else most

    def spans(self, blocks: list[Block], brk: int) -> list[tuple[int, int]]:
        """(start, end) of each of BLOCKS with its overhead, never reaching into the next."""
        ends = [block.offset for block in blocks[1:]] + [max(brk, blocks[-1].offset + blocks[-1].size)] \
            if blocks else []
        return [(block.offset, max(block.offset + block.size, min(block.offset + self.of(block.size), after)))
                for block, after in zip(blocks, ends)]


def read_events(path: Path) -> Events:
    """Reads one file of `mdriver --events`. Raises Problem with file and line when it is something else."""
    events = Events(path)
    rest = b""
    try:
        with path.open("rb") as file:
            first = file.readline().decode("utf-8", "replace").rstrip("\n")
            if first != HEADER:
                raise Problem(f"{path}:1: not a file of `mdriver --events`: it begins with {first[:40]!r}")
            while chunk := file.read(CHUNK):
                whole, newline, rest = (rest + chunk).rpartition(b"\n")
                if newline:
                    _take_in(events, whole)
    except IsADirectoryError:
        raise Problem(f"{path}: a folder; name the trace with --trace") from None
    if rest:
        raise Problem(f"{path}:{len(events) + 2}: the file ends within a line; write it again with mdriver --events")
    if not events:
        raise Problem(f"{path}: holds no request; the trace failed at its first one, or is empty")
    return events


def _take_in(events: Events, lines: bytes) -> None:
    """Adds whole LINES: column by column, since a million requests are to be drawn in two seconds."""
    words = lines.replace(b"\t-\t", b"\t-1\t").split()
    try:
        if len(words) % FIELDS:
            raise ValueError
        sizes = array("q", map(int, words[4::FIELDS]))
        columns = [array("q", map(int, words[field_::FIELDS])) for field_ in (1, 3, 5, 6, 7)]
        kinds = bytearray(map(CODE.__getitem__, words[2::FIELDS]))
    except (ValueError, KeyError, OverflowError):
        raise Problem(f"{events.path}:{_first_bad(events, lines)}: not a line of mdriver's events; "
                      "write the file again with mdriver --events") from None
    events.kind += kinds
    events.size += sizes
    for column, more in zip((events.line, events.id, events.offset, events.brk, events.live), columns):
        column += more


def _first_bad(events: Events, lines: bytes) -> int:
    """The number of the first line that is not as it should be."""
    for number, line in enumerate(lines.split(b"\n"), start=len(events) + 2):
        words = line.split(b"\t")
        numbers = words[:2] + words[3:5] + [w for w in words[5:6] if w != b"-"] + words[6:]
        if len(words) != FIELDS or words[2] not in CODE or not all(w.lstrip(b"-").isdigit() for w in numbers):
            return number
    return len(events) + 2
