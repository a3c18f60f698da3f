"""One submission, graded where a platform put it: what the bundles of `bundle` run there.

    python3 -m grader.onplatform PLATFORM CONFIG

The platform gets its answer whatever happens. A results file is written before anything else, and says that grading
did not finish; the real one takes its place in one step. Nothing that a submission prints reaches our output, and
what the compiler or a verdict quotes from it is escaped by JSON, so the last line cannot be forged. Exit status 0:
the answer is written, be it a grade or our fault; anything else: nothing could be written.
"""

import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from grader import platforms
from grader.batch import reachable
from grader.errors import FAULT, Problem
from grader.mdriver import Mdriver, find
from grader.run import write_atomically
from grader.sandbox import ROOT, Wall, require
from grader.submissions import candidate, content_fault
from grader.text import plain

# Where a platform keeps things; None: the answer is standard output. Tests put a folder in front of it all.
PREFIX = os.environ.get("GRADER_PLATFORM_ROOT", "")
PLACES: dict[str, tuple[str, str | None]] = {
    "gradescope": ("/autograder/submission", "/autograder/results/results.json"),
    "prairielearn": ("/grade/student", "/grade/results/results.json"),
    "autolab": (".", None),
}
CONVERT = {"gradescope": platforms.gradescope, "prairielearn": platforms.prairielearn, "autolab": platforms.autolab}
MAX_SOURCE = 1 << 20  # bytes of a submission; mdriver's own limit is lower


@dataclass
class Config:
    """What the instructor chose when the bundle was made: config.json."""

    course: str | None = None    # a name, or a file beside config.json
    traces: str | None = None    # a folder beside config.json; None: the course's
    file: str = "mm.c"
    title: str = "Malloc Lab"
    seconds: float = 530.0       # after which we give up, before the platform does
    trace_seconds: float = 10.0  # for one trace: were all to hang, they would still end before we give up
    sandbox: bool = True         # False: every result is marked untrusted

    @staticmethod
    def read(path: Path) -> "Config":
        """The configuration in PATH."""
        try:
            return Config(**json.loads(path.read_text(encoding="utf-8")))
        except (OSError, ValueError, TypeError) as error:
            raise Problem(f"{path}: cannot be read ({error}); make the bundle again", FAULT) from error


class Refused(Exception):
    """The submission holds nothing to grade: the student's to mend."""


def submission(folder: Path, name: str) -> Path:
    """The submitted file: NAME, or the one file that can only be meant by it."""
    files = [Path(top, file) for top, _, names in os.walk(folder) for file in names]
    wanted = [path for path in files if path.name == name] or [path for path in files if candidate(path.name, name)]
    wanted.sort(key=lambda path: (len(path.parts), str(path)))
    if len(wanted) > 1 and len(wanted[0].parts) == len(wanted[1].parts):
        raise Refused(f"more than one file could be {name} ({_names(wanted)}); hand in one")
    if not wanted:
        found = _names(files) if files else "nothing"
        raise Refused(f"no {name} among the files handed in (found: {found}); hand in a file called {name}")
    return wanted[0]


def _names(paths: list[Path]) -> str:
    return plain(", ".join(sorted(path.name for path in paths)[:5]), 200)


def read_source(path: Path) -> bytes:
    """The submitted bytes. A symbolic link is refused: it would show us, and then the student, another file."""
    try:
        fd = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
    except OSError as error:
        raise Refused(f"{plain(path.name)} is no ordinary file ({error.strerror})") from error
    with os.fdopen(fd, "rb") as handle:
        data = handle.read(MAX_SOURCE + 1) if os.path.isfile(path) else b""
    if len(data) > MAX_SOURCE:
        raise Refused(f"{plain(path.name)} is larger than {MAX_SOURCE:,} bytes")
    if fault := content_fault(data):
        raise Refused(f"{plain(path.name)} {fault}")
    return data


def refusal(sentence: str) -> dict:
    """A result for a submission with nothing to grade."""
    return {"schema": 1, "verdict": "build", "message": sentence, "traces": [], "findings": [],
            "submission": {"build_log": ""}, "score": {"index": 0.0, "max_index": None, "parts": []}}


def build() -> None:
    """Builds mdriver where the bundle was unpacked on the spot and nobody has built it yet."""
    if (ROOT / "mdriver").exists():
        return
    done = subprocess.run(["make", "-s", "-j2", "-C", str(ROOT), "all"], capture_output=True, text=True, check=False,
                          errors="replace", stdin=subprocess.DEVNULL)
    if done.returncode:
        said = (done.stderr or done.stdout).strip().splitlines() or ["no message"]
        first = next((line for line in said if "error:" in line or "not found" in line), said[-1])
        raise Problem(f"mdriver does not build on this machine: {plain(first, 300)}; install what packages.txt "
                      "marks `run`", FAULT)


