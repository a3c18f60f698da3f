"""statistics and leaderboard: figures against a class computed by hand, aliases, benchmarks, formats."""

import csv
import io
import json
import tracemalloc
import unicodedata
from pathlib import Path

import pytest
from conftest import FAKE, ROOT, Grader
from made_class import HOSTILE_NAMES, Student, made_class, mixed_class, result

from grader import benchmarks, statistics
from grader.people import Person
from grader.statistics import Entry, collect, histogram, of_store, percentile, spread
from grader.store import Row
from grader.text import fit

TRACES = {"short.rep": "20000\n2\n4\n1\na 0 512\na 1 128\nf 1\nf 0\n",
          "grow.rep": "20000\n1\n4\n1\na 0 16\nr 0 64\nr 0 900\nf 0\n"}


def test_spread_and_histogram():
    """Quartiles by interpolation, bars from 0 to the top, outliers in the end bars."""
    s = spread([4.0, 1.0, 3.0, 2.0])
    assert (s.count, s.low, s.quarter, s.median, s.three_quarters, s.high, s.mean) == (4, 1, 1.75, 2.5, 3.25, 4, 2.5)
    assert spread([7.0]).median == 7 and spread([]).count == 0
    bars = histogram([0.0, 4.9, 5.0, 99.9, 100.0, 120.0, -3.0], 100.0)
    assert [bar.count for bar in bars] == [3, 1] + [0] * 17 + [3]
    assert bars[0].low == 0 and bars[-1].high == 100
    assert sum(bar.count for bar in histogram([3.0, 9.0], None)) == 2 and len(histogram([], None)) == 20


def test_class_figures(tmp_path: Path):
    """Status, scores, verdicts and failures of a class known by heart."""
    students = [Student(Person(f"s{i}"), 0.0, ("realloc2.rep", "overlap", 38)) for i in range(28)]
    students += [Student(Person(f"t{i}"), 0.0, ("realloc2.rep", "overlap", 50 + i)) for i in range(3)]
    students += [Student(Person(f"u{i}"), 0.0, ("random.rep", "crash", 7)) for i in range(2)]
    students += [Student(Person(f"v{i}"), 50.0 + i, utilization=0.5 + i / 200, kops=1000.0 * (88 - i))
                 for i in range(87)]
    students += [Student(Person("w"), fault="ours"), Student(Person("x")), Student(Person("y"), 0.0, build_log="error")]
    found = of_store(made_class(tmp_path / "out", students))
    assert found.status == {"graded": 121, "missing": 1, "waiting": 0, "fault": 1} and found.people == 123
    assert found.valid == 87 and found.verdicts == {"ok": 87, "overlap": 31, "crash": 2, "build": 1}
    assert found.failures[0].sentence == ("31 of 120 fail realloc2.rep: overlap at a realloc; 28 of them at request 38 "
                                          "(line 42)")
    assert found.failures[1].sentence == "2 of 120 fail random.rep: crash at a realloc; all at request 7 (line 11)"
    assert len(found.failures) == 2 and len(found.failures[0].people) == 31
    assert found.best == {"score": "v86", "utilization": "v86", "kops": "v0"}
    realloc2 = next(trace for trace in found.traces if trace.name == "realloc2.rep")
    assert (realloc2.graded, realloc2.valid, realloc2.verdicts) == (120, 89, {"overlap": 31, "ok": 89})
    assert realloc2.best_kops == (88_000.0, "v0") and realloc2.utilization.count == 89
    assert found.entries[0].key == "v86" and found.entries[0].rank == 1
    assert [entry.rank for entry in found.entries[-34:]] == [88] * 34, "equal scores share a rank"
    assert sum(bar.count for bar in found.histogram) == 121 and found.histogram[0].count == 34
    json.dumps(found.as_json())


@pytest.mark.parametrize("text", [
    "", "Ann", "x" * 29, "x" * 30, "x" * 31, "名前 太郎", "名" * 20, "e\u0301" * 40, "a\tb\u202e"])
def test_columns_line_up(text: str):
    """A name takes exactly its columns, whatever it is made of."""
    shown = fit(text, 30)
    width = sum(0 if unicodedata.combining(c) else 2 if unicodedata.east_asian_width(c) in "WF" else 1 for c in shown)
    assert width == 30 and "\u202e" not in shown


def test_percentile():
    """The share of the others that are below."""
    entries = [Entry(1, k, k, k, s, 100, "ok") for k, s in (("a", 90.0), ("b", 50.0), ("c", 50.0), ("d", 10.0))]
    assert [round(percentile(entry, entries), 2) for entry in entries] == [1.0, 0.33, 0.33, 0.0]
    assert percentile(entries[0], entries[:1]) == 1.0


def test_grader_verdicts_are_nobodys(tmp_path: Path):
    """Traces that were not run, or that we broke, count neither as graded nor as failed."""
    student = Student(Person("a"), 0.0, ("random.rep", "skipped", 0))
    found = of_store(made_class(tmp_path / "out", [student, Student(Person("b"), 9.0)]))
    assert not found.failures
    assert next(trace for trace in found.traces if trace.name == "random.rep").graded == 1


