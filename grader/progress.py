"""How far a batch is: a bar with rate and time left on a terminal, plain lines elsewhere."""

import os
import shutil
import sys
import time
from typing import TextIO

LINES_APART = 10.0  # seconds between plain lines
REDRAW = 0.1        # seconds between redraws of the bar


class Progress:
    """Counts finished units. The rate is that of this run; what an earlier run did is only in the count."""

    def __init__(self, total: int, done: int = 0, stream: TextIO | None = None) -> None:
        self.total, self.done, self.before = total, done, done
        self.stream = stream or sys.stderr
        self.live = self.stream.isatty() and os.environ.get("TERM", "dumb") != "dumb"
        self.start = time.monotonic()
        self.last = 0.0
        self.faults = 0

    def step(self, fault: bool = False) -> None:
        """One more unit finished."""
        self.done += 1
        self.faults += fault
        now = time.monotonic()
        if now - self.last >= (REDRAW if self.live else LINES_APART) or self.done == self.total:
            self.last = now
            self._draw()

    def say(self, sentence: str) -> None:
        """A message of its own line, without tearing the bar."""
        if self.live:
            self.stream.write("\r\033[K")
        print(sentence, file=self.stream, flush=True)
        if self.live:
            self._draw()

    def close(self) -> None:
        """Ends the bar's line."""
        if self.live and self.last:
            self.stream.write("\n")
            self.stream.flush()

    def line(self) -> str:
        """The state in words: 120/600 graded, 64.2 a minute, 7 min 29 s left."""
        passed = time.monotonic() - self.start
        now = self.done - self.before
        words = f"{self.done}/{self.total} graded"
        if now and passed > 0:
            rate = now / passed
            words += f", {rate * 60:.1f} a minute"
            if self.done < self.total:
                words += f", {duration((self.total - self.done) / rate)} left"
        if self.faults:
            words += f", {self.faults} not gradable (our fault)"
        return words

    def _draw(self) -> None:
        words = self.line()
        if not self.live:
            print(words, file=self.stream, flush=True)
            return
        width = max(0, min(40, shutil.get_terminal_size().columns - len(words) - 4))
        full = width * self.done // self.total if self.total else width
        bar = f"[{'#' * full}{'.' * (width - full)}] " if width >= 10 else ""
        self.stream.write(f"\r\033[K{bar}{words}")
        self.stream.flush()


def duration(seconds: float) -> str:
    """'45 s', '7 min 29 s', '13 h 5 min'."""
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60} s"
    return f"{whole // 3600} h {whole % 3600 // 60} min"
