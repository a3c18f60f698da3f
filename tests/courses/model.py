"""What a few allocators do with a trace, replayed in Python: heap and peak payload to the byte.

Nothing here is shared with the driver: the text is parsed anew, and the allocators are written down a second time, as
data structures and not as bytes.
"""
from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path


@dataclass(frozen=True)
class Request:
    """One line of a trace. KEY names the block: the id, made unique each time it is used again."""
    kind: str
    key: tuple[int, int] | None
    size: int


def read(path: Path) -> list[Request]:
    """The requests of a trace file of any edition."""
    lines = path.read_text().split("\n")
    requests: list[Request] = []
    use: dict[int, int] = {}
    last = 0
    for line in lines[4:]:
        words = line.split()
        if not words:
            continue
        number = int(words[1])
        if words[0] in "ac":
            use[number] = use.get(number, 0) + 1
        if words[0] != "f":
            last = int(words[2]) if len(words) > 2 else last
        requests.append(Request(words[0], None if number == -1 else (number, use.get(number, 0)),
                                0 if words[0] == "f" else last))
    return requests


def peak_payload(requests: list[Request]) -> int:
    """The most bytes that are live at once."""
    live: dict[tuple[int, int] | None, int] = {}
    peak = 0
    for request in requests:
        if request.kind == "f":
            live.pop(request.key, None)
        else:
            live[request.key] = request.size
        peak = max(peak, sum(live.values()))
    return peak


