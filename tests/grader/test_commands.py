"""What surrounds grading: attempts, hidden traces, a full disk, progress, doctor, help, completion, manual pages."""

import os
import pty
import re
import select
import shlex
import shutil
import subprocess
import sys
import time
from pathlib import Path

import pytest
from conftest import FAKE, ROOT, Grader, write_class

from grader import turns
from grader.progress import Progress, duration


def test_attempts(grader: Grader):
    """Latest grades one file a person; best grades all, and the highest counts; of equals the earliest."""
    pile = write_class(grader.folder / "pile", {
        "ann@x.edu_1_mm.c": "ok 90", "ann@x.edu_2_mm.c": "ok 40", "ann@x.edu_10_mm.c": "crash",
        "bob@x.edu_1_mm.c": "ok 50", "bob@x.edu_2_mm.c": "ok 50", "cy@x.edu_1_mm.c": "fault",
        "cy@x.edu_2_mm.c": "build"})
    grader.grade(pile)
    assert grader.calls(kind="time") == 3
    assert {key: (row.attempt, row.score) for key, row in grader.rows().items()} == {
        "ann@x.edu": (10, 0), "bob@x.edu": (2, 50), "cy@x.edu": (2, 0)}
    grader.grade(pile, "--attempts", "best")
    rows = grader.rows()
    assert (rows["ann@x.edu"].attempt, rows["ann@x.edu"].score) == (1, 90)
    assert rows["bob@x.edu"].attempt == 1
    assert rows["cy@x.edu"].attempt == 2, "our fault with one attempt does not hide the other's result"


def test_settings_are_part_of_a_result(grader: Grader):
    """What was graded under other settings does not stand; going back finds it again."""
    pile = write_class(grader.folder / "pile", {"ann/mm.c": "ok 90"})
    grader.grade(pile)
    grader.grade(pile, "--timing-seconds", "2")
    assert grader.calls(kind="time") == 2
    grader.grade(pile)
    assert grader.calls(kind="time") == 2


@pytest.fixture
def traces(tmp_path: Path) -> Path:
    """A folder with one small trace."""
    folder = tmp_path / "traces"
    folder.mkdir()
    lines = [f"a {i} {16 + i}" for i in range(40)] + [f"f {i}" for i in range(40)]
    (folder / "small.rep").write_text("20000000\n40\n80\n1\n" + "\n".join(lines) + "\n")
    return folder


def test_hidden(grader: Grader, traces: Path):
    """Variants are drawn once for a seed, private until they are published, and can be drawn again from the seed."""
    pile = write_class(grader.folder / "pile", {"ann/mm.c": "ok 90"})
    seed = "autumn; rm -rf '$HOME'"
    said = grader.grade(pile, "--hidden", seed, "-t", traces).stderr
    drawn = next(path for path in (grader.out / "hidden").iterdir() if path.is_dir())
    assert "keep that folder private" in said and (grader.out / "hidden").stat().st_mode & 0o077 == 0
    made = (drawn / "small.rep").read_text()
    assert made != (traces / "small.rep").read_text()
    grader.grade(pile, "--hidden", seed, "-t", traces)
    assert grader.calls(kind="time") == 1, "the same seed is the same traces"
    grader.grade(pile, "--hidden", "another", "-t", traces)
    assert grader.calls(kind="time") == 2, "other traces, another result"
    public = grader.folder / "public"
    grader.run("publish", grader.out, public)
    about = (public / drawn.name / "README").read_text()
    words = shlex.split(next(line for line in about.splitlines() if "generate.py" in line))
    again = grader.folder / "again"
    assert words[-1] == traces.name, "a path of the instructor's machine leads students nowhere"
    subprocess.run([sys.executable, ROOT / words[0], *words[1:words.index("-o")], "-o", again, words[-1]], check=True,
                   cwd=traces.parent)
    assert (again / "small.rep").read_text() == (public / drawn.name / "small.rep").read_text() == made
    assert "no hidden traces" in grader.run("publish", traces, public, expect=2).stderr


