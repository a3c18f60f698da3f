"""The pages: what stands on them, as plain data for the templates. Every string is escaped by the templates."""

import hashlib
from base64 import b64encode
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from grader.errors import Problem
from grader.platforms import advice, failed
from grader.plot import Picture, Request, draw, make
from grader.report.plane import Plot, plot_of
from grader.report.results import Subject, stem
from grader.report.viewer import View, choose, view
from grader.statistics import Statistics, sentences
from grader.text import plain

TEMPLATES = Path(__file__).parent / "templates"
LONG = 20_000      # characters of a text that came from a student
NAME = 200         # of a name


@dataclass(frozen=True)
class Shown:
    """A picture in a page."""

    uri: str
    width: int
    height: int
    alt: str
    caption: str


@dataclass(frozen=True)
class Column:
    """A table's column."""

    title: str
    number: bool = True


@dataclass(frozen=True)
class Cell:
    """A number: what sorts, what is read, and a share drawn as a bar."""

    value: float | str
    text: str
    bar: float | None = None


@dataclass
class Line:
    """A table's line."""

    name: str
    verdict: str = ""
    cells: list[Cell] = field(default_factory=list)
    key: str = ""
    href: str = ""
    bad: bool = False


CAPTIONS = {
    "traces": "Right of the ceiling's triangle nobody can be; a speed right of the line beats the reference.",
    "waste": "A bar is the heap at the payload's peak: the longer the dark part, the less is wasted.",
    "heap": "Between the red line and the dark area memory is wasted; only the peaks of both count.",
    "map": "Light stripes that stay are holes that nothing fits into.",
    "fragmented": "The heap in address order, row below row; numbers are bytes, mixed shades blocks too narrow to "
                  "draw.",
    "holes": "Many bytes in small holes is fragmentation; one large hole can still be used.",
    "sizes": "What the trace asks for, and how long it keeps it.",
    "latency": "The lower and the more to the left, the better; the right end is the worst request.",
    "class": "Left: how scores lie. Right: how far repetitions of the same run lie apart.",
}


def number(value: float | None, words: str = "{:,.1f}", bar: float | None = None) -> Cell:
    """A cell for VALUE; a dash when there is none."""
    return Cell("", "–") if value is None else Cell(value, words.format(value), bar)


def shown(picture: Picture) -> Shown:
    """PICTURE drawn, with its data in its address."""
    data = draw(picture, "svg")
    return Shown("data:image/svg+xml;base64," + b64encode(data).decode(), 900, picture.height,
                 plain(picture.alt or picture.title, 500), CAPTIONS.get(picture.name, ""))


def try_picture(name: str, subjects: Sequence[Subject], trace: str | None = None) -> list[Shown]:
    """The picture where there is data for it. Problem when it cannot be drawn."""
    try:
        picture = make(Request(name, list(subjects), trace))
    except Problem:
        return []
    return [shown(picture)]


@cache
def environment() -> Environment:
    """Jinja with everything escaped, and nothing missing in silence."""
    return Environment(loader=FileSystemLoader(TEMPLATES), autoescape=True, undefined=StrictUndefined, trim_blocks=True)


@cache
def inline(*names: str) -> tuple[str, str]:
    """The text of files, one after the other, and its hash as a content security policy has it."""
    text = "\n".join((TEMPLATES / name).read_text(encoding="utf-8") for name in names)
    digest = hashlib.sha256(text.encode()).digest()
    return text, "sha256-" + b64encode(digest).decode()


def render(template: str, **content: object) -> str:
    """One page."""
    from markupsafe import Markup  # jinja2's own; only our own files are ever marked as safe
    style, style_hash = inline("style.css")
    script, script_hash = inline("table.js", "viewer.js") if content.get("views") else inline("table.js")
    page = environment().get_template(template).render(
        style=Markup(style), style_hash=style_hash, script=Markup(script), script_hash=script_hash, **content)
    return page.encode("utf-8", "replace").decode("utf-8")


