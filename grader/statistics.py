"""What a class did, in figures: functions over gradebook lines and mdriver's results; no files, no output.

One pass over the results, which are read one at a time: what is kept of a submission is a line of the table and two
numbers a trace, so that 50,000 submissions fit.
"""

import hashlib
import hmac
import re
import secrets
from array import array
from base64 import b32encode
from bisect import bisect_left
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, field
from math import exp, log

from grader.store import Row, Store
from grader.text import count, plain

BINS = 20
KINDS = {"a": "malloc", "c": "calloc", "r": "realloc", "f": "free"}
NOT_STUDENTS = ("skipped", "grader")  # verdicts that say nothing about the allocator


@dataclass(frozen=True)
class Spread:
    """How a figure is spread over the class. All 0 when count is 0."""

    count: int = 0
    low: float = 0.0
    quarter: float = 0.0
    median: float = 0.0
    three_quarters: float = 0.0
    high: float = 0.0
    mean: float = 0.0


@dataclass(frozen=True)
class Bin:
    """One bar of a histogram: low <= value < high; the last one also has its high."""

    low: float
    high: float
    count: int


@dataclass
class Entry:
    """One graded person. rank counts from 1, equal scores share one; alias names them where names must not show.

    The figures are None for a submission that fails a trace: means over other traces are not comparable.
    """

    rank: int
    key: str
    name: str
    alias: str
    score: float
    max: float | None
    verdict: str
    utilization: float | None = None  # a fraction
    kops: float | None = None         # thousand requests a second
    relative: float | None = None     # speed over the reference's
    late: bool = False


@dataclass
class Failures:
    """People who fail one trace in the same way: the same verdict at the same kind of request."""

    trace: str
    verdict: str
    kind: str                     # malloc, calloc, realloc, free, or empty where there is no request
    failed: int
    graded: int                   # of how many
    requests: list[tuple[int, int, int]] = field(default_factory=list)  # (request, line, how many), most first
    people: list[str] = field(default_factory=list)                     # keys
    example: str = ""             # one of the messages

    @property
    def sentence(self) -> str:
        """'31 of 120 fail realloc2.rep: overlap at a realloc; 28 of them at request 38 (line 42)'."""
        words = f"{self.failed} of {self.graded} fail {plain(self.trace)}: {self.verdict}"
        if self.kind:
            words += f" at a {self.kind}"
        if self.requests and self.failed > 1:
            request, line, many = self.requests[0]
            who = "all" if many == self.failed else f"{many} of them"
            if many > 1:
                words += f"; {who} at request {request} (line {line})"
        return words


@dataclass
class TraceSummary:
    """One trace over the class. Spreads are over the people whose run is valid."""

    name: str
    weight: str
    graded: int
    valid: int
    verdicts: dict[str, int]
    utilization: Spread
    kops: Spread
    ceiling: float
    header_ceiling: float
    best_utilization: tuple[float, str] | None  # the figure and the key of whose it is
    best_kops: tuple[float, str] | None


@dataclass(frozen=True)
class Benchmark:
    """A reference allocator (kind shipped) or one of the real world (kind real) on the class's traces.

    The figures are None where it fails a trace, for the same reason as an Entry's.
    """

    name: str
    kind: str
    utilization: float | None
    kops: float | None
    relative: float | None
    score: float | None = None
    max: float | None = None
    verdict: str = "ok"


@dataclass
class Statistics:
    """All of a class."""

    people: int
    status: dict[str, int]      # graded, missing, waiting, fault -> people
    late: int
    valid: int                  # graded with every trace valid
    max_score: float | None     # None: the course's score has no upper end
    scores: Spread
    histogram: list[Bin]
    verdicts: dict[str, int]    # of whole submissions
    entries: list[Entry]        # by rank
    traces: list[TraceSummary]  # as the course lists them
    failures: list[Failures]    # most frequent first
    best: dict[str, str]        # score, utilization, kops -> key of the best
    reference: str              # name of the reference allocator, or empty

    def as_json(self) -> dict:
        """Plain data. It names people; nothing of it is to be published as it is."""
        data = asdict(self)
        for group, source in zip(data["failures"], self.failures):
            group["sentence"] = source.sentence
        return data

    def entry(self, key: str) -> Entry | None:
        """The line of one person."""
        return next((entry for entry in self.entries if entry.key == key), None)


def spread(values: Iterable[float]) -> Spread:
    """The five-number summary and the mean of VALUES."""
    ordered = sorted(values)
    if not ordered:
        return Spread()
    return Spread(len(ordered), ordered[0], quantile(ordered, 0.25), quantile(ordered, 0.5),
                  quantile(ordered, 0.75), ordered[-1], sum(ordered) / len(ordered))


