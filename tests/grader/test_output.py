"""Files that commands write: refused before the work begins, whole or not there when it ends."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from conftest import ROOT, Grader, write_class

from grader.errors import FAULT, Problem
from grader.output import check, replacing, replacing_text


@pytest.mark.parametrize(("name", "words"), [
    ("no/such.csv", "there is no folder"), (".", "that is a folder"), ("/proc/x.csv", "cannot write it"),
    ("old/x.csv", "cannot write it: Not a directory")])
def test_refused_beforehand(tmp_path: Path, name: str, words: str):
    """A sentence with option and name; nothing is left behind."""
    (tmp_path / "old").write_text("old")
    with pytest.raises(Problem, match=words) as problem:
        check(tmp_path / name, "--json")
    assert str(problem.value).startswith(f"--json {tmp_path / name}") and problem.value.status == 2
    assert [path.name for path in tmp_path.iterdir()] == ["old"]


def test_allowed(tmp_path: Path):
    """A new name, an old file, a device and nothing at all; looking changes nothing."""
    (tmp_path / "old").write_text("old")
    for target in (tmp_path / "new", tmp_path / "old", Path("/dev/null"), None):
        check(target)
    assert [(path.name, path.read_text()) for path in tmp_path.iterdir()] == [("old", "old")]


def test_the_old_file_is_kept_until_the_new_one_is_whole(tmp_path: Path):
    """Also behind a link, and with its permissions."""
    old, link = tmp_path / "old", tmp_path / "link"
    old.write_text("old")
    old.chmod(0o640)
    link.symlink_to(old)
    with pytest.raises(KeyboardInterrupt), replacing_text(link) as out:
        out.write("half")
        out.flush()
        raise KeyboardInterrupt
    assert old.read_text() == "old" and sorted(path.name for path in tmp_path.iterdir()) == ["link", "old"]
    with replacing_text(link) as out:
        out.write("new\udcff")
    assert old.read_text() == "new\\udcff" and link.is_symlink() and old.stat().st_mode & 0o777 == 0o640


def test_what_cannot_be_written_is_named():
    """A full device is our failure, with the file's name."""
    with pytest.raises(Problem, match="/dev/full: cannot write it: No space left") as problem, \
            replacing(Path("/dev/full")) as out:
        out.write(b"x" * 100_000)
    assert problem.value.status == FAULT


def test_standard_output_that_is_a_file_is_not_replaced(tmp_path: Path):
    """`-o /dev/stdout > FILE` adds to what was printed."""
    script = ("from pathlib import Path; from grader.output import replacing_text\nprint('before', flush=True)\n"
              "with replacing_text(Path('/dev/stdout')) as out: out.write('between\\n')\nprint('after')\n")
    with (tmp_path / "out").open("a") as out:
        subprocess.run([sys.executable, "-c", script], stdout=out, check=True,
                       env={**os.environ, "PYTHONPATH": str(ROOT)})
    assert (tmp_path / "out").read_text() == "before\nbetween\nafter\n"


def test_commands_look_first(grader: Grader):
    """Before anything is measured or compared."""
    grader.grade(write_class(grader.folder / "pile", {"ann/mm.c": "ok 90"}))
    for words in (["export", grader.out, "csv", "-o", "no/x"], ["leaderboard", grader.out, "-o", "no/x"],
                  ["similar", grader.out, "-o", "no/x"], ["similar", grader.out, "--json", "no/x"]):
        said = grader.run(*words, expect=2).stderr
        assert said.startswith(f"grader: {words[-2]} no/x: there is no folder no") and said.count("\n") == 1
    assert not (grader.out / "benchmarks.json").exists()
