"""`leaderboard`: who stands where, beside the reference and real allocators; with --anonymous, to be published."""

import argparse
import csv
import io
import json
import sys
from dataclasses import asdict
from pathlib import Path

from grader import benchmarks, statistics
from grader.errors import Problem
from grader.output import check, replacing_text
from grader.statistics import Benchmark, Entry, Statistics
from grader.store import Store
from grader.text import cell, fit

SHOWN_FAILURES = 10
SORTS = ("score", "utilization", "kops", "relative")
EXAMPLES = """examples:
  python3 -m grader leaderboard out
  python3 -m grader leaderboard out --anonymous --top 20
  python3 -m grader leaderboard out --anonymous --format csv -o board.csv
"""


def figures(item: Entry | Benchmark) -> tuple[str, str, str, str]:
    """Score, utilization, Kops and relative speed, as text; empty where there is none."""
    return ("" if item.score is None else f"{item.score:.2f}",
            "" if item.utilization is None else f"{item.utilization * 100:.1f} %",
            "" if item.kops is None else f"{item.kops:,.0f}", "" if item.relative is None else f"{item.relative:.2f}")


def name_of(entry: Entry, anonymous: bool) -> str:
    """How the board calls somebody."""
    return entry.alias if anonymous else entry.name


def best_of(found: Statistics, anonymous: bool) -> list[str]:
    """'Best: utilization 95.1 % (Ann Doe), ...'; empty when nobody is valid."""
    by_key = {entry.key: entry for entry in found.entries}
    words = []
    for place, (figure, unit) in enumerate((("score", ""), ("utilization", ""), ("kops", " Kops"))):
        if entry := by_key.get(found.best.get(figure, "")):
            what = figures(entry)[place] + unit if unit else f"{figure} {figures(entry)[place]}"
            words.append(f"{what} ({name_of(entry, anonymous)})")
    return [f"Best: {', '.join(words)}."] if words else []


def ordered(entries: list[Entry], sort: str) -> list[Entry]:
    """ENTRIES by one figure, the best first; by score they are already."""
    if sort == "score":
        return entries
    return sorted(entries, key=lambda e: (getattr(e, sort) is None, -(getattr(e, sort) or 0), e.rank))


def as_text(found: Statistics, marks: list[Benchmark], anonymous: bool, sort: str, top: int | None) -> str:
    """A table for people."""
    lines = [*statistics.summary(found), *best_of(found, anonymous), ""]
    lines.append(f"{'rank':>5}  {'student':<30} {'score':>8} {'util':>8} {'Kops':>10} {'speed':>7}")
    for entry in ordered(found.entries, sort)[:top]:
        remark = (entry.verdict if entry.verdict != "ok" else "") + (" late" if entry.late and not anonymous else "")
        score, used, kops, relative = figures(entry)
        lines.append(f"{entry.rank:>5}  {fit(name_of(entry, anonymous), 30)} {score:>8} {used:>8} {kops:>10} "
                     f"{relative:>7}  {remark}".rstrip())
    if marks:
        lines += ["", "For comparison, on the same traces:"]
        for mark in sorted(marks, key=lambda m: (m.kind != "shipped", -(m.score or 0), m.name)):
            score, used, kops, relative = figures(mark)
            kind = "reference allocator" if mark.kind == "shipped" else "real allocator"
            kind += f"; {mark.verdict}" if mark.verdict != "ok" else ""
            lines.append(f"{'':>5}  {fit(mark.name, 30)} {score:>8} {used:>8} {kops:>10} {relative:>7}  {kind}")
    if found.reference:
        lines += ["", f"speed: relative to {found.reference}"]
    if found.failures:
        lines += ["", "What fails most:"]
        lines += [f"  {group.sentence}" for group in found.failures[:SHOWN_FAILURES]]
    return "\n".join(lines) + "\n"


def as_csv(found: Statistics, marks: list[Benchmark], anonymous: bool, sort: str, top: int | None) -> str:
    """The same for a spreadsheet; benchmarks have no rank."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(("rank", "kind", "name", "score", "max", "verdict", "utilization", "kops", "relative"))
    for entry in ordered(found.entries, sort)[:top]:
        writer.writerow([entry.rank, "student", cell(name_of(entry, anonymous)), *_numbers(entry), entry.verdict,
                         *_measures(entry)])
    for mark in marks:
        writer.writerow(["", mark.kind, mark.name, *_numbers(mark), mark.verdict, *_measures(mark)])
    return out.getvalue()


def _numbers(item: Entry | Benchmark) -> list[str]:
    return ["" if value is None else f"{value:.2f}" for value in (item.score, item.max)]


def _measures(item: Entry | Benchmark) -> list[str]:
    return ["" if value is None else f"{value:.{places}f}"
            for value, places in ((item.utilization, 4), (item.kops, 0), (item.relative, 3))]


def as_json(found: Statistics, marks: list[Benchmark], anonymous: bool, sort: str, top: int | None) -> str:
    """Everything the statistics know; with ANONYMOUS nothing that names or tells apart a person but their alias."""
    entries = ordered(found.entries, sort)[:top]
    if anonymous:
        students = [{key: value for key, value in asdict(entry).items() if key not in ("key", "name", "late")}
                    for entry in entries]
        data: dict = {"scores": asdict(found.scores), "histogram": [asdict(bar) for bar in found.histogram],
                      "failures": [group.sentence for group in found.failures]}
    else:
        data = found.as_json()
        students = [asdict(entry) for entry in entries]
    data["entries"] = students
    return json.dumps({"schema": 1, **data, "benchmarks": [asdict(mark) for mark in marks]}, ensure_ascii=False,
                      indent=1) + "\n"


FORMATS = {"text": as_text, "csv": as_csv, "json": as_json}


def add_parser(commands: argparse._SubParsersAction) -> None:
    """The command line of `leaderboard`."""
    sub = commands.add_parser(
        "leaderboard", help="rank the class beside reference and real allocators", epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        description="Ranks the class, and says what fails most. With --anonymous people go by an alias that only their "
                    "own feedback tells them.")
    sub.add_argument("folder", metavar="OUT", type=Path, help="folder of `grade -o OUT`")
    sub.add_argument("--anonymous", action="store_true", help="aliases instead of names; nothing else about people")
    sub.add_argument("--top", metavar="N", type=int, help="only the first N")
    sub.add_argument("--sort", choices=SORTS, default="score", help="by this figure (default: %(default)s)")
    sub.add_argument("--format", choices=tuple(FORMATS), default="text", help="(default: %(default)s)")
    sub.add_argument("-o", "--output", metavar="FILE", type=Path, help="file to write (default: standard output)")
    sub.add_argument("--no-benchmarks", action="store_true",
                     help="do not measure reference and real allocators where that was not done yet")
    sub.set_defaults(action=_leaderboard)


def _leaderboard(args: argparse.Namespace) -> int:
    if args.top is not None and args.top < 1:
        raise Problem(f"--top {args.top}: at least 1")
    check(args.output)
    store = Store(args.folder)
    try:
        found = statistics.of_store(store)
        marks = benchmarks.of_store(store, measure=not args.no_benchmarks)
    finally:
        store.close()
    text = FORMATS[args.format](found, marks, args.anonymous, args.sort, args.top)
    if args.output:
        with replacing_text(args.output) as out:
            out.write(text)
        print(f"Written: {args.output}", file=sys.stderr)
    else:
        sys.stdout.reconfigure(encoding="utf-8", errors="backslashreplace")  # type: ignore[union-attr]
        print(text, end="")
    return 0
