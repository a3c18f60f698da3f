"""Runs mdriver on one submission and tells apart the student's failures from ours."""

import json
import os
import select
import shutil
import signal
import subprocess
import tempfile
import threading
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from grader.errors import Problem
from grader.sandbox import NOBODY, ROOT, Wall
from grader.text import plain
from grader.turns import Turn

MAX_JSON = 64 << 20   # bytes of one result
GIVE_UP = 1800.0      # seconds for one call, waiting included; mdriver has its own limits for the student's code
OUR_FAULT = "grader"  # the verdict that is never the student's


class Stopped(Exception):
    """The batch is being interrupted."""


class Stop:
    """A flag that can be waited on together with a process."""

    def __init__(self) -> None:
        self._read, self._write = os.pipe()
        self.set_ = threading.Event()

    def set(self) -> None:
        """Ends every wait, now and later."""
        if not self.set_.is_set():
            self.set_.set()
            os.write(self._write, b"x")

    def is_set(self) -> bool:
        """Whether the batch is being interrupted."""
        return self.set_.is_set()

    def wait(self, process: subprocess.Popen, seconds: float) -> bool:
        """Waits for PROCESS. True when it ended, False after SECONDS; Stopped when interrupted."""
        pidfd = os.pidfd_open(process.pid)
        try:
            poll = select.poll()
            poll.register(pidfd, select.POLLIN)
            poll.register(self._read, select.POLLIN)
            ready = [fd for fd, _ in poll.poll(seconds * 1000)]
            if self._read in ready:
                raise Stopped
            return pidfd in ready
        finally:
            os.close(pidfd)


@dataclass
class Answer:
    """What one call of mdriver gave: its JSON, or the sentence that says how it failed us."""

    result: dict | None
    fault: str | None
    refused: str | None = None  # mdriver's words when it took what it was given for wrong input


@dataclass
class Mdriver:
    """mdriver with everything that stays the same in a batch."""

    program: str
    wall: Wall = field(default_factory=Wall)
    course: str | None = None
    traces: Path | None = None
    extra: Sequence[str] = ()
    limit: float = GIVE_UP
    reference: Path | None = None  # where mdriver finds the reference built and checked
    folder: Path | None = None     # for temporary files; None: the system's
    stop: Stop = field(default_factory=Stop)

    def arguments(self, check_only: bool, turn: Turn | None = None) -> list[str]:
        """The command line but for the submission."""
        words = [self.program]
        if self.course:
            words += ["-c", self.course]
        if self.traces:
            words += ["-t", str(self.traces)]
        if check_only:
            words.append("--check-only")
        if not self.wall.on:
            words.append("--no-sandbox")
        if self.reference:
            words += ["--keep-reference", str(self.reference)]
        if turn:
            words += ["--check-turn", str(turn.check), "--timing-turn", str(turn.timing), "--cpu", str(turn.cpu)]
        return words + list(self.extra)

    def run(self, source: Path, check_only: bool = False, turn: Turn | None = None,
            reference_to: Path | None = None) -> Answer:
        """Grades SOURCE, when it is its TURN. The reference that mdriver makes meanwhile is left at REFERENCE_TO.
        Raises Stopped when the batch is interrupted meanwhile."""
        folder = Path(tempfile.mkdtemp(prefix="grader-", dir=self.folder))
        try:
            arguments = self.arguments(check_only, turn)
            if reference_to is None:
                return self._run(source, arguments, folder)
            made = folder / "results" / "reference"
            arguments += ["--keep-reference", self.wall.paths(source, made.parent)[1] + "/reference"]
            answer = self._run(source, arguments, folder)
            if made.is_dir() and not made.is_symlink():
                made.rename(reference_to)
            return answer
        finally:
            shutil.rmtree(folder, ignore_errors=True)

    def events(self, source: Path, traces: Sequence[str], folder: Path) -> Path | None:
        """What happened at every request of TRACES, checked and not timed: the path in FOLDER where mdriver wrote it
        (docs/JSON.md), or None when it did not."""
        words = replace(self, traces=None).arguments(check_only=True)
        for trace in traces:
            words += ["-f", trace]
        inner = self.wall.paths(source, folder / "results")[1]
        answer = self._run(source, [*words, "--events", inner + "/events"], folder)
        written = folder / "results" / "events"
        return written if answer.fault is None and written.exists() and not written.is_symlink() else None

    def _run(self, source: Path, arguments: Sequence[str], folder: Path) -> Answer:
        dropped = bool(self.wall.identity())
        if dropped:
            # The command is nobody: it reads a copy that it may read, and writes into a folder that it owns.
            os.chown(folder, NOBODY, NOBODY)
        if self.wall.on or dropped:
            source = Path(shutil.copyfile(source, folder / "mm.c"))
            os.chmod(source, 0o444)
        results = folder / "results"
        results.mkdir()
        if dropped:
            os.chown(results, NOBODY, NOBODY)
        inner_source, inner_results = self.wall.paths(source, results)
        argv = [*arguments, "--json", inner_results + "/result.json", inner_source]
        with tempfile.TemporaryFile() as messages:
            try:
                process = subprocess.Popen(
                    self.wall.command(argv, source, results), stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                    stderr=messages, process_group=0, **self.wall.identity())  # type: ignore[call-overload]
            except OSError as error:
                return Answer(None, f"cannot start {error.filename}: {error.strerror}")
            ended = False
            try:
                ended = self.stop.wait(process, self.limit)
            finally:
                if not ended:
                    kill(process)
            if not ended:
                return Answer(None, f"mdriver gave no result within {self.limit:.0f} s")
            status = process.wait()
            messages.seek(max(0, messages.seek(0, os.SEEK_END) - 4096))
            words = messages.read().decode("utf-8", "replace").strip()
        return judge(status, results / "result.json", words)


