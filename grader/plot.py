"""`plot`: a picture from mdriver's results. Python makes tab-separated tables, plots/NAME.gp draws them.

One implementation for files, the terminal, `mdriver --plot` and the pages of `report`.
"""

import argparse
import os
import re
import shutil
import subprocess
import sys
import tempfile
import textwrap
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from grader.errors import FAULT, Problem
from grader.output import check, replacing
from grader.report.results import Subject, load_batch, load_results
from grader.store import Store
from grader.text import plain

SCRIPTS = Path(__file__).resolve().parents[1] / "plots"
NAMES = ("pareto", "heap", "map", "fragmented", "waste", "holes", "sizes", "traces", "latency", "class")
FORMATS = ("svg", "png", "pdf")
WIDTH, HEIGHT = 900, 540  # pixels of an svg
# Each differs from the next in lightness too, so that pictures read in grey.
PALETTE = {"PAYLOAD": 0x0B4F8A, "METADATA": 0xB35806, "OVERHEAD": 0xE8912D, "HOLE": 0xBFD9EC, "UNUSED": 0xF6F6F6,
           "INK": 0x222222, "FAINT": 0x9A9A9A, "ACCENT": 0xC0392B, "OTHER": 0x2A7F62}
EXAMPLES = """examples:
  python3 -m grader plot pareto --result build/result.json -o designs.svg
  python3 -m grader plot map --result r.json --events events --trace bash -o bash.png
  python3 -m grader plot class --batch out
"""


@dataclass
class Table:
    """Rows for gnuplot. An empty list among them ends a line of a drawing."""

    rows: list[Sequence[object]]
    columns: int


@dataclass
class Picture:
    """Everything that plots/NAME.gp needs, and what a reader without the picture is told."""

    name: str
    title: str
    tables: dict[str, Table]
    settings: dict[str, float | int | str] = field(default_factory=dict)
    binaries: dict[str, bytes] = field(default_factory=dict)
    key: list[str] = field(default_factory=list)  # beside the drawing in a terminal
    beside: bool = False                          # the key may stand beside: nothing depends on the width
    lines: int = 0                                # of a terminal's drawing; 0: as many as there are
    alt: str = ""                                 # the picture in a sentence
    height: int = HEIGHT


@dataclass
class Request:
    """What is to be drawn, of whom."""

    name: str
    subjects: list[Subject]
    trace: str | None = None
    allocator: str | None = None
    moment: int | None = None     # request (from 1) whose heap is shown
    terminal: bool = False        # drawn in characters
    columns: int = 80
    lines: int = 24
    notes: list[str] = field(default_factory=list)  # what was chosen for the user, to be told

    def one(self) -> Subject:
        """The one allocator that the picture is of."""
        if self.allocator is not None:
            found = [s for s in self.subjects if self.allocator in (s.name, s.row.person.key if s.row else s.name)]
            if not found:
                raise Problem(f"--allocator {plain(self.allocator)}: not among the results")
            return found[0]
        if len(self.subjects) > 1:
            names = ", ".join(s.name for s in self.subjects[:12])
            raise Problem(f"{self.name} shows one allocator, and here are {len(self.subjects)} ({names}); name one "
                          "with --allocator")
        return self.subjects[0]

    def pick(self) -> tuple[Subject, dict]:
        """The allocator, and the trace."""
        subject = self.one()
        trace, why = subject.choose_trace(self.trace)
        if why:
            self.notes.append(f"{why}; choose with --trace")
        return subject, trace


def make(request: Request) -> Picture:
    """The tables of one picture. Raises Problem when the data for it is not there."""
    from grader import plot_heap, plot_results  # both need the classes above
    makers = {**plot_heap.MAKERS, **plot_results.MAKERS}
    return makers[request.name](request)


def clean(value: object) -> str:
    """VALUE for a tab-separated table: nothing in it is a separator or a quote."""
    if isinstance(value, float):
        return f"{value:.9g}"
    return plain(str(value), 200).replace("\t", " ").replace('"', "″").strip() or " "


def quoted(value: float | int | str) -> str:
    """VALUE as gnuplot writes it."""
    if isinstance(value, str):
        return "'" + plain(value, 300).replace("'", "''") + "'"
    return f"{value:.12g}" if isinstance(value, float) else str(value)


def write_tables(picture: Picture, folder: Path) -> None:
    """The picture's tables and settings as files in FOLDER."""
    for name, table in picture.tables.items():
        # A plot of an empty file is an error to gnuplot; one of a point that is nowhere is not.
        rows = table.rows if any(table.rows) else [["NaN"] * table.columns]
        text = "".join("\t".join(map(clean, row)) + "\n" for row in rows)
        (folder / f"{name}.tsv").write_text(text, encoding="utf-8")
    for name, data in picture.binaries.items():
        (folder / name).write_bytes(data)
    values = {"TITLE": picture.title, **PALETTE, **picture.settings}
    (folder / "settings.gp").write_text(
        "".join(f"{name} = {quoted(value)}\n" for name, value in values.items()), encoding="utf-8")


