"""mdriver's results as the pictures and pages see them: where they come from, and what a course makes of them."""

import json
import subprocess
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from grader.errors import FAULT, Problem
from grader.mdriver import find
from grader.platforms import failed
from grader.report.events import Events, read_events
from grader.store import Row, Store
from grader.text import plain


@dataclass
class Subject:
    """One allocator or one student's submission: its name, its result, and where its events are."""

    name: str
    result: dict
    events: Path | None = None
    row: Row | None = None
    shipped: bool = False
    real: bool = False  # an allocator of the real world

    @property
    def score(self) -> dict:
        """The result's score; empty when nothing was graded."""
        return self.result.get("score") or {}

    def trace(self, name: str) -> dict | None:
        """One trace's entry by its name, with or without .rep and .gz."""
        return next((t for t in self.result["traces"] if stem(t["name"]) == stem(name)), None)

    @property
    def relative_error(self) -> float | None:
        """How far the speed was reproduced: the mean over timed traces; a fraction, None when nothing was timed."""
        errors = [t["relative_error"] for t in self.result["traces"] if t.get("relative_error") is not None]
        return sum(errors) / len(errors) if errors else None

    def failing(self) -> list[dict]:
        """The traces that failed, in order."""
        return [t for t in self.result["traces"] if failed(t)]

    def choose_trace(self, wanted: str | None) -> tuple[dict, str]:
        """The trace to draw and why: the one asked for, the only one, the first that fails, or the one with the worst
        utilization. Raises Problem when there is none."""
        traces = self.result["traces"]
        if wanted is not None:
            found = self.trace(wanted)
            if found is None:
                names = ", ".join(plain(stem(t["name"]), 30) for t in traces[:40])
                raise Problem(f"--trace {plain(wanted)}: no such trace in this result; there are: {names or 'none'}")
            return found, ""
        if not traces:
            raise Problem(f"{plain(self.name)}: the result holds no trace; nothing was run")
        if len(traces) == 1:
            return traces[0], ""
        failing = self.failing()
        if failing:
            return failing[0], f"{stem(failing[0]['name'])}: the first of {len(failing)} that fail"
        worst = min(traces, key=lambda t: t["utilization"] / (t["ceiling"] or 1))
        return worst, (f"{stem(worst['name'])}: of {len(traces)} traces the one with the lowest utilization for its "
                       "ceiling")

    def read(self, trace: dict) -> Events:
        """The events of one trace. Raises Problem when there are none."""
        path = self.events_path(trace)
        if path is None:
            raise Problem(f"no events of trace {plain(stem(trace['name']))} of {plain(self.name)}; write them with "
                          "mdriver --events DIR and give --events DIR")
        return read_events(path)

    def events_path(self, trace: dict) -> Path | None:
        """The file with one trace's events, or None."""
        if self.events is None:
            return None
        if self.events.is_file():
            return self.events if len(self.result["traces"]) == 1 else None
        file = file_of(trace)
        name = (self.result.get("submission") or {}).get("name", "").replace("/", "_")
        places = [self.events / name / file, self.events / file]
        if len(self.result["traces"]) == 1:
            places.append(self.events / "trace.tsv")
        return next((path for path in places if path.is_file()), None)


def file_of(trace: dict) -> str:
    """The file in a folder of events that has this trace's."""
    name = stem(trace["name"]).replace("/", "_") + ".tsv"
    return "_" + name[1:] if name.startswith(".") else name


def stem(name: str) -> str:
    """A trace's name without .rep and .gz."""
    return name.removesuffix(".gz").removesuffix(".rep")