def test_hidden_as_mdriver_sees_them(grader: Grader, traces: Path):
    """Behind the wall, even where only root can reach the folder."""
    pile = grader.folder / "pile"
    (pile / "ann").mkdir(parents=True)
    shutil.copy(ROOT / "mm.c", pile / "ann" / "mm.c")
    grader.environment = lambda: {**os.environ, "PYTHONPATH": str(ROOT)}  # the real mdriver
    os.chmod(grader.folder, 0o700)
    grader.run("grade", pile, "-o", grader.out, "--hidden", "autumn-7", "-t", traces)
    row = grader.rows()["ann"]
    assert row.verdict == "ok"
    assert [t["name"] for t in grader.store().result(row)["traces"]] == ["small.rep"]


def test_full_disk(grader: Grader):
    """Full in the middle: a sentence, nothing lost; with more room the same command ends it, and nothing twice."""
    pile = write_class(grader.folder / "pile", {f"s{i:02}/mm.c": f"ok {i}" for i in range(60)})
    grade = " ".join(map(shlex.quote, grader.argv("grade", pile, "-o", grader.out, "--no-sandbox")))
    script = f"""
mkdir {grader.out} && mount -t tmpfs -o size=640k full {grader.out} || exit 77
{grade}; echo first $?
python=/usr/bin/python3
$python -c "import sqlite3; print('stored', sqlite3.connect('{grader.out}/results.sqlite').execute(
    'select count(*) from result').fetchone()[0])"
mount -o remount,size=20m {grader.out}
{grade}; echo second $?
cp -r {grader.out} {grader.out}-kept
"""
    words = ["unshare", "--mount", "--map-root-user", "sh", "-c", script]
    environment = {**grader.environment(), "TMPDIR": str(grader.folder)}  # the rest of /tmp is not this root's
    done = subprocess.run(words, env=environment, cwd=grader.folder, text=True, capture_output=True, timeout=120,
                          check=False)
    assert done.returncode != 77, f"no private mounts here: {done.stderr}"
    assert "first 5" in done.stdout and "second 0" in done.stdout, done.stdout + done.stderr
    assert re.search(r"^grader: .*(No space left|disk is full).*run the same command again", done.stderr, re.M)
    assert "Traceback" not in done.stderr
    stored = int(re.search(r"stored (\d+)", done.stdout)[1])
    assert 0 < stored < 60
    grader.out = Path(f"{grader.out}-kept")
    assert {key: row.score for key, row in grader.rows().items()} == {f"s{i:02}": float(i) for i in range(60)}
    assert grader.calls(kind="time") <= 60 + 6, "what was stored before the disk was full was graded again"


# ---- progress ----

def on_a_terminal(argv: list[str], environment: dict[str, str], cwd: Path) -> str:
    """What a command writes to a terminal of 100 columns."""
    pid, fd = pty.fork()
    if pid == 0:
        os.chdir(cwd)
        os.execvpe(argv[0], argv, environment)
    text = b""
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline and select.select([fd], [], [], 60)[0]:
        try:
            part = os.read(fd, 65536)
        except OSError:
            break
        if not part:
            break
        text += part
    os.waitpid(pid, 0)
    os.close(fd)
    return text.decode()


def test_progress_on_a_terminal(grader: Grader):
    """A bar that is redrawn, with rate and time left; messages do not tear it."""
    pile = write_class(grader.folder / "pile", {f"s{i}/mm.c": "sleep 0.1" for i in range(8)} | {"x/mm.c": "fault"})
    text = on_a_terminal(grader.argv("grade", pile, "-o", grader.out, "--no-sandbox"),
                         {**grader.environment(), "TERM": "xterm"}, grader.folder)
    assert re.search(r"\r\x1b\[K\[#+\.*\] \d/9 graded, [\d.]+ a minute, \d+ s left", text)
    assert "\r\x1b[Kour fault, not x's:" in text and "9/9 graded" in text