def kill(process: subprocess.Popen) -> None:
    """Ends a process with its group, and reaps it."""
    try:
        os.killpg(process.pid, signal.SIGKILL)
    except ProcessLookupError:
        pass
    process.wait()


def judge(status: int, path: Path, words: str) -> Answer:
    """Whether a call of mdriver is a result or our fault: by exit status, by JSON, by verdict."""
    said = f": {plain(words.splitlines()[-1], 300)}" if words else ""
    if status < 0 or status > 128:
        number = -status if status < 0 else status - 128
        return Answer(None, f"mdriver was killed by signal {number}{said}")
    if status == 2:
        return Answer(None, f"mdriver failed with status 2{said}", said[2:].removeprefix("mdriver: ") or None)
    if status == 5:
        return Answer(None, f"mdriver failed with status 5{said}")
    try:
        # O_NOFOLLOW: nobody inside the wall should be able to make us read another file.
        fd = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
        with os.fdopen(fd, "rb") as handle:
            data = handle.read(MAX_JSON + 1)
    except OSError:
        return Answer(None, f"mdriver ended with status {status} but wrote no JSON{said}")
    if len(data) > MAX_JSON:
        return Answer(None, f"mdriver wrote more than {MAX_JSON:,} bytes of JSON")
    try:
        result = json.loads(data)
        if result["schema"] != 1:
            return Answer(None, f"mdriver wrote schema {result['schema']}; this grader reads schema 1")
        verdicts = [result["verdict"]] + [trace["verdict"] for trace in result["traces"]]
    except (ValueError, KeyError, TypeError):
        return Answer(None, f"mdriver ended with status {status} and its JSON is damaged")
    if OUR_FAULT in verdicts:
        sentence = next((t.get("message") for t in result["traces"] if t["verdict"] == OUR_FAULT), "")
        return Answer(result, f"mdriver reported a failure of its own: {plain(sentence or 'no message', 300)}")
    return Answer(result, None)


def course_json(program: str, course: str | None) -> dict:
    """What mdriver says of COURSE (None: its default), as in --course-json; empty when it says nothing."""
    try:
        done = subprocess.run([program, "--course-json", course or "malloclab"], capture_output=True, timeout=60,
                              check=True, stdin=subprocess.DEVNULL)
        said = json.loads(done.stdout)
    except (OSError, subprocess.SubprocessError, ValueError):
        return {}
    return said if isinstance(said, dict) else {}


def find(given: str | None) -> str:
    """The mdriver to use: --mdriver, $GRADER_MDRIVER, the one beside this package, or the one on PATH."""
    named = given or os.environ.get("GRADER_MDRIVER")
    path = named or (str(ROOT / "mdriver") if (ROOT / "mdriver").exists() else shutil.which("mdriver"))
    if path is None:
        raise Problem(f"mdriver is not built; run `make` in {ROOT}")
    if not os.access(path, os.X_OK) or os.path.isdir(path):
        raise Problem(f"{path}: is not an executable mdriver; run `make` in {ROOT}, or give --mdriver FILE")
    return str(Path(path).resolve())
