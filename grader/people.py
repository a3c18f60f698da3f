"""Who is who: rosters, and the rules that map a file's name to a person."""

import csv
import io
from dataclasses import dataclass, field
from pathlib import Path

from grader.errors import Problem
from grader.text import folded, plain

# Column titles (folded) of the rosters people have: Canvas and Moodle exports, Gradescope, our own.
COLUMNS = {
    "name": ("student", "name", "fullname", "studentname"),
    "first": ("firstname", "givenname"),
    "last": ("lastname", "surname", "familyname"),
    "email": ("email", "emailaddress", "mail"),
    "login": ("sisloginid", "login", "username", "user", "andrewid", "netid"),
    "sis": ("sisuserid", "idnumber", "sid", "studentid", "sisid"),
    "canvas": ("id", "canvasid", "canvasuserid"),
    "moodle": ("identifier", "participant", "participantid"),
    "github": ("github", "githubusername", "githublogin"),
    "section": ("section", "sections"),
}


@dataclass
class Person:
    """A student. `key` is unique in the class and is what --regrade takes."""

    key: str
    name: str = ""
    email: str = ""
    login: str = ""
    sis: str = ""
    canvas: str = ""
    moodle: str = ""
    github: str = ""
    section: str = ""
    on_roster: bool = False

    @property
    def shown(self) -> str:
        """The name for a table: safe to print."""
        return plain(self.name or self.key)


@dataclass(frozen=True)
class Claim:
    """What a file's path says about its author. `kind` names the rule that read it."""

    kind: str
    key: str
    name: str = ""
    email: str = ""
    ids: dict[str, str] = field(default_factory=dict, hash=False)


class Roster:
    """The people of a class, found by any of the ids that platforms put in file names."""

    def __init__(self, people: list[Person] | None = None) -> None:
        self.people: list[Person] = []
        self.given = people is not None
        self._by_id: dict[tuple[str, str], Person | None] = {}
        self._keys: set[str] = set()
        for person in people or []:
            self.add(person)

    def add(self, person: Person) -> None:
        """Adds PERSON and everything they can be found by; an id shared by two people finds neither."""
        self.people.append(person)
        self._keys.add(person.key.casefold())
        for kind in ("key", "email", "login", "sis", "canvas", "moodle", "github"):
            value = getattr(person, kind).casefold()
            if value:
                self._index((kind, value), person)
        for name in _names(person.name):
            self._index(("name", name), person)

    def _index(self, key: tuple[str, str], person: Person) -> None:
        other = self._by_id.setdefault(key, person)
        if other is not None and other is not person:
            self._by_id[key] = None

    def by_id(self, kind: str, value: str) -> Person | None:
        """The one person whose KIND (key, email, login, ..., name) is VALUE."""
        return self._by_id.get((kind, folded(value) if kind == "name" else value.casefold()))

    def find(self, claim: Claim) -> Person | None:
        """The person a claim means, if exactly one."""
        tries = [(kind, value.casefold()) for kind, value in claim.ids.items() if value]
        if claim.email:
            tries.append(("email", claim.email.casefold()))
        if claim.kind not in ("canvas", "moodle"):
            word = claim.key.casefold()
            tries += [(kind, word) for kind in ("key", "login", "github", "email", "sis")]
        for text in (claim.name, claim.key):
            if text:
                tries.append(("name", folded(text)))
        for key in tries:
            person = self._by_id.get(key)
            if person is not None:
                return person
        return None

    def person_for(self, claim: Claim) -> Person:
        """The person of the roster, or a new one made from the claim."""
        person = self.find(claim)
        if person is None:
            # Two strangers whose names fold alike stay two people: only the exact key joins them.
            person = self._by_id.get(("claim", claim.kind + ":" + claim.key))
        if person is None:
            person = Person(key=self._free_key(claim.key), name=claim.name, email=claim.email, **claim.ids)
            self.people.append(person)
            self._keys.add(person.key.casefold())
            self._by_id[("claim", claim.kind + ":" + claim.key)] = person
        return person

    def _free_key(self, wish: str) -> str:
        """WISH, or WISH#2 and so on when somebody has that key already."""
        key, number = wish, 1
        while key.casefold() in self._keys:
            number += 1
            key = f"{wish}#{number}"
        return key


