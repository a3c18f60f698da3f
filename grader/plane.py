"""The class on the plane of utilization and throughput, as coordinates for an inline SVG.

A page a student has this picture, each with another point marked, so it is drawn by the page's template: starting
gnuplot for each would take longer than grading them.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from math import ceil, floor, log10

from grader.statistics import Benchmark, Entry

WIDTH, HEIGHT = 720, 420           # user units of the picture
LEFT, RIGHT, TOP, BOTTOM = 70, 20, 16, 48
LINE, LABEL_WIDTH = 12, 90
MOST_DOTS = 2000                   # of a larger class every k-th is drawn


@dataclass(frozen=True)
class Dot:
    """A point at x, y; label is empty for a classmate. label_y: where its text stands, clear of the others'."""

    x: float
    y: float
    label: str = ""
    label_y: float = 0.0


@dataclass(frozen=True)
class Plane:
    """Everything the template draws."""

    classmates: Sequence[Dot]
    marks: Sequence[Dot]
    you: Dot | None
    across: Sequence[tuple[float, str]]  # ticks: place and text
    up: Sequence[tuple[float, str]]
    width: int = WIDTH
    height: int = HEIGHT
    left: int = LEFT
    right: int = WIDTH - RIGHT
    top: int = TOP
    bottom: int = HEIGHT - BOTTOM


class Scale:
    """From figures to user units, the same for everybody of a class."""

    def __init__(self, entries: Iterable[Entry], marks: Iterable[Benchmark]) -> None:
        everything = [item for item in (*entries, *marks) if item.utilization and item.kops]
        used = [item.utilization for item in everything] or [0.0, 1.0]
        speeds = [log10(item.kops) for item in everything] or [3.0, 5.0]
        self.low = max(0.0, floor(min(used) * 10) / 10)
        self.high = max(self.low + 0.1, ceil(max(used) * 10) / 10)
        self.slow = floor(min(speeds))
        self.fast = max(self.slow + 1, ceil(max(speeds)))
        self.marks = apart([self.dot(mark.utilization, mark.kops, mark.name) for mark in marks
                            if mark.utilization and mark.kops])
        sound = [entry for entry in entries if entry.verdict == "ok" and entry.utilization and entry.kops]
        self.classmates = [self.dot(entry.utilization, entry.kops) for entry in sound[::1 + len(sound) // MOST_DOTS]]

    def dot(self, utilization: float, kops: float, label: str = "") -> Dot:
        """Where a point lies."""
        across = (utilization - self.low) / (self.high - self.low)
        up = (log10(kops) - self.slow) / (self.fast - self.slow)
        return Dot(round(LEFT + across * (WIDTH - RIGHT - LEFT), 1), round(HEIGHT - BOTTOM - up * (HEIGHT - BOTTOM - TOP), 1),
                   label)

    def plane(self, entry: Entry | None) -> Plane:
        """The picture for one person."""
        you = None
        if entry and entry.utilization and entry.kops:
            you = self.dot(entry.utilization, entry.kops, "you")
        steps = round((self.high - self.low) * 10)
        across = [(self.dot((self.low * 10 + i) / 10, 10.0 ** self.slow).x, f"{self.low * 100 + i * 10:.0f} %")
                  for i in range(steps + 1)]
        up = [(self.dot(self.low, 10.0 ** power).y, f"{10.0 ** power:,.0f}" if power >= 0 else f"{10.0 ** power:g}")
              for power in range(self.slow, self.fast + 1)]
        return Plane(self.classmates, self.marks, you, across, up)


def apart(dots: list[Dot]) -> list[Dot]:
    """DOTS with their labels moved down where they would lie on each other."""
    placed: list[Dot] = []
    for dot in sorted(dots, key=lambda d: (d.y, d.x)):
        near = [other.label_y for other in placed if abs(other.x - dot.x) < LABEL_WIDTH]
        placed.append(replace(dot, label_y=round(max([dot.y + 4, *(y + LINE for y in near)]), 1)))
    return placed
