"""Canvas and Moodle: the instructor's own file with one column filled, every other cell and row kept.

Both take a file of ours as well, but a filled one cannot create assignments or people by mistake, so that is what
docs/GRADING.md recommends. A cell is left alone when we have no score for it, and when it says EX (excused).
"""

import csv
import io
import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from grader import platforms
from grader.errors import Problem
from grader.people import Person, Roster, columns, is_student_row, person_of_row, read_table
from grader.store import Row, Store
from grader.text import cell, count, plain

SHOWN = 5  # people named in a warning


@dataclass
class Options:
    """What `export` was asked for."""

    title: str = "Malloc Lab"
    roster: Path | None = None
    column: str | None = None        # the column to fill, where its title is neither TITLE nor Grade
    missing: float | None = None     # the score of people who handed in nothing; None leaves the cell empty
    out_of: float | None = None      # scale scores to this maximum
    warnings: list[str] = field(default_factory=list)  # sentences for the instructor


def points(row: Row, options: Options) -> float | None:
    """The score to write, or None for an empty cell: a fault of ours and a missing file are never a zero."""
    if row.status == "missing":
        return options.missing
    if row.score is None or options.out_of is None:
        return row.score
    if not row.max:
        raise Problem("--out-of: this course's score has no maximum, so it cannot be scaled")
    return row.score * options.out_of / row.max


def number(value: float | None) -> str:
    """A score as gradebooks compare it: two decimals."""
    return "" if value is None else f"{value:.2f}"


def maximum(rows: Iterable[Row], options: Options) -> float:
    """What the scores are out of; 0 when they have no upper end."""
    return options.out_of or max((row.max or 0 for row in rows), default=0)


def identifier(text: str) -> str:
    """An id as it is, so that it still matches; as text where a spreadsheet would run it."""
    return text if re.fullmatch(r"[\w.@+-]*", text) else cell(text)


def canvas(store: Store, options: Options) -> str:
    """The instructor's gradebook export with one column filled, or the smallest file that Canvas takes."""
    rows = list(store.rows())
    if options.roster is None:
        table = [["Student", "ID", "SIS User ID", "SIS Login ID", "Section", options.title],
                 ["    Points Possible", "", "", "", "", number(maximum(rows, options) or 100)]]
        for row in rows:
            who = row.person
            table.append([cell(who.name or who.key), identifier(who.canvas), identifier(who.sis),
                          identifier(who.login), cell(who.section), number(points(row, options))])
        return write_table(table, ",", "\n")
    sheet = Sheet(options.roster)
    if len(sheet.header) < 2 or "Student" not in sheet.header[0] or "ID" not in sheet.header[1]:
        raise Problem(f"{options.roster}:1: not a Canvas gradebook (it starts 'Student,ID,...'); export it in Canvas "
                      "under Grades > Export")
    target = sheet.column(options.column or options.title, r"(\s*\(\d+\))?", "--title")
    for line in sheet.lines[:2]:
        if line and "Points Possible" in line[0]:
            _compare(line[target], maximum(rows, options), options)
    sheet.fill(target, rows, options)
    return sheet.text()


def moodle(store: Store, options: Options) -> str:
    """The offline grading worksheet filled, or a file for the gradebook's CSV import."""
    rows = list(store.rows())
    if options.roster is None:
        table = [["Username", "ID number", "Email address", options.title, f"{options.title} (Feedback)"]]
        for row in rows:
            value = points(row, options)
            if value is not None:  # feedback without a grade would delete the grade that is there
                who = row.person
                table.append([identifier(who.login or who.key), identifier(who.sis), identifier(who.email),
                              number(value), cell(_sentence(store, row))])
        return write_table(table, ",", "\n")
    sheet = Sheet(options.roster)
    if "Identifier" not in sheet.header and not sheet.looks_like_identifiers():
        raise Problem(f"{options.roster}:1: not a Moodle grading worksheet (no column Identifier); download it in the "
                      "assignment under 'Download grading worksheet'")
    if "moodle" not in sheet.where:  # in another language, where 'ID' may be its title
        sheet.where = {kind: index for kind, index in sheet.where.items() if index != 0} | {"moodle": 0}
    target = sheet.column(options.column or "Grade", "", "--column")
    if "Maximum Grade" in sheet.header and sheet.lines:
        _compare(sheet.lines[0][sheet.header.index("Maximum Grade")], maximum(rows, options), options)
    remark = sheet.header.index("Feedback comments") if "Feedback comments" in sheet.header else None

    def feedback(row: Row, line: list[str]) -> None:
        if remark is not None:
            line[remark] = cell(_sentence(store, row))

    sheet.fill(target, rows, options, feedback)
    return sheet.text()


