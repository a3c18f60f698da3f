"""Tables of the pictures of results: traces, latency, class. `pareto` has a file of its own."""

from collections.abc import Sequence
from math import log10
from statistics import median

from grader.errors import Problem
from grader.platforms import failed
from grader.plot import WIDTH, Picture, Request, Table
from grader.plot_pareto import make_pareto
from grader.report.results import Subject, stem
from grader.statistics import histogram
from grader.text import count, plain

MOST = 8               # allocators beside each other in `traces`
KINDS = ("malloc", "calloc", "realloc", "free")
NANO = 1e-9            # latencies are in nanoseconds
STEPS = 60             # points of a latency curve


def seconds(value: float) -> str:
    """VALUE in words: '1.2 µs'."""
    for scale, unit in ((1, "s"), (1e-3, "ms"), (1e-6, "µs")):
        if value >= scale:
            return f"{value / scale:.3g} {unit}"
    return f"{value / 1e-9:.3g} ns"


def make_traces(request: Request) -> Picture:
    """Utilization and speed per trace."""
    subjects = [s for s in request.subjects if s.result["traces"]]
    if request.allocator is not None:
        subjects = [request.one()]
    if not subjects:
        raise Problem("no result holds a trace")
    if len(subjects) > MOST:
        request.notes.append(f"the first {MOST} of {len(subjects)} are drawn; name one with --allocator")
        subjects = subjects[:MOST]
    names = [trace["name"] for trace in subjects[0].result["traces"]]
    tables: dict[str, Table] = {}
    for number in range(MOST):
        rows: list[Sequence[object]] = []
        for place, name in enumerate(names):
            trace = subjects[number].trace(name) if number < len(subjects) else None
            if trace is None:
                continue
            ok = trace["verdict"] == "ok"
            used = 100 * trace["utilization"] if ok else "NaN"
            rows.append((place, used, (trace["relative"] or "NaN") if ok else "NaN",
                         int(failed(trace))))
        tables[f"a{number}"] = Table(rows, 4)
    tables["ceiling"] = Table([(place, 100 * trace["ceiling"], 100 * trace["header_ceiling"], stem(trace["name"]))
                               for place, trace in enumerate(subjects[0].result["traces"])], 4)
    reference = subjects[0].result.get("reference") or ""
    timed = any(row[2] != "NaN" for number in range(MOST) for row in tables[f"a{number}"].rows)
    settings: dict = {"TIMED": int(timed), "COUNT": len(names), "SUBJECTS": len(subjects),
                      "FAILS": int(any(s.failing() for s in subjects)),
                      "REFERENCE": plain(reference, 20) or "no reference"}
    entries = [*((i, s.name[:24]) for i, s in enumerate(subjects)), (MOST, "ceiling"),
               (MOST + 1, "ceiling with headers")]
    if settings["FAILS"]:
        entries.append((MOST + 2, "fails"))
    tables["key"] = Table(_key_places(entries), 4)
    who = subjects[0].name if len(subjects) == 1 else count(len(subjects), "allocator")
    key = _figures(subjects[0]) if len(subjects) == 1 else _side_by_side(subjects)
    return Picture("traces", f"Trace by trace: {plain(who, 40)}", tables, settings, key=key, beside=True,
                   lines=len(names) + 8,
                   height=175 + 17 * max(6, len(names)),
                   alt=f"Utilization beside its ceiling, and speed beside {reference or 'no reference'}, of {who} on "
                       f"{count(len(names), 'trace')}.")


def _figures(subject: Subject) -> list[str]:
    """Beside a terminal's drawing: each trace of one allocator."""
    lines = ["    utilization  of max  relative speed   trace"]
    for trace in subject.result["traces"]:
        ok = trace["verdict"] == "ok"
        speed = f"{trace['relative']:.2f}" if ok and trace["relative"] else "-"
        figures = (f"{trace['utilization']:11.1%} {trace['utilization'] / (trace['ceiling'] or 1):8.1%}" if ok
                   else f"{trace['verdict']:>20}")
        lines.append(f"    {figures} {speed:>14}    {plain(stem(trace['name']), 24)}")
    return lines


def _side_by_side(subjects: Sequence[Subject]) -> list[str]:
    """Beside a terminal's drawing: the letter of each allocator, and its utilization on each trace."""
    letters = "abcdefgh"[:len(subjects)]
    lines = ["  " + "".join(f"{letter:>7}" for letter in letters) + "   trace"]
    for trace in subjects[0].result["traces"]:
        found = [subject.trace(trace["name"]) for subject in subjects]
        cells = (f"{one['utilization']:7.1%}" if one and one["verdict"] == "ok" else
                 f"{'fails' if one and failed(one) else '-':>7}"
                 for one in found)
        lines.append("  " + "".join(cells) + f"   {plain(stem(trace['name']), 24)}")
    return lines + [", ".join(f"{letter} {plain(subject.name, 24)}" for letter, subject in zip(letters, subjects))]


def _key_places(entries: Sequence[tuple[int, str]]) -> list[tuple[float, float, int, str]]:
    """(x, y, which, text) of a key in lines, as shares of the picture's width and of the key's height."""
    lines: list[list[tuple[int, str, float]]] = [[]]
    for which, text in entries:
        width = 32 + 7.0 * len(text)
        if sum(w for _, _, w in lines[-1]) + width > WIDTH - 60:
            lines.append([])
        lines[-1].append((which, text, width))
    places = []
    for row, line in enumerate(lines):
        x = (WIDTH - sum(width for _, _, width in line)) / 2
        for which, text, width in line:
            places.append((x / WIDTH, 1 - (row + 0.5) / max(2, len(lines)), which, text))
            x += width
    return places


