"""grade: results, faults, resuming."""

import os
import re
import shutil
import signal
import subprocess
import tempfile
import time
from pathlib import Path

import pytest
from conftest import FAKE, ROOT, Grader, write_class


def test_verdicts_and_faults(grader: Grader):
    """Each way to end shows as itself; ours is retried once and is never a zero."""
    pile = write_class(grader.folder / "pile", {
        "ann/mm.c": "ok 91", "bob/mm.c": "crash", "cy/mm.c": "wrong", "di/mm.c": "build", "ed/mm.c": "fault",
        "flo/mm.c": "fault-once", "gus/mm.c": "signal", "hal/mm.c": "no-json", "ivy/mm.c": "bad-json",
        "jo/mm.c": "grader"})
    done = grader.grade(pile, expect=5)
    rows = grader.rows()
    assert {key: row.status for key, row in rows.items()} == {
        "ann": "graded", "bob": "graded", "cy": "graded", "di": "graded", "ed": "fault", "flo": "graded",
        "gus": "fault", "hal": "fault", "ivy": "fault", "jo": "fault"}
    assert rows["ann"].score == 91 and rows["bob"].score == 0 and rows["bob"].verdict == "crash"
    assert all(rows[key].score is None for key in ("ed", "gus", "hal", "ivy", "jo"))
    assert "killed by signal 11" in rows["gus"].fault and "wrote no JSON" in rows["hal"].fault
    assert grader.calls(rows["ed"].sha256) == 2
    assert grader.calls(rows["di"].sha256) == 1, "nothing to time in a file that does not compile"
    assert "their students lost nothing" in done.stdout


def test_nothing_is_graded_twice(grader: Grader):
    """A second run does nothing, --regrade does what it says, a new file only that file."""
    pile = write_class(grader.folder / "pile", {f"s{i}/mm.c": f"ok {i}" for i in range(5)})
    grader.grade(pile)
    calls = grader.calls(kind="time")
    assert "5 of 5 are graded already" in grader.grade(pile).stderr
    assert grader.calls(kind="time") == calls
    before = grader.calls(kind="time")
    grader.grade(pile, "--regrade", "s3")
    assert grader.calls(kind="time") - before == 1
    (pile / "s4" / "mm.c").write_text("// fake: ok 99\n")
    grader.grade(pile)
    assert grader.calls(kind="time") - before == 2
    assert grader.rows()["s4"].score == 99
    grader.grade(pile, "--regrade", "all")
    assert grader.calls(kind="time") - before == 7
    assert "no such person" in grader.grade(pile, "--regrade", "nobody", expect=2).stderr


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_interrupted(grader: Grader, number):
    """Ctrl-C ends with 130, a sentence, no children left; then it resumes."""
    pile = write_class(grader.folder / "pile", {f"s{i}/mm.c": "sleep 0.1" for i in range(12)})
    process = grader.start("grade", pile, "-o", grader.out, "--no-sandbox")
    deadline = time.monotonic() + 10
    while grader.calls(kind="time") < 3 and time.monotonic() < deadline:
        time.sleep(0.02)
    process.send_signal(number)
    _, errors = process.communicate(timeout=10)
    assert process.returncode == 130 and "the same command resumes" in errors
    time.sleep(0.3)
    calls = grader.calls()
    time.sleep(0.3)
    assert grader.calls() == calls, "a child went on after the end"
    grader.grade(pile)
    assert all(row.status == "graded" for row in grader.rows().values())


def test_damaged_results(grader: Grader):
    """A results file that a failing disk cut, emptied or overwrote: each command says so in one sentence, and what to do
    works. A stored submission that is not whole is stored again, and never graded as it is."""
    pile = write_class(grader.folder / "pile", {f"s{i}/mm.c": f"ok {i}" for i in range(3)})
    grader.grade(pile)
    path = grader.out / "results.sqlite"
    whole = path.read_bytes()
    page = 4096
    for damaged in (whole[:page + 100], b"no database" * 1000, whole[:2 * page] + bytes(len(whole) - 2 * page)):
        path.write_bytes(damaged)
        for done in (grader.run("export", grader.out, "csv", expect=5), grader.grade(pile, expect=5)):
            assert "damaged" in done.stderr and "move it away" in done.stderr and done.stderr.count("\n") == 1
    path.write_bytes(b"")
    assert "holds no results; first run" in grader.run("export", grader.out, "csv", expect=2).stderr
    for source in (grader.out / "sources").iterdir():
        source.write_bytes(source.read_bytes()[:10])
    grader.grade(pile)
    assert {key: row.score for key, row in grader.rows().items()} == {"s0": 0, "s1": 1, "s2": 2}


def test_results_of_a_colleague(grader: Grader):
    """Who may read a folder of results, and not write there, can export it."""
    grader.grade(write_class(grader.folder / "pile", {"ann/mm.c": "ok 91"}))
    with tempfile.TemporaryDirectory(prefix="colleague #") as folder:
        out = Path(shutil.copytree(grader.out, Path(folder, "o?t")))
        os.chmod(folder, 0o755)
        os.chmod(out, 0o555)
        nobody = {"user": 65534, "group": 65534, "extra_groups": []} if os.geteuid() == 0 else {}
        done = subprocess.run(grader.argv("export", out, "csv"), cwd=ROOT, capture_output=True, text=True, check=False,
                              **nobody)
        os.chmod(out, 0o755)
    assert done.returncode == 0 and "ann,,,graded,91.00" in done.stdout, done.stderr


