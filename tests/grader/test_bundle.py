"""bundle: each package unpacked into its platform's layout and run as the platform would, with every kind of file."""

import argparse
import io
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import tarfile
import tempfile
import time
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from conftest import ROOT
from test_export import validate

from grader import bundle, onplatform
from grader.errors import Problem

NO_NAMESPACES = Path(__file__).with_name("without_namespaces.py")
FORGED = '{\\"scores\\": {\\"Malloc Lab\\": 100}, \\"scoreboard\\": [100, 100, 1]}'
SUBMISSIONS = {
    "honest": '#include <string.h>\n#include "memlib.h"\n#include "mm.h"\nint mm_init(void) { return 0; }\n'
              "void *mm_malloc(size_t size) { return size ? mem_sbrk((int)((size + 15) & ~15ul)) : 0; }\n"
              "void mm_free(void *p) { (void)p; }\n"
              "void *mm_realloc(void *p, size_t n)\n{\n    char *new = mm_malloc(n), *end = mem_heap_hi();\n"
              "    size_t most = p ? (size_t)(end + 1 - (char *)p) : 0;\n"
              "    return p && new ? memcpy(new, p, n < most ? n : most) : new;\n}\n",
    "broken": '#include "mm.h"\n#error {"scores": {"Malloc Lab": 100}}\nint mm_init(void) { return 0 }\n',
    "crashing": '#include "mm.h"\nint mm_init(void) { return 0; }\n'
                "void *mm_malloc(size_t size) { return *(void **)size; }\n"
                "void mm_free(void *p) { (void)p; }\n"
                "void *mm_realloc(void *p, size_t n) { (void)p; return mm_malloc(n); }\n",
    "constructor": '#include "mm.h"\n#include <stdio.h>\n#include <unistd.h>\n'
                   f'__attribute__((constructor)) static void forge(void) {{ puts("{FORGED}"); _exit(0); }}\n'
                   "int mm_init(void) { return 0; }\n@REST@",
    "quitter": '#include "mm.h"\n#include <stdio.h>\n#include <unistd.h>\n'
               f'int mm_init(void)\n{{\n    puts("{FORGED}");\n    fputs("\\n{FORGED}\\n", stderr);\n'
               "    fflush(stdout);\n    _exit(0);\n}\n@REST@",
    "writer": '#include "mm.h"\n#include <stdio.h>\n'
              'int mm_init(void)\n{\n    FILE *f = fopen("@ROOT@/autograder/results/results.json", "w");\n'
              '    if (f)\n        fputs("{\\"score\\": 100}", f);\n    return 0;\n}\n@REST@',
}
REST = ("void *mm_malloc(size_t size) { (void)size; return 0; }\nvoid mm_free(void *p) { (void)p; }\n"
        "void *mm_realloc(void *p, size_t n) { (void)p; (void)n; return 0; }\n")
TRACE = "20000\n3\n6\n1\na 0 512\na 1 128\nr 0 640\nf 1\na 2 64\nf 0\n"


def command(*args: object) -> int:
    """`grader bundle ARGS` in this process."""
    top = argparse.ArgumentParser()
    bundle.add_parser(top.add_subparsers())
    parsed = top.parse_args(["bundle", *map(str, args)])
    return parsed.action(parsed)


