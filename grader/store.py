"""The results of a batch, in one SQLite file: each result one transaction, on disk before it is reported."""

import json
import os
import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timezone
from pathlib import Path

from grader.errors import FAULT, Problem
from grader.people import Person
from grader.submissions import Attempt, Note
from grader.text import plain

SCHEMA = """
CREATE TABLE IF NOT EXISTS meta (key TEXT PRIMARY KEY, value TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS person (
    key TEXT PRIMARY KEY, name TEXT, email TEXT, login TEXT, sis TEXT, canvas TEXT, moodle TEXT, github TEXT,
    section TEXT, on_roster INTEGER);
CREATE TABLE IF NOT EXISTS attempt (
    person TEXT, number INTEGER, sha256 TEXT, path TEXT, late INTEGER, time TEXT, wanted INTEGER,
    PRIMARY KEY (person, number));
CREATE TABLE IF NOT EXISTS note (kind TEXT, path TEXT, sentence TEXT, person TEXT);
CREATE TABLE IF NOT EXISTS result (
    person TEXT, sha256 TEXT, course TEXT, traces TEXT, settings TEXT,
    fault TEXT,                 -- NULL, or why the grader failed; then there is no score
    verdict TEXT, score REAL, max REAL, utilization REAL, kops REAL, relative REAL,
    tries INTEGER, seconds REAL, host TEXT, graded_at TEXT, json TEXT,
    PRIMARY KEY (person, sha256, course, traces, settings));
"""
VERSION = 1


@dataclass(frozen=True)
class Unit:
    """One piece of work; its fields are its identity, so the same work is never done twice."""

    person: str
    sha256: str
    course: str
    traces: str
    settings: str


@dataclass
class Outcome:
    """What became of a unit: a result (mdriver's JSON), or our fault."""

    unit: Unit
    result: dict | None
    fault: str | None = None
    tries: int = 1
    seconds: float = 0.0
    host: str = ""


@dataclass
class Row:
    """One line of the gradebook. `fault` set: the grader failed; `result` None: nothing graded (yet)."""

    person: Person
    attempt: int | None = None
    late: bool = False
    path: str = ""
    sha256: str = ""
    score: float | None = None
    max: float | None = None
    verdict: str = ""
    utilization: float | None = None
    kops: float | None = None
    relative: float | None = None
    fault: str | None = None
    graded_at: str = ""
    attempts: int = 0
    note: str = ""

    @property
    def status(self) -> str:
        """graded, fault, missing or waiting."""
        if self.fault:
            return "fault"
        if self.score is not None:
            return "graded"
        return "waiting" if self.attempts else "missing"


