"""From a pile of files to attempts: which file is whose, how late, which counts, and what went wrong.

Layouts are told apart by the names that platforms give to downloads; each rule reads one path component and needs
nothing else, so mixed piles work as well. What no rule knows is taken as a folder per person.
"""

import re
from collections import defaultdict
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import datetime, timezone
from pathlib import Path, PurePosixPath

from grader.archive import SUFFIXES, Refusal, name_fault, walk
from grader.errors import Problem
from grader.people import Claim, Person, Roster
from grader.text import plain

JUNK = re.compile(r"(^|/)(__MACOSX|\.git|\.svn|node_modules)(/|$)|(^|/)\._|(^|/)\.DS_Store$")
METADATA = ("submission_metadata.yml", "submission_metadata.yaml")

MOODLE = re.compile(r"^(?P<name>.+)_(?P<id>\d+)_assignsubmission_[a-z]+_(?P<rest>.*)$", re.S)
GRADESCOPE = re.compile(r"^submission_(?P<id>\d+)$")
AUTOLAB = re.compile(r"^(?P<email>[^@/]+@[^_/]+)_(?P<version>\d+)_(?P<rest>.+)$", re.S)
CANVAS = re.compile(r"^(?P<name>[^_/]+)(?P<late>_LATE)?_(?P<id>\d+)_(?P<file>\d+)_(?P<rest>.+)$", re.S)
LAYOUTS = ("auto", "canvas", "moodle", "gradescope", "autolab", "github", "names")


@dataclass(frozen=True)
class Found:
    """One submitted file: where it was, its content's SHA-256, and what its path says."""

    path: str
    sha256: str
    claim: Claim
    number: int = 0
    late: bool = False
    time: str = ""


@dataclass
class Attempt:
    """One attempt of one person; the last of them, or the best, will count."""

    person: Person
    path: str
    sha256: str
    number: int
    late: bool
    time: str


@dataclass
class Note:
    """Something the instructor has to know about the pile: `kind` is missing, duplicate, refused or unknown."""

    kind: str
    path: str
    sentence: str
    person: str = ""


@dataclass
class Intake:
    """What ingest() found."""

    attempts: list[Attempt] = field(default_factory=list)
    notes: list[Note] = field(default_factory=list)
    roster: Roster = field(default_factory=Roster)


def candidate(path: str, filename: str) -> bool:
    """Whether PATH may be a submission: mm.c, NAME_mm.c, and what platforms make of a second upload (mm-1.c)."""
    if JUNK.search(path):
        return False
    stem, _, suffix = filename.rpartition(".")
    pattern = rf"(^|.*[_-]){re.escape(stem)}([-_ ]?\(?\d+\)?)?\.{re.escape(suffix)}"
    return re.fullmatch(pattern, PurePosixPath(path).name, re.I | re.S) is not None


def ingest(source: Path, roster: Roster, keep: Callable[[bytes], str], layout: str = "auto",
           filename: str = "mm.c", due: datetime | None = None, out: Path | None = None) -> Intake:
    """Reads SOURCE but for OUT in it; KEEP stores a submission's bytes and returns its SHA-256. Memory: one small
    record a file."""
    intake = Intake(roster=roster)
    files: list[tuple[str, str]] = []
    others: dict[str, list[str]] = {}
    refused: dict[str, str] = {}  # path -> why
    metadata: dict[str, list[dict[str, str]]] = {}
    base = source.stem if source.is_file() else source.resolve().name

    def wanted(path: str) -> bool:
        return candidate(path, filename) or PurePosixPath(path).name in METADATA

    for item in walk(source, wanted, out):
        if isinstance(item, Refusal):
            refused[item.path] = item.why
            if not JUNK.search(item.path):
                kept = item.path.encode("utf-8", "backslashreplace").decode()  # the name may be what was refused
                intake.notes.append(Note("refused", kept, f"{plain(item.path)}: {item.why}; it was left out"))
            if name_fault(item.path) is None:
                _remember_other(others, item.path)
        elif item.content is None:
            _remember_other(others, item.path)
        elif PurePosixPath(item.path).name in METADATA:
            metadata.update(read_gradescope_metadata(item.content.decode("utf-8", "replace")))
        else:
            fault = content_fault(item.content)
            if fault:
                refused[item.path] = fault
                intake.notes.append(Note("refused", item.path, f"{plain(item.path)}: {fault}; it was left out"))
                _remember_other(others, item.path)
            else:
                files.append((item.path, keep(item.content)))

    pile = files + [(path, "") for names in others.values() for path in names]
    classified = classify(pile, layout, filename, metadata, base)
    found = [item for item in classified if item.sha256]
    if not found and not intake.notes:
        raise Problem(f"{source}: no {filename} in it; expected a download from Canvas, Moodle, Gradescope or "
                      f"Autolab, a folder per student, or files named NAME_{filename}")
    _attempts(intake, found, due)
    _missing(intake, [item for item in classified if not item.sha256], filename, refused)
    return intake