@pytest.fixture(scope="module")
def traces(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two small traces."""
    folder = tmp_path_factory.mktemp("traces")
    for name in ("one.rep", "two.rep"):
        (folder / name).write_text(TRACE)
    return folder


class Built:
    """What `make` made of a bundle, for the other bundles: it is the same in all, and only waiting for it is long."""

    folder: Path | None = None

    @classmethod
    def lend(cls, tree: Path) -> None:
        """Puts it into TREE, if there is any yet."""
        if cls.folder:
            tree.mkdir(parents=True, exist_ok=True)
            subprocess.run(["cp", "-a", *map(str, cls.folder.iterdir()), str(tree)], check=True)

    @classmethod
    def keep(cls, tree: Path) -> None:
        """Takes it from TREE."""
        if cls.folder is None and (tree / "mdriver").exists():
            cls.folder = Path(tempfile.mkdtemp(prefix="grader-test-"))
            subprocess.run(["cp", "-a", str(tree / "mdriver"), str(tree / "build"), str(cls.folder)], check=True)


@pytest.fixture(scope="module", autouse=True)
def _forget_built() -> Iterator[None]:
    yield
    if Built.folder:
        shutil.rmtree(Built.folder)
    Built.folder = None


class Gradescope:
    """/autograder, as Gradescope lays it out."""

    name = "gradescope"

    def __init__(self, root: Path, archive: Path) -> None:
        self.root = root
        source = root / "autograder" / "source"
        for folder in ("source", "submission", "results"):
            (root / "autograder" / folder).mkdir(parents=True)
        subprocess.run(["unzip", "-q", str(archive), "-d", str(source)], check=True)
        shutil.copy2(source / "run_autograder", root / "autograder")
        Built.lend(source / "malloclab")
        self.log = self._run(source / "setup.sh")
        Built.keep(source / "malloclab")
        self.submission = root / "autograder" / "submission"
        self.results = root / "autograder" / "results" / "results.json"

    def _run(self, script: Path, *before: object) -> str:
        done = subprocess.run([*map(str, before), str(script)], cwd=self.root / "autograder", text=True,
                              capture_output=True, check=True, timeout=100,
                              env={"PATH": os.environ["PATH"], "GRADER_PLATFORM_ROOT": str(self.root)})
        return done.stdout + done.stderr

    def grade(self, files: dict[str, str], *before: object) -> dict:
        """One submission, by the schema."""
        empty(self.submission)
        put(self.submission, files)
        self.results.unlink(missing_ok=True)
        self.log = self._run(self.root / "autograder" / "run_autograder", *before)
        value = json.loads(self.results.read_text())
        validate(value, self.name)
        return value


class PrairieLearn(Gradescope):
    """/grade, as PrairieLearn lays it out; the course's files come from the bundle."""

    name = "prairielearn"

    def __init__(self, root: Path, course: Path) -> None:
        self.root = root
        self.info = json.loads((course / "questions" / "malloclab" / "info.json").read_text())
        options = self.info["externalGradingOptions"]
        for folder in options["serverFilesCourse"]:
            shutil.copytree(course / "serverFilesCourse" / folder, root / "grade" / "serverFilesCourse" / folder)
        self.submission = root / "grade" / "student"
        self.submission.mkdir()
        self.results = root / "grade" / "results" / "results.json"
        self.entry = root / options["entrypoint"].lstrip("/")
        Built.lend(self.entry.parent / "malloclab")

    def grade(self, files: dict[str, str], *before: object) -> dict:
        empty(self.submission)
        put(self.submission, files)
        shutil.rmtree(self.results.parent, ignore_errors=True)  # PrairieLearn does not make it
        done = subprocess.run([*map(str, before), str(self.entry)], capture_output=True, text=True, check=True,
                              timeout=100, cwd="/",
                              env={"PATH": os.environ["PATH"], "GRADER_PLATFORM_ROOT": str(self.root)})
        self.log = done.stdout + done.stderr
        value = json.loads(self.results.read_text())
        validate(value, self.name)
        return value


class Autolab:
    """An empty folder with the handin and the two files of the lab, in which `make` is run."""

    name = "autolab"

    def __init__(self, root: Path, lab: Path, on_the_spot: bool = False) -> None:
        self.root, self.lab, self.on_the_spot = root, lab, on_the_spot

    def grade(self, files: dict[str, str], *before: object) -> dict:
        """The autoresult: what the last line says."""
        folder = self.root / f"job{time.monotonic_ns()}"
        folder.mkdir(parents=True)
        put(folder, files)
        shutil.copy(self.lab / "autograde-Makefile", folder / "Makefile")
        shutil.copy(self.lab / "autograde.tar", folder)
        if not self.on_the_spot:  # as in an image that has it
            Built.lend(folder / "autograde" / "malloclab")
        done = subprocess.run([*map(str, before), "make"], cwd=folder, text=True, timeout=100, check=True,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT, env={"PATH": os.environ["PATH"]})
        self.log = done.stdout
        self.on_the_spot = False
        *_, feedback, last = done.stdout.splitlines()
        value = json.loads(last)
        validate([json.loads(feedback), value], self.name)
        assert json.loads(re.sub(r"([a-zA-Z0-9]+):", r'"\1":', last)) == value, "as Autolab reads it"
        value["feedback"] = json.loads(feedback)
        return value


@contextmanager
def open_folder() -> Iterator[Path]:
    """A folder that others can enter, as a platform's are: the sandbox is nobody. pytest's own are private."""
    with tempfile.TemporaryDirectory(prefix="grader-test-") as name:
        os.chmod(name, 0o755)
        yield Path(name)


@pytest.fixture
def box() -> Iterator[Path]:
    """Such a folder."""
    with open_folder() as folder:
        yield folder


def empty(folder: Path) -> None:
    """Removes what is in FOLDER."""
    for path in folder.iterdir():
        shutil.rmtree(path) if path.is_dir() and not path.is_symlink() else path.unlink()


def put(folder: Path, files: dict[str, str]) -> None:
    """Writes FILES below FOLDER."""
    for name, text in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)