def facts_of(subject: Subject) -> list[str]:
    """What the figures rest on."""
    result = subject.result
    facts = [f"course {plain(result.get('course') or '?', 60)}", f"clock: {result.get('clock')}"]
    if result.get("reference"):
        facts.append(f"reference: {plain(result['reference'], 40)}")
    facts.append("sandboxed" if result.get("sandbox") == "full" else "no sandbox: the figures are untrusted")
    submission = result.get("submission") or {}
    if submission.get("bits"):
        facts.append(f"{submission['bits']}-bit")
    if submission.get("sha256"):
        facts.append(f"SHA-256 {submission['sha256'][:12]}")
    if subject.row is not None and subject.row.late:
        facts.append("late")
    return facts


def cards_of(subject: Subject) -> list[dict]:
    """The figures at the top."""
    score, verdict = subject.score, subject.result.get("verdict", "ok")
    index, most = score.get("index"), score.get("max_index")
    cards = [{"value": "not timed" if index is None else f"{index:.1f}" + (f" / {most:g}" if most else ""),
              "label": "score", "bad": False},
             {"value": verdict, "label": f"{score.get('valid', 0)} of {score.get('scored', 0)} scored traces valid",
              "bad": verdict != "ok"}]
    if score.get("utilization") is not None:
        cards.append({"value": f"{100 * score['utilization']:.1f} %", "label": "utilization", "bad": False})
    if score.get("relative") is not None:
        error = subject.relative_error
        cards.append({"value": f"{score['relative']:.2f}" + (f" ± {100 * error:.0f} %" if error else ""),
                      "label": f"speed, {plain(subject.result.get('reference') or 'reference', 40)} = 1", "bad": False})
    if score.get("kops") is not None:
        cards.append({"value": f"{score['kops']:,.0f}", "label": "thousand requests a second", "bad": False})
    for part in score.get("parts") or []:
        if part.get("points") is not None:
            cards.append({"value": f"{part['points']:.1f}" + (f" / {part['max']:g}" if part.get("max") else ""),
                          "label": f"points for {part['name']}", "bad": False})
    return cards


TRACE_COLUMNS = [Column("trace", False), Column("verdict", False), Column("requests"), Column("peak payload"),
                 Column("heap"), Column("utilization %"), Column("of ceiling %"), Column("Kops"), Column("speed"),
                 Column("± %")]


def trace_line(trace: dict) -> Line:
    """One trace of one submission."""
    ok = trace["verdict"] == "ok"
    used = trace["utilization"] if ok else None
    share = used / trace["ceiling"] if used is not None and trace["ceiling"] else None
    error = trace.get("relative_error")
    return Line(plain(stem(trace["name"]), NAME), trace["verdict"], [
        number(trace["requests"], "{:,}"), number(trace["peak_payload"], "{:,}"),
        number(trace["heap"] if ok else None, "{:,}"),
        number(100 * used if used is not None else None, bar=used), number(100 * share if share is not None else None),
        number(trace.get("kops") if ok else None, "{:,.0f}"), number(trace.get("relative") if ok else None, "{:.2f}"),
        number(100 * error if ok and error is not None else None)], bad=failed(trace))


def submission_page(subject: Subject, up: str = "", plot: Plot | None = None, pictures: bool = True) -> str:
    """The page of one submission. With PICTURES, the whole gallery; heaps of failures and the viewer wherever there are
    events."""
    result = subject.result
    failures = []
    for trace in subject.failing():
        drawn = try_picture("fragmented", [subject], trace["name"]) if len(failures) < 4 and \
            subject.events_path(trace) else []
        why, command = advice(trace)
        failures.append({
            "trace": plain(stem(trace["name"]), NAME), "verdict": trace["verdict"], "request": trace.get("request"),
            "line": trace.get("line"), "message": (trace.get("message") or "")[:LONG],
            "why": why[:LONG], "command": command[:LONG], "output": (trace.get("output") or "")[:LONG],
            "picture": drawn[0] if drawn else None})
    found: list[Shown] = []
    views: list[View] = []
    if pictures and result["traces"]:
        found += try_picture("traces", [subject])
        if subject.events is not None:
            found += try_picture("waste", [subject])
            chosen = subject.choose_trace(None)[0]["name"]
            for name in ("heap", "map", "fragmented", "holes", "sizes"):
                if name != "fragmented" or not failures:
                    found += try_picture(name, [subject], chosen)
        found += try_picture("latency", [subject])
    for trace in choose(subject):
        try:
            views.append(view(trace, subject.read(trace)))
        except Problem:
            continue  # it failed at its very first request: there is nothing to step through
    log = (result.get("submission") or {}).get("build_log") or ""
    name = plain(subject.name, NAME)
    return render(
        "submission.html", title=f"{name}: malloc lab", heading=name, facts=facts_of(subject), up=up,
        cards=cards_of(subject), message=result.get("message") or "" if not result["traces"] else "",
        findings=result.get("findings") or [], build_log=log[:LONG], failures=failures, columns=TRACE_COLUMNS,
        traces=[trace_line(trace) for trace in result["traces"]], plot=plot, pictures=found, views=views)


