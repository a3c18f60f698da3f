"""`feedback`: a text and a page for every student: what counts, what failed, where they stand, what to run next.

Other people are in it only as a distribution and as dots without names. What the submission, the compiler and the
student's name contribute is text and nothing else; names of folders on the grading machine are left out.
"""

import argparse
import csv
import sys
from dataclasses import dataclass, field, replace
from pathlib import Path

from grader import benchmarks, statistics
from grader.errors import Problem
from grader.output import replacing_text
from grader.platforms import OURS, advice, build_words, failed, parts, tally
from grader.report.pages import render
from grader.report.plane import Plot, for_one, plot_of
from grader.report.results import Subject
from grader.statistics import Benchmark, Entry, Statistics, percentile
from grader.store import Row, Store
from grader.text import cell, count, fit, plain, slug

MAX_LINES, MAX_WIDTH = 200, 400  # of what a compiler or an allocator said
MOST_DOTS = 500                  # of a larger class every k-th is on the plot


@dataclass
class Feedback:
    """What one student is told."""

    title: str
    name: str
    status: str                    # graded, fault, missing, waiting
    note: str = ""                 # why there is no grade
    facts: list[str] = field(default_factory=list)
    score: float | None = None
    most: float | None = None
    parts: list[tuple[str, float, float]] = field(default_factory=list)
    findings: list[str] = field(default_factory=list)
    build: str = ""                # what the compiler said, when nothing could be run
    traces: list[dict] = field(default_factory=list)
    tally: str = ""                # how many of them are valid
    failing: dict | None = None    # the first trace that failed
    output: str = ""               # what the allocator printed in it
    standing: list[str] = field(default_factory=list)
    next: list[tuple[str, str]] = field(default_factory=list)  # why, and the command
    plot: Plot | None = None


def block(text: str | None) -> str:
    """TEXT of many lines from a stranger: each harmless, and not too many."""
    lines = (text or "").splitlines()
    shown = [plain(line.expandtabs(8), MAX_WIDTH) for line in lines[:MAX_LINES]]
    if len(lines) > MAX_LINES:
        shown.append(f"... {len(lines) - MAX_LINES} more lines")
    return "\n".join(shown)