def up(size: int, unit: int) -> int:
    """SIZE rounded up to a multiple of UNIT."""
    return -(-size // unit) * unit


def bump(requests: list[Request], header: int, unit: int) -> int:
    """Heap of an allocator that never uses a byte twice."""
    return sum(up(request.size + header, unit) for request in requests if request.kind != "f")


@dataclass
class BoundaryTags:
    """First fit over blocks with a header and a footer of WORD bytes each, merged at once.

    Order is that of addresses ("address"), or last in, first out ("lifo"). What a whole chunk or a larger request
    needs is taken from the system, even when the last block is free.
    """
    word: int
    unit: int
    minimum: int
    begin: int          # bytes before the first block, and after the last
    chunk: int
    order: str
    stays: bool = False  # realloc answers with the same block when it is large enough
    size: dict[int, int] = field(default_factory=dict)     # of every block, by address
    ending: dict[int, int] = field(default_factory=dict)   # address of the block that ends there
    free: list[int] = field(default_factory=list)          # addresses in order of search
    end: int = 0

    def __post_init__(self) -> None:
        self.end = self.begin
        self.grow(self.chunk)

    def put(self, address: int, size: int) -> None:
        """Writes a block down."""
        self.size[address] = size
        self.ending[address + size] = address

    def take(self, address: int) -> int:
        """Crosses a block out; its size."""
        size = self.size.pop(address)
        del self.ending[address + size]
        return size

    def release(self, address: int) -> None:
        """Makes a block free, merged with its neighbours."""
        size = self.take(address)
        if address + size in self.free:
            self.free.remove(address + size)
            size += self.take(address + size)
        before = self.ending.get(address)
        if before in self.free:
            self.free.remove(before)
            address, size = before, size + self.take(before)
        self.put(address, size)
        self.free.insert(0, address)
        if self.order == "address":
            self.free.sort()

    def grow(self, size: int) -> None:
        """More heap, as one free block."""
        self.put(self.end, size)
        self.end += size
        self.release(self.end - size)

    def allocate(self, payload: int) -> int | None:
        """The address of a block."""
        if payload == 0:
            return None
        need = max(up(payload + 2 * self.word, self.unit), self.minimum)
        if not any(self.size[address] >= need for address in self.free):
            self.grow(max(need, self.chunk))
        address = next(address for address in self.free if self.size[address] >= need)
        self.free.remove(address)
        rest = self.take(address) - need
        if rest >= self.minimum:
            self.put(address, need)
            self.put(address + need, rest)
            self.free.insert(0, address + need)
            if self.order == "address":
                self.free.sort()
        else:
            self.put(address, need + rest)
        return address

    def replay(self, requests: list[Request]) -> int:
        """The heap after all requests; realloc is malloc, copy, free, unless the block stays."""
        block: dict[tuple[int, int] | None, int] = {}
        for request in requests:
            if self.stays and request.kind == "r" and request.key in block \
                    and self.size[block[request.key]] - 2 * self.word >= request.size > 0:
                continue
            fresh = self.allocate(request.size) if request.kind != "f" else None
            if request.kind in "fr" and request.key in block:
                self.release(block.pop(request.key))
            if fresh is not None:
                block[request.key] = fresh
        return self.end


# Heap of each submission in this folder, by its name.
HEAPS: dict[str, Callable[[list[Request]], int]] = {
    "classic/naive.c": lambda requests: bump(requests, 8, 8),
    "classic/no_team_name.c": lambda requests: sum(up(r.size + 8, 8) for r in requests if r.kind != "f"),
    "classic/implicit.c": lambda requests: BoundaryTags(4, 8, 16, 16, 4096, "address").replay(requests),
    "classic/explicit32.c": lambda requests: BoundaryTags(4, 8, 16, 16, 4096, "lifo", stays=True).replay(requests),
    "autolab/explicit.c": lambda requests: BoundaryTags(4, 8, 16, 16, 512, "lifo").replay(requests),
    "autolab/int_checkheap.c": lambda requests: bump([r for r in requests if r.kind == "a" or r.size], 8, 8),
    "cmu16/explicit.c": lambda requests: BoundaryTags(8, 16, 32, 16, 4096, "lifo").replay(requests),
    "malloclab/bump.c": lambda requests: bump(requests, 16, 16) + 8,
}


# ---- traces ----

def mixture(seed: int, requests: int, largest: int) -> Iterator[str]:
    """Requests of all three kinds; some blocks stay live."""
    draw, live = random.Random(seed), []
    ids = 0
    for _ in range(requests):
        choice = draw.random()
        if not live or choice < 0.45:
            live.append(ids)
            yield f"a {ids} {draw.randint(1, largest)}"
            ids += 1
        elif choice < 0.6:
            yield f"r {draw.choice(live)} {draw.randint(1, largest)}"
        else:
            yield f"f {live.pop(draw.randrange(len(live)))}"


def binary(pairs: int) -> Iterator[str]:
    """Small and large blocks in turn, the large freed, then larger ones that do not fit their holes."""
    for i in range(pairs):
        yield f"a {2 * i} 64"
        yield f"a {2 * i + 1} 448"
    for i in range(pairs):
        yield f"f {2 * i + 1}"
    for i in range(pairs):
        yield f"a {2 * pairs + i} 512"
    for i in range(pairs):
        yield f"f {2 * i}"
        yield f"f {2 * pairs + i}"


def growth(steps: int) -> Iterator[str]:
    """One block that grows, and small ones between."""
    yield "a 0 512"
    yield "a 1 128"
    for i in range(steps):
        yield f"r 0 {640 + 128 * i}"
        yield f"a {i + 2} 128"
        yield f"f {i + 1}"
    yield f"f {steps + 1}"
    yield "f 0"


def odd(seed: int) -> Iterator[str]:
    """What only the later editions have: free(NULL), sizes left out, ids used again."""
    draw = random.Random(seed)
    yield "a 0 40"
    for i in range(200):
        yield "f -1"
        yield f"a 1 {draw.randint(1, 300)}"
        yield "a 2"
        yield f"r 1 {draw.randint(1, 600)}"
        yield "f 2"
        yield "f 1"


def write(path: Path, lines: list[str], edition: str, weight: int = 1) -> Path:
    """A trace file with the header of an edition."""
    ids = len({line.split()[1] for line in lines} - {"-1"})
    path.write_text("\n".join(map(str, [0, 0, 0, 0, *lines])))
    peak = peak_payload(read(path))
    header = {"classic": (20_000_000, ids, len(lines), weight), "autolab": (weight, ids, len(lines), 0),
              "cmu16": (weight, ids, len(lines), peak)}[edition]
    path.write_text("\n".join(map(str, [*header, *lines])) + "\n")
    return path


def corpus(folder: Path, edition: str) -> list[Path]:
    """A trace of each shape, in one edition's format."""
    shapes = {"mixture": mixture(7, 1500, 400), "large": mixture(11, 400, 9000), "binary": binary(150),
              "growth": growth(100)}
    if edition != "classic":
        shapes["odd"] = odd(5)
    return [write(folder / f"{name}.rep", list(lines), edition) for name, lines in shapes.items()]
