"""From what a program was seen to do, call by call, with addresses, to a trace with ids.

The recorder and every converter feed this one class. An id belongs to a block from its allocation to its free,
through reallocs; every block gets a new one.
"""

from collections import Counter

from repfile import LARGEST_SIZE, Request

NOTES = {
    "aligned": "{} requests for a given alignment; the alignment is dropped",
    "failed": "{} requests that failed (the answer was NULL); left out",
    "unknown free": "{} frees of addresses that were never seen allocated; left out",
    "unknown realloc": "{} reallocs of addresses that were never seen allocated; taken as allocations",
    "lost free": "{} addresses were given out again without having been freed; a free was put in between",
    "leaked": "{} blocks are live at the end",
}


class Pairing:
    """Collects calls in the order in which they took effect. An address of 0 is NULL."""

    def __init__(self) -> None:
        self.requests: list[Request] = []
        self.counts: Counter[str] = Counter()
        self._ids: dict[int, int] = {}  # of live blocks, by address
        self._next = 0

    def _add(self, kind: str, address: int, size: int) -> None:
        if not address or size > LARGEST_SIZE:
            self.counts["failed"] += 1
            return
        if address in self._ids:
            self.counts["lost free"] += 1
            self.requests.append(("f", self._ids[address], 0))
        self._ids[address] = self._next
        self.requests.append((kind, self._next, size))
        self._next += 1

    def malloc(self, size: int, address: int) -> None:
        """malloc(size) = address"""
        self._add("a", address, size)

    def calloc(self, size: int, address: int) -> None:
        """calloc(count, each) = address, with count * each = SIZE"""
        self._add("c", address, size)

    def memalign(self, size: int, address: int) -> None:
        """Any allocation with an alignment of its own."""
        self.counts["aligned"] += 1
        self._add("a", address, size)

    def realloc(self, old: int, size: int, address: int) -> None:
        """realloc(old, size) = address"""
        if not old:
            self._add("r", address, size)
            return
        if not address and size:
            self.counts["failed"] += 1
            return
        ident = self._ids.pop(old, None)
        if ident is None:
            self.counts["unknown realloc"] += 1
            self._add("a", address, size)
            return
        if address and not size:  # glibc frees; some allocators answer with a block of no bytes: the same to a trace
            self.requests.append(("f", ident, 0))
            self._add("a", address, 0)
            return
        self.requests.append(("r", ident, size))
        if address in self._ids:
            self.counts["lost free"] += 1
            self.requests.insert(-1, ("f", self._ids[address], 0))
        if address:
            self._ids[address] = ident

    def free(self, address: int) -> None:
        """free(address)"""
        if not address:
            self.requests.append(("f", -1, 0))
        elif address in self._ids:
            self.requests.append(("f", self._ids.pop(address), 0))
        else:
            self.counts["unknown free"] += 1

    def live(self) -> list[int]:
        """The ids of blocks that are live after the last request."""
        ids: dict[int, None] = {}
        for kind, ident, size in self.requests:
            if kind == "f" or (kind == "r" and size == 0 and ident in ids):
                ids.pop(ident, None)
            else:
                ids[ident] = None
        return sorted(ids)

    def free_what_is_left(self) -> None:
        """Frees all live blocks, in the order of their ids."""
        self.requests += [("f", ident, 0) for ident in self.live()]

    def notes(self) -> list[str]:
        """What a reader of the trace should know, a sentence each."""
        counts = Counter(self.counts)
        counts["leaked"] = len(self.live())
        return [sentence.format(counts[what]) for what, sentence in NOTES.items() if counts[what]]