def load_results(paths: Sequence[Path], events: Path | None = None) -> list[Subject]:
    """The allocators in mdriver's JSON files, each file one result or several."""
    if events is not None and not events.exists():
        raise Problem(f"--events {plain(str(events), 200)}: no such file or folder")
    subjects: list[Subject] = []
    for path in paths:
        try:
            data = json.loads(path.read_text(encoding="utf-8"))
        except OSError as error:
            raise Problem(f"{plain(str(path), 200)}: {error.strerror}") from error
        except ValueError as error:
            raise Problem(f"{plain(str(path), 200)}: not JSON ({plain(str(error))}); write it with mdriver --json "
                          "FILE") from error
        if not isinstance(data, dict) or data.get("schema") != 1:
            raise Problem(f"{plain(str(path), 200)}: not a result of mdriver (schema 1); write it with mdriver --json "
                          "FILE")
        for result in data.get("results", [data]):
            if not isinstance(result, dict) or not isinstance(result.get("traces"), list):
                raise Problem(f"{plain(str(path), 200)}: a result without traces; write it again with mdriver --json "
                              "FILE")
            subjects.append(_subject(result, events))
    if not subjects:
        raise Problem("the result file holds no results")
    return subjects


def _subject(result: dict, events: Path | None) -> Subject:
    submission = result.get("submission") or {}
    name = submission.get("name") or "unnamed"
    shipped = submission.get("path") == name and not name.endswith(".c")  # called by its name, not as a file
    return Subject(plain(name, 60), result, events, shipped=shipped)


def load_batch(store: Store) -> Iterator[Subject]:
    """The graded people of a batch, one at a time."""
    for row, result in store.results():
        yield Subject(row.person.shown, result, row=row)


@dataclass(frozen=True)
class Part:
    """One term of a course's formula."""

    measure: str  # utilization, kops or relative
    points: float
    low: float
    high: float
    power: float
    unbounded: bool

    def value(self, figure: float) -> float:
        """points * clamp((figure - low) / (high - low))^power."""
        share = max(0.0, (figure - self.low) / (self.high - self.low))
        return self.points * (share if self.unbounded else min(1.0, share)) ** self.power


@dataclass(frozen=True)
class Course:
    """How a course turns utilization and speed into an index."""

    name: str
    parts: tuple[Part, ...]
    product: bool
    of_ceiling: bool

    @property
    def speed(self) -> str:
        """The speed that this course scores: relative or kops."""
        return next((p.measure for p in self.parts if p.measure != "utilization"), "relative")

    def index(self, utilization: float, speed: float) -> float:
        """The index of a point on the plane."""
        values = [part.value(utilization if part.measure == "utilization" else speed) for part in self.parts]
        if not self.product:
            return sum(values)
        result = 1.0
        for value in values:
            result *= value
        return result

    def iso(self, level: float, low: float, high: float, points: int = 241) -> list[tuple[float, float]]:
        """(utilization, speed) along which the index is LEVEL, for speeds in LOW .. HIGH (logarithmic)."""
        line = []
        for i in range(points):
            speed = low * (high / low) ** (i / (points - 1))
            if self.index(0.0, speed) > level or self.index(1.0, speed) < level:
                continue
            left, right = 0.0, 1.0
            for _ in range(40):
                middle = (left + right) / 2
                left, right = (middle, right) if self.index(middle, speed) < level else (left, middle)
            line.append((right, speed))
        return line


@lru_cache
def load_course(name: str) -> Course:
    """A course by its name, as mdriver knows it."""
    done = subprocess.run([find(None), "--course-json", name], capture_output=True, text=True, check=False)
    try:
        data = json.loads(done.stdout)
    except ValueError:
        raise Problem(f"course {plain(name)}: mdriver does not tell it: {plain(done.stderr.strip(), 200)}",
                      FAULT) from None
    parts = tuple(Part(p["measure"], p["points"], p["low"], p["high"], p["power"], p["unbounded"])
                  for p in data["parts"])
    return Course(name, parts, data["combine"] == "product", data["utilization"]["of"] == "ceiling")


def front(points: Sequence[tuple[float, float]]) -> list[int]:
    """Indices of the points that none beats in both figures, by utilization."""
    best, chosen = float("-inf"), []
    for index in sorted(range(len(points)), key=lambda i: (-points[i][0], -points[i][1])):
        if points[index][1] > best:
            best = points[index][1]
            chosen.append(index)
    return chosen[::-1]