def _names(name: str) -> set[str]:
    """The folded forms in which NAME turns up: 'Doe, Jane' is doejane, janedoe and doe."""
    if not name.strip():
        return set()
    if "," in name:
        last, first = name.split(",", 1)
    else:
        first, _, last = name.strip().rpartition(" ")
    forms = {folded(name), folded(first + last), folded(last + first), folded(last)}
    return {form for form in forms if form}


def read_table(path: Path) -> tuple[list[str], list[list[str]], str]:
    """A CSV file: its header, its rows, and its delimiter (comma, semicolon or tab)."""
    try:
        text = path.read_bytes().decode("utf-8-sig")
    except OSError as error:
        raise Problem(f"{path}: {error.strerror}") from error
    except UnicodeDecodeError as error:
        line = error.object[:error.start].count(b"\n") + 1
        raise Problem(f"{path}:{line}: not UTF-8; export the file again as 'CSV UTF-8'") from error
    first = text.split("\n", 1)[0]
    delimiter = max(",;\t", key=first.count)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter)  # a quoted cell may hold line ends
    try:
        rows = [row for row in reader if any(c.strip() for c in row)]
    except csv.Error as error:
        raise Problem(f"{path}:{reader.line_num}: no CSV file ({error}); export it again") from error
    if not rows:
        raise Problem(f"{path}: is empty; a roster needs a header line and one line a student")
    return rows[0], rows[1:], delimiter


def columns(header: list[str]) -> dict[str, int]:
    """Which column of HEADER holds which field of a Person."""
    folds = [folded(title) for title in header]
    return {kind: folds.index(title) for kind, titles in COLUMNS.items()
            for title in titles if title in folds and titles.index(title) == min(
                titles.index(t) for t in titles if t in folds)}


def is_student_row(row: list[str]) -> bool:
    """Whether ROW of a gradebook is a student: not the maxima, and not Canvas' test student."""
    first = row[0].strip().casefold() if row else ""
    return bool(first) and "points possible" not in first and first not in ("student, test", "test student")


def read_roster(path: Path) -> Roster:
    """The people in a CSV file: a Canvas gradebook, a Moodle worksheet, or columns of our own names."""
    header, rows, _ = read_table(path)
    where = columns(header)
    if not {"name", "email", "login", "sis", "last", "github"} & set(where):
        raise Problem(f"{path}:1: no column names a student; have one of Student, Name, Email, Login, "
                      f"GitHub (found: {plain(', '.join(header))})")
    people: list[Person] = []
    seen: dict[str, int] = {}
    for number, row in enumerate(rows, start=2):
        if not is_student_row(row):
            continue
        person = person_of_row(row, where)
        if not person.key:
            raise Problem(f"{path}:{number}: this line names nobody; every line needs a name, e-mail or id")
        if person.key in seen:
            raise Problem(f"{path}:{number}: '{plain(person.key)}' is already on line {seen[person.key]}; "
                          "every student needs an id of their own")
        seen[person.key] = number
        people.append(person)
    return Roster(people)


def person_of_row(row: list[str], where: dict[str, int]) -> Person:
    """One roster line as a Person; the key is the most stable id that it has."""
    def value(kind: str) -> str:
        index = where.get(kind)
        return row[index].strip() if index is not None and index < len(row) else ""

    name = value("name") or " ".join(filter(None, (value("first"), value("last"))))
    moodle = value("moodle").rpartition(" ")[2]
    key = next(filter(None, (value("login"), value("email"), value("sis"), value("github"), value("canvas"),
                             moodle, name)), "")
    return Person(key=key, name=name, email=value("email"), login=value("login"), sis=value("sis"),
                  canvas=value("canvas"), moodle=moodle, github=value("github"), section=value("section"),
                  on_roster=True)
