"""Work units on this machine: build and check on all jobs at once, timing one at a time on a core of its own."""

import errno
import fcntl
import os
import queue
import socket
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from grader.errors import FAULT, Problem
from grader.mdriver import Answer, Mdriver, Stopped, worth_timing
from grader.store import Outcome, Unit

TRIES = 2  # a fault of ours is retried once


@dataclass
class Task:
    """A unit on its way: where its file is, and what has been spent on it."""

    unit: Unit
    source: Path
    tries: int = 0
    seconds: float = 0.0


class Cores:
    """Which cores do what. The last core is for timing; with more than two, checks keep off it."""

    def __init__(self, allowed: set[int] | None = None) -> None:
        cores = sorted(allowed or os.sched_getaffinity(0))
        self.timing = {cores[-1]}
        self.checking = set(cores[:-1]) if len(cores) > 2 else set(cores)

    @property
    def jobs(self) -> int:
        """How many checks run at once by default."""
        return len(self.checking)


@contextmanager
def timing_lock() -> Iterator[None]:
    """Held while timing: one submission at a time on this machine, whatever graders and array tasks run here."""
    path = Path(tempfile.gettempdir(), f"grader-timing-{os.getuid()}.lock")
    fd = os.open(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(fd, fcntl.LOCK_EX)
        yield
    finally:
        os.close(fd)


def run(tasks: Iterator[Task], mdriver: Mdriver, jobs: int, save: Callable[[Outcome], None],
        cores: Cores | None = None) -> None:
    """Does every task and hands each outcome to SAVE, in this thread, as it comes.

    Only as many tasks are in memory as are under way. Whatever ends the run (an interruption, a full disk) stops
    the children first; what SAVE has seen is safe.
    """
    pipeline = _Pipeline(tasks, mdriver, jobs, cores or Cores())
    try:
        for outcome in pipeline.outcomes():
            save(outcome)
    finally:
        pipeline.end()


class _Pipeline:
    """Checkers and one timer, joined by short queues."""

    def __init__(self, tasks: Iterator[Task], mdriver: Mdriver, jobs: int, cores: Cores) -> None:
        self.tasks, self.mdriver, self.cores = tasks, mdriver, cores
        self.taking = threading.Lock()
        self.to_time: queue.Queue[Task | None] = queue.Queue(2 * jobs)
        self.done: queue.Queue[Outcome | BaseException | None] = queue.Queue(4 * jobs)
        self.host = socket.gethostname()
        self.checkers = [threading.Thread(target=self._guarded, args=(self._check_all,)) for _ in range(jobs)]
        self.timer = threading.Thread(target=self._guarded, args=(self._time_all,))

    def outcomes(self) -> Iterator[Outcome]:
        """Outcomes as they come; raises what went wrong in a thread."""
        for thread in (*self.checkers, self.timer):
            thread.start()
        closer = threading.Thread(target=self._close, daemon=True)
        closer.start()
        while (item := self.done.get()) is not None:
            if isinstance(item, BaseException):
                raise item
            yield item

    def end(self) -> None:
        """Stops whatever still runs."""
        self.mdriver.stop.set()
        for thread in (*self.checkers, self.timer):
            if thread.ident is not None:
                thread.join()

    def _close(self) -> None:
        for thread in self.checkers:
            thread.join()
        self._offer(self.to_time, None)
        self.timer.join()
        self._offer(self.done, None)

    def _offer(self, where: queue.Queue, item: object) -> None:
        """Puts ITEM; gives up when the run is being stopped and nobody takes it."""
        while True:
            try:
                where.put(item, timeout=0.2)
                return
            except queue.Full:
                if self.mdriver.stop.is_set():
                    return

    def _guarded(self, work: Callable[[], None]) -> None:
        """A thread's body: an error ends the run with a sentence, not one thread in silence."""
        try:
            work()
        except Stopped:
            pass
        except OSError as error:
            full = error.errno in (errno.ENOSPC, errno.EDQUOT)
            self._offer(self.done, Problem(
                f"{error.filename or tempfile.gettempdir()}: {error.strerror}; "
                f"{'free some space and ' if full else ''}run the same command again, it goes on where it stopped",
                FAULT))
        except BaseException as error:  # noqa: BLE001 - handed to the main thread, which raises it
            self._offer(self.done, error)

    def _check_all(self) -> None:
        os.sched_setaffinity(0, self.cores.checking)
        while not self.mdriver.stop.is_set():
            with self.taking:
                task = next(self.tasks, None)
            if task is None:
                return
            answer = self._call(task, check_only=True)
            if answer.fault is None and answer.result is not None and worth_timing(answer.result):
                self._offer(self.to_time, task)
            else:
                self._finish(task, answer)

    def _time_all(self) -> None:
        os.sched_setaffinity(0, self.cores.timing)
        while not self.mdriver.stop.is_set():
            task = self.to_time.get()
            if task is None:
                return
            with timing_lock():
                answer = self._call(task, check_only=False)
            self._finish(task, answer)

    def _call(self, task: Task, check_only: bool) -> Answer:
        """One call of mdriver; a fault of ours is retried once."""
        for left in range(TRIES - 1, -1, -1):
            begin = time.monotonic()
            answer = self.mdriver.run(task.source, check_only)
            task.seconds += time.monotonic() - begin
            task.tries += 1
            if answer.fault is None or not left:
                break
        return answer

    def _finish(self, task: Task, answer: Answer) -> None:
        self._offer(self.done, Outcome(task.unit, answer.result, answer.fault, task.tries,
                                       round(task.seconds, 3), self.host))
