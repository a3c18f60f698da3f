"""Variants of traces: as hard as the original, but nothing learned from the original by heart helps.

What is promised, for every variant:
  - it is a valid trace, with the original's name, weight and header dialect, and as many requests of each kind;
  - equal sizes stay equal, order among sizes is kept, 0 stays 0, and no size grows: what fitted the heap still fits;
  - what fitted together fits together: if a block was at most as large as several others in a row, so is its image
    (sizes are scaled by one factor and rounded up, and rounding up is subadditive). In traces of many different sizes,
    those that no realloc is concerned with are moved a little further apart, each by itself;
  - where the heap was empty, phases may have changed places; neighbouring allocations, and neighbouring frees, may
    have; ids have.
"""

from collections.abc import Iterable

from families import Chance
from repfile import Request, Trace

MANY_SIZES = 64  # from so many different sizes on, sums of sizes are not what a trace is about
SWAP_ONE_IN = 24


def vary(trace: Trace, seed: str) -> Trace:
    """The variant of TRACE that SEED draws."""
    chance = Chance(f"{seed}/{trace.name}")
    size = sizes(trace.requests, chance)
    requests = [(kind, ident, size[length] if kind != "f" else 0) for kind, ident, length in trace.requests]
    requests = [request for phase in permuted(phases(requests), chance) for request in phase]
    swap(requests, chance)
    ident = relabelled(requests, chance)
    requests = [(kind, ident[old], length) for kind, old, length in requests]
    return Trace(trace.name, requests, trace.weight, trace.dialect, trace.extra)


def sizes(requests: Iterable[Request], chance: Chance) -> dict[int, int]:
    """A new size for every size."""
    thousandths = chance.between(880, 980)
    resized = {ident for kind, ident, _ in requests if kind == "r"}
    fixed = {size for kind, ident, size in requests if kind != "f" and ident in resized}
    every = sorted({size for kind, _, size in requests if kind != "f"})
    new = {size: -(-size * thousandths // 1000) for size in every}
    if len(set(every) - fixed) >= MANY_SIZES:
        for size, following in zip(every, every[1:] + [every[-1] + 1], strict=True):
            room = min(size // 64, size - new[size], max(new.get(following, size) - new[size] - 1, 0))
            if size not in fixed and room > 0:
                new[size] += chance.below(room + 1)
    return new


def phases(requests: Iterable[Request]) -> list[list[Request]]:
    """Parts between moments at which no block is live."""
    parts: list[list[Request]] = [[]]
    live: set[int] = set()
    for request in requests:
        kind, ident, size = request
        parts[-1].append(request)
        if kind == "f" or (kind == "r" and size == 0 and ident in live):
            live.discard(ident)
        else:
            live.add(ident)
        if not live:
            parts.append([])
    return [part for part in parts if part]


def permuted(parts: list[list[Request]], chance: Chance) -> list[list[Request]]:
    """The parts in another order; one that leaves blocks behind, the last, stays the last."""
    return chance.shuffled(parts[:-1]) + parts[-1:]


def swap(requests: list[Request], chance: Chance) -> None:
    """Now and then exchanges two allocations, or two frees, that follow each other."""
    for i in range(len(requests) - 1):
        (kind, ident, _), (next_kind, next_ident, _) = requests[i], requests[i + 1]
        alike = (kind == next_kind == "f") or (kind in "ac" and next_kind in "ac")
        if alike and ident != next_ident and chance.below(SWAP_ONE_IN) == 0:
            requests[i], requests[i + 1] = requests[i + 1], requests[i]


def relabelled(requests: Iterable[Request], chance: Chance) -> dict[int, int]:
    """A new id for every id; -1 stays -1."""
    old = sorted({ident for _, ident, _ in requests if ident >= 0})
    return dict(zip(old, chance.shuffled(range(len(old))), strict=True)) | {-1: -1}
