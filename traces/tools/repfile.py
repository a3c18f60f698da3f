"""Trace files (.rep, .rep.gz): read, validated, written. The formats are described in docs/TRACES.md.

A request is a tuple (kind, id, size): kind is "a" malloc, "c" calloc, "r" realloc, "f" free; id -1 is NULL, for "f"
only; size is 0 for "f".
"""

import gzip
import io
import os
import re
import zlib
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

Request = tuple[str, int, int]

NONE, BOTH, UTILIZATION, SPEED = range(4)
WEIGHT_WORDS = {NONE: "none", BOTH: "both", UTILIZATION: "util", SPEED: "speed"}
LARGEST_SIZE = 1 << 63
LARGEST_ID = (1 << 31) - 1
SUFFIXES = (".rep", ".rep.gz")


class Problem(Exception):
    """Something the user can mend, said in one sentence."""


@dataclass
class Trace:
    """A trace, and what its header says beyond counts."""
    name: str  # file name
    requests: list[Request]
    weight: int = BOTH
    dialect: str = "cmu16"  # which header: classic | autolab | cmu16
    extra: int = 0  # classic: suggested heap size; autolab: ignore_ranges; cmu16: unused (computed)
    warnings: list[str] = field(default_factory=list)

    def text(self) -> str:
        """The file's content."""
        ids, count = id_count(self.requests), len(self.requests)
        header = {"classic": (self.extra, ids, count, self.weight),
                  "autolab": (self.weight, ids, count, self.extra),
                  "cmu16": (self.weight, ids, count, peak(self.requests))}[self.dialect]
        lines = [str(number) for number in header]
        lines += [f"f {ident}" if kind == "f" else f"{kind} {ident} {size}" for kind, ident, size in self.requests]
        return "\n".join(lines) + "\n"


def id_count(requests: Iterable[Request]) -> int:
    """How many different ids are used."""
    return len({ident for _, ident, _ in requests if ident >= 0})


# ---- what is live ----

def peak(requests: Iterable[Request], block_bytes: Callable[[int], int] = lambda size: size) -> int:
    """The peak over time of the sum of block_bytes(size) over live blocks."""
    live: dict[int, int] = {}
    total = most = 0
    for kind, ident, size in requests:
        total -= live.pop(ident, 0)
        if kind != "f":
            live[ident] = block_bytes(size)
            total += live[ident]
            most = max(most, total)
    return most