SUBJECT_COLUMNS = [Column("name", False), Column("verdict", False), Column("score"), Column("utilization %"),
                   Column("speed"), Column("± %"), Column("Kops"), Column("valid traces")]


def subject_line(subject: Subject, key: str, href: str) -> Line:
    """One allocator among others."""
    score = subject.score
    used, error = score.get("utilization"), subject.relative_error
    return Line(plain(subject.name, NAME), subject.result["verdict"], [
        number(score.get("index")), number(100 * used if used is not None else None, bar=used),
        number(score.get("relative"), "{:.2f}"), number(100 * error if error is not None else None),
        number(score.get("kops"), "{:,.0f}"), number(score.get("valid"), "{}")], key, href,
        subject.result["verdict"] != "ok")


def comparison_page(subjects: Sequence[Subject], links: Sequence[str]) -> str:
    """Allocators side by side. LINKS: the page of each."""
    keys = [f"s{number}" for number in range(len(subjects))]
    names = [trace["name"] for trace in subjects[0].result["traces"]]
    grid = []
    for name in names:
        traces = [subject.trace(name) for subject in subjects]
        used = [t["utilization"] if t and t["verdict"] == "ok" else None for t in traces]
        best = max((u for u in used if u is not None), default=None)
        grid.append({"name": plain(stem(name), NAME), "cells": [
            {"value": "" if u is None else u, "text": f"{100 * u:.1f}" if u is not None else
             (traces[i] or {}).get("verdict", "–"), "best": u is not None and u == best}
            for i, u in enumerate(used)]})
    return render(
        "comparison.html", title="Allocators compared", heading="Allocators compared", up="",
        facts=facts_of(subjects[0])[:4] + [f"{len(names)} traces"], plot=plot_of(subjects, keys, links),
        columns=SUBJECT_COLUMNS, rows=[subject_line(*entry) for entry in zip(subjects, keys, links)],
        pictures=try_picture("class", subjects),
        grid_columns=[Column("trace", False), *(Column(plain(s.name, 24)) for s in subjects)], grid=grid)


PEOPLE_COLUMNS = [Column("name", False), Column("verdict", False), Column("rank"), Column("score"),
                  Column("utilization %"), Column("speed"), Column("Kops"), Column("attempts")]


def class_page(statistics: Statistics, lines: list[Line], plot: Plot | None, people: dict[str, tuple[str, str]],
               facts: list[str], pictures: list[Shown]) -> str:
    """A class. PEOPLE: name and page by key."""
    failures = [{"sentence": group.sentence, "example": group.example[:LONG],
                 "people": [{"name": people[key][0], "href": people[key][1]} for key in group.people]}
                for group in statistics.failures]
    traces = [Line(plain(stem(t.name), NAME), cells=[
        number(t.valid, "{}"), number(t.graded, "{}"), number(100 * t.utilization.median),
        number(100 * t.utilization.high), number(100 * t.ceiling), number(t.kops.median, "{:,.0f}"),
        number(t.kops.high, "{:,.0f}")])
        for t in statistics.traces]
    return render(
        "class.html", title="Malloc lab: the class", heading="The class", up="", facts=facts,
        sentences=sentences(statistics)[:2], plot=plot, columns=PEOPLE_COLUMNS, rows=lines, pictures=pictures,
        failures=failures, traces=traces,
        trace_columns=[Column("trace", False), Column("valid"), Column("of"), Column("median utilization %"),
                       Column("best %"), Column("ceiling %"), Column("median Kops"), Column("best Kops")])
