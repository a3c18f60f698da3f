"""The pages of a class: everybody on one, and one for each."""

from contextlib import nullcontext
from pathlib import Path

from grader.benchmarks import of_store
from grader.errors import Problem
from grader.mdriver import Mdriver
from grader.report import write_page
from grader.report.pages import Line, class_page, number, submission_page, try_picture
from grader.report.plane import for_one, plot_of
from grader.report.replay import replayed, replayer
from grader.report.results import Subject
from grader.statistics import collect
from grader.store import Row, Store
from grader.text import plain, slug

HEAVY = ("latency", "output", "pauses")  # of a trace's result: not needed for the page of the class


def write_class(batch: Path, shipped: list[Subject], folder: Path, heaps: bool = False) -> Path:
    """Writes index.html and students/*.html in FOLDER. SHIPPED: allocators to show on the plot; when there are none,
    those that were measured for the batch. With HEAPS, what failed is replayed for pictures of the heap."""
    store = Store(batch)
    try:
        rows = list(store.rows())
        if not rows:
            raise Problem(f"{batch}: nobody is in it yet; python3 -m grader grade SUBMISSIONS -o {batch}")
        with replayer(store) if heaps else nullcontext() as mdriver:
            return _write(store, rows, shipped or _measured(store), folder, mdriver)
    finally:
        store.close()


def _write(store: Store, rows: list[Row], shipped: list[Subject], folder: Path, mdriver: Mdriver | None) -> Path:
    students = folder / "students"
    students.mkdir(exist_ok=True)
    statistics = collect((row, store.result(row) if row.status == "graded" else None) for row in rows)
    course = store.get("course_argument") or ""
    subjects = [_light(subject, course) for subject in _graded(store, rows)]
    files = {row.person.key: f"{slug(row.person.key)}.html" for row in rows}
    keys = [subject.row.person.key for subject in subjects if subject.row]
    plot = plot_of([*subjects, *shipped], [*keys, *(f"shipped {s.name}" for s in shipped)],
                   [*(f"students/{files[key]}" for key in keys), *("" for _ in shipped)])
    ranks = {entry.key: entry.rank for entry in statistics.entries}
    people = {row.person.key: (row.person.shown, f"students/{files[row.person.key]}") for row in rows}
    for subject in _graded(store, rows):
        key = subject.row.person.key  # type: ignore[union-attr]
        source = store.path.parent / "sources" / f"{subject.row.sha256}.c"  # type: ignore[union-attr]
        with replayed(mdriver, subject, source) if mdriver else nullcontext(subject) as seen:
            page = submission_page(seen, "../index.html", for_one(plot, key), pictures=False)
            write_page(students / files[key], page)
    name, traces, _ = store.current()
    facts = [f"course {plain(name, 60)}", f"traces: {plain(traces, 60)}", f"{len(subjects)} of {len(rows)} graded"]
    index = folder / "index.html"
    write_page(index, class_page(statistics, [_line(row, ranks, people) for row in rows], plot, people, facts,
                                 try_picture("class", subjects)))
    return index


def _graded(store: Store, rows: list[Row]):
    """Everybody graded with their whole result, one at a time."""
    for row in rows:
        result = store.result(row) if row.status == "graded" else None
        if result is not None:
            yield Subject(row.person.shown, result, row=row)


def _measured(store: Store) -> list[Subject]:
    """The allocators that were measured beside the class, if they were."""
    return [Subject(mark.name, {
        "course": store.get("course_argument") or "", "verdict": "ok", "traces": [],
        "score": {"index": mark.score, "utilization": mark.utilization, "kops": mark.kops, "relative": mark.relative}},
        shipped=mark.kind == "shipped", real=mark.kind == "real") for mark in of_store(store, measure=False)]


def _light(subject: Subject, course: str) -> Subject:
    """What the page of the class needs of one result: 600 whole ones would be a lot of memory. COURSE: what mdriver was
    told, where that is a file."""
    traces = [{name: value for name, value in trace.items() if name not in HEAVY} for trace in subject.result["traces"]]
    return Subject(subject.name, {**subject.result, "traces": traces, "submission": {},
                                  "course": course or subject.result.get("course")}, row=subject.row)


def _line(row: Row, ranks: dict[str, int], people: dict[str, tuple[str, str]]) -> Line:
    """One person of the class, graded or not."""
    name, href = people[row.person.key]
    graded = row.status == "graded"
    verdict = row.verdict if graded else {"fault": "not gradable: our fault", "missing": "nothing handed in",
                                          "waiting": "not graded yet"}[row.status]
    used = row.utilization
    return Line(plain(name, 200), verdict + (", late" if row.late else ""), [
        number(ranks.get(row.person.key), "{}"), number(row.score),
        number(100 * used if used is not None else None, bar=used), number(row.relative, "{:.2f}"),
        number(row.kops, "{:,.0f}"), number(row.attempts, "{}")], row.person.key,
        href if graded else "", graded and row.verdict != "ok")