@pytest.fixture(scope="module", params=["gradescope", "prairielearn", "autolab"])
def platform(request: pytest.FixtureRequest, traces: Path):
    """A platform with the bundle installed, built from nothing."""
    with open_folder() as folder:
        made = folder / ("autograder.zip" if request.param == "gradescope" else "made")
        command(request.param, "-o", made, "--course", "classic", "--traces", traces, "--image", "me/malloclab")
        kind = {"gradescope": Gradescope, "prairielearn": PrairieLearn, "autolab": Autolab}[request.param]
        yield kind(folder / "root", made, on_the_spot=True) if kind is Autolab else kind(folder / "root", made)


def score(value: dict) -> float | None:
    """The points, however the platform calls them; None when nothing was scored."""
    if "scores" in value:
        return value["scores"].get("Malloc Lab")
    return value.get("score")


def test_honest(platform):
    """The naive allocator scores something below everything."""
    value = platform.grade({"mm.c": SUBMISSIONS["honest"]})
    assert 0 < score(value) < (1 if platform.name == "prairielearn" else 100), platform.log
    assert "one.rep" in json.dumps(value) and "two.rep" in json.dumps(value)


WORDS = {"broken": "does not compile", "crashing": "Segmentation fault", "constructor": "code that runs before main",
         "quitter": "ended by itself", "writer": "system call"}


@pytest.mark.parametrize("kind", WORDS)
def test_failures_are_results(platform, kind: str):
    """A file that does not build, crashes or attacks gets a well-formed answer without points, with the reason."""
    source = SUBMISSIONS[kind].replace("@ROOT@", str(platform.root)).replace("@REST@", REST)
    value = platform.grade({"mm.c": source})
    assert not score(value), platform.log
    assert "grader failed" not in json.dumps(value), platform.log
    assert WORDS[kind] in json.dumps(value), value
    if platform.name == "autolab":
        assert score(value) == 0 and value["scoreboard"][0] == 0


def test_nothing_to_grade(platform):
    """No mm.c, a link instead of a file, binary rubbish: the student is told what to do."""
    value = platform.grade({"notes.txt": "later", "sub/other.c": "int x;"})
    assert "no mm.c among the files handed in" in json.dumps(value) and not score(value)
    value = platform.grade({"mm.c": "\0\1\2"})
    assert "mm.c is not a text file" in json.dumps(value) and not score(value)
    if platform.name != "autolab":
        empty(platform.submission)
        platform.submission.joinpath("mm.c").symlink_to("/etc/passwd")
        sub = platform.submission
        platform.submission = sub.parent / "kept"
        platform.submission.mkdir()
        platform.grade({})
        platform.submission = sub
        with pytest.raises(onplatform.Refused, match="no ordinary file"):
            onplatform.read_source(sub / "mm.c")


