"""Work units on this machine: as many checks at once as there are cores for them, timing one at a time on a core of
its own. One mdriver does both for a submission, and waits for its turn at either (turns.py)."""

import errno
import os
import queue
import socket
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from grader.errors import FAULT, Problem
from grader.mdriver import Mdriver, Stopped
from grader.store import Outcome, Unit
from grader.turns import Turn

TRIES = 2  # a fault of ours is retried once


@dataclass
class Task:
    """A unit on its way: what it is, and where its file is."""

    unit: Unit
    source: Path


def run(tasks: Iterator[Task], mdriver: Mdriver, turns: list[Turn], save: Callable[[Outcome], None]) -> None:
    """Does every task, with a worker for each of TURNS, and hands each outcome to SAVE, in this thread, as it comes.

    Only as many tasks are in memory as are under way. Whatever ends the run (an interruption, a full disk) stops
    the children first; what SAVE has seen is safe.
    """
    workers = _Workers(tasks, mdriver, turns)
    try:
        for outcome in workers.outcomes():
            save(outcome)
    finally:
        workers.end()


class _Workers:
    """A thread for each turn; each does one task after the other."""

    def __init__(self, tasks: Iterator[Task], mdriver: Mdriver, turns: list[Turn]) -> None:
        self.tasks, self.mdriver = tasks, mdriver
        self.taking = threading.Lock()
        self.done: queue.Queue[Outcome | BaseException | None] = queue.Queue(4 * len(turns))
        self.host = socket.gethostname()
        self.threads = [threading.Thread(target=self._guarded, args=(turn,)) for turn in turns]

    def outcomes(self) -> Iterator[Outcome]:
        """Outcomes as they come; raises what went wrong in a thread."""
        for thread in self.threads:
            thread.start()
        left = len(self.threads)
        while left:
            item = self.done.get()
            if isinstance(item, BaseException):
                raise item
            if item is None:
                left -= 1
            else:
                yield item

    def end(self) -> None:
        """Stops whatever still runs."""
        self.mdriver.stop.set()
        for thread in self.threads:
            if thread.ident is not None:
                thread.join()

    def _offer(self, item: Outcome | BaseException | None) -> None:
        """Puts ITEM; gives up when the run is being stopped and nobody takes it."""
        while True:
            try:
                self.done.put(item, timeout=0.2)
                return
            except queue.Full:
                if self.mdriver.stop.is_set():
                    return

    def _guarded(self, turn: Turn) -> None:
        """A thread's body: an error ends the run with a sentence, not one thread in silence."""
        try:
            self._work(turn)
        except Stopped:
            pass
        except OSError as error:
            full = error.errno in (errno.ENOSPC, errno.EDQUOT)
            self._offer(Problem(
                f"{error.filename or tempfile.gettempdir()}: {error.strerror}; "
                f"{'free some space and ' if full else ''}run the same command again, it goes on where it stopped",
                FAULT))
        except BaseException as error:  # noqa: BLE001 - handed to the main thread, which raises it
            self._offer(error)
        self._offer(None)

    def _work(self, turn: Turn) -> None:
        os.sched_setaffinity(0, {turn.core})  # of this thread and what it starts
        while not self.mdriver.stop.is_set():
            with self.taking:
                task = next(self.tasks, None)
            if task is None:
                return
            begin = time.monotonic()
            for tries in range(1, TRIES + 1):
                answer = self.mdriver.run(task.source, turn=turn)
                if answer.fault is None:
                    break
            self._offer(Outcome(task.unit, answer.result, answer.fault, tries,
                                round(time.monotonic() - begin, 3), self.host))
