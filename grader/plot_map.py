"""The picture `map`: time from left to right, addresses from bottom to top, shaded by what is there."""

from array import array
from itertools import accumulate

from grader.plot import PALETTE, Picture, Request, Table
from grader.report.events import Events
from grader.report.results import stem
from grader.text import plain

COLUMNS, ROWS = 760, 360  # cells
SHADES = 16               # steps of each share in the table of colours
MARKS = ("#", "+", ".")


def make_map(request: Request) -> Picture:
    """Time x address of a whole trace."""
    from grader.plot_heap import show, titled, unit_for
    subject, trace = request.pick()
    events = subject.read(trace)
    columns = COLUMNS if not request.terminal else request.columns - 14
    rows = ROWS if not request.terminal else request.lines - 8
    heap = max(events.heap, 1)
    per_row = -(-heap // rows)
    rows = -(-heap // per_row)
    unit, unit_name = unit_for(heap)
    payload, taken, touched = coverage(events, columns, rows, per_row)
    bounds = [i * len(events) // columns for i in range(columns + 1)]
    breaks = [max(events.brk[first:max(last, first + 1)]) for first, last in zip(bounds, bounds[1:])]
    tables = {"break": Table([((i + 1) * len(events) / columns, brk / unit) for i, brk in enumerate(breaks)], 2)}
    binaries = {}
    if request.terminal:
        tables["cells"] = Table(_letters(payload, taken, touched, columns, rows, per_row), 3)
    else:
        binaries["map.rgb"] = _pixels(payload, taken, touched, rows, per_row, breaks)
    peak = events.live[events.peak]
    return Picture(
        "map", titled("Heap over time", subject, trace), tables,
        {"UNIT": unit_name, "REQUESTS": len(events), "TOP": rows * per_row / unit, "COLUMNS": columns, "ROWS": rows,
         "PEAK_AT": events.peak + 1, "PEAK_CELL": events.peak * columns // len(events),
         "RIGHT": int(events.peak + 1 > len(events) * 0.75)}, binaries,
        key=["# payload   + overhead   . free, was used   blank: never used"], lines=rows + 8,
        alt=f"Map of the heap of {subject.name} over the {len(events):,} requests of {plain(stem(trace['name']), 40)}: "
            f"payload, overhead and free holes by address; peak payload {show(peak)} in {show(heap)}.")


def coverage(events: Events, columns: int, rows: int,
             per_row: int) -> tuple[list[list[int]], list[list[int]], list[int]]:
    """Bytes of payload, and of payload with overhead, in each row at the end of each column; and the column in which
    each row first held a block."""
    total = len(events)
    _, ends = events.lifetimes
    # Sums of differences: a block adds where its life begins and subtracts where it ends, so its cost does not depend
    # on how long it lived.
    width = columns + 1
    payload, taken = array("q", bytes(8 * width * rows)), array("q", bytes(8 * width * rows))
    touched = [columns] * rows
    for row in range(-(-events.first // per_row)):  # what lies below all blocks is overhead, as in `fragmented`
        touched[row] = 0
        taken[row * width] += min(events.first, (row + 1) * per_row) - row * per_row
    extent = events.extents.of
    room: dict[int, int] = {}
    for now, (end, offset, size) in enumerate(zip(ends, events.offset, events.size)):
        if end < 0:
            continue
        first, last = now * columns // total, end * columns // total
        row = offset // per_row
        if first < touched[row]:
            touched[row] = first
        whole = room.get(size)
        if whole is None:
            whole = room[size] = extent(size)
        at = row * width
        if offset + whole <= (row + 1) * per_row:
            if first == last:
                continue  # born and gone between two columns
            payload[at + first] += size
            payload[at + last] -= size
            taken[at + first] += whole
            taken[at + last] -= whole
            continue
        for sums, high in ((payload, offset + size), (taken, min(offset + whole, rows * per_row))):
            for row in range(offset // per_row, (high - 1) // per_row + 1):
                touched[row] = min(touched[row], first)
                part = min(high, (row + 1) * per_row) - max(offset, row * per_row)
                sums[row * width + first] += part
                sums[row * width + last] -= part
    by_row = [[list(accumulate(sums[row * width:(row + 1) * width - 1])) for row in range(rows)]
              for sums in (payload, taken)]
    return by_row[0], by_row[1], touched


def _pixels(payload: list, taken: list, touched: list[int], rows: int, per_row: int, breaks: list[int]) -> bytes:
    """RGB bytes, the row of the lowest addresses first."""
    base = [[PALETTE[name] >> shift & 255 for shift in (16, 8, 0)] for name in ("PAYLOAD", "OVERHEAD", "HOLE")]
    scale = SHADES / per_row
    # A colour for each (payload, payload and overhead) in steps; the rest of a cell is free.
    colours = {}
    for used in range(SHADES + 1):
        for with_overhead in range(used, SHADES + 1):
            shares = (used, with_overhead - used, SHADES - with_overhead)
            colours[used, with_overhead] = bytes(
                sum(share * colour[i] for share, colour in zip(shares, base)) // SHADES for i in range(3))
    unused = PALETTE["UNUSED"].to_bytes(3, "big")
    lines = []
    for row in range(rows):
        # The break never comes back down, so a row is outside the heap, then unused, then used.
        floor = row * per_row
        start = next((column for column, brk in enumerate(breaks) if brk > floor), len(breaks))
        first = max(start, touched[row])
        lines.append(b"\xff\xff\xff" * start + unused * (first - start) + b"".join(
            colours[used, max(used, with_overhead)] for used, with_overhead in zip(
                [min(SHADES, int(value * scale + 0.5)) for value in payload[row][first:]],
                [min(SHADES, int(value * scale + 0.5)) for value in taken[row][first:]])))
    return b"".join(lines)


def _letters(payload: list, taken: list, touched: list[int], columns: int, rows: int, per_row: int) -> list[tuple]:
    """(column, row, character) for a terminal: what most of a cell is."""
    found = []
    for row in range(rows):
        for column in range(touched[row], columns):
            used, with_overhead = payload[row][column], taken[row][column]
            shares = (used, with_overhead - used, per_row - with_overhead)
            found.append((column, row, MARKS[shares.index(max(shares))]))
    return found