def test_progress_elsewhere(grader: Grader):
    """Plain lines, no control characters; a dumb terminal gets the same."""
    pile = write_class(grader.folder / "pile", {"s/mm.c": "ok"})
    done = grader.grade(pile)
    assert "1/1 graded" in done.stderr and "\r" not in done.stderr and "\x1b" not in done.stderr
    text = on_a_terminal(grader.argv("grade", pile, "-o", grader.out, "--no-sandbox", "--regrade", "all"),
                         {**grader.environment(), "TERM": "dumb"}, grader.folder)
    assert "1/1 graded" in text and "\x1b" not in text


def test_time_left(monkeypatch):
    """The rate is that of this run; what an earlier run did only counts as done."""
    clock = iter([0.0, 60.0, 60.0, 120.0, 120.0])
    monkeypatch.setattr(time, "monotonic", lambda: next(clock))
    progress = Progress(600, 480, stream=open(os.devnull, "w", encoding="ascii"))
    progress.done = 540
    assert progress.line() == "540/600 graded, 60.0 a minute, 1 min 0 s left"
    assert [duration(s) for s in (0.4, 59.6, 3599, 48_000)] == ["0 s", "1 min 0 s", "59 min 59 s", "13 h 20 min"]


# ---- cores ----

def test_cores(monkeypatch):
    """Timing has a core of its own; checks keep off its hyperthread as long as there are others."""
    pairs = {core: {core, core ^ 1} for core in range(8)}
    monkeypatch.setattr(turns, "siblings", pairs.__getitem__)
    for allowed, timing, checking in (({0}, 0, [0]), ({0, 1}, 1, [0]), ({0, 1, 2, 3}, 3, [0, 1]),
                                      (set(range(8)), 7, [0, 1, 2, 3, 4, 5]), ({4, 6}, 6, [4])):
        cores = turns.Cores(allowed)
        assert (cores.timing, cores.checking) == (timing, checking)
    line = turns.Cores({0, 1, 2, 3}).turns(3)
    assert len({turn.timing for turn in line}) == 1 and len({turn.check for turn in line}) == 3
    assert [turn.core for turn in line] == [0, 1, 0, 0, 1], "a third check shares a core, in a turn of its own"
    *usual, extra = turns.Cores({0, 1}).turns()
    assert extra.core == extra.cpu == 1
    assert extra.check == extra.timing, "a check on the timing core keeps timing off it"
    assert {(turn.core, turn.cpu) for turn in usual} == {(0, 1)} and {turn.timing for turn in usual} == {extra.timing}
    assert extra.check not in {turn.check for turn in usual}


def test_shares_of_one_machine(monkeypatch):
    """Array tasks that the scheduler did not bind take different cores."""
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: set(range(100, 106)))
    with turns.share_of(2) as a, turns.share_of(2) as b, turns.share_of(2) as c, turns.share_of(2) as late:
        assert [(x.timing, x.checking) for x in (a, b, c)] == [(101, [100]), (103, [102]), (105, [104])]
        assert late.timing == 105, "more tasks than cores: they take turns"


# ---- doctor, help, completion, manual pages ----

def test_doctor(grader: Grader):
    """mdriver's own findings, then what a batch needs; status 0 where everything is there."""
    done = grader.run("doctor", "-o", grader.out)
    assert "This machine is fake." in done.stdout and "grades a small allocator behind the wall" in done.stdout
    assert done.stdout.count("ok      held") == 12 and "A class can be graded here." in done.stdout


def test_doctor_finds_what_is_missing(grader: Grader):
    """An mdriver that does not work, results that cannot be written: status 1 and what to do."""
    broken = grader.folder / "mdriver"
    broken.write_text("#!/bin/sh\necho 'mdriver: something is missing' >&2\nexit 5\n")
    broken.chmod(0o755)
    done = grader.run("doctor", "--mdriver", broken, "-o", "/proc/nowhere", expect=1)
    assert "failed  mdriver " in done.stdout and "failed  results          /proc cannot be written" in done.stdout
    assert "cannot be graded here yet" in done.stdout


def commands(grader: Grader) -> list[str]:
    """What --help lists."""
    text = grader.run("--help").stdout
    return re.findall(r"^    (\w+)(?:  |$)", text.split("options:")[0], re.M)


