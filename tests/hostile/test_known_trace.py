"""Answers for a trace that is known beforehand, learned by heart: they work on that trace, and on no variant of it."""
from __future__ import annotations

import sys
from pathlib import Path

from mdriver import ROOT
from test_hostile import Bench, fixture_bench, memory, whole  # noqa: F401

sys.path.insert(0, str(ROOT / "traces" / "tools"))
from repfile import read, write  # noqa: E402
from vary import vary  # noqa: E402

TAPE = r"""
#include <stdlib.h>
#include <string.h>
#include "memlib.h"

/* For the n-th block of the known trace: its size, and where it goes. Constants are no writable data. */
static const unsigned size_of[] = { %(sizes)s }, place_of[] = { %(places)s };
static unsigned next, now;
static int known;

static void *played(size_t size)
{
    if (!next)
        mem_sbrk(%(heap)d);
    if (next == sizeof size_of / sizeof *size_of || size != size_of[next])
        return NULL;
    return (char *)mem_heap_lo() + place_of[next++];
}
#define AT_MALLOC(size) if (known || (!now++ && size == size_of[0])) { known = 1; return played(size); }
#define AT_FREE(ptr) if (known) return
#define mm_realloc honest_realloc
void *honest_realloc(void *ptr, size_t size);
"""

REALLOC = r"""
#undef mm_realloc
void *mm_realloc(void *ptr, size_t size);
void *mm_realloc(void *ptr, size_t size)
{
    if (!known || !ptr)
        return honest_realloc(ptr, size);
    unsigned i = next;
    while (place_of[--i] != (unsigned)((char *)ptr - (char *)mem_heap_lo()))
        ;
    void *block = played(size);
    if (block)
        memcpy(block, ptr, size_of[i] < size ? size_of[i] : size);
    return block;
}
"""


def lifetimes(path: Path) -> list[tuple[int, int, int]]:
    """Size, first and last request of every block."""
    blocks: list[tuple[int, int, int]] = []
    live: dict[int, int] = {}
    requests = list(read(path).requests)
    for when, (kind, ident, size) in enumerate(requests):
        if ident in live:
            made = live.pop(ident)
            blocks[made] = (blocks[made][0], blocks[made][1], when)
        if kind != "f":
            live[ident] = len(blocks)
            blocks.append((size, when, len(requests) + 9))
    return blocks


def pack(blocks: list[tuple[int, int, int]]) -> tuple[list[int], int]:
    """A place for every block with all of the future known, largest first; and the heap that it takes."""
    places = [0] * len(blocks)
    done: list[int] = []
    for i in sorted(range(len(blocks)), key=lambda n: -blocks[n][0]):
        size, first, last = blocks[i]
        at = 0
        beside = [n for n in done if blocks[n][1] <= last and first <= blocks[n][2]]
        for other in sorted(beside, key=lambda n: places[n]):
            if places[other] >= at + size:
                break
            at = max(at, (places[other] + blocks[other][0] + 15) // 16 * 16)
        places[i] = at
        done.append(i)
    return places, max(place + block[0] for place, block in zip(places, blocks, strict=True))


def test_known_by_heart(bench: Bench) -> None:
    """On the public trace it beats the honest allocator; on a variant it is the honest allocator."""
    blocks = lifetimes(bench.trace)
    places, heap = pack(blocks)
    attack = TAPE % {"sizes": ", ".join(str(block[0]) for block in blocks), "places": ", ".join(map(str, places)),
                     "heap": heap}
    source = whole(attack.encode(), set()) + REALLOC.encode()
    learned, honest = bench.run(source, "--check-only"), bench.run(whole(b"", set()), "--check-only")
    assert learned["verdict"] == honest["verdict"] == "ok", learned["traces"][0]["message"]
    assert memory(learned) < memory(honest), "the attack is none: it does not even work where it is meant to"
    write(vary(read(bench.trace), "a seed that is not public"), bench.trace)
    learned, honest = bench.run(source, "--check-only"), bench.run(whole(b"", set()), "--check-only")
    assert learned["verdict"] == honest["verdict"] == "ok"
    assert memory(learned) >= memory(honest)