def test_without_namespaces(platform):
    """Where the platform forbids them: our fault, said as such to both, and never a grade."""
    value = platform.grade({"mm.c": SUBMISSIONS["honest"]}, sys.executable, NO_NAMESPACES)
    assert "not your fault" in json.dumps(value)
    assert "the sandbox does not work here: it does not start (" in platform.log and "--no-sandbox" in platform.log
    assert not score(value)
    if platform.name == "autolab":
        assert value["scores"] == {}, "nothing scored is not a zero"
    if platform.name == "prairielearn":
        assert value["gradable"] is False


def test_no_sandbox_is_a_choice(box: Path, traces: Path):
    """--no-sandbox grades where there are no namespaces, and every result says what it is worth."""
    command("autolab", "-o", box / "lab", "-c", "classic", "-t", traces, "--no-sandbox")
    platform = Autolab(box / "root", box / "lab")
    value = platform.grade({"mm.c": SUBMISSIONS["honest"]}, sys.executable, NO_NAMESPACES)
    assert score(value) > 0, platform.log
    assert "graded without a sandbox" in platform.log


def test_hanging(box: Path, traces: Path):
    """An endless loop is the student's: a timeout in each trace, not a failure of ours."""
    command("autolab", "-o", box / "lab", "-c", "classic", "-t", traces)
    platform = Autolab(box / "root", box / "lab")
    with tarfile.open(platform.lab / "autograde.tar") as tar:
        files = {member.name: (member.mode, tar.extractfile(member).read()) for member in tar.getmembers()}
    config = json.loads(files["autograde/config.json"][1])
    assert config["trace_seconds"] == 20.0
    files["autograde/config.json"] = (0o644, json.dumps(config | {"trace_seconds": 1.0}).encode())
    with tarfile.open(platform.lab / "autograde.tar", "w") as tar:
        for name, (mode, data) in files.items():
            info = tarfile.TarInfo(name)
            info.mode, info.size = mode, len(data)
            tar.addfile(info, io.BytesIO(data))
    value = platform.grade({"mm.c": '#include "mm.h"\nint mm_init(void) { return 0; }\n'
                            "void *mm_malloc(size_t n) { for (;;) if (n == 1) return 0; }\n"
                            "void mm_free(void *p) { (void)p; }\n"
                            "void *mm_realloc(void *p, size_t n) { (void)p; return mm_malloc(n); }\n"})
    assert score(value) == 0 and "no answer " in json.dumps(value["feedback"]), platform.log


@pytest.mark.skipif(os.geteuid() != 0, reason="only root is given up")
def test_unreachable(box: Path, traces: Path):
    """A folder that only root can enter is said to be one."""
    config = onplatform.Config(course="classic", traces="traces")
    shutil.copytree(traces, box / "locked" / "traces")
    (box / "locked").chmod(0o700)
    with pytest.raises(Problem, match="only root can read it"):
        onplatform.mdriver_of(config, box / "locked")