def quantile(ordered: Sequence[float], share: float) -> float:
    """The value below which SHARE of ORDERED lies, interpolated; ORDERED is sorted and not empty."""
    place = share * (len(ordered) - 1)
    low = int(place)
    high = min(low + 1, len(ordered) - 1)
    return ordered[low] + (ordered[high] - ordered[low]) * (place - low)


def histogram(values: Sequence[float], top: float | None, bins: int = BINS) -> list[Bin]:
    """VALUES in BINS equal bins from 0 to TOP (None: to the highest value). Values outside go to the end bins."""
    high = top or max(values, default=0.0) or 1.0
    counts = [0] * bins
    for value in values:
        counts[max(0, min(bins - 1, int(value / high * bins)))] += 1
    return [Bin(high * i / bins, high * (i + 1) / bins, counts[i]) for i in range(bins)]


def percentile(entry: Entry, entries: Sequence[Entry]) -> float:
    """The share (0 to 1) of the others whose score is below ENTRY's; 1 when there are no others."""
    if len(entries) < 2:
        return 1.0
    ordered = sorted(other.score for other in entries)
    return bisect_left(ordered, entry.score) / (len(entries) - 1)


def alias(key: str, secret: str) -> str:
    """A name for KEY that tells nothing about it to anybody without SECRET, and stays the same within a batch."""
    digest = hmac.new(secret.encode(), key.encode("utf-8", "surrogatepass"), hashlib.sha256).digest()
    return "student " + b32encode(digest).decode()[:6]


def request_kind(trace: dict) -> str:
    """malloc, calloc, realloc or free: what was asked for at the request that failed; empty where none was."""
    found = re.search(rf"\(line {trace.get('line') or 0}: ([acrf]) ", trace.get("message") or "")
    return KINDS[found[1]] if found else ""


class _Trace:
    """What is kept of one trace while the results pass by."""

    def __init__(self, trace: dict) -> None:
        self.name, self.weight = trace["name"], trace.get("weight") or ""
        self.ceiling, self.header_ceiling = trace.get("ceiling") or 0.0, trace.get("header_ceiling") or 0.0
        self.verdicts: Counter[str] = Counter()
        self.utilization, self.kops = array("d"), array("d")
        self.best_utilization: tuple[float, str] | None = None
        self.best_kops: tuple[float, str] | None = None

    def add(self, key: str, trace: dict) -> None:
        self.verdicts[trace["verdict"]] += 1
        if trace["verdict"] != "ok":
            return
        used, kops = trace.get("utilization"), trace.get("kops")
        if used is not None:
            self.utilization.append(used)
            if self.best_utilization is None or used > self.best_utilization[0]:
                self.best_utilization = (used, key)
        if kops is not None:
            self.kops.append(kops)
            if self.best_kops is None or kops > self.best_kops[0]:
                self.best_kops = (kops, key)

    def summary(self) -> TraceSummary:
        graded = sum(number for verdict, number in self.verdicts.items() if verdict not in NOT_STUDENTS)
        return TraceSummary(self.name, self.weight, graded, self.verdicts["ok"], dict(self.verdicts),
                            spread(self.utilization), spread(self.kops), self.ceiling, self.header_ceiling,
                            self.best_utilization, self.best_kops)


def collect(rows: Iterable[tuple[Row, dict | None]], secret: str = "") -> Statistics:
    """The figures of a class. ROWS: every gradebook line with its result (None where there is none)."""
    status = dict.fromkeys(("graded", "missing", "waiting", "fault"), 0)
    entries: list[Entry] = []
    verdicts: Counter[str] = Counter()
    traces: dict[str, _Trace] = {}
    groups: dict[tuple[str, str, str], Failures] = {}
    places: dict[tuple[str, str, str], Counter[tuple[int, int]]] = {}
    reference = ""
    for row, result in rows:
        status[row.status] += 1
        if row.status != "graded" or row.score is None:
            continue
        figures = (row.utilization, row.kops, row.relative) if row.verdict == "ok" else (None, None, None)
        entries.append(Entry(0, row.person.key, row.person.shown, alias(row.person.key, secret), row.score, row.max,
                             row.verdict, *figures, row.late))
        verdicts[row.verdict] += 1
        if result is None:
            continue
        reference = reference or result.get("reference") or ""
        for trace in result["traces"]:
            traces.setdefault(trace["name"], _Trace(trace)).add(row.person.key, trace)
            if trace["verdict"] == "ok" or trace["verdict"] in NOT_STUDENTS:
                continue
            how = (trace["name"], trace["verdict"], request_kind(trace))
            group = groups.setdefault(how, Failures(*how, 0, 0, example=trace.get("message") or ""))
            group.failed += 1
            group.people.append(row.person.key)
            if trace.get("request"):
                places.setdefault(how, Counter())[(trace["request"], trace.get("line") or 0)] += 1
    summaries = [trace.summary() for trace in traces.values()]
    graded_of = {summary.name: summary.graded for summary in summaries}
    for how, group in groups.items():
        group.graded = graded_of[group.trace]
        group.requests = [(request, line, many) for (request, line), many
                          in places.get(how, Counter()).most_common(5)]
    rank(entries)
    top = max((entry.max for entry in entries if entry.max), default=None)
    return Statistics(
        people=sum(status.values()), status=status, late=sum(entry.late for entry in entries), valid=verdicts["ok"],
        max_score=top, scores=spread(entry.score for entry in entries),
        histogram=histogram([entry.score for entry in entries], top), verdicts=dict(verdicts.most_common()),
        entries=entries, traces=summaries,
        failures=sorted(groups.values(), key=lambda g: (-g.failed, g.trace, g.verdict, g.kind)),
        best=_best(entries), reference=reference)


