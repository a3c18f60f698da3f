"""Utilization against speed for a page: the plane of the picture `pareto`, with a name on every point."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from math import ceil, floor, log10

from grader.errors import Problem
from grader.plot_pareto import BOTTOM, LEFT, RIGHT, TOP, Field, Point, field_of, leader, place_labels, stairs
from grader.report.results import Subject
from grader.text import count, plain

SHAPES = {"submission": "M-4 0A4 4 0 1 0 4 0A4 4 0 1 0 -4 0Z", "shipped": "M-4 -4H4V4H-4Z",
          "real": "M0 -6L6 0L0 6L-6 0Z", "invalid": "M-4 -4L4 4M-4 4L4 -4"}
LEGEND = {"submission": "submission", "shipped": "shipped allocator", "real": "real allocator",
          "invalid": "fails traces"}
NAMED = 24  # so many points are named in the plot; of more only what is no submission


@dataclass(frozen=True)
class Mark:
    """One point, in pixels."""

    kind: str
    path: str
    title: str
    key: str
    href: str
    own: bool = False
    label: str = ""
    label_x: float = 0.0
    label_y: float = 0.0
    anchor: str = "start"
    leader: str = ""       # from the point to a label that stands away
    bar: str = ""          # how far the speed was reproduced
    x: float = 0.0
    y: float = 0.0


@dataclass(frozen=True)
class Plot:
    """What the template draws; places are in pixels."""

    width: int
    height: int
    alt: str
    axis: str
    points: list[Mark]
    front: str
    iso: list[dict]
    x_ticks: list[dict]
    y_ticks: list[dict]
    legend: list[dict]
    names: bool
    left: int = LEFT
    top: int = TOP
    right: int = field(default=0)
    bottom: int = field(default=0)


def plot_of(subjects: Sequence[Subject], keys: Sequence[str], links: Sequence[str]) -> Plot | None:
    """The plot of SUBJECTS, whose points link to LINKS and are found by KEYS; None when none has a place."""
    try:
        drawn = field_of(subjects)
    except Problem:
        return None
    plane = drawn.plane
    crowd = len(drawn.points) > NAMED
    named = [i for i, p in enumerate(drawn.points) if not crowd or p.kind in ("shipped", "real")]
    labels = {name: (x, y, side) for x, y, side, name in place_labels(drawn, named)}
    place = {id(subject): number for number, subject in enumerate(subjects)}
    marks = []
    for number, point in enumerate(drawn.points):
        x, y = plane.at(point.x, point.y)
        at = place.get(id(point.subject))
        mark = Mark(point.kind, moved(SHAPES[point.kind], x, y), words(point, drawn),
                    keys[at] if at is not None else f"real{number}", links[at] if at is not None else "", x=x, y=y,
                    bar="" if crowd or point.high <= point.low else path((plane.at(point.x, point.low),
                                                                           plane.at(point.x, point.high))))
        if number in named and point.name in labels:
            lx, ly, side = labels[point.name]
            away = [(x_ * plane.width, (1 - y_) * plane.height) for x_, y_ in
                    leader(drawn, lx, ly, side, point.name)[:2]]
            mark = replace(mark, leader=path(away), label=plain(point.name, 24), label_x=round(lx, 1),
                           label_y=round(ly + 4, 1), anchor="start" if side == "left" else "end")
        marks.append(mark)
    kinds = [kind for kind in SHAPES if any(p.kind == kind for p in drawn.points)]
    best = ", ".join(drawn.points[i].name for i in drawn.front[:10])
    alt = f"{count(len(marks), 'point')} by utilization and speed. On the Pareto front: {best}."
    return Plot(plane.width, plane.height, plain(alt, 400), drawn.axis, marks,
                path(plane.at(x, y) for x, y in stairs(drawn)),
                [iso(level, line, drawn) for level, line in drawn.iso], x_ticks(drawn), y_ticks(drawn),
                [{"kind": kind, "path": SHAPES[kind], "text": LEGEND[kind]} for kind in kinds], True,
                right=plane.width - RIGHT, bottom=plane.height - BOTTOM)


def for_one(plot: Plot | None, key: str) -> Plot | None:
    """The plot for the page of one student: where they stand, and nobody else's name or page."""
    if plot is None:
        return None
    marks = [replace(mark, title="you" if mark.key == key else
                     "" if mark.kind in ("submission", "invalid") else mark.title, href="", key="",
                     own=mark.key == key, label=mark.label if mark.kind in ("shipped", "real") else "")
             for mark in plot.points]
    marks = [replace(mark, label="you", label_x=round(mark.x + (-9 if mark.x > plot.right - 40 else 9), 1),
                     label_y=round(mark.y - 7, 1), anchor="end" if mark.x > plot.right - 40 else "start", leader="")
             if mark.own else mark for mark in marks]
    return replace(plot, points=sorted(marks, key=lambda mark: mark.own), names=False,
                   alt=f"{count(len(marks), 'point')} by utilization and speed; this submission has a red border.")


def moved(shape: str, x: float, y: float) -> str:
    """SHAPE, drawn around 0, around (x, y)."""
    if shape.startswith("M-4 0A"):
        return f"M{x - 4:.1f} {y:.1f}a4 4 0 1 0 8 0a4 4 0 1 0 -8 0Z"
    corners = {"M-4 -4H4V4H-4Z": f"M{x - 4:.1f} {y - 4:.1f}h8v8h-8Z",
               "M0 -6L6 0L0 6L-6 0Z": f"M{x:.1f} {y - 6:.1f}l6 6l-6 6l-6 -6Z",
               "M-4 -4L4 4M-4 4L4 -4": f"M{x - 4:.1f} {y - 4:.1f}l8 8m-8 0l8 -8"}
    return corners[shape]


def words(point: Point, drawn: Field) -> str:
    """What is read at a point."""
    unit = "" if drawn.speed == "relative" else " Kops"
    score = "" if point.index is None else f", score {point.index:.1f}"
    return f"{plain(point.name, 120)}: utilization {point.x:.1f} %, speed {point.y:.3g}{unit}{score}"


def path(points) -> str:
    """Corners as SVG has them."""
    return " ".join(f"{x:.1f},{y:.1f}" for x, y in points)


def iso(level: float, line: list[tuple[float, float]], drawn: Field) -> dict:
    """A line of equal score with its name at its lower end."""
    x, y = drawn.plane.at(*line[2])
    return {"points": path(drawn.plane.at(*corner) for corner in line), "text": f"{level:g}",
            "x": round(min(x - 3, drawn.plane.width - RIGHT - 3), 1), "y": round(y - 6, 1)}


def x_ticks(drawn: Field) -> list[dict]:
    """Round percents."""
    plane = drawn.plane
    step = next(s for s in (1, 2, 5, 10, 20) if (plane.right - plane.left) / s <= 11)
    return [{"at": round(plane.at(value, plane.bottom)[0], 1), "text": str(value)}
            for value in range(ceil(plane.left / step) * step, floor(plane.right) + 1, step)]


def y_ticks(drawn: Field) -> list[dict]:
    """Powers of ten, with 2 and 5 between them where there is room."""
    plane = drawn.plane
    decades = range(floor(log10(plane.bottom)), ceil(log10(plane.top)) + 1)
    between = (1, 2, 5) if plane.top / plane.bottom < 300 else (1,)
    values = [factor * 10.0 ** power for power in decades for factor in between]
    return [{"at": round(plane.at(plane.left, value)[1], 1), "text": f"{value:g}"}
            for value in values if plane.bottom <= value <= plane.top]