def test_killed_in_the_middle(box: Path, traces: Path):
    """A job that is killed outright leaves a results.json which says that it did not finish."""
    command("gradescope", "-o", box / "a.zip", "-c", "classic", "-t", traces)
    platform = Gradescope(box / "root", box / "a.zip")
    put(platform.submission, {"mm.c": SUBMISSIONS["honest"]})
    process = subprocess.Popen([str(platform.root / "autograder" / "run_autograder")], start_new_session=True,
                               env={"PATH": os.environ["PATH"], "GRADER_PLATFORM_ROOT": str(platform.root)},
                               stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    deadline = time.monotonic() + 20
    while not platform.results.exists() and time.monotonic() < deadline:
        time.sleep(0.005)
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    value = json.loads(platform.results.read_text())
    validate(value, "gradescope")
    assert "did not finish" in value["extra_data"]["grader_fault"]
    assert value["tests"][0]["visibility"] == "hidden", "with a hidden test the student sees no total"


def test_python_missing(tmp_path: Path, traces: Path):
    """Even when the grader cannot start, the platform gets its answer."""
    for kind, target in (("gradescope", "a.zip"), ("autolab", "lab")):
        command(kind, "-o", tmp_path / target, "-t", traces, "-c", "classic")
    root = tmp_path / "root" / "autograder"
    (root / "source").mkdir(parents=True)
    with zipfile.ZipFile(tmp_path / "a.zip") as archive:
        archive.extractall(root / "source")
    shutil.rmtree(root / "source" / "malloclab")
    subprocess.run(["bash", str(root / "source" / "run_autograder")], check=True, capture_output=True,
                   env={"PATH": os.environ["PATH"], "GRADER_PLATFORM_ROOT": str(tmp_path / "root")})
    validate(json.loads((root / "results" / "results.json").read_text()), "gradescope")
    with tarfile.open(tmp_path / "lab" / "autograde.tar") as tar:
        tar.extractall(tmp_path / "lab")
    shutil.rmtree(tmp_path / "lab" / "autograde" / "malloclab")
    done = subprocess.run(["bash", "autograde/autograde.sh", str(tmp_path / "lab")], cwd=tmp_path / "lab", text=True,
                          check=True, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    assert json.loads(done.stdout.splitlines()[-1]) == {"scores": {}}


def test_reproducible_and_complete(tmp_path: Path, traces: Path):
    """The same choices give the same bytes; scripts keep their mode; nothing but sources is inside."""
    for name in ("a.zip", "b.zip"):
        command("gradescope", "-o", tmp_path / name, "-t", traces, "-c", "classic")
    assert (tmp_path / "a.zip").read_bytes() == (tmp_path / "b.zip").read_bytes()
    with zipfile.ZipFile(tmp_path / "a.zip") as archive:
        names = archive.namelist()
        assert archive.getinfo("run_autograder").external_attr >> 16 == 0o100755
        assert archive.read("run_autograder").startswith(b"#!")
        config = json.loads(archive.read("config.json"))
        assert archive.read("packages") == b"gcc-multilib\n", "this course takes 32-bit files"
    assert config["course"] == "classic" and config["seconds"] == 530 and config["sandbox"] is True
    assert {"setup.sh", "run_autograder", "traces/one.rep", "malloclab/Makefile"} <= set(names)
    assert not [name for name in names if re.search(r"__pycache__|\.pyc$|\.o$|/build/|^malloclab/traces/", name)]


def test_own_course_file(tmp_path: Path, traces: Path):
    """A course of the instructor's own goes along."""
    course = tmp_path / "mine.cfg"
    course.write_text((ROOT / "courses" / "classic.cfg").read_text())
    command("gradescope", "-o", tmp_path / "a.zip", "-t", traces, "-c", course)
    with zipfile.ZipFile(tmp_path / "a.zip") as archive:
        assert json.loads(archive.read("config.json"))["course"] == "course/mine.cfg"
        assert archive.read("course/mine.cfg") == course.read_bytes()


@pytest.mark.parametrize("args, words", [
    (("prairielearn", "-o", "x"), "--image NAME is needed"),
    (("autolab", "-o", "x", "--title", "Lab3: heap"), "Autolab cannot read"),
    (("gradescope", "-o", "x", "--traces", "nowhere"), "no such folder of traces"),
    (("gradescope", "-o", "x", "--course", "nowhere"), "^no course 'nowhere'"),
    (("gradescope", "-o", "x", "--timeout", "5"), "from 30 to 86400"),
    (("gradescope", "-o", "x", "--file", "../mm.c"), "the name of one C file"),
    (("gradescope", "-o", "."), "is a folder")])
def test_problems(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, args: tuple, words: str):
    """Wrong input is one sentence, and nothing is written."""
    monkeypatch.chdir(tmp_path)
    with pytest.raises(Problem, match=words):
        command(*args)
    assert not list(tmp_path.iterdir())


def test_limits_leave_room():
    """Every trace may hang before we give up, and we give up before the platform does."""
    for seconds in bundle.SECONDS.values():
        for traces in (1, 13, 40):
            job, trace = bundle.limits(seconds, traces)
            assert trace * traces < job < seconds - 15 and trace >= 1
