"""Tables of the pictures of one heap: heap, fragmented, waste, holes, sizes. `map` has a file of its own."""

from collections import Counter
from collections.abc import Sequence

from grader.errors import Problem
from grader.platforms import failed
from grader.plot import PALETTE, Picture, Request, Table
from grader.plot_map import make_map
from grader.report.events import Events, FREE, Block
from grader.report.results import Subject, stem
from grader.text import count, plain

UNITS = ("B", "KiB", "MiB", "GiB", "TiB")
POINTS = 800              # of a line
MANY = 4000               # boxes that a picture holds
CELLS = 900.0             # about as many pixels as a row of `fragmented` is wide


def unit_for(most: float) -> tuple[int, str]:
    """The divisor and the name of the unit in which MOST bytes read well."""
    step = 0
    while most >= 10 * 1024 ** (step + 1) and step + 1 < len(UNITS):
        step += 1
    return 1024 ** step, UNITS[step]


def show(size: float) -> str:
    """SIZE bytes in words: '480 B', '1.5 KiB'."""
    step = 0
    while size >= 1024 and step + 1 < len(UNITS):
        size /= 1024
        step += 1
    return f"{size:.3g} {UNITS[step]}" if step and size < 1000 else f"{size:.0f} {UNITS[step]}"


def titled(words: str, subject: Subject, trace: dict) -> str:
    """'heap of champion on bash'."""
    return plain(f"{words}: {plain(subject.name, 30)} on {plain(stem(trace['name']), 30)}", 90)


def moment_of(request: Request, events: Events, trace: dict) -> tuple[int, str]:
    """The request (from 0) whose heap is shown, and what it is: asked for, before the failure, or the peak."""
    if request.moment is not None:
        if not 1 <= request.moment <= len(events):
            raise Problem(f"--moment {request.moment}: this trace has events of requests 1 to {len(events)}")
        return request.moment - 1, f"after request {request.moment:,}"
    if failed(trace) and trace.get("request"):
        if trace["request"] == 1:
            raise Problem(f"{stem(trace['name'])}: the very first request fails; there is no heap before it")
        return (min(len(events), trace["request"] - 1) - 1,
                f"before request {trace['request']:,}, which fails ({trace['verdict']})")
    return events.peak, f"at the peak, request {events.peak + 1:,}"


def make_heap(request: Request) -> Picture:
    """Live payload and heap size over requests."""
    subject, trace = request.pick()
    events = subject.read(trace)
    unit, unit_name = unit_for(events.heap)
    total = len(events)
    points = min(POINTS, total) if not request.terminal else min(request.columns - 16, total)
    rows: list[Sequence[object]] = [(0, 0, 0)]
    for i in range(points):
        first, last = i * total // points, (i + 1) * total // points
        rows.append((last, max(events.live[first:last]) / unit, events.brk[last - 1] / unit))
    peak, heap = events.live[events.peak], events.heap
    used = peak / heap if heap else 0.0
    words = f"peak {show(peak)}, heap {show(heap)}: {used:.1%}"
    picture = Picture(
        "heap", titled("Live payload and heap", subject, trace), {"series": Table(rows, 3)},
        {"UNIT": unit_name, "REQUESTS": total, "TOP": max(heap, peak) / unit, "PEAK_AT": events.peak + 1,
         "PEAK": peak / unit, "PEAK_WORDS": words, "RIGHT": int(events.peak + 1 > total / 2)},
        alt=f"Live payload and heap size over {total:,} requests; {words} of the heap is payload at the peak.")
    if failed(trace):
        picture.title += f" (until it fails: {trace['verdict']})"
    picture.key = ["# live payload   * heap size   between them: waste", words]
    return picture


def shade(parts: Sequence[tuple[int, float]]) -> int:
    """The colour of (colour, share) mixed."""
    mixed = 0
    for shift in (16, 8, 0):
        mixed |= min(255, int(sum((colour >> shift & 255) * share for colour, share in parts) + 0.5)) << shift
    return mixed