def aligned(alignment: int, header: int = 0, minimum: int = 0) -> Callable[[int], int]:
    """The bytes of a block: header and payload rounded up to ALIGNMENT, at least MINIMUM; size 0 needs none."""
    return lambda size: max(minimum, -(-(size + header) // alignment) * alignment) if size else 0


def most_live(requests: Iterable[Request]) -> int:
    """The largest number of live blocks."""
    live: set[int] = set()
    most = 0
    for kind, ident, size in requests:
        if kind == "f" or (kind == "r" and size == 0):
            live.discard(ident)
        else:
            live.add(ident)
            most = max(most, len(live))
    return most


def violation(requests: Iterable[Request]) -> str | None:
    """What makes these requests no trace; None if nothing does."""
    live: set[int] = set()
    gone: set[int] = set()  # freed by realloc to 0 bytes: the NULL that it gave may be freed
    for number, (kind, ident, size) in enumerate(requests, 1):
        if kind in "ac" and ident in live:
            return f"request {number}: id {ident} is live already"
        if kind == "f" and ident != -1 and ident not in live and ident not in gone:
            return f"request {number}: id {ident} is not live"
        if not (0 <= size <= LARGEST_SIZE and (0 <= ident <= LARGEST_ID or (kind == "f" and ident == -1))):
            return f"request {number}: {kind} {ident} {size}: out of range"
        gone.discard(ident)
        if kind == "r" and size == 0 and ident in live:
            gone.add(ident)
        if kind == "f" or ident in gone:
            live.discard(ident)
        else:
            live.add(ident)
    return None


# ---- files ----

def read(path: Path) -> Trace:
    """Reads a trace file, plain or gzipped; Problem with "file:line: sentence" when it is none."""
    try:
        data = path.read_bytes()
        if data[:2] == b"\x1f\x8b":
            data = gzip.decompress(data)
    except OSError as error:
        raise Problem(f"{path}: cannot be read: {error.strerror or error}") from None
    except (EOFError, zlib.error):
        raise Problem(f"{path}: expected a whole gzip file, but it is cut short or damaged; copy it again") from None
    return parse(path, data.decode("utf-8-sig", "replace"))


REQUEST = re.compile(r"(?:([acr]) (\d+) (\d+)|f (\d+|-1))\Z")
UNSIZED = re.compile(r"a (\d+)\Z")


def parse(path: Path, text: str) -> Trace:
    """The trace that TEXT holds; PATH is for messages."""
    lines = [(number, " ".join(line.split())) for number, line in enumerate(text.split("\n"), 1) if line.strip()]
    header = []
    for number, line in lines[:4]:
        if not line.isascii() or not line.isdigit():
            raise Problem(f'{path}:{number}: expected a number of at least 0 in the header, found "{line[:60]}"')
        header.append(int(line))
    if len(lines) < 5:
        raise Problem(f"{path}: expected four header lines and at least one request, found {len(lines)} lines")
    requests: list[Request] = []
    warnings: list[str] = []
    unsized, previous = 0, None
    for number, line in lines[4:]:
        found = REQUEST.match(line)
        if found:
            kind, ident, size, freed = found.groups()
            if kind:
                previous = int(size)
                requests.append((kind, int(ident), previous))
            else:
                requests.append(("f", int(freed), 0))
        elif (bare := UNSIZED.match(line)) and previous is not None:
            requests.append(("a", int(bare[1]), previous))
            unsized += 1
        elif requests and len(requests) == header[2] and line[0] not in "acrf":
            warnings.append(f"what follows line {number - 1} is no request; ignored")
            break
        else:
            raise Problem(f'{path}:{number}: expected "a id size", "c id size", "r id size" or "f id", '
                          f'found "{line[:60]}"')
    wrong = violation(requests)
    if wrong:
        raise Problem(f"{path}: {wrong}")
    trace = Trace(path.name, requests, warnings=warnings)
    if header[0] > SPEED:
        trace.dialect, trace.extra, trace.weight = "classic", header[0], header[3]
    elif header[3] <= 1:
        trace.dialect, trace.extra, trace.weight = "autolab", header[3], header[0]
    else:
        trace.dialect, trace.extra, trace.weight = "cmu16", 0, header[0]
    if trace.weight > SPEED:
        trace.weight = BOTH
    if unsized:
        trace.warnings.append(f"{unsized} requests had no size and got the size before theirs")
    if header[2] != len(requests):
        trace.warnings.append(f"the header said {header[2]} requests, but there are {len(requests)}")
    return trace


def find(source: Path) -> list[Path]:
    """The trace files that SOURCE, a file or a folder, names; sorted. (Folders in it are not looked into.)"""
    if source.is_dir():
        found = sorted(path for path in source.iterdir() if path.name.endswith(SUFFIXES) and path.is_file())
        if not found:
            raise Problem(f"{source}: holds no traces; expected files named *.rep or *.rep.gz")
        return found
    if not source.exists():
        raise Problem(f"{source}: no such file or folder; name a .rep file, a .rep.gz file, or a folder of them")
    return [source]


def packed(name: str, text: str) -> bytes:
    """What is written to a file of that NAME: gzipped, always to the same bytes, if it ends in .gz."""
    data = text.encode()
    if not name.endswith(".gz"):
        return data
    out = io.BytesIO()
    with gzip.GzipFile(filename="", mode="wb", fileobj=out, compresslevel=9, mtime=0) as file:
        file.write(data)
    return out.getvalue()


def write(trace: Trace, path: Path) -> None:
    """Writes TRACE to PATH, all of it or nothing."""
    scratch = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        scratch.write_bytes(packed(path.name, trace.text()))
        scratch.replace(path)
    except OSError as error:
        with suppress(OSError):
            scratch.unlink()
        raise Problem(f"{path}: cannot be written: {error.strerror or error}") from None
