"""`export`: the gradebook in the formats that other systems take.

A grader's fault and a missing file are never written as zero: the cell stays empty (or what the instructor's own file
had), and a line on stderr counts them. `--missing 0` is the instructor's decision, not ours.
"""

import argparse
import csv
import json
import os
import re
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TextIO
from xml.etree import ElementTree

from grader import gradebooks, platforms
from grader.errors import Problem
from grader.gradebooks import Options, points
from grader.output import check, replacing_text
from grader.store import Row, Store
from grader.text import cell, count, plain, slug

EXAMPLES = """examples:
  python3 -m grader export out csv > grades.csv
  python3 -m grader export out canvas --roster gradebook.csv --title "Malloc Lab" -o upload.csv
  python3 -m grader export out moodle --roster worksheet.csv -o upload.csv
  python3 -m grader export out gradescope -o results/       a results.json a student
  python3 -m grader export out markdown >> "$GITHUB_STEP_SUMMARY"
"""


def as_csv(store: Store, options: Options, out: TextIO) -> None:
    """One line a person, every figure; opens in any spreadsheet without running anything."""
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(("id", "name", "email", "status", "score", "max", "verdict", "utilization", "kops", "relative",
                     "late", "attempt", "attempts", "graded_at", "path", "note"))
    for row in store.rows():
        who = row.person
        writer.writerow([cell(c) for c in (
            who.key, who.name, who.email, row.status, points(row, options), options.out_of or row.max, row.verdict,
            _digits(row.utilization, 4), _digits(row.kops, 0), _digits(row.relative, 3),
            "late" if row.late else "", row.attempt, row.attempts, row.graded_at, row.path, row.fault or row.note)])


def _digits(value: float | None, places: int) -> str | None:
    return None if value is None else f"{value:.{places}f}"


def as_json(store: Store, options: Options, out: TextIO) -> None:
    """The batch and everything mdriver said, one object, written a person at a time."""
    course, traces, settings = store.current()
    head = {"schema": 1, "course": course, "traces": traces, "settings": settings, "sandbox": store.get("sandbox"),
            "notes": [note.__dict__ for note in store.notes()]}
    out.write(json.dumps(head, ensure_ascii=False, indent=1)[:-2] + ',\n "people": [')
    separator = "\n"
    for row in store.rows():
        out.write(separator + json.dumps({
            "id": row.person.key, "name": row.person.name, "email": row.person.email, "status": row.status,
            "score": points(row, options), "max": options.out_of or row.max, "late": row.late,
            "attempt": row.attempt, "attempts": row.attempts, "path": row.path, "fault": row.fault,
            "graded_at": row.graded_at, "result": store.result(row) if row.status == "graded" else None},
            ensure_ascii=False))
        separator = ",\n"
    out.write("\n ]\n}\n")


def as_markdown(store: Store, options: Options, out: TextIO) -> None:
    """A table for a wiki, an issue or $GITHUB_STEP_SUMMARY."""
    out.write(f"# {_markdown(options.title)}\n\n| student | score | verdict | utilization | Kops | |\n"
              "| --- | ---: | --- | ---: | ---: | --- |\n")
    for row in store.rows():
        remark = "grader's fault" if row.fault else row.status if row.score is None else "late" if row.late else ""
        out.write(f"| {_markdown(row.person.shown)} | {gradebooks.number(points(row, options))} | "
                  f"{_markdown(row.verdict or '')} | {_digits(row.utilization, 3) or ''} | "
                  f"{_digits(row.kops, 0) or ''} | {remark} |\n")


def _markdown(text: str) -> str:
    """TEXT as text: nothing in it is markup, and a cell stays one cell."""
    return re.sub(r"([\\`*_{}\[\]()#+!|<>&~@:-])", lambda m: f"&#{ord(m[1])};", plain(text))


def as_junit(store: Store, options: Options, out: TextIO) -> None:
    """One suite a student, one case a trace; our faults are errors, theirs are failures."""
    out.write('<?xml version="1.0" encoding="UTF-8"?>\n')
    root = ElementTree.Element("testsuites", name=_xml(options.title))
    out.write(ElementTree.tostring(root, encoding="unicode").removesuffix(" />") + ">\n")
    for row in store.rows():
        out.write(ElementTree.tostring(_suite(row, store.result(row) if row.status == "graded" else None),
                                       encoding="unicode") + "\n")
    out.write("</testsuites>\n")


def _suite(row: Row, result: dict | None) -> ElementTree.Element:
    """One student's suite."""
    name = _xml(row.person.shown)
    suite = ElementTree.Element("testsuite", name=name)
    if row.graded_at:
        suite.set("timestamp", row.graded_at.removesuffix("Z"))
    if result is None:
        case = ElementTree.SubElement(suite, "testcase", name="grade", classname=name, time="0")
        kind = "error" if row.status == "fault" else "skipped"
        ElementTree.SubElement(case, kind, message=_xml(row.fault or row.note or row.status))
    for title, seconds, verdict, message in platforms.junit_cases(result) if result else []:
        case = ElementTree.SubElement(suite, "testcase", name=_xml(title), classname=name, time=f"{seconds:.6f}")
        if verdict == "skipped":
            ElementTree.SubElement(case, "skipped", message=_xml(message))
        elif verdict != "ok":
            ElementTree.SubElement(case, "failure", type=_xml(verdict), message=_xml(message))
    suite.set("tests", str(len(suite)))
    for kind, attribute in (("failure", "failures"), ("error", "errors"), ("skipped", "skipped")):
        suite.set(attribute, str(sum(case.find(kind) is not None for case in suite)))
    suite.set("time", f"{sum(float(case.get('time', 0)) for case in suite):.6f}")
    return suite