def _remember_other(others: dict[str, list[str]], path: str) -> None:
    """Keeps up to three names a person, or else a folder, of files that are not submissions, to say what was there
    instead."""
    if JUNK.search(path) or path.lower().endswith(SUFFIXES):
        return
    known = _platform(path, "", "auto", {})
    names = others.setdefault(known[0].claim.key if known else str(PurePosixPath(path).parent), [])
    if len(names) < 3:
        names.append(path)


def content_fault(data: bytes) -> str | None:
    """Why DATA cannot be C source, or None. Latin-1 comments and a UTF-8 mark are fine for the compiler."""
    if data[:2] in (b"\xff\xfe", b"\xfe\xff"):
        return "is UTF-16 text; C source must be ASCII or UTF-8"
    if b"\0" in data:
        return "is not a text file (it has NUL bytes)"
    if not data.strip():
        return "is empty"
    return None


def classify(files: Iterable[tuple[str, str]], layout: str, filename: str,
             metadata: dict[str, list[dict[str, str]]], base: str) -> list[Found]:
    """Reads every path by the first rule that knows it; files that are no submission have an empty SHA-256."""
    found: list[Found] = []
    rest: list[tuple[str, str]] = []
    for path, sha in files:
        known = _platform(path, sha, layout, metadata) or _named(path, sha, layout, filename)
        found.extend(known)
        if not known:
            rest.append((path, sha))
    return found + _folders(rest, base)


def _platform(path: str, sha: str, layout: str, metadata: dict[str, list[dict[str, str]]]) -> list[Found]:
    """The rules of the platforms; a group submission on Gradescope counts for each member."""
    for part in PurePosixPath(path).parts:
        if layout in ("auto", "moodle") and (m := MOODLE.match(part)):
            claim = Claim("moodle", m["id"], m["name"], ids={"moodle": m["id"]})
            return [Found(path, sha, claim, number=_copy(path))]
        if layout in ("auto", "gradescope") and (m := GRADESCOPE.match(part)):
            people = metadata.get(part) or [{}]
            return [Found(path, sha, Claim("gradescope", who.get("email") or who.get("sid") or part,
                                           who.get("name", ""), who.get("email", ""), {"sis": who.get("sid", "")}),
                          number=int(m["id"][-15:]), time=who.get("created_at", "")) for who in people]
        if layout in ("auto", "autolab") and (m := AUTOLAB.match(part)):
            claim = Claim("autolab", m["email"], email=m["email"])
            return [Found(path, sha, claim, number=int(m["version"][-15:]))]
        if layout in ("auto", "canvas") and (m := CANVAS.match(part)):
            claim = Claim("canvas", m["id"], m["name"], ids={"canvas": m["id"]})
            return [Found(path, sha, claim, number=_copy(part), late=bool(m["late"]))]
    return []


def _copy(path: str) -> int:
    """The number that a platform appends to a resubmission: mm-2.c is 2, mm.c is 0."""
    m = re.search(r"[-_ ]\(?(\d+)\)?\.[^.]+$", path)
    return int(m[1][-9:]) if m else 0


def _named(path: str, sha: str, layout: str, filename: str) -> list[Found]:
    """NAME_mm.c, wherever it lies."""
    m = re.fullmatch(rf"(.+)[_-]{re.escape(filename)}", PurePosixPath(path).name, re.I | re.S)
    if m is None or layout not in ("auto", "names"):
        return []
    return [Found(path, sha, Claim("names", m[1], m[1]))]


def _folders(files: list[tuple[str, str]], base: str) -> list[Found]:
    """A folder per person, below whatever folders all submissions share; GitHub's assignment prefix removed."""
    split = [(PurePosixPath(path).parts[:-1], path, sha) for path, sha in files]
    real = [parts for parts, _, sha in split if sha]
    top = _shared(real)
    if len(real) == 1:
        top = 0
    elif top and any(len(parts) == top for parts in real):
        top -= 1
    owned = [(parts[top] if len(parts) > top else base, path, sha) for parts, path, sha in split
             if sha or (len(parts) > top and (not real or parts[:top] == real[0][:top]))]
    prefix = _github_prefix({key for key, _, _ in owned})
    found = []
    for key, path, sha in owned:
        login = re.sub(r"-(main|master)$", "", key)[len(prefix):] or key
        ids = {"github": login} if prefix else {}
        found.append(Found(path, sha, Claim("github", login, ids=ids), number=_copy(path)))
    return found


def _shared(paths: list[tuple[str, ...]]) -> int:
    """How many leading folders all PATHS share."""
    if not paths:
        return 0
    low, high = min(paths), max(paths)
    count = 0
    while count < min(len(low), len(high)) and low[count] == high[count]:
        count += 1
    return count