def test_help(grader: Grader):
    """Every command has a help; the main ones have examples and every exit status is explained."""
    names = commands(grader)
    assert {"grade", "export", "doctor", "completion", "publish"} <= set(names) and "worker" not in names
    for name in names:
        assert f"usage: grader {name}" in grader.run(name, "--help").stdout
    assert "examples:" in grader.run("grade", "--help").stdout
    text = grader.run("--help").stdout
    assert "examples:" in text and all(re.search(rf"^  {status} ", text, re.M) for status in (0, 1, 2, 3, 4, 5, 130))
    assert grader.run("grade", expect=2).stderr.startswith("usage:")


@pytest.mark.parametrize(("line", "usage", "words"), [
    ("grade pile -o out --jbos 3", "grader grade ", "grader grade: error: no option --jbos; did you mean --jobs?"),
    ("grade pile --ouput out", "grader grade ", "grader grade: error: no option --ouput; did you mean --out?"),
    ("export out csv --zzz", "grader export ", "grader export: error: no option --zzz; --help lists them"),
    ("doctor -x", "grader doctor ", "grader doctor: error: no option -x; --help lists them"),
    ("export out csv more", "grader export ", "grader export: error: 'more' is one argument too many"),
    ("completion csh", "grader completion ", "invalid choice: 'csh'"),
    ("grad pile", "grader [-h]", "grader: error: no command 'grad'; did you mean grade?"),
    ("wrk", "grader [-h]", "no command 'wrk'; there are grade, export"),
    ("--nope", "grader [-h]", "grader: error: no option --nope; --help lists them"),
    ("grade 'a\x1b[2J' b -o out", "grader grade ", "'b' is one argument too many")])
def test_wrong_usage(grader: Grader, line: str, usage: str, words: str):
    """The usage of the command that it concerns, and one sentence."""
    said = grader.run(*shlex.split(line), expect=2).stderr
    assert said.startswith(f"usage: {usage}") and words in said.splitlines()[-1] and "worker" not in said
    assert "\x1b" not in said


def complete_in_bash(script: Path, lines: list[str]) -> list[set[str]]:
    """What the bash function answers for each line."""
    found = []
    for line in lines:
        words = line.split(" ")
        function = "_grader" if words[0] == "grader" else "_mdriver"
        quoted = " ".join(map(shlex.quote, words))
        done = subprocess.run(["bash", "--norc", "-c", f". {script}\nCOMP_WORDS=({quoted}); COMP_CWORD={len(words) - 1}; "
                               f"{function}; printf '%s\\n' \"${{COMPREPLY[@]}}\""],
                              capture_output=True, text=True, check=True, cwd=ROOT)
        assert not done.stderr
        found.append(set(done.stdout.strip("\n").split("\n")))
    return found


def complete_in_fish(script: Path, lines: list[str]) -> list[set[str]]:
    """What fish offers for each line."""
    asked = "; echo ==; ".join(f"complete -C {shlex.quote(line)}" for line in lines)
    done = subprocess.run(["fish", "--no-config", "-c", f"source {script}; {asked}"], capture_output=True, text=True,
                          check=True, cwd=ROOT)
    assert not done.stderr
    return [{line.partition("\t")[0] for line in part.splitlines()} for part in done.stdout.split("==\n")]


def complete_in_zsh(script: Path, lines: list[str]) -> list[set[str]]:
    """What a live zsh is about to offer for each line: its completion calls compadd, which here writes it down."""
    out = script.with_name("offered")
    rc = script.with_name(".zshrc")
    rc.write_text(f"autoload -Uz compinit; compinit -u -D; . {script}\nPS1='ready> '\n"
                  "compadd() { local -a got; builtin compadd -O got \"$@\"; print -rl -- $got >> " + str(out) + "; }\n"
                  f"offer() {{ zle complete-word; print -- '==' >> {out}; BUFFER=; }}\n"
                  "zle -N offer; bindkey '^X' offer\n")
    pid, fd = pty.fork()
    if pid == 0:
        os.chdir(ROOT)
        os.execvpe("zsh", ["zsh", "-i"], {**os.environ, "ZDOTDIR": str(script.parent), "TERM": "dumb"})
    deadline, sent, said = time.monotonic() + 30, 0, b""
    while time.monotonic() < deadline:
        done = out.read_text().count("==\n") if out.exists() else 0
        if done == len(lines):
            break
        if select.select([fd], [], [], 0.05)[0]:
            said += os.read(fd, 65536)
        if b"ready>" in said and done == sent < len(lines):
            os.write(fd, lines[sent].encode() + b"\x18")
            sent += 1
    os.write(fd, b"\x04exit\n")
    os.close(fd)
    os.waitpid(pid, 0)
    parts = out.read_text().split("==\n")[:-1] if out.exists() else []
    assert len(parts) == len(lines), said.decode(errors="replace")
    return [set(part.split("\n")) - {""} for part in parts]


