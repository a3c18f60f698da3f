"""Who runs where on this machine: cores for checks, a core for timing that nothing else of ours uses, and the lock
files with which every mdriver of every grader of this user takes its turn (mdriver's --check-turn, --timing-turn)."""

import fcntl
import os
import stat
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from grader.errors import FAULT, Problem
from grader.sandbox import NOBODY

WAITING = 2       # workers besides those that check
WAITING_LONE = 4  # where a check may keep the timing core for long


@dataclass(frozen=True)
class Turn:
    """One place in the line: built and checked on `core` while holding `check`, timed on `cpu` holding `timing`."""

    core: int
    check: Path
    cpu: int
    timing: Path


class Cores:
    """Which cores do what. Timing has the last one; checks keep off it, and off its hyperthread, where others are."""

    def __init__(self, allowed: set[int] | None = None) -> None:
        cores = sorted(allowed or os.sched_getaffinity(0))
        self.timing = cores[-1]
        others = [core for core in cores if core != self.timing]
        self.checking = [core for core in others if core not in siblings(self.timing)] or others or cores

    def turns(self, jobs: int | None = None) -> list[Turn]:
        """One turn a worker, for JOBS checks at once (by default one a core). There are more workers than that: while
        one submission is timed and others wait for it, every core still has one to check.

        Of two cores one would be idle half of the time. So there is one more worker then, which builds and checks on
        the timing core, but as if it were timing: while it holds the lock of that core nothing is timed there."""
        folder = turns_folder()
        timing = _lock_file(folder, f"timing-{self.timing}")
        lone = jobs is None and len(self.checking) == 1 and self.timing not in self.checking
        jobs = jobs or len(self.checking)
        turns = []
        for number in range(jobs + (WAITING_LONE if lone else WAITING)):
            core = self.checking[number % jobs % len(self.checking)]
            turns.append(Turn(core, _lock_file(folder, f"check-{core}-{number % jobs // len(self.checking)}"),
                              self.timing, timing))
        return [*turns, Turn(self.timing, timing, self.timing, timing)] if lone else turns


def siblings(core: int) -> set[int]:
    """The logical cores that share CORE's physical one."""
    try:
        text = Path(f"/sys/devices/system/cpu/cpu{core}/topology/thread_siblings_list").read_text()
        found = set()
        for part in text.strip().split(","):
            low, _, high = part.partition("-")
            found.update(range(int(low), int(high or low) + 1))
        return found
    except (OSError, ValueError):
        return {core}


def turns_folder() -> Path:
    """Where this user's lock files are; root's belong to the user that the sandbox becomes."""
    folder = Path(tempfile.gettempdir(), f"grader-turns-{os.getuid()}")
    owner = NOBODY if os.geteuid() == 0 else os.geteuid()
    try:
        folder.mkdir(mode=0o700)
        os.chown(folder, owner, -1)
    except OSError:
        pass  # it exists; or this root has no other users, and then no sandbox either
    facts = os.lstat(folder)
    if not stat.S_ISDIR(facts.st_mode) or facts.st_uid not in (owner, os.geteuid()):
        raise Problem(f"{folder}: is not a folder of this user's; remove it", FAULT)
    return folder


def _lock_file(folder: Path, name: str) -> Path:
    path = folder / name
    os.close(os.open(path, os.O_RDONLY | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o644))
    return path


@contextmanager
def timing_lock() -> Iterator[None]:
    """Held while something is timed here: one thing at a time, whatever graders and array tasks run."""
    with held(_lock_file(turns_folder(), f"timing-{Cores().timing}")):
        yield


@contextmanager
def held(path: Path, wait: bool = True) -> Iterator[bool]:
    """Holds a lock on PATH, a file or a folder; False when it is taken and WAIT is off."""
    fd = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC)
    try:
        try:
            fcntl.flock(fd, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))
        except BlockingIOError:
            yield False
        else:
            yield True
    finally:
        os.close(fd)


@contextmanager
def share_of(width: int) -> Iterator[Cores]:
    """WIDTH cores that no other array task of this user holds, where the scheduler has not bound us to that many."""
    cores = sorted(os.sched_getaffinity(0))
    for place in range(len(cores) // width) if len(cores) > width else ():
        with held(_lock_file(turns_folder(), f"share-{cores[place * width]}"), wait=False) as mine:
            if mine:
                yield Cores(set(cores[place * width:(place + 1) * width]))
                return
    yield Cores()