def of_store(store: Store) -> Statistics:
    """The figures of a batch; the aliases in them stay the same as long as its folder."""
    secret = store.get("alias_secret")
    if secret is None:
        secret = secrets.token_hex(16)
        store.put(alias_secret=secret)
    return collect(((row, store.result(row) if row.status == "graded" else None) for row in store.rows()), secret)


def rank(entries: list[Entry]) -> None:
    """Sorts by score (then utilization, then speed) and numbers: 1, 2, 2, 4."""
    entries.sort(key=lambda e: (-e.score, -(e.utilization or 0), -(e.kops or 0), e.name.casefold(), e.key))
    for place, entry in enumerate(entries, start=1):
        before = entries[place - 2] if place > 1 else None
        entry.rank = before.rank if before and round(before.score, 2) == round(entry.score, 2) else place


def _best(entries: Sequence[Entry]) -> dict[str, str]:
    """Who is best in each figure; a submission that fails a trace can be best in none."""
    best = {}
    for figure in ("score", "utilization", "kops"):
        known = [entry for entry in entries if entry.verdict == "ok" and getattr(entry, figure) is not None]
        if known:
            best[figure] = max(known, key=lambda e: getattr(e, figure)).key
    return best


def sentences(statistics: Statistics) -> list[str]:
    """The class in words: who was graded, how the scores lie, what fails most."""
    return summary(statistics) + [group.sentence for group in statistics.failures]


def summary(statistics: Statistics) -> list[str]:
    """Who was graded and how the scores lie; two sentences at most."""
    status = statistics.status
    lines = [f"{count(status['graded'], 'person', 'people')} graded, {statistics.valid} with every trace valid; "
             f"{status['missing']} without a submission"
             + (f"; {status['waiting']} still to grade" if status["waiting"] else "")
             + (f"; {status['fault']} not gradable through our fault" if status["fault"] else "")
             + (f"; {statistics.late} late" if statistics.late else "") + "."]
    spread_ = statistics.scores
    if spread_.count:
        of = f" of {statistics.max_score:g}" if statistics.max_score else ""
        lines.append(f"Scores{of}: median {spread_.median:.2f}, half of them between {spread_.quarter:.2f} and "
                     f"{spread_.three_quarters:.2f}, from {spread_.low:.2f} to {spread_.high:.2f}.")
    return lines


def benchmarks(shipped: Iterable[dict], beside: dict | None = None) -> list[Benchmark]:
    """Benchmarks from mdriver's results.

    SHIPPED: results of reference allocators. BESIDE: the result of one of them measured with --peers. Real allocators
    are timed by a rule of their own (warm caches, memory of the system's), so their speed is taken relative to BESIDE
    by that rule, as a geometric mean over traces, and brought to the class's scale by what BESIDE got there.
    """
    found = []
    for result in shipped:
        score = result.get("score") or {}
        names = ("utilization", "kops", "relative") if result["verdict"] == "ok" else ("", "", "")
        found.append(Benchmark(result["submission"]["name"].removesuffix(".c"), "shipped", *map(score.get, names),
                               score.get("index"), score.get("max_index"), result["verdict"]))
    return found + (_peers(beside) if beside else [])


def _peers(beside: dict) -> list[Benchmark]:
    """The real allocators in a result measured with --peers."""
    ratios: dict[str, list[float]] = {}
    shares: dict[str, list[float]] = {}
    for trace in beside["traces"]:
        figures = trace.get("peers") or {}
        if not figures or trace.get("weight") == "none":
            continue
        (_, own), *others = figures.items()
        for name, figure in others:
            if figure["seconds"] and own["seconds"]:
                ratios.setdefault(name, []).append(own["seconds"] / figure["seconds"])
            if figure["memory"]:
                shares.setdefault(name, []).append(trace["peak_payload"] / figure["memory"])
    score = beside.get("score") or {}
    found = []
    for name, values in ratios.items():
        ratio = exp(sum(map(log, values)) / len(values))
        share = shares.get(name)
        found.append(Benchmark(
            name, "real", sum(share) / len(share) if share else None,
            score["kops"] * ratio if score.get("kops") is not None else None,
            score["relative"] * ratio if score.get("relative") is not None else None))
    return found