def wall_of(config: Config) -> Wall:
    """The sandbox that CONFIG asks for. Without one, root is dropped where that is possible."""
    wall = Wall(config.sandbox, [ROOT], drop=not config.sandbox)
    if wall.drop:
        try:
            subprocess.run(["true"], check=True, **wall.identity())  # type: ignore[call-overload]
        except (OSError, subprocess.CalledProcessError):
            wall.drop = False
    return wall


def mdriver_of(config: Config, beside: Path) -> Mdriver:
    """mdriver as CONFIG, which lies in the folder BESIDE, wants it."""
    wall = wall_of(config)
    require(wall)
    traces = (beside / config.traces).resolve() if config.traces else None
    course = config.course
    if course and (beside / course).is_file():
        course = str((beside / course).resolve())
        wall.visible.append(beside.resolve() / "course")
    if traces:
        wall.visible.append(traces)
    for path in wall.visible if wall.identity() else ():
        if not reachable(path):
            raise Problem(f"{path}: only root can read it, and the sandbox gives up root; let others enter the folders "
                          "above it (chmod o+rx)", FAULT)
    return Mdriver(find(None), wall, course, traces, ["--seconds", f"{config.trace_seconds:g}"], config.seconds)


def grade(folder: Path, config: Config, beside: Path) -> tuple[dict | None, str | None]:
    """The result of the submission in FOLDER, or None and the reason why the grader failed."""
    try:
        data = read_source(submission(folder, config.file))
    except Refused as refused:
        return refusal(str(refused)), None
    build()
    with tempfile.TemporaryDirectory(prefix="grader-") as scratch:
        source = Path(scratch, "mm.c")
        source.write_bytes(data)
        answer = mdriver_of(config, beside).run(source)
    return (None, answer.fault) if answer.fault else (answer.result, None)


@contextmanager
def only_our_words() -> Iterator[int]:
    """Standard output for the answer alone, as a new descriptor; everything else goes to standard error."""
    sys.stdout.flush()
    answer = os.dup(1)
    os.dup2(2, 1)
    try:
        yield answer
    finally:
        os.close(answer)


def main(argv: list[str]) -> int:
    """Grades the one submission and answers in the platform's format."""
    platform, where = argv
    place, target = PLACES[platform]
    folder = Path(PREFIX + place) if place.startswith("/") else Path(os.environ.get("GRADER_SUBMISSION", place))
    results = Path(PREFIX + target) if target else None
    config = Config()

    def text(result: dict | None, fault: str | None) -> str:
        return CONVERT[platform](result, fault=fault, title=config.title)

    with only_our_words() as answer:
        if results:
            results.parent.mkdir(parents=True, exist_ok=True)
            os.chmod(results.parent, 0o700)  # out of the reach of whoever the submission runs as
            write_atomically(results, text(None, "grading did not finish: interrupted or out of time").encode())
        try:
            config = Config.read(Path(where))
            result, fault = grade(folder, config, Path(where).parent)
        except Problem as problem:
            result, fault = None, str(problem)
        except Exception as error:  # noqa: BLE001 - whatever it is, the platform must get its answer
            result, fault = None, f"{type(error).__name__}: {plain(str(error), 300)}"
        if fault:
            print(f"grader: {fault}", file=sys.stderr)
        if results:
            write_atomically(results, text(result, fault).encode())
        else:
            os.write(answer, text(result, fault).encode())
    return 0


def check(where: str) -> int:
    """For the platform's log when the image is built: what is missing here, in a sentence."""
    try:
        config = Config.read(Path(where))
        build()
        require(wall_of(config))
    except Problem as problem:
        print(f"WARNING: {problem}\nWARNING: if this also holds where submissions run, each will be reported as our "
              "fault and get no score.")
        return 0
    if not config.sandbox:
        print("WARNING: this bundle was made with --no-sandbox: every result is untrusted and says so.")
    free = shutil.disk_usage(tempfile.gettempdir()).free >> 20
    print(f"The grader is ready: mdriver is built, the sandbox {'stands' if config.sandbox else 'is off'}, "
          f"{free:,} MiB free for builds.")
    return 0


if __name__ == "__main__":
    sys.exit(check(sys.argv[2]) if sys.argv[1] == "check" else main(sys.argv[1:]))
