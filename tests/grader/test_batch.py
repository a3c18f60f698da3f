"""Batches with the real mdriver behind the wall: hostile submissions in the middle of honest ones change nothing."""

import json
import os
import random
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from conftest import ROOT, SEED, Grader

HOSTILE = ROOT / "tests" / "hostile"
TRACES = ("short-corners.rep", "short-ids.rep", "short-steps.rep", "realloc-arrays.rep.gz", "binary-small.rep.gz")
ALWAYS = ("fork-bomb", "constructor-forges-score", "includes-passwd", "flood", "endless-recursion")
SAMPLE = 8  # further hostile files, other ones for another SEED
QUICK = ("--timing-seconds", "0.3", "--time-limit", "4")


@pytest.fixture
def real(grader: Grader) -> Grader:
    """A grader that calls the mdriver built here."""
    assert (ROOT / "mdriver").exists(), "mdriver is not built: run make"
    grader.environment = lambda: {**{k: v for k, v in os.environ.items() if k != "GRADER_MDRIVER"},
                                  "PYTHONPATH": str(ROOT)}
    traces = grader.folder / "traces"
    traces.mkdir()
    for name in TRACES:
        shutil.copy(ROOT / "traces" / name, traces)
    return grader


def honest() -> dict[str, str]:
    """People and what they hand in."""
    found = {"00-mm": (ROOT / "mm.c").read_text()}
    for person, name in (("50-segregated", "segregated"), ("99-implicit", "implicit")):
        found[person] = subprocess.run(
            [sys.executable, ROOT / "allocators" / "amalgamate.py", ROOT / "allocators" / f"{name}.c"],
            capture_output=True, text=True, check=True).stdout
    return found


def hostile() -> dict[str, tuple[str, str]]:
    """Attacks that need nothing but to be compiled: person -> file, verdict. Names sort in between the honest."""
    base = (HOSTILE / "base.inc").read_text()
    all_of = {}
    for path in sorted(HOSTILE.glob("*.c")):
        text = path.read_text(errors="surrogateescape")
        if expected := re.match(r"// expect: ([a-z-]+)\s*\n", text):
            all_of[path.stem] = (text + base, expected[1])
    assert set(ALWAYS) <= set(all_of), f"tests/hostile lacks some of {ALWAYS}"
    others = random.Random(SEED).sample(sorted(set(all_of) - set(ALWAYS)), SAMPLE)
    print(f"SEED={SEED}: {', '.join(others)}")
    return {f"{10 + 6 * (number % 14)}-{name}": all_of[name] for number, name in enumerate([*ALWAYS, *others])}


def hand_in(folder: Path, files: dict[str, str]) -> Path:
    """A folder per person."""
    for person, text in files.items():
        (folder / person).mkdir(parents=True)
        (folder / person / "mm.c").write_text(text, errors="surrogateescape")
    return folder


def score_of(result: dict) -> tuple:
    """Everything that must be the same in every run: all but times."""
    return (result["verdict"], result["score"]["utilization"], result["score"]["valid"], result["submission"]["bits"],
            [(t["name"], t["verdict"], t["heap"], t["peak_payload"], t["utilization"]) for t in result["traces"]])


def scores(grader: Grader, people) -> dict[str, tuple]:
    """The timeless part of each person's result."""
    store = grader.store()
    try:
        return {row.person.key: score_of(result) for row, result in store.results() if row.person.key in people}
    finally:
        store.close()


def test_hostile_among_honest(real: Grader):
    """Scores of honest people are those that they get alone; each attack gets its verdict and no one else's."""
    good, bad = honest(), hostile()
    traces = real.folder / "traces"
    alone = hand_in(real.folder / "alone", good)
    mixed = hand_in(real.folder / "mixed", good | {person: text for person, (text, _) in bad.items()})
    real.run("grade", alone, "-o", real.out, "-c", "malloclab", "-t", traces, *QUICK)
    wanted = scores(real, good)
    assert len(wanted) == len(good) and all(score[0] == "ok" for score in wanted.values())
    for person in good:  # and those that mdriver gives on a terminal
        done = subprocess.run([ROOT / "mdriver", "-c", "malloclab", "-t", traces, "--check-only", "--json", "-",
                               alone / person / "mm.c"], capture_output=True, text=True, check=True)
        assert score_of(json.loads(done.stdout)) == wanted[person]

    real.out = real.folder / "out-mixed"
    before = {path: path.stat().st_mtime_ns for path in traces.iterdir()}
    real.run("grade", mixed, "-o", real.out, "-c", "malloclab", "-t", traces, "--jobs", "2", *QUICK)
    assert scores(real, good) == wanted
    rows = real.rows()
    assert {key: row.status for key, row in rows.items()} == dict.fromkeys(good | bad, "graded")
    for key, (_, verdict) in bad.items():
        assert rows[key].verdict == verdict or not key.endswith(ALWAYS), key
    assert all(rows[key].score < 100 for key in bad)
    assert {path: path.stat().st_mtime_ns for path in traces.iterdir()} == before
    left = [path for path in Path("/tmp").glob("grader-batch-*") if path.stat().st_mtime > mixed.stat().st_mtime]
    assert not [path for path in left if not _held(path)], "something was left in /tmp"


def _held(path: Path) -> bool:
    """Whether another grader on this machine still uses PATH."""
    from grader.turns import held
    try:
        with held(path, wait=False) as free:
            return not free
    except OSError:
        return True  # gone meanwhile


def test_what_does_not_build_earns_nothing(real: Grader):
    """A result, not a fault: no points, and what the compiler said."""
    pile = hand_in(real.folder / "pile", {"ann": "int mm_init(void) { return nonsense; }\n"})
    real.run("grade", pile, "-o", real.out, "-t", real.folder / "traces", *QUICK)
    row = real.rows()["ann"]
    assert (row.status, row.verdict, row.score) == ("graded", "build", 0)
    assert "nonsense" in real.store().result(row)["submission"]["build_log"]


def test_two_batches_take_turns(real: Grader):
    """Two graders at once on one machine: both end, with the same scores."""
    pile = hand_in(real.folder / "pile", honest())
    outs = [real.folder / "a", real.folder / "b"]
    running = [real.start("grade", pile, "-o", out, "-t", real.folder / "traces", *QUICK) for out in outs]
    for process in running:
        out, errors = process.communicate(timeout=120)
        assert process.returncode == 0, out + errors
    seen = []
    for out in outs:
        real.out = out
        seen.append(scores(real, honest()))
    assert seen[0] == seen[1] and len(seen[0]) == 3