def in_seconds(figures: dict) -> dict:
    """One kind's latencies in seconds."""
    return {name: value * NANO if name.startswith(("p", "max")) and name != "max_request" else value
            for name, value in figures.items()}


def tail(figures: dict, value: float) -> float:
    """The share of requests that cost more than VALUE, between the quantiles that are known."""
    one = 1 / max(2, figures["count"])
    known = [(figures[name], share) for name, share in (("p50", 0.5), ("p99", 0.01), ("p999", 0.001)) if share > one]
    known.append((figures["max"], one))
    points: list[tuple[float, float]] = []
    for cost, share in known:
        if cost > 0 and (not points or (cost > points[-1][0] and share < points[-1][1])):
            points.append((cost, share))
    if not points or value < points[0][0]:
        return 1.0 if not points else 0.5
    for (low, above), (high, below) in zip(points, points[1:]):
        if value < high:
            part = log10(value / low) / log10(high / low)
            return 10 ** (log10(above) + part * (log10(below) - log10(above)))
    return points[-1][1] if value == points[-1][0] else 0.0


def make_latency(request: Request) -> Picture:
    """How many requests cost more than so much, by kind."""
    subject = request.one()
    traces = subject.result["traces"]
    if request.trace is not None:
        traces = [subject.choose_trace(request.trace)[0]]
    tables, marks, key = {}, [], []
    for kind in KINDS:
        found = [(trace, in_seconds(trace["latency"][kind])) for trace in traces
                 if (trace.get("latency") or {}).get(kind)]
        rows: list[Sequence[object]] = []
        if found:
            whole = sum(figures["count"] for _, figures in found)
            low = min((figures["p50"] for _, figures in found if figures["p50"] > 0), default=NANO)
            worst, most = max(found, key=lambda pair: pair[1]["max"])
            high = most["max"]
            values = sorted({low * (high / low) ** (i / (STEPS - 1)) for i in range(STEPS)} if high > low else {low})
            for value in values:
                share = sum(tail(figures, min(value, figures["max"])) * figures["count"]
                            for _, figures in found if value <= figures["max"] * 1.0000001) / whole
                if share > 0:
                    rows.append((value, share))
            where = f"{stem(worst['name'])} request {most['max_request']:,}"
            if rows:
                marks.append((*rows[-1], f"longest {kind}: {seconds(high)}, {where}", len(marks)))
            key.append(f"{kind:8} {whole:>10,} requests, longest {seconds(high)}: {plain(where, 50)}")
        tables[kind] = Table(rows, 2)
    if not key:
        raise Problem(f"{subject.name}: the result has no latencies; measure them with mdriver --latency")
    over = stem(traces[0]["name"]) if len(traces) == 1 else count(len(traces), "trace")
    tables["longest"] = Table(marks, 4)
    return Picture("latency", f"Cost of single requests: {plain(subject.name, 30)} on {plain(over, 30)}", tables,
                   {"LEAST": min(row[1] for row in marks),
                    "LOW": min(tables[k].rows[0][0] for k in KINDS if tables[k].rows) / 2,
                    "HIGH": max(row[0] for row in marks) * 3},
                   key=key, alt="Complementary cumulative distribution of the cost of single requests. "
                   + "; ".join(key))


def spread_of(subject: Subject) -> tuple[float, float] | None:
    """How far repetitions of a trace lie apart, over their median: the median trace, and the worst."""
    spreads = []
    for trace in subject.result["traces"]:
        times = [t for t in trace.get("repetitions") or [] if t > 0]
        if len(times) > 1:
            spreads.append((max(times) - min(times)) / median(times))
    return (median(spreads), max(spreads)) if spreads else None


def make_class(request: Request) -> Picture:
    """How scores lie, and how far repetitions lie apart."""
    scores = [s.score["index"] for s in request.subjects if s.score.get("index") is not None]
    if not scores:
        raise Problem("no result has a score: grade without --check-only and -D, on traces that count")
    top = max((s.score.get("max_index") or 0 for s in request.subjects), default=0) or None
    bins = histogram(scores, top)
    spreads = sorted(filter(None, map(spread_of, request.subjects)))
    middle = median(scores)
    words = f"{count(len(scores), 'score')}, median {middle:.1f}"
    if spreads:
        words += f"; repetitions apart by {spreads[len(spreads) // 2][0]:.1%} (median)"
    return Picture(
        "class", "Scores, and how far they repeat",
        {"scores": Table([((b.low + b.high) / 2, b.count) for b in bins], 2),
         "spreads": Table([(100 * (i + 0.5) / len(spreads), 100 * usual, 100 * worst)
                           for i, (usual, worst) in enumerate(spreads)], 3)},
        {"MEDIAN": middle, "WIDTH_OF_BIN": bins[0].high - bins[0].low, "HIGH": bins[-1].high, "WORDS": words,
         "SPREADS": len(spreads), "MOST": max(b.count for b in bins),
         "LEFT": int(middle > bins[-1].high * 0.8)}, key=[words], alt=words + ".")


MAKERS = {"pareto": make_pareto, "traces": make_traces, "latency": make_latency, "class": make_class}