def test_memory_stays_small():
    """What is kept of a submission is far less than its result: a large class fits."""
    def rows(number: int):
        for i in range(number):
            student = Student(Person(f"s{i}"), float(i % 100))
            row = Row(student.person, 1, score=student.index, max=100.0, verdict="ok", utilization=0.8, kops=1.0,
                      relative=1.0, attempts=1)
            yield row, result(student, "0" * 64)

    tracemalloc.start()
    found = collect(rows(4000), "secret")
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert len(found.entries) == 4000 and peak / 4000 < 2500, f"{peak / 4000:.0f} bytes a submission"


def lines_of(grader: Grader, *args: object) -> str:
    """The standard output of `leaderboard`."""
    return grader.run("leaderboard", grader.out, "--no-benchmarks", *args).stdout


def test_board(grader: Grader):
    """The table: ranks, verdicts, nobody without a score; hostile names cannot move the cursor."""
    mixed_class(grader.out).close()
    text = lines_of(grader)
    rows = [line for line in text.splitlines() if line[:5].strip().isdigit()]
    assert rows[0].split()[:3] == ["1", "Doe,", "Ann"] and rows[0].endswith("late")
    assert len(rows) == 3 + len(HOSTILE_NAMES) and "Moe, Di" not in text and "Zoe, Ed" not in text
    assert not any(ord(c) < 32 and c != "\n" or c in "\u202e\u061c" for c in text)
    assert "1 of 16 fail realloc2.rep: overlap at a realloc" in text
    assert "Best: score 87.25 (Doe, Ann), utilization 80.0 % (Doe, Ann), 12,000 Kops (Doe, Ann)." in text
    assert lines_of(grader, "--top", "2").count("\n") < text.count("\n") - 10
    by_kops = [line for line in lines_of(grader, "--sort", "kops").splitlines() if line[:5].strip().isdigit()]
    assert by_kops[-1].split()[-1] == "build", "who has no figure comes last"


def test_anonymous(grader: Grader):
    """No format tells who anybody is; aliases stay, differ, and cannot be computed from a name."""
    mixed_class(grader.out).close()
    secret_words = ["Ann", "Doe", "Roe", "bob", "ann@x.edu", "名前", "4242"]
    for kind in ("text", "csv", "json"):
        text = lines_of(grader, "--anonymous", "--format", kind)
        assert not [word for word in secret_words if word in text], kind
        assert "student " in text
    entries = json.loads(lines_of(grader, "--anonymous", "--format", "json"))["entries"]
    names = [entry["alias"] for entry in entries]
    assert len(set(names)) == len(names) and names == [
        entry["alias"] for entry in json.loads(lines_of(grader, "--anonymous", "--format", "json"))["entries"]]
    assert statistics.alias("ann", "x") != statistics.alias("ann", "y")
    assert set(entries[0]) == {"rank", "alias", "score", "max", "verdict", "utilization", "kops", "relative"}


def test_csv(grader: Grader):
    """Nothing that a spreadsheet would run."""
    mixed_class(grader.out).close()
    rows = list(csv.reader(io.StringIO(lines_of(grader, "--format", "csv"), newline="")))
    assert rows[0][:3] == ["rank", "kind", "name"] and len(rows) == 4 + len(HOSTILE_NAMES)
    assert not [text for row in rows for text in row if text[:1] in tuple("=+-@")]


def test_benchmarks_measured_once(tmp_path: Path, capfd: pytest.CaptureFixture):
    """Every shipped allocator and the real ones, on the batch's traces; kept, and redone for another course."""
    traces = tmp_path / "traces"
    traces.mkdir()
    for name, text in TRACES.items():
        (traces / name).write_text(text)
    store = made_class(tmp_path / "out", [Student(Person("a"), 10.0)])
    store.put(mdriver=str(ROOT / "mdriver"), trace_folder=str(traces), course_argument="classic")
    assert benchmarks.of_store(store, measure=False) == []
    found = benchmarks.of_store(store)
    shipped = {mark.name: mark for mark in found if mark.kind == "shipped"}
    real = {mark.name: mark for mark in found if mark.kind == "real"}
    assert {"implicit", "explicit", "segregated"} <= set(shipped) and "libc" in real
    assert all(mark.score is not None and 0 < mark.utilization <= 1 and mark.kops > 0 for mark in shipped.values())
    assert real["libc"].kops > 0 and real["libc"].score is None and 0 < real["libc"].utilization
    kept = (tmp_path / "out" / "benchmarks.json").read_bytes()
    store.put(mdriver="/nowhere/mdriver")
    assert benchmarks.of_store(store) == found and (tmp_path / "out" / "benchmarks.json").read_bytes() == kept
    store.put(course="another")
    assert benchmarks.of_store(store) == [] and "shown without benchmarks" in capfd.readouterr().err


def test_board_without_mdriver(grader: Grader):
    """A grader that cannot measure shows the class all the same."""
    made_class(grader.out, [Student(Person("a", "Ann"), 10.0)]).put(mdriver=str(FAKE))
    done = grader.run("leaderboard", grader.out)
    assert "Ann" in done.stdout and "shown without benchmarks" in done.stderr


def test_problems(grader: Grader):
    """Wrong input is one sentence."""
    assert "holds no results.sqlite" in grader.run("leaderboard", grader.folder, expect=2).stderr
    made_class(grader.out, []).close()
    assert "--top 0: at least 1" in grader.run("leaderboard", grader.out, "--top", "0", expect=2).stderr
    assert "0 people graded" in lines_of(grader)