def _xml(text: str) -> str:
    """TEXT without the characters that XML 1.0 cannot hold."""
    return re.sub(r"[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]", "\ufffd", text)


def _gradebook(make: Callable[[Store, Options], str]) -> Callable[[Store, Options, TextIO], None]:
    return lambda store, options, out: out.write(make(store, options)) and None


ONE_FILE: dict[str, Callable[[Store, Options, TextIO], None]] = {
    "csv": as_csv, "json": as_json, "canvas": _gradebook(gradebooks.canvas), "moodle": _gradebook(gradebooks.moodle),
    "markdown": as_markdown, "junit": as_junit}
PER_STUDENT = {"gradescope": (platforms.gradescope, "results.json"), "autolab": (platforms.autolab, "stdout.txt"),
               "prairielearn": (platforms.prairielearn, "results.json"),
               "classroom50": (partial(platforms.classroom50, environment=os.environ), "result.json")}
FORMATS = (*ONE_FILE, *PER_STUDENT)
FILLED = ("canvas", "moodle")  # formats that take the instructor's own file


def write(store: Store, kind: str, options: Options, target: Path | None) -> Path | None:
    """Writes one format to TARGET (a file; a folder for the formats with a file a student; None: standard output)."""
    if kind in ONE_FILE:
        if target is None:
            sys.stdout.reconfigure(encoding="utf-8", errors="backslashreplace", newline="")  # type: ignore[union-attr]
            ONE_FILE[kind](store, options, sys.stdout)
            return None
        with replacing_text(target) as out:
            ONE_FILE[kind](store, options, out)
        return target
    folder = target or store.path.parent / kind
    convert, name = PER_STUDENT[kind]
    for row in store.rows():
        if row.status == "missing":
            continue
        result = store.result(row) if row.status == "graded" else None
        person = folder / slug(row.person.key)
        person.mkdir(parents=True, exist_ok=True)
        with replacing_text(person / name) as out:
            out.write(convert(result, fault=row.fault or "not graded yet", row=row, title=options.title))
    return folder


def add_parser(commands: argparse._SubParsersAction) -> None:
    """The command line of `export`."""
    sub = commands.add_parser(
        "export", help="write the gradebook for another system", epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        description="Writes the gradebook for another system. People we could not grade, or who handed in nothing, "
                    "get an empty cell, never a zero.")
    sub.add_argument("folder", metavar="OUT", type=Path, help="folder of `grade -o OUT`")
    sub.add_argument("format", metavar="FORMAT", choices=FORMATS, help=", ".join(FORMATS))
    sub.add_argument("-o", "--output", metavar="FILE", type=Path,
                     help="file to write (default: standard output); for formats with a file a student, the folder "
                          "(default: OUT/FORMAT)")
    sub.add_argument("--roster", metavar="CSV", type=Path,
                     help="the gradebook exported from Canvas, or Moodle's grading worksheet, to be filled")
    sub.add_argument("--title", metavar="NAME", default="Malloc Lab",
                     help="the assignment's name there; on Autolab the problem's (default: %(default)s)")
    sub.add_argument("--column", metavar="TITLE", help="the column to fill (default: --title; for Moodle: Grade)")
    sub.add_argument("--missing", metavar="POINTS", type=float, help="score of people who handed in nothing")
    sub.add_argument("--out-of", metavar="POINTS", type=float, help="scale scores to this maximum")
    sub.set_defaults(action=_export)


def _export(args: argparse.Namespace) -> int:
    if args.roster and args.format not in FILLED:
        raise Problem(f"--roster: {args.format} fills no file; it goes with {' or '.join(FILLED)}")
    if args.out_of is not None and not args.out_of > 0:
        raise Problem(f"--out-of {args.out_of:g}: must be more than 0")
    if args.format == "autolab":
        platforms.check_problem(args.title)
    if args.format in ONE_FILE:
        check(args.output)
    options = Options(args.title, args.roster, args.column, args.missing, args.out_of)
    store = Store(args.folder)
    try:
        where = write(store, args.format, options, args.output)
        status = [row.status for row in store.rows()]
    finally:
        store.close()
    for sentence in options.warnings:
        print(f"grader: {sentence}", file=sys.stderr)
    for kind, why in (("fault", "could not be graded through our fault"), ("waiting", "not graded yet"),
                      ("missing", "handed in nothing")):
        if number := status.count(kind):
            cell_ = f"{args.missing:g} points" if kind == "missing" and args.missing is not None else "no score written"
            print(f"grader: {count(number, 'person', 'people')} {why}: {cell_}", file=sys.stderr)
    if where:
        print(f"Written: {where}", file=sys.stderr)
    return 0