class Plane:
    """The class on the plane of utilization and speed: drawn once, and marked for each in turn."""

    def __init__(self, found: Statistics, marks: list[Benchmark], course: str) -> None:
        self.course, self.reference = course, found.reference
        sound = {entry.key: self.subject(entry) for entry in found.entries if entry.verdict == "ok"}
        others = [self.subject(mark, mark.name, mark.kind) for mark in marks]
        keys = [*sound, *("" for _ in others)]
        self.plot = plot_of([*sound.values(), *others], keys, [""] * len(keys))
        points = self.plot.points if self.plot else []
        self.dots = {mark.key: mark for mark in points if mark.key in sound}
        shown = list(self.dots.values())[::1 + len(self.dots) // MOST_DOTS]
        self.shown = [*shown, *(mark for mark in points if mark.key not in sound)]
        self.unseen = self.dots.keys() - {mark.key for mark in shown}

    def subject(self, item: Entry | Benchmark, name: str = "", kind: str = "") -> Subject:
        """What the plot needs to know of somebody; no name."""
        score = {"index": item.score, "utilization": item.utilization, "kops": item.kops, "relative": item.relative}
        return Subject(name, {"course": self.course, "reference": self.reference, "verdict": item.verdict, "traces": [],
                              "score": score}, shipped=kind == "shipped", real=kind == "real")

    def of(self, entry: Entry) -> Plot | None:
        """The plot with ENTRY marked, and no trace of who the others are."""
        if self.plot is None:
            return None
        points = [*self.shown, self.dots[entry.key]] if entry.key in self.unseen else self.shown
        return for_one(replace(self.plot, points=points), entry.key)


class Writer:
    """Makes feedback from one batch."""

    def __init__(self, store: Store, found: Statistics, marks: list[Benchmark], title: str) -> None:
        self.store, self.found, self.title = store, found, title
        self.entries = {entry.key: entry for entry in found.entries}
        self.plane = Plane(found, marks, store.get("course_argument") or "")
        course, self.traces, _ = store.current()
        self.course = "" if course in ("", "default") else f" -c {course.partition(':')[0]}"

    def of(self, row: Row) -> Feedback:
        """The feedback of one person."""
        result = self.store.result(row) if row.status == "graded" else None
        told = Feedback(self.title, row.person.shown, row.status)
        if row.sha256:
            told.facts.append(f"file {plain(row.path)} (SHA-256 {row.sha256[:16]}...)")
        if row.attempts > 1:
            told.facts.append(f"attempt {row.attempt} of {row.attempts}")
        if row.late:
            told.facts.append("late")
        if result is None:
            told.note = {"fault": OURS, "waiting": "Your submission has not been graded yet."}.get(
                row.status, f"There is no submission of yours: {plain(row.note, 300)}.")
            return told
        if row.graded_at:
            told.facts.append(f"graded {row.graded_at}")
        score = result.get("score") or {}
        told.score, told.most, told.parts = row.score, row.max, parts(result)
        told.findings = [plain(f"{finding['sentence']} (-{finding['points']:g} points)" if finding.get("points")
                               else finding["sentence"], 300) for finding in result.get("findings") or []]
        if score.get("deduction"):
            told.findings.append(f"{score['deduction']:g} points are taken off for these.")
        if result["verdict"] == "build":
            told.build = block(build_words(result))
            told.findings = [finding for finding in told.findings if finding not in told.build]
        told.traces, told.tally = [self.trace(trace) for trace in result["traces"]], tally(result)
        self.first_failure(told, result)
        self.next_steps(told, result)
        entry = self.entries.get(row.person.key)
        if entry:
            told.standing = self.standing(entry)
            told.plot = self.plane.of(entry)
        return told

    @staticmethod
    def trace(trace: dict) -> dict:
        """One line of the table."""
        ok, timed = trace["verdict"] == "ok", trace.get("kops") is not None
        return {"name": plain(trace["name"], 40), "verdict": trace["verdict"],
                "bad": failed(trace),
                "counts": trace.get("weight") != "none",
                "utilization": f"{trace['utilization'] * 100:.1f} %" if ok and trace.get("utilization") else "",
                "kops": f"{trace['kops']:,.0f}" if ok and timed else "",
                "relative": f"{trace['relative']:.2f}" if ok and trace.get("relative") else ""}

    @staticmethod
    def first_failure(told: Feedback, result: dict) -> None:
        """The first trace that failed, with mdriver's words."""
        failing = next((t for t in result["traces"] if failed(t)), None)
        if failing:
            told.failing = {
                "name": plain(failing["name"], 80), "verdict": failing["verdict"], "line": failing.get("line") or 0,
                "request": failing.get("request") or 0, "message": block(failing.get("message"))}
            why, command = advice(failing)
            if why or command:
                told.next.append((block(why), plain(command, 300)))
            told.output = block((failing.get("output") or "")[:4000])

    def command(self, options: str, trace: dict | None = None) -> str:
        """An mdriver call that the student can make."""
        words = f"./mdriver{self.course}{' ' + options if options else ''}"
        if trace:
            words += f" -f {'traces/' if self.traces == 'course' else ''}{plain(trace['name'], 80)}"
        return words + " mm.c"

    def next_steps(self, told: Feedback, result: dict) -> None:
        """What to run when no trace fails: where most points were lost."""
        if told.build:
            told.next.append(("see what the compiler says", self.command("-V")))
            return
        if told.failing:
            return  # mdriver's own hint is there
        lost = max(told.parts, key=lambda part: part[2] - part[1], default=None)
        timed = [t for t in result["traces"] if t["verdict"] == "ok" and t.get("weight") != "none"]
        if lost is None or lost[2] - lost[1] < 0.005 or not timed:
            return
        if "util" in lost[0]:
            trace = min(timed, key=lambda t: (t.get("utilization") or 0) / (t.get("ceiling") or 1))
            told.next.append((f"most points are lost in {lost[0]}: see where this trace's memory goes",
                              self.command("--plot heap", trace)))
        else:
            trace = min(timed, key=lambda t: t.get("relative") or t.get("kops") or 0)
            told.next.append((f"most points are lost in {lost[0]}: find the slow requests of this trace",
                              self.command("--latency", trace)))

    def standing(self, entry: Entry) -> list[str]:
        """Where somebody stands, in sentences that name nobody else."""
        scores, others = self.found.scores, len(self.found.entries) - 1
        if others < 1:
            return [f"On the anonymous leaderboard you are '{entry.alias}'."]
        of = f" of {self.found.max_score:g}" if self.found.max_score else ""
        lines = [f"Your score is above that of {percentile(entry, self.found.entries) * 100:.0f} % of the "
                 f"{count(others, 'other')}; the median is {scores.median:.2f}{of}, and half of the class lies between "
                 f"{scores.quarter:.2f} and {scores.three_quarters:.2f}.",
                 f"On the anonymous leaderboard you are '{entry.alias}', rank {entry.rank}."]
        return lines


def as_text(told: Feedback) -> str:
    """The feedback for a terminal or a mail."""
    lines = [f"{told.title}: feedback for {told.name}", "; ".join(told.facts), ""]
    if told.score is None:
        return "\n".join([*lines, told.note]) + "\n"
    lines.append(f"{told.score:.2f}" + (f" of {told.most:g}" if told.most else "") + " points")
    lines += [f"  {fit(name, 20)} {points:>8.2f}" + (f" of {most:g}" if most else "")
              for name, points, most in told.parts]
    lines += [f"  {finding}" for finding in told.findings]
    if told.build:
        lines += ["", "Your file could not be run:", *(f"  {line}" for line in told.build.splitlines())]
    if told.failing:
        where = f", line {told.failing['line']}, request {told.failing['request']}" if told.failing["line"] else ""
        lines += ["", f"First failure: {told.failing['name']}{where}: {told.failing['verdict']}"]
        lines += [f"  {line}" for line in told.failing["message"].splitlines()]
        if told.output:
            lines += ["  It printed:", *(f"    {line}" for line in told.output.splitlines()[:20])]
    if told.next:
        lines += ["", "What to run next:"]
        for why, command in told.next:
            lines += [f"  {why}" + (":" if command else ""), *([f"    {command}"] if command else [])]
    if told.traces:
        lines += ["", f"Traces: {told.tally}",
                  f"  {'trace':<28} {'verdict':<13} {'util':>8} {'Kops':>10} {'speed':>6}"]
        for trace in told.traces:
            lines.append(f"  {fit(trace['name'], 28)} {trace['verdict']:<13} {trace['utilization']:>8} "
                         f"{trace['kops']:>10} {trace['relative']:>6}"
                         + ("" if trace["counts"] else "  not scored"))
    if told.standing:
        lines += ["", "Where you stand:", *(f"  {line}" for line in told.standing)]
    return "\n".join(line.rstrip() for line in lines) + "\n"


def page(told: Feedback) -> str:
    """The feedback for a browser."""
    return render("feedback.html", title=f"{told.title}: {told.name}", heading=f"{told.title}: {told.name}", up="",
                  facts=told.facts, told=told)


def add_parser(commands: argparse._SubParsersAction) -> None:
    """The command line of `feedback`."""
    sub = commands.add_parser(
        "feedback", help="write a text and a page for every student",
        formatter_class=argparse.RawDescriptionHelpFormatter,
        description="Writes NAME.txt and NAME.html for every student, and index.csv, which says whose they are.",
        epilog="examples:\n  python3 -m grader feedback out\n  python3 -m grader feedback out --who jdoe -o jdoe/\n")
    sub.add_argument("folder", metavar="OUT", type=Path, help="folder of `grade -o OUT`")
    sub.add_argument("-o", "--output", metavar="DIR", type=Path, help="where to (default: OUT/feedback)")
    sub.add_argument("--who", metavar="ID", help="only this person")
    sub.add_argument("--title", metavar="NAME", default="Malloc Lab", help="(default: %(default)s)")
    sub.add_argument("--no-benchmarks", action="store_true",
                     help="do not measure reference and real allocators where that was not done yet")
    sub.set_defaults(action=_feedback)


def _feedback(args: argparse.Namespace) -> int:
    target = args.output or args.folder / "feedback"
    store = Store(args.folder)
    try:
        rows = [row for row in store.rows() if args.who in (None, row.person.key, row.person.login, row.person.email,
                                                            row.person.name)]
        if not rows and args.who:
            raise Problem(f"--who {plain(args.who)}: no such person; see the ids in `python3 -m grader export "
                          f"{args.folder} csv`")
        marks = benchmarks.of_store(store, measure=not args.no_benchmarks)
        writer = Writer(store, statistics.of_store(store), marks, args.title)
        target.mkdir(parents=True, exist_ok=True)
        for row in rows:
            told, name = writer.of(row), slug(row.person.key)
            for suffix, text in ((".txt", as_text(told)), (".html", page(told))):
                with replacing_text(target / (name + suffix)) as out:
                    out.write(text)
        if not args.who:
            with replacing_text(target / "index.csv") as out:
                table = csv.writer(out, lineterminator="\n")
                table.writerow(("id", "name", "email", "file"))
                table.writerows([cell(row.person.key), cell(row.person.name), cell(row.person.email),
                                 slug(row.person.key)] for row in rows)
    finally:
        store.close()
    print(f"Written: {target} ({count(len(rows), 'person', 'people')})", file=sys.stderr)
    return 0