def test_only_one_grader_in_a_folder(grader: Grader):
    """A second grader on the same folder is refused."""
    pile = write_class(grader.folder / "pile", {"a/mm.c": "sleep 1"})
    process = grader.start("grade", pile, "-o", grader.out, "--no-sandbox")
    try:
        time.sleep(0.5)
        assert "another grader" in grader.grade(pile, expect=2).stderr
    finally:
        process.kill()
        process.communicate()


def test_problems_are_one_sentence(grader: Grader):
    """Bad input: one line on stderr, the right status, no traceback."""
    pile = write_class(grader.folder / "pile", {"a/mm.c": "ok"})
    (grader.folder / "junk.zip").write_bytes(b"this is no archive")
    (grader.folder / "empty").mkdir()
    (grader.folder / "latin.csv").write_bytes(b"name,email\nJos\xe9,x@y\n")
    (grader.folder / "twice.csv").write_text("name,email\nA,x@y\nB,x@y\n")
    (grader.folder / "strange.csv").write_text("colour,weight\nred,1\n")
    latin = grader.folder / "traces\udce9"
    latin.mkdir()
    (latin / "a.rep").write_text("1\n")
    cases = [
        ([pile, "-t", latin], 2, "not UTF-8; rename it"),
        ([grader.folder / "junk.zip"], 2, "not a readable zip or tar"),
        ([grader.folder / "nothing"], 2, "No such file"),
        ([grader.folder / "empty"], 2, "no mm.c in it"),
        ([pile, "-c", "nowhere"], 2, "no such course"),
        ([pile, "-t", grader.folder / "nothing"], 2, "no such folder of traces"),
        ([pile, "--roster", grader.folder / "latin.csv"], 2, "latin.csv:2: not UTF-8"),
        ([pile, "--roster", grader.folder / "twice.csv"], 2, "twice.csv:3: 'x@y' is already on line 2"),
        ([pile, "--roster", grader.folder / "strange.csv"], 2, "no column names a student"),
        ([pile, "--jobs", "0"], 2, "at least 1"),
        ([pile, "--due", "tomorrow"], 2, "is not a time"),
        ([pile, "--mdriver", grader.folder / "nothing"], 2, "not an executable mdriver"),
    ]
    for args, status, words in cases:
        done = grader.grade(*args, expect=None)
        lines = [line for line in done.stderr.splitlines() if line.startswith("grader: ")]
        assert done.returncode == status and len(lines) == 1 and words in lines[0], (args, done.stderr)
        assert "Traceback" not in done.stderr


def test_sandbox_holds():
    """Every promise of the wall, tried. Fails, never skips, where there is no sandbox."""
    from grader.sandbox import self_test
    broken = [(promise, message) for promise, held, message in self_test() if not held]
    assert not broken
    assert os.access(FAKE, os.X_OK)


def test_in_the_sandbox(grader: Grader):
    """The same batch behind the wall; the log shows that the environment does not get in."""
    pile = write_class(grader.folder / "pile", {"ann/mm.c": "ok 91", "bob/mm.c": "crash"})
    grader.run("grade", pile, "-o", grader.out)
    assert grader.rows()["ann"].score == 91 and grader.rows()["bob"].verdict == "crash"
    assert grader.calls() == 0


def test_results_among_the_submissions(grader: Grader):
    """`grade . -o out`: what was written there is nobody's submission, the next time either."""
    pile = write_class(grader.folder / "pile", {"ann/mm.c": "ok 90", "bob/mm.c": "ok 80"})
    grader.out = pile / "out"
    for _ in range(2):
        done = grader.grade(pile)
        assert "2 people graded" in done.stdout and "0 without a submission" in done.stdout
        assert "missing" not in done.stderr
    assert set(grader.rows()) == {"ann", "bob"}


def test_wrong_input_is_said_before_anything_is_graded(grader: Grader):
    """A sentence in the words of who found it, and the exit status for it."""
    pile = write_class(grader.folder / "pile", {"ann/mm.c": "ok 90"})
    (grader.folder / "file").write_text("")
    traces = grader.folder / "traces"
    traces.mkdir()
    (traces / "bad.rep").write_text("x\n")
    for out, words in (("file", "-o file: that is a file; name a folder"), ("/proc/x", "-o /proc/x: cannot make"),
                       (str(pile), "that is the folder of the submissions; name another")):
        assert words in grader.run("grade", pile, "-o", out, expect=2).stderr
    grader.environment = lambda: {**os.environ, "PYTHONPATH": str(ROOT)}  # the real mdriver
    for more, words in ((["-c", "clasic"], "did you mean 'classic'"),
                        (["-t", traces], f"{traces}/bad.rep:1: expected")):
        said = grader.run("grade", pile, "-o", grader.out, *more, "--no-sandbox", expect=2).stderr
        assert re.match(rf"grader: .*{re.escape(words)}.*; nothing was graded$", said.splitlines()[-1])
        assert "status" not in said