class Sheet:
    """A CSV file of the instructor's, written back as it came but for the cells that were filled."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.header, self.lines, self.delimiter = read_table(path)
        for line in self.lines:
            line += [""] * (len(self.header) - len(line))
        self.where = columns(self.header)
        start = path.read_bytes()[:1 << 16]
        self.mark = "\ufeff" if start.startswith(b"\xef\xbb\xbf") else ""
        self.ending = "\r\n" if b"\r\n" in start else "\n"

    def people(self) -> Iterator[tuple[Person, list[str]]]:
        """The lines that are students."""
        for line in self.lines:
            if is_student_row(line):
                yield person_of_row(line, self.where), line

    def looks_like_identifiers(self) -> bool:
        """Whether the first column reads 'Participant 1234' in whatever language."""
        return bool(self.lines) and all(re.fullmatch(r"\s*[^\d\s][^\d]*\d+\s*", line[0])
                                        for line in self.lines if any(line))

    def column(self, title: str, suffix: str, option: str) -> int:
        """The index of the one column with TITLE; SUFFIX is a pattern that may follow it."""
        wanted = re.compile(re.escape(title.strip()) + suffix, re.I)
        found = [i for i, name in enumerate(self.header) if wanted.fullmatch(name.strip())]
        if len(found) == 1:
            return found[0]
        what = f"{len(found)} columns are called" if found else "no column is called"
        raise Problem(f"{self.path}:1: {what} '{plain(title)}'; name the one to fill with {option} (there are: "
                      f"{plain(', '.join(self.header), 300)})")

    def fill(self, target: int, rows: list[Row], options: Options,
             also: Callable[[Row, list[str]], None] | None = None) -> None:
        """Writes scores into column TARGET; people who are only on one side are named in a warning."""
        find = finder(rows)
        seen: set[str] = set()
        excused, strangers = [], []
        for person, line in self.people():
            row = find(person)
            if row is None:
                strangers.append(person.shown)
                continue
            if row.person.key in seen:
                raise Problem(f"{self.path}: two lines of it are '{row.person.shown}'; remove one")
            seen.add(row.person.key)
            value = points(row, options)
            if line[target].strip().upper() == "EX":
                excused.append(person.shown)
            elif value is not None:
                line[target] = number(value)
                if also:
                    also(row, line)
        lost = [row.person.shown for row in rows if row.person.key not in seen and row.score is not None]
        for names, what in ((lost, "graded but not in {}"), (strangers, "in {} but unknown to the batch"),
                            (excused, "excused (EX) and left so in {}")):
            if names:
                more = f" and {len(names) - SHOWN} more" if len(names) > SHOWN else ""
                options.warnings.append(f"{count(len(names), 'person', 'people')} "
                                        f"{what.format(self.path.name)}: {'; '.join(names[:SHOWN])}{more}")

    def text(self) -> str:
        """The whole file."""
        return self.mark + write_table([self.header, *self.lines], self.delimiter, self.ending)


def finder(rows: Iterable[Row]) -> Callable[[Person], Row | None]:
    """Finds the gradebook line of somebody on a platform's own list, by any id both know."""
    by_key = {row.person.key: row for row in rows}
    roster = Roster([row.person for row in by_key.values()])

    def find(person: Person) -> Row | None:
        for kind in ("canvas", "moodle", "sis", "login", "email", "key", "name"):
            value = getattr(person, kind)
            found = roster.by_id(kind, value) if value else None
            if found is not None and not _contradict(found, person):
                return by_key[found.key]
        return None

    return find


def _contradict(one: Person, other: Person) -> bool:
    """Whether two people who share a name, say, are told apart by an id that both have."""
    return any(getattr(one, kind) and getattr(other, kind)
               and getattr(one, kind).casefold() != getattr(other, kind).casefold()
               for kind in ("canvas", "moodle", "sis", "login"))


def _compare(theirs: str, ours: float, options: Options) -> None:
    """Warns when the platform's maximum is not what the scores are out of."""
    try:
        most = float(theirs.replace(",", "."))
    except ValueError:
        return
    if ours and abs(most - ours) > 0.005:
        options.warnings.append(f"the scores are out of {ours:g}, the column is out of {most:g}; to scale them add "
                                f"--out-of {most:g}")


def _sentence(store: Store, row: Row) -> str:
    """One line of feedback."""
    result = store.result(row) if row.status == "graded" else None
    return row.note if result is None else platforms.headline(result)


def write_table(table: list[list[str]], delimiter: str, ending: str) -> str:
    """CSV."""
    out = io.StringIO()
    csv.writer(out, delimiter=delimiter, lineterminator=ending).writerows(table)
    return out.getvalue()
