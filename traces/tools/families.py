"""Generated families of traces: each a function from a source of chance to requests, and the table of shipped ones.

Only integers and random.Random.random() are used: the same seed gives the same bytes under every Python.
"""

import random
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from repfile import BOTH, NONE, Request, Trace


class Chance:
    """Random numbers that are the same everywhere, for one seed."""

    def __init__(self, seed: str) -> None:
        self.random = random.Random(seed).random

    def below(self, n: int) -> int:
        """0 to n - 1, uniformly."""
        return int(self.random() * n)

    def between(self, low: int, high: int) -> int:
        """low to high, both included, uniformly."""
        return low + self.below(high - low + 1)

    def octave(self, low: int, high: int) -> int:
        """2^low to 2^high - 1: the octave uniformly, then the number in it. Small ones are frequent."""
        base = 1 << self.between(low, high - 1)
        return base + self.below(base)

    def pick(self, items: Sequence[Any]) -> Any:
        """One of the items."""
        return items[self.below(len(items))]

    def weighted(self, items: Sequence[tuple[Any, int]]) -> Any:
        """One of the items; each comes with its weight."""
        at = self.below(sum(weight for _, weight in items))
        for item, weight in items:
            at -= weight
            if at < 0:
                return item
        raise AssertionError

    def taken(self, items: list[Any]) -> Any:
        """One of the items, removed; the last takes its place."""
        i = self.below(len(items))
        items[i], items[-1] = items[-1], items[i]
        return items.pop()

    def shuffled(self, items: Sequence[Any]) -> list[Any]:
        """The items in a random order (Fisher and Yates)."""
        out = list(items)
        for i in range(len(out) - 1, 0, -1):
            j = self.below(i + 1)
            out[i], out[j] = out[j], out[i]
        return out


class Script:
    """Requests as they are written down; a new id for every block."""

    def __init__(self) -> None:
        self.requests: list[Request] = []
        self.blocks = 0

    def new(self, size: int, kind: str = "a") -> int:
        """A block of SIZE bytes; gives its id."""
        self.requests.append((kind, self.blocks, size))
        self.blocks += 1
        return self.blocks - 1

    def resize(self, block: int, size: int) -> None:
        """Reallocates the block."""
        self.requests.append(("r", block, size))

    def free(self, *blocks: int) -> None:
        """Frees blocks, in this order; -1 is NULL."""
        self.requests += [("f", block, 0) for block in blocks]


STRUCTS = ((16, 8), (24, 14), (32, 16), (40, 12), (48, 10), (56, 8), (64, 8), (72, 5), (88, 4), (96, 4), (120, 3),
           (144, 3), (176, 2), (232, 2), (328, 1))  # bytes, weight: as compilers and databases ask for them


def steady(chance: Chance, size: Callable[[], int], live: int, requests: int) -> Script:
    """LIVE blocks, then one freed at random for each allocated; at the end all are freed in random order."""
    script = Script()
    blocks: list[int] = []
    while len(script.requests) < requests - live:
        if len(blocks) < live or chance.below(2):
            blocks.append(script.new(size()))
        if len(blocks) >= live + live // 8 or (len(blocks) > live // 2 and chance.below(2)):
            script.free(chance.taken(blocks))
    script.free(*chance.shuffled(blocks))
    return script


def uniform(chance: Chance, largest: int, live: int, requests: int) -> Script:
    """Sizes uniform up to LARGEST, lifetimes random."""
    return steady(chance, lambda: chance.between(1, largest), live, requests)


def octaves(chance: Chance, low: int, high: int, live: int, requests: int) -> Script:
    """Sizes by octave (2^LOW to 2^HIGH, small ones frequent), lifetimes random."""
    return steady(chance, lambda: chance.octave(low, high), live, requests)


def structs(chance: Chance, live: int, requests: int) -> Script:
    """Fifteen struct sizes, small ones frequent, lifetimes random."""
    return steady(chance, lambda: chance.weighted(STRUCTS), live, requests)


def binary(chance: Chance, small: int, large: int, larger: int, pairs: int) -> Script:
    """Small and large blocks in turn; all the large are freed, and the larger asked for do not fit their holes."""
    script = Script()
    blocks = [(script.new(small), script.new(large)) for _ in range(pairs)]
    script.free(*(second for _, second in blocks))
    late = [script.new(larger) for _ in range(pairs)]
    script.free(*chance.shuffled([first for first, _ in blocks]))
    script.free(*late)
    return script


