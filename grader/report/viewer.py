"""The heap viewer's data: a trace's events as columns of bytes, packed for the page."""

import gzip
from array import array
from base64 import b64encode
from dataclasses import dataclass
from sys import byteorder

from grader.platforms import failed
from grader.report.events import Events
from grader.report.results import Subject, stem
from grader.text import plain

MOST = 100_000  # requests of a trace that the viewer gets


@dataclass(frozen=True)
class View:
    """What the page's script gets of one trace; requests count from 1, 0 is before the first."""

    trace: str
    requests: int     # in the view
    total: int        # in the events
    wide: bool        # sizes and offsets as 64-bit numbers
    data: str         # base64 of gzip of the columns kind (8 bits), line, id (32 bits), size, offset, brk
    sizes: list[int]  # sizes seen, and how many bytes of the heap a block of each takes
    room: list[int]
    peak: int
    hole: int         # after this request the heap has its largest hole
    hole_bytes: int
    failing: int      # the request that fails; 0 when none does
    message: str

    def as_json(self) -> dict:
        """Plain data."""
        return dict(vars(self))


def view(trace: dict, events: Events) -> View:
    """The view of one trace; of a longer trace its beginning."""
    count = min(len(events), MOST)
    wide = max(events.heap, max(events.size)) >= 1 << 31
    number = "q" if wide else "i"
    columns = [bytes(events.kind[:count]), *(_pack(code, column[:count]) for code, column in (
        ("i", events.line), ("i", events.id), (number, events.size), (number, events.offset), (number, events.brk)))]
    when, size = events.largest_hole()
    failing = trace.get("request") or 0 if failed(trace) else 0
    peak = events.peak if events.peak < count else events.live.index(max(events.live[:count]))
    return View(plain(stem(trace["name"]), 60), count, len(events), wide,
                b64encode(gzip.compress(b"".join(columns), 9, mtime=0)).decode(), events.extents.sizes,
                events.extents.room, peak + 1, when + 1 if when < count and size else 0, size,
                failing if 0 < failing <= count + 1 else 0, trace.get("message") or "" if failing else "")


def _pack(code: str, column: array) -> bytes:
    """COLUMN as little-endian numbers."""
    packed = array(code, column)
    if byteorder == "big":
        packed.byteswap()
    return packed.tobytes()


def choose(subject: Subject, most: int = 3) -> list[dict]:
    """The traces worth stepping through, at most MOST: the first failing ones, the worst, the shortest, and any."""
    traces = [trace for trace in subject.result["traces"] if subject.events_path(trace)]
    if not traces:
        return []
    failing = [trace for trace in traces if failed(trace)]
    sound = [trace for trace in traces if trace not in failing]
    worst = sorted(sound, key=lambda t: (t["requests"] > MOST, t["utilization"] / (t["ceiling"] or 1)))
    shortest = sorted(sound, key=lambda t: t["requests"])
    chosen: list[dict] = []
    for trace in [*failing[:most - 1], *worst[:1], *shortest[:1], *failing, *worst]:
        if trace not in chosen:
            chosen.append(trace)
    return chosen[:most]