def draw(picture: Picture, kind: str, size: tuple[int, int] | None = None, colour: bool = False) -> bytes:
    """The picture as KIND (svg, png, pdf, dumb). SIZE: pixels, or characters for dumb."""
    width, height = size or (WIDTH, picture.height)
    with tempfile.TemporaryDirectory(prefix="plot-") as folder:
        write_tables(picture, Path(folder))
        out = Path(folder) / "out"
        head = (f"TERM='{kind}'; WIDTH={width}; HEIGHT={height}; COLOUR={int(colour)}; "
                f"PLOTS='{SCRIPTS}'; COMMON=PLOTS.'/common.gp'; set output 'out'")
        try:
            done = subprocess.run(
                ["gnuplot", "-d", "-e", head, str(SCRIPTS / f"{picture.name}.gp")], cwd=folder, capture_output=True,
                text=True, errors="replace", check=False, timeout=120,
                env={**os.environ, "LC_ALL": "C.UTF-8"}, stdin=subprocess.DEVNULL)
        except FileNotFoundError:
            raise Problem("gnuplot is not installed; install gnuplot-nox (see packages.txt)", FAULT) from None
        except subprocess.TimeoutExpired:
            raise Problem(f"{picture.name}: gnuplot was not done within 120 s", FAULT) from None
        if done.returncode or not out.exists() or not out.stat().st_size:
            words = " ".join(done.stderr.split())
            raise Problem(f"{picture.name}: gnuplot failed: {plain(words, 300)}", FAULT)
        return out.read_bytes()


def may_colour(stream: object) -> bool:
    """Whether STREAM may get colours: a terminal that has them, and nobody asked for none."""
    return bool(getattr(stream, "isatty", lambda: False)()) and not os.environ.get("NO_COLOR") \
        and os.environ.get("TERM", "dumb") != "dumb"


def in_terminal(request: Request, colour: bool) -> str:
    """The picture in characters, the key beside it where there is room, else below."""
    request.terminal = True
    picture = make(request)
    columns, room = request.columns, request.columns - max(map(len, picture.key), default=0) - 2
    beside = picture.beside and room >= 50
    height = picture.lines or max(12, request.lines - (0 if beside else max(0, len(picture.key) - 2)))
    drawn = draw(picture, "dumb", (room if beside else columns, height), colour)
    lines = [line.rstrip() for line in drawn.decode("utf-8", "replace").replace("\f", "").split("\n")]
    while lines and not bare(lines[-1]).strip():
        lines.pop()
    while lines and not bare(lines[0]).strip():
        lines.pop(0)
    if not beside:
        return "\n".join([*lines, *(part for line in picture.key for part in wrapped(line, columns))]) + "\n"
    key = ["", "", *picture.key]
    lines += [""] * (len(key) - len(lines))
    key += [""] * (len(lines) - len(key))
    return "".join((line + " " * (room + 2 - len(bare(line))) + words).rstrip() + "\n"
                   for line, words in zip(lines, key))


def wrapped(line: str, columns: int) -> list[str]:
    """LINE in lines of at most COLUMNS; a row of a table stays one."""
    return [line] if line.startswith(" ") else textwrap.wrap(line, columns, subsequent_indent="  ") or [""]


def bare(text: str) -> str:
    """TEXT without colours."""
    return re.sub(r"\x1b\[[0-9;]*m", "", text)


def add_parser(commands: argparse._SubParsersAction) -> None:
    """The command line of `plot`."""
    sub = commands.add_parser("plot", help="draw a picture of results", epilog=EXAMPLES,
                              formatter_class=argparse.RawDescriptionHelpFormatter,
                              description="Draws a picture, into a file or in the terminal (docs/PLOTS.md).")
    sub.add_argument("name", metavar="NAME", choices=NAMES, help=", ".join(NAMES))
    add_sources(sub)
    sub.add_argument("--trace", metavar="NAME", help="the trace to draw (default: one that fails, else the worst)")
    sub.add_argument("--allocator", metavar="NAME", help="which of several, for pictures of one")
    sub.add_argument("--moment", metavar="REQUEST", type=int,
                     help="for fragmented, waste and holes: after this request (default: the failing one or the peak)")
    sub.add_argument("-o", "--output", metavar="FILE", type=Path, help="a file ending in .svg, .png or .pdf (default: "
                     "the terminal)")
    sub.set_defaults(action=_plot)


def add_sources(sub: argparse.ArgumentParser) -> None:
    """The options that say where results come from."""
    sub.add_argument("--result", metavar="JSON", type=Path, action="append", default=[],
                     help="a file of mdriver --json (may be repeated)")
    sub.add_argument("--batch", metavar="OUT", type=Path, help="the folder of `grade -o OUT`")
    sub.add_argument("--events", metavar="PATH", type=Path, help="what mdriver --events wrote")


def subjects_of(args: argparse.Namespace) -> list[Subject]:
    """Everybody that the command line names."""
    subjects: list[Subject] = []
    if args.batch:
        store = Store(args.batch)
        try:
            subjects += load_batch(store)
        finally:
            store.close()
        if not subjects:
            raise Problem(f"{args.batch}: nobody is graded yet; python3 -m grader grade SUBMISSIONS -o {args.batch}")
    if args.result:
        subjects += load_results(args.result, args.events)
    if not subjects:
        raise Problem("nothing to draw: give --result FILE.json (of mdriver --json) or --batch OUT")
    return subjects


def _plot(args: argparse.Namespace) -> int:
    kind = args.output.suffix.lower().removeprefix(".") if args.output else ""
    if args.output is None and not sys.stdout.isatty():
        raise Problem("standard output is no terminal to draw in; give -o FILE.svg, .png or .pdf "
                      "(mdriver: --plot NAME=FILE)")
    if args.output and kind not in FORMATS:
        raise Problem(f"{plain(str(args.output), 200)}: the name must end in .svg, .png or .pdf")
    check(args.output)
    size = shutil.get_terminal_size()
    request = Request(args.name, subjects_of(args), args.trace, args.allocator, args.moment,
                      columns=max(60, min(size.columns, 150)), lines=max(16, min(size.lines - 4, 34)))
    if args.output:
        data = draw(make(request), kind)
        with replacing(args.output) as out:
            out.write(data)
    else:
        sys.stdout.write(in_terminal(request, may_colour(sys.stdout)))
    for note in request.notes:
        print(f"plot {args.name}: {plain(note, 200)}", file=sys.stderr)
    return 0