SHELLS = {"bash": complete_in_bash, "zsh": complete_in_zsh, "fish": complete_in_fish}
OFFERED = {  # after this line, and what it begins with, at least these
    "grader ": {"grade", "export", "doctor"},
    "grader gra": {"grade"},
    "grader grade --r": {"--roster", "--regrade"},
    "grader grade --layout ca": {"canvas"},
    "grader export out canv": {"canvas"},
    "grader grade READ": {"README.md"},
    "./mdriver --check": {"--check-only"},
    "./mdriver -c cl": {"classic"},
    "./mdriver expl": {"explicit"},
    "./mdriver --clock ": {"cpu", "wall"},
    "./mdriver --reference no": {"none"},
}
EXACTLY = ("grader gra", "grader grade --layout ca", "grader export out canv", "./mdriver expl")


@pytest.mark.parametrize("shell", SHELLS)
def test_completion(grader: Grader, shell: str):
    """Commands, options, choices and files; for mdriver what it says of itself; in the shell itself."""
    if shutil.which(shell) is None:
        pytest.fail(f"this test needs {shell}: apt-get install {shell}")
    script = grader.folder / "script"
    script.write_text(grader.run("completion", shell).stdout)
    for (line, wanted), found in zip(OFFERED.items(), SHELLS[shell](script, list(OFFERED)), strict=True):
        assert wanted <= found, (line, found)
        if line in EXACTLY:
            assert found == wanted, (line, found)


@pytest.mark.parametrize("shell", SHELLS)
def test_completion_defines_the_command(grader: Grader, shell: str):
    """`grader` then works in every folder, with the words as they were given."""
    script = grader.folder / "script"
    script.write_text(grader.run("completion", shell).stdout)
    bare = {"bash": ["bash", "--norc"], "zsh": ["zsh", "-f"], "fish": ["fish", "--no-config"]}[shell]
    environment = {key: value for key, value in os.environ.items() if key != "PYTHONPATH"}
    done = subprocess.run([*bare, "-c", f"source {script}; cd /; grader --version; grader export 'a  b' csv"],
                          capture_output=True, text=True, check=False, env=environment)
    assert done.stdout.startswith("grader ") and "a  b: holds no results" in done.stderr


def test_manual_pages(grader: Grader):
    """One for mdriver, one for the grader and for each of its commands, from what --help says."""
    if shutil.which("help2man") is None:
        pytest.fail("this test needs help2man: apt-get install help2man")
    done = subprocess.run([sys.executable, "-m", "grader.man", grader.folder / "man"], cwd=ROOT, capture_output=True,
                          text=True, check=False, env={**os.environ, "GRADER_MDRIVER": ""})
    assert done.returncode == 0, done.stderr
    made = {path.stem for path in (grader.folder / "man").iterdir()}
    assert made == {"mdriver", "grader", *(f"grader-{name}" for name in commands(grader))}
    page = (grader.folder / "man" / "mdriver.1").read_text()
    assert ".SS Exit status" in page and "\\-\\-check\\-only" in page
    page = (grader.folder / "man" / "grader-grade.1").read_text()
    assert "SUBMISSIONS" in page.split(".SH SYNOPSIS")[1].split(".SH")[0], "the usage is one line"
    assert FAKE.name not in page
