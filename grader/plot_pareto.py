"""The picture `pareto`: utilization against speed, one point per allocator or submission."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import log10

from grader.errors import Problem
from grader.plot import HEIGHT, WIDTH, Picture, Request, Table
from grader.report.results import Course, Subject, front, load_course
from grader.statistics import benchmarks
from grader.text import count

LABELLED = 24             # so many points all have names; of more, only those on the front
LEFT, RIGHT, TOP, BOTTOM = 85, 25, 45, 116  # pixels around the plane
LETTER, LINE = 6.9, 14.0  # pixels of a label's letter
STEPS = (1, 2, 5, 10, 20, 50, 100, 200, 500)


@dataclass
class Point:
    """One point: utilization in percent, speed, its bounds, kind (submission, shipped, real or invalid)."""

    name: str
    x: float
    y: float
    low: float
    high: float
    kind: str
    index: float | None = None
    subject: Subject | None = None


@dataclass(frozen=True)
class Plane:
    """What part of the plane is shown, and where a value is in pixels from the upper left corner."""

    left: float
    right: float
    bottom: float
    top: float
    width: int = WIDTH
    height: int = HEIGHT

    def at(self, x: float, y: float) -> tuple[float, float]:
        """Pixels of a value."""
        across, down = self.width - LEFT - RIGHT, self.height - TOP - BOTTOM
        return (LEFT + (x - self.left) / (self.right - self.left) * across,
                TOP + (1 - log10(y / self.bottom) / log10(self.top / self.bottom)) * down)


@dataclass
class Field:
    """Everything that is drawn on the plane; the class page draws the same."""

    points: list[Point]
    plane: Plane
    front: list[int]
    iso: list[tuple[float, list[tuple[float, float]]]]  # (index, line)
    speed: str
    without: int                                        # subjects that have no place on it
    axis: str


def points_of(subjects: Sequence[Subject], speed: str) -> tuple[list[Point], int]:
    """The points of SUBJECTS and of real allocators measured beside them, and how many have no place."""
    points, without = [], 0
    for subject in subjects:
        x, y = subject.score.get("utilization"), subject.score.get(speed)
        if not x or not y or x <= 0 or y <= 0:
            without += 1
            continue
        error = subject.relative_error or 0.0
        kind = "real" if subject.real else "shipped" if subject.shipped else "submission"
        if subject.result["verdict"] not in ("ok",):
            kind = "invalid"
        points.append(Point(subject.name, 100 * x, y, y * (1 - min(error, 0.9)), y * (1 + error), kind,
                            subject.score.get("index"), subject))
    beside = next((s for s in subjects if any(t.get("peers") for t in s.result["traces"])
                   and s.result["verdict"] == "ok"), None)
    for real in benchmarks([], beside.result) if beside else []:
        y = getattr(real, speed)
        if real.utilization and y:
            points.append(Point(real.name, 100 * real.utilization, y, y, y, "real"))
    return points, without


def field_of(subjects: Sequence[Subject]) -> Field:
    """The plane with everything on it. Raises Problem when nothing has a place."""
    course: Course | None = None
    name = next((s.result.get("course") for s in subjects if s.result.get("course")), None)
    if name:
        try:
            course = load_course(name)
        except Problem:
            pass  # drawn without lines of equal score: the course's file may be elsewhere
    speed = course.speed if course else "relative"
    if speed == "relative" and not any(s.score.get("relative") for s in subjects):
        speed = "kops"
    points, without = points_of(subjects, speed)
    if not points:
        raise Problem("no result has both utilization and speed: grade without --check-only and -D, and with at least "
                      "one valid trace that counts for the score")
    right = min(100.0, max(p.x for p in points) + 4)
    left = max(0.0, min(p.x for p in points) - 4)
    bottom = min(p.low for p in points) / 1.4
    top = max(max(p.high for p in points) * 1.4, bottom * 3)
    iso = []
    if course and course.speed == speed:
        low, high = course.index(left / 100, bottom), course.index(right / 100, top)
        step = next((s for s in STEPS if (high - low) / s <= 11), 1000)
        for level in range(step, int(high) + 1, step):
            line = [(100 * x, y) for x, y in course.iso(level, bottom, top) if left <= 100 * x <= right]
            if len(line) > 8:
                iso.append((float(level), line))
    ranked = [i for i, p in enumerate(points) if p.kind in ("submission", "shipped")]
    best = [ranked[i] for i in front([(points[i].x, points[i].y) for i in ranked])]
    reference = next((s.result.get("reference") for s in subjects if s.result.get("reference")), "") or ""
    axis = f"speed (reference {reference} = 1)" if speed == "relative" else "throughput (1000 requests a second)"
    return Field(points, Plane(left, right, bottom, top), best, iso, speed, without, axis)


def stairs(field: Field) -> list[tuple[float, float]]:
    """The border of what the front dominates."""
    line: list[tuple[float, float]] = []
    for index in field.front:
        point = field.points[index]
        if line:
            line.append((line[-1][0], point.y))
        line.append((point.x, point.y))
    if line:
        line = [(field.plane.left, line[0][1]), *line, (line[-1][0], field.plane.bottom)]
    return line


def place_labels(field: Field, chosen: Sequence[int]) -> list[tuple[float, float, str, str]]:
    """(x, y, side, name) of labels for the CHOSEN points that cover neither each other nor a point nor the front: each
    is tried on places around its point and left out when none is free."""
    plane = field.plane
    taken = [(px - 4, py - 4, px + 4, py + 4) for px, py in (plane.at(p.x, p.y) for p in field.points)]
    if len(taken) > 100:
        taken = [taken[i] for i in chosen]
    bars = [(plane.at(p.x, p.high), plane.at(p.x, p.low)) for p in field.points] if len(taken) <= 100 else []
    corners = [plane.at(x, y) for x, y in stairs(field)]
    for (ax, ay), (bx, by) in [*bars, *zip(corners, corners[1:])]:
        taken.append((min(ax, bx) - 1, min(ay, by) - 1, max(ax, bx) + 1, max(ay, by) + 1))
    for _, line in field.iso:  # the names of the lines of equal score
        x, y = plane.at(*line[2])
        taken.append((x - 26, y - 18, x - 2, y - 2))
    placed = []
    for index in chosen:
        point = field.points[index]
        px, py = plane.at(point.x, point.y)
        width = LETTER * len(point.name) + 2
        own = (px - 4, py - 4, px + 4, py + 4)
        for side, dx, dy in (("left", 8, 0), ("left", 7, -11), ("left", 7, 11), ("right", -8, 0), ("right", -7, -11),
                             ("right", -7, 11), ("left", 7, -24), ("left", 7, 24), ("right", -7, -24),
                             ("right", -7, 24), ("left", 7, -38), ("right", -7, -38)):
            left = px + dx if side == "left" else px + dx - width
            box = (left, py + dy - LINE / 2, left + width, py + dy + LINE / 2)
            inside = (box[0] >= LEFT + 2 and box[2] <= plane.width - 4 and box[1] >= TOP
                      and box[3] <= plane.height - BOTTOM)
            if inside and not any(_cross(box, other) for other in taken if other != own):
                taken.append(box)
                placed.append((px + dx, py + dy, side, point.name))
                break
    return placed


def leader(field: Field, x: float, y: float, side: str, name: str) -> list[Sequence[float]]:
    """A line from a label that stands away from its point, as shares of the picture."""
    point = next(p for p in field.points if p.name == name)
    px, py = field.plane.at(point.x, point.y)
    if abs(y - py) < 20:
        return []
    toward = LINE / 2 if y < py else -LINE / 2
    near = x + (4 if side == "left" else -4)
    return [(px / field.plane.width, 1 - py / field.plane.height),
            (near / field.plane.width, 1 - (y + toward) / field.plane.height), []]


def _cross(a: tuple, b: tuple) -> bool:
    return a[0] < b[2] and b[0] < a[2] and a[1] < b[3] and b[1] < a[3]


def make_pareto(request: Request) -> Picture:
    """The plane for gnuplot."""
    field = field_of(request.subjects)
    plane, points = field.plane, field.points
    crowd = sum(p.kind != "real" for p in points) > LABELLED
    order = sorted(range(len(points)), key=lambda i: (i not in field.front, points[i].kind == "real",
                                                      -(points[i].index or 0)))
    chosen = [i for i in order if not crowd or i in field.front[-12:] or points[i].kind in ("real", "shipped")]
    labels = place_labels(field, chosen)
    tables = {kind: Table([(p.x, p.y, p.low, p.high) for p in points if p.kind == kind], 4)
              for kind in ("submission", "shipped", "real", "invalid")}
    tables["front"] = Table(stairs(field), 2)
    iso_rows: list[Sequence[object]] = []
    for level, line in field.iso:
        iso_rows += [*line, []]
    tables["iso"] = Table(iso_rows, 2)
    tables["leaders"] = Table([row for x, y, where, name in labels for row in leader(field, x, y, where, name)], 2)
    tables["levels"] = Table([(*line[2], f"{level:g}") for level, line in field.iso], 3)
    for side in ("left", "right"):
        tables["labels_" + side] = Table(
            [((x / plane.width), 1 - y / plane.height, name) for x, y, where, name in labels if where == side], 3)
    key = [f"{'':3} {'utilization':>11} {'speed':>8} {'index':>6}"]
    letters = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
    rows = []
    for letter, index in zip(letters, order):
        point = points[index]
        rows.append((point.x, point.y, letter))
        mark = "*" if index in field.front else " "
        key.append(f"{letter} {mark} {point.x:10.1f}% {point.y:8.3g} "
                   f"{'' if point.index is None else f'{point.index:.1f}':>6}  {point.name}"
                   + (f" ({point.kind})" if point.kind in ("real", "invalid") else ""))
    tables["letters"] = Table(rows, 3)
    key.append("    * on the Pareto front: nothing else is better in both")
    if field.without:
        request.notes.append(f"{count(field.without, 'result')} without a valid utilization and speed not drawn")
    best = ", ".join(points[i].name for i in field.front[:8])
    return Picture("pareto", "Utilization and speed", tables,
                   {"X0": plane.left, "X1": plane.right, "Y0": plane.bottom, "Y1": plane.top, "CROWD": int(crowd),
                    "AXIS": field.axis, "ISO": len(field.iso), "L": LEFT / plane.width, "R": 1 - RIGHT / plane.width,
                    "B": BOTTOM / plane.height, "T": 1 - TOP / plane.height, "REAL": len(tables["real"].rows),
                    "SUBMISSIONS": len(tables["submission"].rows), "SHIPPED": len(tables["shipped"].rows),
                    "INVALID": len(tables["invalid"].rows)}, key=key, beside=True,
                   alt=f"{count(len(points), 'point')} by utilization and speed; on the Pareto front: {best}.")