def coalescing(chance: Chance, part: int, rounds: int, parts: int) -> Script:
    """Neighbours are freed, in each order, and a block of all their bytes is asked for in their place."""
    script = Script()
    for _ in range(rounds):
        blocks = [script.new(part) for _ in range(parts)]
        guard = script.new(chance.between(17, 64))
        script.free(*chance.shuffled(blocks))
        whole = script.new(part * parts)
        script.free(*(chance.shuffled([whole, guard])))
    return script


def growth(chance: Chance, start: int, step: int, steps: int, bystander: int) -> Script:
    """One block grows by STEP bytes, again and again; small blocks come and go meanwhile."""
    script = Script()
    block, size = script.new(start), start
    before = script.new(bystander)
    for _ in range(steps):
        size += step
        script.resize(block, size)
        after = script.new(bystander)
        script.free(before)
        before = after
    script.free(*chance.shuffled([block, before]))
    return script


def doubling(chance: Chance, vectors: int, appends: int) -> Script:
    """Vectors that double when full, and are cut to size when complete; a few are alive at a time."""
    script = Script()
    open_ones: list[tuple[int, int]] = []  # block, bytes
    complete: deque[int] = deque()
    for _ in range(vectors):
        while len(open_ones) < 6:
            open_ones.append((script.new(16), 16))
        for _ in range(appends):
            i = chance.below(len(open_ones))
            block, size = open_ones[i]
            if size < 1 << 16:
                script.resize(block, 2 * size)
                open_ones[i] = (block, 2 * size)
        block, size = chance.taken(open_ones)
        script.resize(block, size - size // 4 + chance.below(size // 4))
        complete.append(block)
        if len(complete) > 24:
            script.free(complete.popleft())
    script.free(*complete, *(block for block, _ in open_ones))
    return script


def arrays(chance: Chance, count: int, rounds: int, step: int) -> Script:
    """Several arrays grow in turn, each past the others."""
    script = Script()
    sizes = [step] * count
    blocks = [script.new(step) for _ in range(count)]
    for _ in range(rounds):
        for i in chance.shuffled(range(count)):
            sizes[i] += step * chance.between(1, 3)
            script.resize(blocks[i], sizes[i])
    script.free(*chance.shuffled(blocks))
    return script


def stack(chance: Chance, depth: int, requests: int) -> Script:
    """Last in, first out: calls that descend and return."""
    script = Script()
    blocks: list[int] = []
    while len(script.requests) < requests - depth:
        for _ in range(min(chance.between(1, depth // 8), depth - len(blocks))):
            blocks.append(script.new(chance.octave(4, 10)))
        for _ in range(min(chance.between(1, depth // 8), len(blocks))):
            script.free(blocks.pop())
    script.free(*reversed(blocks))
    return script


def fifo(chance: Chance, length: int, requests: int) -> Script:
    """First in, first out, strictly, at a constant length."""
    script = Script()
    blocks: deque[int] = deque()
    while len(script.requests) < requests - length:
        blocks.append(script.new(chance.octave(4, 10)))
        if len(blocks) > length:
            script.free(blocks.popleft())
    script.free(*blocks)
    return script


def queues(chance: Chance, count: int, requests: int) -> Script:
    """Several queues of messages, filled and drained in bursts; each has a size of its own and a header per message."""
    script = Script()
    sizes = [chance.octave(5, 12) for _ in range(count)]
    waiting: list[deque[tuple[int, int]]] = [deque() for _ in range(count)]
    while len(script.requests) < requests:
        i = chance.below(count)
        if chance.below(2) and len(waiting[i]) < 128:
            for _ in range(chance.between(1, 16)):
                waiting[i].append((script.new(48), script.new(chance.between(sizes[i] // 2, sizes[i]))))
        else:
            for _ in range(min(chance.between(1, 16), len(waiting[i]))):
                script.free(*waiting[i].popleft())
    for queue in waiting:
        for message in queue:
            script.free(*message)
    return script


def drift(chance: Chance, phases: int, live: int, per_phase: int) -> Script:
    """The usual size grows from phase to phase, so that old holes are too small; a few old blocks stay."""
    script = Script()
    blocks: list[int] = []
    for phase in range(phases):
        usual = 24 + 20 * phase
        for _ in range(per_phase):
            blocks.append(script.new(usual + chance.below(usual // 2)))
            if len(blocks) > live:
                script.free(chance.taken(blocks))
        for _ in range(live * 7 // 8):
            script.free(chance.taken(blocks))
    script.free(*chance.shuffled(blocks))
    return script


def tables(chance: Chance, count: int, inserts: int) -> Script:
    """Hash tables: calloc'd arrays that double, nodes between, dropped as a whole one after the other."""
    script = Script()
    for _ in range(count):
        slots, nodes = 8, []
        array = script.new(8 * slots, "c")
        for _ in range(chance.between(inserts // 4, inserts)):
            nodes.append(script.new(32) if chance.below(4) else script.new(chance.between(33, 90)))
            if len(nodes) > slots:
                slots *= 2
                bigger = script.new(8 * slots, "c")
                script.free(array)
                array = bigger
            elif chance.below(6) == 0:
                script.free(chance.taken(nodes))
        script.free(*nodes, array)
    return script


def corners(chance: Chance, rounds: int) -> Script:
    """What C allows and programs seldom do: sizes 0 and 1, NULL, realloc in every way, calloc after dirt."""
    script = Script()
    for _ in range(rounds):
        script.free(-1)
        empty, one = script.new(0), script.new(1)
        script.resize(one, 2)
        fresh = script.blocks  # never allocated: realloc(NULL, size)
        script.blocks += 1
        script.resize(fresh, chance.between(1, 300))
        dirt = script.new(chance.between(200, 400))
        script.free(dirt)
        clean = script.new(chance.between(100, 200), "c")
        script.free(empty)
        script.resize(clean, 5000)
        script.resize(clean, 5000)
        script.resize(clean, 1)
        script.resize(fresh, 0)  # frees it
        none = script.new(0, "c")
        script.resize(none, 40)
        script.resize(one, 0)
        script.free(none, clean, -1)
    return script


def first_steps(chance: Chance) -> Script:
    """A dozen requests, to be followed by hand."""
    script = Script()
    a, b, c = script.new(2040), script.new(2040), script.new(48)
    script.free(b)
    d, e = script.new(48), script.new(4072)
    script.free(a, *chance.shuffled([c, d]))
    f = script.new(4072)
    script.free(f, e)
    return script


def reused_ids(chance: Chance) -> Script:
    """Ids that are used again, and blocks that stay live at the end."""
    script = Script()
    for i in range(4):
        for ident in range(6):
            script.requests.append(("a", ident, 16 * i + chance.between(1, 40)))
        for ident in chance.shuffled(range(6))[:6 if i < 3 else 2]:
            script.requests.append(("f", ident, 0))
    return script


@dataclass(frozen=True)
class Generated:
    """A shipped trace: family(Chance(seed), **parameters)."""
    name: str
    family: Callable[..., Script]
    weight: int = BOTH
    parameters: dict[str, int] = field(default_factory=dict)

    @property
    def seed(self) -> str:
        """The seed: the name itself, so that traces do not share one."""
        return self.name.partition(".")[0]

    @property
    def how(self) -> str:
        """The call, in words."""
        return f"{self.family.__name__}({', '.join(f'{key}={value}' for key, value in self.parameters.items())})"

    def make(self) -> Trace:
        """The trace."""
        return Trace(self.name, self.family(Chance(self.seed), **self.parameters).requests, self.weight)


CORPUS = (
    Generated("short-steps.rep", first_steps, NONE),
    Generated("short-ids.rep", reused_ids, NONE),
    Generated("short-corners.rep", corners, NONE, {"rounds": 3}),
    Generated("random-uniform.rep.gz", uniform, parameters={"largest": 16384, "live": 500, "requests": 8000}),
    Generated("random-octaves.rep.gz", octaves, parameters={"low": 4, "high": 13, "live": 1500, "requests": 30000}),
    Generated("structs.rep.gz", structs, parameters={"live": 3000, "requests": 50000}),
    Generated("binary-small.rep.gz", binary,
              parameters={"small": 16, "large": 112, "larger": 128, "pairs": 3000}),
    Generated("binary-large.rep.gz", binary,
              parameters={"small": 72, "large": 424, "larger": 480, "pairs": 2000}),
    Generated("coalescing.rep.gz", coalescing, parameters={"part": 1008, "rounds": 1200, "parts": 4}),
    Generated("realloc-growth.rep.gz", growth,
              parameters={"start": 512, "step": 96, "steps": 4000, "bystander": 128}),
    Generated("realloc-doubling.rep.gz", doubling, parameters={"vectors": 1500, "appends": 8}),
    Generated("realloc-arrays.rep.gz", arrays, parameters={"count": 8, "rounds": 800, "step": 32}),
    Generated("stack.rep.gz", stack, parameters={"depth": 800, "requests": 40000}),
    Generated("fifo.rep.gz", fifo, parameters={"length": 600, "requests": 30000}),
    Generated("queues.rep.gz", queues, parameters={"count": 12, "requests": 40000}),
    Generated("drift.rep.gz", drift, parameters={"phases": 20, "live": 1200, "per_phase": 1500}),
    Generated("tables.rep.gz", tables, parameters={"count": 40, "inserts": 800}),
)
