"""The gradebook in the formats that other systems take.

A grader's fault and a missing file are never written as zero: the cell stays empty (or what the instructor's own file
had), and a line on stderr counts them. `--missing 0` is the instructor's decision, not ours.
"""

import csv
import io
import json
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from xml.etree import ElementTree

from grader import platforms
from grader.errors import Problem
from grader.people import Person, Roster, columns, is_student_row, person_of_row, read_table
from grader.store import Row, Store
from grader.text import cell, plain, slug


@dataclass
class Options:
    """What `export` was asked for."""

    title: str = "Malloc Lab"
    roster: Path | None = None
    missing: float | None = None  # the score of people who handed in nothing; None leaves the cell empty
    out: Path | None = None       # file, or folder for the formats with a file a student


def points(row: Row, options: Options) -> float | None:
    """The score to write, or None for an empty cell."""
    return options.missing if row.status == "missing" else row.score


def number(value: float | None) -> str:
    """A score as gradebooks compare it: two decimals."""
    return "" if value is None else f"{value:.2f}"


def as_csv(store: Store, options: Options) -> str:
    """One line a person, every figure; opens in any spreadsheet without running anything."""
    table = io.StringIO()
    writer = csv.writer(table, lineterminator="\n")
    writer.writerow(("id", "name", "email", "status", "score", "max", "verdict", "utilization", "kops", "relative",
                     "late", "attempt", "attempts", "graded_at", "path", "note"))
    for row in store.rows():
        who = row.person
        writer.writerow([cell(c) for c in (
            who.key, who.name, who.email, row.status, points(row, options), row.max, row.verdict,
            _digits(row.utilization, 4), _digits(row.kops, 0), _digits(row.relative, 3),
            "late" if row.late else "", row.attempt, row.attempts, row.graded_at, row.path, row.fault or row.note)])
    return table.getvalue()


def _digits(value: float | None, places: int) -> str | None:
    return None if value is None else f"{value:.{places}f}"


def as_json(store: Store, options: Options) -> str:
    """The batch and everything mdriver said, one object."""
    course, traces, settings = store.current()
    people = []
    for row in store.rows():
        people.append({
            "id": row.person.key, "name": row.person.name, "email": row.person.email, "status": row.status,
            "score": points(row, options), "max": row.max, "late": row.late, "attempt": row.attempt,
            "attempts": row.attempts, "path": row.path, "fault": row.fault, "graded_at": row.graded_at,
            "result": store.result(row) if row.status == "graded" else None})
    return json.dumps({"schema": 1, "course": course, "traces": traces, "settings": settings,
                       "sandbox": store.get("sandbox"), "people": people,
                       "notes": [note.__dict__ for note in store.notes()]}, ensure_ascii=False, indent=1) + "\n"


def as_canvas(store: Store, options: Options) -> str:
    """The instructor's own gradebook export with one column filled, or the smallest file that Canvas takes."""
    rows = list(store.rows())
    best = max((row.max or 0 for row in rows), default=0) or 100
    if options.roster is None:
        table = [["Student", "ID", "SIS User ID", "SIS Login ID", "Section", options.title],
                 ["    Points Possible", "", "", "", "", number(best)]]
        for row in rows:
            who = row.person
            table.append([cell(who.name or who.key), who.canvas, cell(who.sis), cell(who.login),
                          cell(who.section), number(points(row, options))])
        return _write(table, ",")
    header, lines, delimiter = read_table(options.roster)
    if len(header) < 2 or "Student" not in header[0] or "ID" not in header[1]:
        raise Problem(f"{options.roster}:1: not a Canvas gradebook (it starts 'Student,ID,...'); export it in Canvas "
                      "under Grades > Export")
    wanted = re.compile(re.escape(options.title) + r"(\s*\(\d+\))?\s*", re.I)
    target = next((i for i, title in enumerate(header) if wanted.fullmatch(title.strip())), None)
    if target is None:
        raise Problem(f"{options.roster}:1: no column '{plain(options.title)}'; name the assignment with --title")
    find = _finder(rows)
    where = columns(header)
    for line in lines:
        line += [""] * (len(header) - len(line))
        if is_student_row(line):
            row = find(person_of_row(line, where))
            value = points(row, options) if row else None
            if value is not None:
                line[target] = number(value)
    return _write([header, *lines], delimiter)


def as_moodle(store: Store, options: Options) -> str:
    """The offline grading worksheet filled, or a file for the gradebook's CSV import."""
    rows = list(store.rows())
    if options.roster is None:
        table = [["Username", "ID number", "Email address", options.title, f"{options.title} (Feedback)"]]
        for row in rows:
            value = points(row, options)
            if value is not None:  # feedback without a grade would delete the grade that is there
                table.append([cell(row.person.login or row.person.key), cell(row.person.sis),
                              cell(row.person.email), number(value), cell(_sentence(store, row))])
        return _write(table, ",")
    header, lines, delimiter = read_table(options.roster)
    if "Identifier" not in header or "Grade" not in header:
        raise Problem(f"{options.roster}:1: not a Moodle grading worksheet (no columns Identifier and Grade); "
                      "download it in the assignment under 'Download grading worksheet'")
    grade = header.index("Grade")
    feedback = header.index("Feedback comments") if "Feedback comments" in header else None
    find, where = _finder(rows), columns(header)
    for line in lines:
        line += [""] * (len(header) - len(line))
        row = find(person_of_row(line, where))
        value = points(row, options) if row else None
        if row and value is not None:
            line[grade] = number(value)
            if feedback is not None:
                line[feedback] = _sentence(store, row)
    return _write([header, *lines], delimiter)