def stretches(events: Events, blocks: list[Block], brk: int) -> list[tuple[int, int, str]]:
    """(start, end, kind) of everything in the heap, in order: payload, overhead, hole, top."""
    found: list[tuple[int, int, str]] = [(0, events.first, "overhead")] if events.first else []
    place = events.first
    for block, (_, end) in zip(blocks, events.extents.spans(blocks, brk)):
        if block.offset > place:
            found.append((place, block.offset, "hole"))
        if block.size:
            found.append((block.offset, block.offset + block.size, "payload"))
        if end > block.offset + block.size:
            found.append((block.offset + block.size, end, "overhead"))
        place = max(place, end)
    if brk > place:
        found.append((place, brk, "top"))
    return found


def make_fragmented(request: Request) -> Picture:
    """The arena at one moment, as rows of blocks."""
    subject, trace = request.pick()
    events = subject.read(trace)
    moment, when = moment_of(request, events, trace)
    brk = events.brk[moment]
    if brk == 0:
        raise Problem(f"{titled('fragmented', subject, trace)}: the heap is empty {when}")
    blocks = events.snapshot(moment)
    parts = stretches(events, blocks, brk)
    rows = min(16, max(2, brk // 512)) if not request.terminal else min(request.lines - 4, max(2, brk // 256))
    width = -(-brk // rows)
    width += -width % 16
    rows = -(-brk // width)
    unit, unit_name = unit_for(brk)
    # What is narrower than a pixel is mixed with its neighbours.
    cell = width / (CELLS if len(parts) < MANY else MANY / rows)
    boxes, labels = _boxes(parts, width, cell, exact=len(parts) < 2000)
    holes = [end - start for start, end, kind in parts if kind == "hole"]
    payload = sum(block.size for block in blocks)
    free = f"{count(len(holes), 'free hole')}, the largest {show(max(holes))}" if holes else "no free hole"
    words = f"{count(len(blocks), 'block')}, {show(payload)} payload in a heap of {show(brk)}; {free}"
    height = 130 + 24 * rows
    place = trace.get("address") if request.moment is None else None
    marked = [(place % width, place // width, f"0x{place:x}")] if place is not None and place < rows * width else []
    if marked:
        words += f"; the failure is at 0x{place:x}"
    return Picture(
        "fragmented", titled("The heap " + when, subject, trace),
        {"boxes": Table(boxes, 6), "labels": Table(labels, 4),
         "place": Table(marked, 3), "rows": Table([(i, show(i * width)) for i in range(rows)], 2),
         "cells": Table(_cells(parts, width, rows, request.columns - 14) if request.terminal else [], 3)},
        {"ROWS": rows, "ROW_BYTES": width, "WORDS": words, "UNIT": unit_name, "CELLS": request.columns - 14},
        key=[words, "# payload   + overhead   . free hole   _ top of the heap, free"],
        alt=f"The heap {when}: {words}.", height=height, lines=rows + 2)


KIND_COLOUR = {"payload": PALETTE["PAYLOAD"], "overhead": PALETTE["OVERHEAD"], "hole": PALETTE["HOLE"],
               "top": PALETTE["UNUSED"]}


def _boxes(parts: list[tuple[int, int, str]], width: int, cell: float, exact: bool) -> tuple[list, list]:
    """Boxes (x, row, x low, x high, colour, outlined) and labels (x, row, text, light) of the rows."""
    boxes: list[tuple] = []
    labels: list[Sequence[object]] = []
    pending: list[tuple[int, int, str]] = []  # pieces of one row that are too narrow to be seen

    def flush() -> None:
        if pending:
            low, high = pending[0][0], pending[-1][1]
            # In coarse steps, so that what looks the same becomes one box.
            colour = 0xF0F0F0 & shade(
                [(KIND_COLOUR[kind], (end - start) / (high - low)) for start, end, kind in pending])
            row = low // width
            left, right = low - row * width, high - row * width
            if boxes and boxes[-1][1] == row and boxes[-1][3] == left and boxes[-1][4] == colour:
                left = boxes.pop()[2]
            boxes.append(((left + right) / 2, row, left, right, colour, 0))
            pending.clear()

    for start, end, kind in parts:
        for row in range(start // width, (end - 1) // width + 1):
            low, high = max(start, row * width), min(end, (row + 1) * width)
            if high - low < cell and not (exact and high - low > cell / 3):
                if pending and pending[0][0] // width != row:
                    flush()
                pending.append((low, high, kind))
                if high - pending[0][0] >= cell:
                    flush()
                continue
            flush()
            left, right = low - row * width, high - row * width
            outlined = int(right - left > 4 * cell)
            boxes.append(((left + right) / 2, row, left, right, KIND_COLOUR[kind], outlined))
            words = str(end - start) if end - start < 10000 else show(end - start)
            if kind in ("payload", "hole") and right - left > (9 * len(words) + 4) * cell:
                labels.append(((left + right) / 2, row, words, int(kind == "payload")))
    flush()
    return boxes, labels


def _cells(parts: list[tuple[int, int, str]], width: int, rows: int, columns: int) -> list[tuple[int, int, str]]:
    """(x, row, character) for a terminal: what most of a cell is."""
    cell = width / columns
    shares: dict[tuple[int, int], Counter] = {}
    for start, end, kind in parts:
        place = float(start)
        while place < end:
            row = int(place // width)
            column = min(columns - 1, int((place - row * width) / cell))
            stop = min(end, row * width + (column + 1) * cell, (row + 1) * width)
            stop = max(stop, place + cell / 1000)
            shares.setdefault((row, column), Counter())[kind] += stop - place
            place = stop
    mark = {"payload": "#", "overhead": "+", "hole": ".", "top": "_"}
    return [(column, row, mark[kinds.most_common(1)[0][0]]) for (row, column), kinds in sorted(shares.items())
            if row < rows]


def make_waste(request: Request) -> Picture:
    """Where the heap's bytes are at the peak, a bar a trace."""
    subject = request.one()
    traces = [t for t in subject.result["traces"] if subject.events_path(t)]
    if request.trace is not None:
        traces = [subject.choose_trace(request.trace)[0]]
    if not traces:
        subject.read(subject.choose_trace(None)[0])  # says what is missing
    rows: list[Sequence[object]] = []
    key = ["    payload  metadata  internal  external  unreleased   trace"]
    for place, trace in enumerate(traces):
        try:
            events = subject.read(trace)
        except Problem:
            continue  # it failed at its first request: there is no heap
        waste = events.waste(events.peak, trace.get("outside") or 0)
        parts = (waste.payload, waste.metadata, waste.internal, waste.external, waste.unreleased)
        whole = sum(parts) or 1
        bounds = [0.0]
        for part in parts:
            bounds.append(bounds[-1] + 100 * part / whole)
        rows.append((place, *bounds, stem(trace["name"])))
        key.append("   " + "".join(f"{100 * part / whole:8.1f}%" for part in parts)
                   + "    " + plain(stem(trace["name"]), 24))
    if not rows:
        raise Problem(f"{subject.name}: no trace has events")
    key.append("where a part ends: # payload, m metadata, i internal, e external, u unreleased")
    return Picture(
        "waste", f"Where the heap is at the peak: {plain(subject.name, 40)}", {"waste": Table(rows, 8)},
        {"COUNT": len(traces)}, key=key, beside=True, lines=len(traces) + 8, height=130 + 17 * max(4, len(traces)),
        alt=f"Shares of payload, metadata, internal and external fragmentation and unreleased memory of {subject.name} "
            f"on {count(len(rows), 'trace')}.")


def bins_of_two(values: Sequence[int]) -> dict[int, list[int]]:
    """VALUES by power of two: n holds those in 2^(n-1) .. 2^n - 1; 0 holds zeros."""
    found: dict[int, list[int]] = {}
    for value in values:
        found.setdefault(value.bit_length(), []).append(value)
    return found


def tick(power: int) -> str:
    """The smallest value of a bin of `bins_of_two`, short."""
    low = 1 << power >> 1
    for step, letter in enumerate("KMGTP"):
        if low < 1024 ** (step + 1) or step == 4:
            return str(low) if step == 0 else f"{low >> 10 * step}{'KMGTP'[step - 1]}"
    return str(low)


def make_holes(request: Request) -> Picture:
    """Sizes of the free holes at one moment."""
    subject, trace = request.pick()
    events = subject.read(trace)
    moment, when = moment_of(request, events, trace)
    parts = stretches(events, events.snapshot(moment), events.brk[moment])
    holes = [end - start for start, end, kind in parts if kind == "hole"]
    found = bins_of_two(holes)
    low, high = (min(found), max(found)) if found else (4, 10)
    unit, unit_name = unit_for(max((sum(sizes) for sizes in found.values()), default=0))
    rows = [(n, sum(found.get(n, [])) / unit, len(found.get(n, [])), tick(n)) for n in range(low, high + 1)]
    words = (f"{count(len(holes), 'hole')}, {show(sum(holes))} in all, the largest {show(max(holes))}" if holes
             else "no free hole between blocks")
    return Picture("holes", titled("Free holes " + when, subject, trace), {"holes": Table(rows, 4)},
                   {"UNIT": unit_name, "WORDS": words, "LOW": low, "HIGH": high,
                    "TOP": max(row[1] for row in rows) or 1}, key=[words],
                   alt=f"Free holes {when}: {words}.", height=420)


def make_sizes(request: Request) -> Picture:
    """Distributions of the trace's request sizes and of the blocks' lifetimes."""
    subject, trace = request.pick()
    events = subject.read(trace)
    _, ends = events.lifetimes
    asked = Counter(size.bit_length() for kind, size in zip(events.kind, events.size) if kind != FREE)
    total = len(events)
    lives = Counter((end - made).bit_length() for made, end in enumerate(ends) if 0 <= end < total)
    stay = sum(end == total for end in ends)
    blocks = sum(lives.values()) + stay
    requests = sum(asked.values())

    def rows(counts: Counter, of: int) -> list[tuple]:
        low, high = (min(counts), max(counts)) if counts else (0, 1)
        return [(n, 100 * counts[n] / (of or 1), tick(n)) for n in range(low, high + 1)]

    def barred(rows_: list[tuple]) -> Table:
        most = max(row[1] for row in rows_) or 1
        room = max(8, request.columns // 2 - 16)
        return Table([(*row, "#" * round(room * row[1] / most) + (f" {row[1]:.0f} %" if row[1] >= 0.5 else " <1 %")
                       if row[1] else " ") for row in rows_], 4)

    alive = rows(lives, blocks)
    alive.append((alive[-1][0] + 1, 100 * stay / (blocks or 1), "end"))
    sizes = rows(asked, requests)
    lines = max(len(sizes), len(alive))
    words = f"{requests:,} blocks asked for, {stay:,} of them never freed"
    return Picture("sizes", f"Sizes and lifetimes in trace {plain(stem(trace['name']), 50)}",
                   {"sizes": barred(sizes), "lives": barred(alive)},
                   {"WORDS": words, "STAY": alive[-1][0], "LINES": lines}, key=[words + "; each bar up to the next"],
                   lines=lines + 3,
                   alt=f"Distribution of sizes and lifetimes: {words}.")


MAKERS = {"heap": make_heap, "map": make_map, "fragmented": make_fragmented, "waste": make_waste,
          "holes": make_holes, "sizes": make_sizes}
