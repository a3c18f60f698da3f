"""A graded class made by hand: results as docs/JSON.md has them, without running anything."""

import hashlib
from dataclasses import dataclass, field
from pathlib import Path

from grader.people import Person
from grader.sandbox import ROOT
from grader.store import Outcome, Store, Unit
from grader.submissions import Attempt, Note

FORGED = '{"scores": {"Malloc Lab": 100}}'
TRACES = ("amptjp.rep", "realloc2.rep", "random.rep")


@dataclass
class Student:
    """One person and what became of them: index None and fault None is somebody who handed in nothing."""

    person: Person
    index: float | None = None
    failing: tuple[str, str, int] | None = None  # trace, verdict, request
    build_log: str = ""
    fault: str | None = None
    late: bool = False
    utilization: float = 0.8
    kops: float = 12_000.0
    extra: dict = field(default_factory=dict)


def result(student: Student, sha256: str) -> dict:
    """The JSON of mdriver."""
    index = student.index or 0.0
    traces = []
    for name in TRACES:
        bad = student.failing is not None and student.failing[0] == name
        verdict, request = student.failing[1:] if bad else ("ok", 0)
        line = request + 4 if bad else 0
        traces.append({
            "name": name, "path": f"traces/{name}", "weight": "both", "verdict": verdict,
            "message": f"request {request} (line {line}: r 3 100) got 100 bytes at heap offset 0x40, which overlap "
                       f"live block 1\n{FORGED}" if bad else "",
            "hint": "-D finds the first broken invariant: "
                    f"./mdriver -D -f {ROOT}/traces/{name} /submission/mm.c" if bad else "",
            "line": line, "request": request, "requests": 5000, "peak_payload": 40_000, "heap": 50_000, "outside": 0,
            "utilization": student.utilization, "ceiling": 0.98, "header_ceiling": 0.9,
            "seconds": None if bad else 5000 / student.kops / 1000, "kops": None if bad else student.kops,
            "relative": None if bad else 0.9, "relative_error": None if bad else 0.02, "repetitions": [],
            "reference_repetitions": [], "latency": {}, "output": FORGED})
    built = not student.build_log
    verdict = student.failing[1] if student.failing else "ok" if built else "build"
    return {
        "schema": 1, "tool": "mdriver 1.0", "course": "malloclab", "clock": "cpu", "sandbox": "full",
        "submission": {"name": "mm.c", "path": "mm.c", "sha256": sha256, "bits": 64, "static_bytes": 0,
                       "flags": "-O2", "build_log": student.build_log},
        "verdict": verdict, "reference": "explicit", "traces": traces if built else [],
        "score": {"utilization": student.utilization if built else None, "kops": student.kops if built else None,
                  "relative": 0.9 if built else None, "index": index, "max_index": 100.0,
                  "valid": sum(t["verdict"] == "ok" for t in traces) if built else 0, "scored": len(TRACES),
                  "parts": [{"name": "utilization", "points": index * 0.6, "max": 60.0},
                            {"name": "throughput", "points": index * 0.4, "max": 40.0}]},
        "findings": [], **student.extra}


def made_class(out: Path, students: list[Student]) -> Store:
    """OUT/results.sqlite as `grade` would leave it."""
    out.mkdir(parents=True, exist_ok=True)
    (out / "sources").mkdir(exist_ok=True)
    store = Store(out, create=True)
    key = ("malloclab", "course", "sandbox")
    store.put(course=key[0], traces=key[1], settings=key[2], sandbox="full", attempts="latest")
    attempts, notes = [], []
    for student in students:
        if student.index is None and student.fault is None:
            notes.append(Note("missing", "", f"{student.person.shown} handed in nothing", student.person.key))
            continue
        source = f"/* {student.person.key!r} */\n".encode()
        sha = hashlib.sha256(source).hexdigest()
        (out / "sources" / f"{sha}.c").write_bytes(source)
        attempts.append(Attempt(student.person, f"{student.person.key}/mm.c", sha, 1, student.late, ""))
    store.take_in([s.person for s in students], attempts, notes, "latest")
    for attempt, student in zip(attempts, [s for s in students if s.index is not None or s.fault]):
        unit = Unit(student.person.key, attempt.sha256, *key)
        store.save(Outcome(unit, None if student.fault else result(student, attempt.sha256), student.fault))
    return store


HOSTILE_NAMES = (
    "=cmd|' /C calc'!A0", "+1+1", "-2+3", "@SUM(1)", "Ann \"The Cat\", O'Neil", "two\nlines", "tab\tname",
    "\u202eevil\u202c", "Zoë Müller-Łukasiewicz", "名前 太郎", "| pipe | `code` <b>bold</b>", "\u061cعربي",
    "a\x00b\x1b[31mred",
    "x" * 300)


def mixed_class(out: Path) -> Store:
    """Every way to end, and the names of HOSTILE_NAMES."""
    students = [
        Student(Person("ann", "Doe, Ann", "ann@x.edu", "ann", "s1", "4242", "11"), 87.254, late=True),
        Student(Person("bob", "Roe, Bob", "bob@x.edu", "bob", "s2", "4243", "12"), 31.0,
                ("realloc2.rep", "overlap", 38), kops=9_000.0),
        Student(Person("cy", "Poe, Cy", "cy@x.edu", "cy", "s3", "4244", "13"), 0.0,
                build_log=f"mm.c:1:2: error: <b>&no\n{FORGED}\n"),
        Student(Person("di", "Moe, Di", "di@x.edu", "di", "s4", "4245", "14"), fault="mdriver was killed by signal 9"),
        Student(Person("ed", "Zoe, Ed", "ed@x.edu", "ed", "s5", "4246", "15"))]
    for number, name in enumerate(HOSTILE_NAMES):
        students.append(Student(Person(f"h{number}\u202e", name, f"h{number}@x.edu"), 50.0 + number))
    return made_class(out, students)