def _finder(rows: Iterable[Row]) -> Callable[[Person], Row | None]:
    """Finds the gradebook line of somebody on a platform's own list, by any id both know."""
    by_key = {row.person.key: row for row in rows}
    roster = Roster([row.person for row in by_key.values()])

    def find(person: Person) -> Row | None:
        for kind in ("canvas", "moodle", "sis", "login", "email", "key", "name"):
            value = getattr(person, kind)
            found = roster.by_id(kind, value) if value else None
            if found is not None:
                return by_key[found.key]
        return None

    return find


def _write(table: list[list[str]], delimiter: str) -> str:
    out = io.StringIO()
    csv.writer(out, delimiter=delimiter, lineterminator="\n").writerows(table)
    return out.getvalue()


def _sentence(store: Store, row: Row) -> str:
    """One line of feedback."""
    result = store.result(row) if row.status == "graded" else None
    if result is None:
        return row.note
    return platforms.headline(result)


def as_markdown(store: Store, options: Options) -> str:
    """A table for a wiki, an issue or $GITHUB_STEP_SUMMARY."""
    lines = [f"# {_markdown(options.title)}", "", "| student | score | verdict | utilization | Kops | |",
             "| --- | ---: | --- | ---: | ---: | --- |"]
    for row in store.rows():
        score = "" if row.score is None else f"{row.score:.2f}"
        remark = "grader's fault" if row.fault else "late" if row.late else "" if row.score is not None else row.status
        lines.append(f"| {_markdown(row.person.shown)} | {score} | {_markdown(row.verdict or '')} | "
                     f"{_digits(row.utilization, 3) or ''} | {_digits(row.kops, 0) or ''} | {remark} |")
    return "\n".join(lines) + "\n"


def _markdown(text: str) -> str:
    """TEXT as text: nothing in it is markup, and a cell stays one cell."""
    return re.sub(r"([\\`*_{}\[\]()#+!|<>&~-])", lambda m: f"&#{ord(m[1])};", plain(text))


def as_junit(store: Store, options: Options) -> str:
    """One suite a student, one case a trace; our faults are errors, theirs are failures."""
    root = ElementTree.Element("testsuites", name=options.title)
    for row in store.rows():
        result = store.result(row) if row.status == "graded" else None
        suite = ElementTree.SubElement(root, "testsuite", name=_xml(row.person.shown))
        cases = platforms.junit_cases(result) if result else []
        if row.status != "graded":
            case = ElementTree.SubElement(suite, "testcase", name="grade", classname=_xml(row.person.shown))
            kind = {"fault": "error", "waiting": "skipped", "missing": "skipped"}[row.status]
            ElementTree.SubElement(case, kind, message=_xml(row.fault or row.note or row.status))
        for name, seconds, verdict, message in cases:
            case = ElementTree.SubElement(suite, "testcase", name=_xml(name), classname=_xml(row.person.shown),
                                          time=f"{seconds:.6f}")
            if verdict == "skipped":
                ElementTree.SubElement(case, "skipped", message=_xml(message))
            elif verdict != "ok":
                ElementTree.SubElement(case, "failure", type=_xml(verdict), message=_xml(message))
        suite.set("tests", str(len(suite)))
        for kind, title in (("failure", "failures"), ("error", "errors"), ("skipped", "skipped")):
            suite.set(title, str(sum(case.find(kind) is not None for case in suite)))
    return ElementTree.tostring(root, encoding="unicode", xml_declaration=True) + "\n"


def _xml(text: str) -> str:
    """TEXT without the characters that XML 1.0 cannot hold."""
    return re.sub(r"[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]", "\ufffd", text)


ONE_FILE = {"csv": as_csv, "json": as_json, "canvas": as_canvas, "moodle": as_moodle, "markdown": as_markdown,
            "junit": as_junit}
PER_STUDENT = {"gradescope": (platforms.gradescope, "results.json"), "autolab": (platforms.autolab, "stdout.txt"),
               "prairielearn": (platforms.prairielearn, "results.json"),
               "classroom50": (platforms.classroom50, "result.json")}
FORMATS = (*ONE_FILE, *PER_STUDENT)


def export(store: Store, kind: str, options: Options) -> str | Path:
    """The text of a format, or the folder that a format with a file a student was written to."""
    if kind in ONE_FILE:
        text = ONE_FILE[kind](store, options)
        if options.out:
            options.out.write_text(text, encoding="utf-8", errors="backslashreplace", newline="")
            return options.out
        return text
    folder = options.out or store.path.parent / kind
    convert, name = PER_STUDENT[kind]
    for row in store.rows():
        if row.status == "missing":
            continue
        result = store.result(row) if row.status == "graded" else None
        target = folder / slug(row.person.key)
        target.mkdir(parents=True, exist_ok=True)
        text = convert(result, fault=row.fault or "not graded yet", row=row, title=options.title)
        (target / name).write_text(text, encoding="utf-8", errors="backslashreplace", newline="")
    return folder