class Store:
    """OUT/results.sqlite."""

    def __init__(self, folder: Path, create: bool = False) -> None:
        self.path = folder / "results.sqlite"
        if not create and not self.path.exists():
            raise Problem(f"{folder}: holds no results.sqlite; first run: python3 -m grader grade SUBMISSIONS -o "
                          f"{folder}")
        with self.guard():
            read_only = not create and not os.access(folder, os.W_OK)  # of a colleague's, say
            place = self.path.resolve().as_uri()
            if read_only:  # a log is there while somebody writes; without one nothing will change
                place += "?mode=ro" if self.path.with_name(self.path.name + "-wal").exists() else "?immutable=1"
            # Autocommit: transactions are opened by hand, in `transaction`. Used by one thread at a time.
            self.db = sqlite3.connect(place, timeout=30, isolation_level=None, check_same_thread=False, uri=True)
            if not read_only:
                self.db.execute("PRAGMA journal_mode=WAL")
                self.db.execute("PRAGMA synchronous=FULL")  # a power cut loses nothing that was reported
            version = self.db.execute("PRAGMA user_version").fetchone()[0]
            if version not in (0, VERSION):
                raise Problem(f"{self.path}: written by another version ({version}); use a new -o folder")
            if not create and version == 0:
                raise Problem(f"{self.path}: holds no results; first run: python3 -m grader grade SUBMISSIONS -o "
                              f"{folder}")
            if create and version == 0:
                self.db.executescript(SCHEMA + f"PRAGMA user_version={VERSION};")

    @contextmanager
    def guard(self) -> Iterator[None]:
        """Turns SQLite's errors into a sentence."""
        try:
            yield
        except sqlite3.Error as error:
            if "full" in str(error) or "disk I/O" in str(error):
                raise Problem(f"{self.path}: the disk is full or failing ({error}); free some space and run the same "
                              "command again, it goes on where it stopped", FAULT) from error
            if "malformed" in str(error) or "not a database" in str(error):
                raise Problem(f"{self.path}: damaged, or not of the grader ({error}); move it away and run `grade` "
                              "again, which grades everything anew; json/ beside it has the results so far",
                              FAULT) from error
            raise Problem(f"{self.path}: {error}; may it be written here, and is no other grader writing to it?",
                          FAULT) from error

    def _ask(self, query: str, values: Sequence[object] = ()) -> list[tuple]:
        """The rows that QUERY finds."""
        with self.guard():
            return self.db.execute(query, values).fetchall()

    @contextmanager
    def transaction(self) -> Iterator[sqlite3.Connection]:
        """One transaction: all of it, or nothing."""
        with self.guard():
            self.db.execute("BEGIN IMMEDIATE")
            try:
                yield self.db
                self.db.execute("COMMIT")
            except BaseException:
                if self.db.in_transaction:
                    self.db.execute("ROLLBACK")
                raise

    def close(self) -> None:
        """Folds the log into the file."""
        self.db.close()

    def get(self, key: str) -> str | None:
        """A fact about the batch."""
        found = self._ask("SELECT value FROM meta WHERE key=?", (key,))
        return found[0][0] if found else None

    def put(self, **facts: str) -> None:
        """Records facts about the batch."""
        with self.transaction() as db:
            db.executemany("INSERT OR REPLACE INTO meta VALUES (?, ?)", facts.items())

    def take_in(self, people: Iterable[Person], attempts: Iterable[Attempt], notes: Iterable[Note],
                which: str) -> None:
        """Replaces what is known of the class; results stay. WHICH attempts are wanted: latest or best (all)."""
        with self.transaction() as db:
            for table in ("person", "attempt", "note"):
                db.execute(f"DELETE FROM {table}")
            db.executemany("INSERT INTO person VALUES (?,?,?,?,?,?,?,?,?,?)", (
                (p.key, p.name, p.email, p.login, p.sis, p.canvas, p.moodle, p.github, p.section, p.on_roster)
                for p in people))
            db.executemany("INSERT INTO attempt VALUES (?,?,?,?,?,?,1)", (
                (a.person.key, a.number, a.sha256, a.path, a.late, a.time) for a in attempts))
            if which == "latest":
                db.execute("UPDATE attempt SET wanted = number = (SELECT max(number) FROM attempt AS other "
                           "WHERE other.person = attempt.person)")
            db.executemany("INSERT INTO note VALUES (?,?,?,?)",
                           ((n.kind, n.path, n.sentence, n.person) for n in notes))

    def todo(self, course: str, traces: str, settings: str) -> list[Unit]:
        """Units without a result; then those that ended in our fault, which are still to do."""
        rows = self._ask(
            "SELECT DISTINCT a.person, a.sha256 FROM attempt a LEFT JOIN result r ON r.person = a.person AND "
            "r.sha256 = a.sha256 AND r.course = ? AND r.traces = ? AND r.settings = ? "
            "WHERE a.wanted AND (r.person IS NULL OR r.fault IS NOT NULL) ORDER BY r.fault IS NOT NULL, a.rowid",
            (course, traces, settings))
        return [Unit(person, sha, course, traces, settings) for person, sha in rows]

    def count_wanted(self) -> int:
        """How many different pieces of work the wanted attempts are."""
        return self._ask("SELECT count(*) FROM (SELECT DISTINCT person, sha256 FROM attempt WHERE wanted)")[0][0]

    def forget(self, who: str) -> int:
        """Removes the results of WHO (a key, name, e-mail or login; or all) so that they are graded again."""
        with self.transaction() as db:
            if who == "all":
                return db.execute("DELETE FROM result").rowcount
            keys = [row[0] for row in db.execute(
                "SELECT key FROM person WHERE ?1 IN (key, name, email, login, canvas, moodle, github, sis)", (who,))]
            if not keys:
                raise Problem(f"--regrade {plain(who)}: no such person; use 'all' or an id from "
                              "`python3 -m grader export OUT csv`")
            return sum(db.execute("DELETE FROM result WHERE person=?", (key,)).rowcount for key in keys)

    def save(self, outcome: Outcome) -> None:
        """Stores one outcome. A graded unit is never overwritten; a fault gives way to a grade."""
        unit, result = outcome.unit, outcome.result or {}
        score = result.get("score") or {}
        index = None if outcome.fault else score.get("index") or 0.0  # what does not build has no index, and earns 0
        with self.transaction() as db:
            db.execute(
                "INSERT INTO result VALUES (?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?) ON CONFLICT DO UPDATE SET "
                "fault=excluded.fault, verdict=excluded.verdict, score=excluded.score, max=excluded.max, "
                "utilization=excluded.utilization, kops=excluded.kops, relative=excluded.relative, "
                "tries=excluded.tries, seconds=excluded.seconds, host=excluded.host, "
                "graded_at=excluded.graded_at, json=excluded.json WHERE result.fault IS NOT NULL",
                (unit.person, unit.sha256, unit.course, unit.traces, unit.settings, outcome.fault,
                 result.get("verdict"), index, score.get("max_index"), score.get("utilization"), score.get("kops"),
                 score.get("relative"), outcome.tries, outcome.seconds, outcome.host,
                 datetime.now(timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ"),
                 json.dumps(result, ensure_ascii=False) if outcome.result is not None else None))

    def current(self) -> tuple[str, str, str]:
        """Course, trace set and settings of the last `grade`: what exports are about."""
        return (self.get("course") or "", self.get("traces") or "", self.get("settings") or "")

    def rows(self) -> Iterator[Row]:
        """The gradebook, a person at a time, by name: the attempt that counts, or why there is none."""
        course, traces, settings = self.current()
        for record in self._ask("SELECT * FROM person ORDER BY name COLLATE NOCASE, key"):
            person = Person(*record[:9], on_roster=bool(record[9]))
            found = self._ask(
                "SELECT a.number, a.late, a.path, a.sha256, r.score, r.max, r.verdict, r.utilization, r.kops, "
                "r.relative, r.fault, r.graded_at FROM attempt a LEFT JOIN result r ON r.person = a.person AND "
                "r.sha256 = a.sha256 AND r.course = ? AND r.traces = ? AND r.settings = ? "
                "WHERE a.person = ? AND a.wanted ORDER BY a.number DESC",
                (course, traces, settings, person.key))
            total = self._ask("SELECT count(*) FROM attempt WHERE person=?", (person.key,))[0][0]
            if found:
                # Latest keeps one row; of several (best) the highest score, and of equals the earliest.
                best = max(found, key=lambda r: (r[4] is not None, r[4] or 0.0, r[10] is None, -r[0]))
                yield Row(person, best[0], bool(best[1]), *best[2:10], best[10], best[11] or "", total)
            else:
                said = self._ask("SELECT sentence FROM note WHERE person=? AND kind='missing'", (person.key,))
                yield Row(person, note=said[0][0] if said else "handed in nothing")

    def result(self, row: Row) -> dict | None:
        """mdriver's JSON behind a gradebook line."""
        found = self._ask(
            "SELECT json FROM result WHERE person=? AND sha256=? AND (course, traces, settings) = (?, ?, ?)",
            (row.person.key, row.sha256, *self.current()))
        return json.loads(found[0][0]) if found and found[0][0] else None

    def results(self) -> Iterator[tuple[Row, dict]]:
        """Every graded line with its JSON, one at a time."""
        for row in self.rows():
            result = self.result(row) if row.status == "graded" else None
            if result is not None:
                yield row, result

    def notes(self) -> list[Note]:
        """What was odd about the pile."""
        return [Note(*row) for row in self._ask("SELECT kind, path, sentence, person FROM note")]