def _github_prefix(keys: set[str]) -> str:
    """'malloclab-' when every one of at least two folders is malloclab-LOGIN."""
    if len(keys) < 2:
        return ""
    low, high = min(keys), max(keys)
    length = next((i for i, (a, b) in enumerate(zip(low, high)) if a != b), min(len(low), len(high)))
    return low[:low[:length].rfind("-") + 1]


def _attempts(intake: Intake, found: list[Found], due: datetime | None) -> None:
    """Joins files to people; of two files for one attempt the one nearest the top counts."""
    chosen: dict[tuple[str, int], Found] = {}
    owners: dict[str, Person] = {}
    strangers: set[str] = set()
    for item in sorted(found, key=lambda f: (f.path.count("/"), f.path)):
        person = intake.roster.person_for(item.claim)
        owners[person.key] = person
        if intake.roster.given and not person.on_roster and person.key not in strangers:
            strangers.add(person.key)
            intake.notes.append(Note("unknown", item.path, f"{plain(item.path)}: '{person.shown}' is not on the "
                                     "roster; graded all the same", person.key))
        first = chosen.setdefault((person.key, item.number), item)
        if first is not item:
            same = " (the same content)" if first.sha256 == item.sha256 else ""
            intake.notes.append(Note("duplicate", item.path, f"{person.shown} has two files for one attempt: "
                                     f"{plain(first.path)} is graded, {plain(item.path)} is not{same}", person.key))
    for (key, number), item in sorted(chosen.items(), key=lambda pair: (pair[0], pair[1].path)):
        late = item.late or _after(item.time, due)
        intake.attempts.append(Attempt(owners[key], item.path, item.sha256, number, late, item.time))


def _missing(intake: Intake, others: list[Found], filename: str, refused: dict[str, str]) -> None:
    """People who handed in something else, or what was REFUSED, and people of the roster who handed in nothing."""
    have = {attempt.person.key for attempt in intake.attempts}
    instead: dict[str, list[str]] = defaultdict(list)
    whose: dict[str, Person] = {}
    unusable: dict[str, str] = {}
    for item in others:
        person = intake.roster.person_for(item.claim)
        if person.key not in have:
            whose[person.key] = person
            instead[person.key].append(PurePosixPath(item.path).name)
            if item.path in refused and candidate(item.path, filename):
                unusable.setdefault(person.key, f"{plain(PurePosixPath(item.path).name)} {refused[item.path]}")
    for key, names in sorted(instead.items()):
        why = (f" that can be graded: {unusable[key]}" if key in unusable
               else f" (found {plain(', '.join(sorted(names)[:3]))})")
        intake.notes.append(Note("missing", "", f"{whose[key].shown} has no {filename}{why}", key))
    for person in intake.roster.people:
        if person.on_roster and person.key not in have and person.key not in instead:
            intake.notes.append(Note("missing", "", f"{person.shown} handed in nothing", person.key))


def _after(time: str, due: datetime | None) -> bool:
    """Whether TIME (ISO 8601, or Gradescope's '... Z') is past DUE."""
    if not time or due is None:
        return False
    return parse_time(time) > due


def parse_time(text: str) -> datetime:
    """An ISO 8601 time, as people and platforms write it; UTC where it names no zone."""
    clean = re.sub(r"(\.\d{6})\d+", r"\1", text.strip().replace(" UTC", "+00:00").replace(" Z", "+00:00"))
    clean = re.sub(r" ([+-]\d\d):?(\d\d)$", r"\1:\2", clean)
    try:
        time = datetime.fromisoformat(clean)
    except ValueError as error:
        raise Problem(f"'{plain(text)}' is not a time; write 2026-11-24T23:59 or 2026-11-24T23:59+01:00") from error
    return time if time.tzinfo else time.replace(tzinfo=timezone.utc)


def read_gradescope_metadata(text: str) -> dict[str, list[dict[str, str]]]:
    """Who submitted what, from the submission_metadata.yml of a Gradescope export.

    Only the part of YAML that Gradescope writes there: a top key per submission, its submitters' :name:, :sid: and
    :email:, and :created_at:. A full parser would be a dependency for four fields.
    """
    table: dict[str, list[dict[str, str]]] = {}
    people: list[dict[str, str]] = []
    in_submitters = False
    for line in text.splitlines():
        if m := re.match(r"^(submission_\d+):\s*$", line):
            people = table.setdefault(m[1], [])
            in_submitters = False
        elif re.match(r"^  :submitters:", line):
            in_submitters = True
        elif m := re.match(r"^  :created_at:\s*(.+?)\s*$", line):
            in_submitters = False
            for person in people:
                person["created_at"] = m[1].strip("'\"")
        elif re.match(r"^  :\w+:", line):
            in_submitters = False
        elif in_submitters and (m := re.match(r"^\s*(-)?\s*:(\w+):\s*(.*?)\s*$", line)):
            if m[1]:
                people.append({})
            if people:
                people[-1][m[2]] = m[3].strip("'\"")
    return table
