"""Every picture: what is in it, not only that it is there."""

import os
import pty
import random
import re
import resource
import subprocess
from html import unescape
from pathlib import Path

import pytest

from grader.errors import Problem
from grader.plot import NAMES, PALETTE, Request, bare, draw, in_terminal, make
from grader.plot_map import make_map
from grader.plot_pareto import field_of
from grader.plot_results import tail
from grader.report.events import HEADER, read_events
from grader.report.results import Course, Part, Subject, front, load_course, load_results
from report.conftest import ROOT
from report.made import FirstFit, failing, result, write_result

TEXTS = {  # what must be read in the picture
    "pareto": ["Utilization and speed", "utilization, as it counts for the score (percent)",
               "speed (reference explicit = 1)", "Pareto front", "alpha", "equal score"],
    "heap": ["Live payload and heap: alpha on one", "requests", "bytes (", "live payload", "heap size (break)", "waste",
             "peak of the payload"],
    "map": ["Heap over time: alpha on one", "requests", "address (", "payload", "overhead", "free, was used",
            "never used", "break", "peak"],
    "fragmented": ["The heap at the peak, request ", "payload", "overhead", "free hole", "blocks", "500"],
    "waste": ["Where the heap is at the peak: alpha", "payload", "metadata", "internal", "external", "unreleased",
              "one", "two", "percent of the heap at its highest"],
    "holes": ["Free holes at the peak", "size of a hole (bytes", "bytes in such holes (", "in all, the largest"],
    "sizes": ["Sizes and lifetimes in trace one", "size asked for (bytes", "lifetime (requests", "percent", "end"],
    "traces": ["Trace by trace: alpha", "utilization (percent)", "speed (explicit = 1)", "ceiling", "one", "two"],
    "latency": ["Cost of single requests: alpha", "cost of a request", "100 ns", "1 µs",
                "share of requests that cost more", "malloc", "calloc", "realloc", "free", "longest malloc: 5 µs"],
    "class": ["Scores, and how far they repeat", "score", "median", "repetitions apart"]}
ONE_TRACE = ("heap", "map", "fragmented", "holes", "sizes")


@pytest.fixture
def alpha(tmp_path: Path, dice: random.Random) -> Subject:
    """One allocator on two traces, with events."""
    traces = []
    for name in ("one", "two"):
        heap = FirstFit().random(dice, 400)
        heap.write(tmp_path / "events" / f"{name}.tsv")
        traces.append(heap.trace(name + ".rep"))
    write_result(tmp_path / "alpha.json", result("alpha", traces))
    return load_results([tmp_path / "alpha.json"], tmp_path / "events")[0]


def texts(svg: bytes) -> list[str]:
    """The words of an SVG, unescaped."""
    found = re.findall(r"<text[^>]*>(.*?)</text>", svg.decode(), re.S)
    plain = [re.sub(r"<[^>]*>", "", words) for words in found]
    return [unescape(w).strip() for w in plain]


def request(name: str, subject: Subject, **other: object) -> Request:
    """What `plot` would ask for."""
    return Request(name, [subject], trace="one" if name in ONE_TRACE else None, **other)  # type: ignore[arg-type]


@pytest.mark.parametrize("name", NAMES)
def test_an_svg_has_title_axes_and_key(name: str, alpha: Subject) -> None:
    words = texts(draw(make(request(name, alpha)), "svg"))
    for wanted in TEXTS[name]:
        assert any(wanted in line for line in words), (wanted, words)


@pytest.mark.parametrize("name", NAMES)
def test_png_and_pdf_and_the_terminal(name: str, alpha: Subject) -> None:
    picture = make(request(name, alpha))
    png = draw(picture, "png")
    assert png.startswith(b"\x89PNG") and int.from_bytes(png[16:20], "big") == 1800
    assert draw(picture, "pdf").startswith(b"%PDF")
    drawn = in_terminal(request(name, alpha, columns=80, lines=24), colour=False)
    assert "\x1b" not in drawn
    assert picture.title[:20] in drawn
    assert all(len(line) <= 110 for line in drawn.split("\n"))
    assert bare(in_terminal(request(name, alpha, columns=80, lines=24), colour=True)).count("\n") == drawn.count("\n")


@pytest.mark.parametrize("name", sorted(set(NAMES) - {"waste", "traces"}))
@pytest.mark.parametrize(("columns", "lines"), [(80, 24), (60, 20), (132, 43)])
def test_the_terminal_shows_all_of_it(name: str, columns: int, lines: int, alpha: Subject) -> None:
    """With the prompt and a note below; nothing is wider than the terminal."""
    drawn = in_terminal(request(name, alpha, columns=columns, lines=lines - 4), colour=False).splitlines()
    assert len(drawn) <= lines - 2 and drawn[0].strip()
    assert all(len(line) <= columns for line in drawn)


def test_the_map_in_a_terminal_has_a_cell_on_each_character(tmp_path: Path) -> None:
    """Also when the peak is at the very end: nothing stands on or beyond the frame."""
    heap = FirstFit(header=16)
    for i in range(3000):
        heap.request("malloc", i, 100)
    heap.write(tmp_path / "e.tsv")
    drawn = in_terminal(Request("map", [Subject("a", result("a", [heap.trace("t.rep")]), tmp_path / "e.tsv")],
                                columns=80, lines=20), colour=False).splitlines()
    top, bottom = (i for i, line in enumerate(drawn) if "+-----" in line)
    left, right = drawn[top].index("+"), drawn[top].rindex("+")
    inside = [line[left + 1:right] for line in drawn[top + 1:bottom]]
    assert len(inside) == 12 and right - left - 1 == 66
    assert all(line[right:] in ("|", "+") and line[left] in "|+" for line in drawn[top:bottom + 1])
    assert drawn[top - 1].rstrip().endswith("peak v") and drawn[top - 1].rindex("v") == right - 1
    assert [word for word in drawn[bottom + 2].split()] == ["0", "500", "1000", "1500", "2000", "2500", "3000"]
    for i, line in enumerate(inside[::-1]):  # it grows evenly, so the used part is a triangle
        assert abs(len(line.strip()) - (66 - i * 66 / 12)) < 4


def test_sizes_in_a_terminal_are_bars(tmp_path: Path) -> None:
    heap = FirstFit(header=16)
    for i, size in enumerate([100] * 60 + [1000] * 30 + [3] * 10):
        heap.request("malloc", i, size)
    heap.write(tmp_path / "e.tsv")
    drawn = in_terminal(Request("sizes", [Subject("a", result("a", [heap.trace("t.rep")]), tmp_path / "e.tsv")],
                                columns=80, lines=20), colour=False).splitlines()
    bars = dict(re.findall(r"^ *(\d+) (#+ \d+ %)", "\n".join(drawn), re.M))
    assert [bars[size].split()[1] for size in ("64", "512", "2")] == ["60", "30", "10"]
    longest = bars["64"].count("#")
    assert longest >= 20 and bars["512"].count("#") == round(longest / 2) and bars["2"].count("#") == round(longest / 6)
    assert any(re.search(r" end #+ 100 %$", line) for line in drawn)


@pytest.mark.parametrize("lines", [12, 16, 20])
def test_every_letter_is_on_the_plane_in_a_terminal(lines: int) -> None:
    """Those at the corners too, and on the few lines that a long table leaves."""
    corners = ((0.3, 2.9), (0.3, 0.003), (0.999, 2.9), (0.999, 0.003), (0.6, 1.0))
    subjects = [Subject(f"allocator{i}", result(f"a{i}", [], used, speed)) for i, (used, speed) in enumerate(corners)]
    drawn = in_terminal(Request("pareto", subjects, columns=80, lines=lines), colour=False).splitlines()
    top, bottom = (i for i, line in enumerate(drawn) if "+-----" in line)
    inside = "\n".join(line[12:] for line in drawn[top + 1:bottom])
    assert sorted(re.findall("[a-z]", inside)) == list("abcde")


def few(tmp_path: Path) -> Subject:
    """An allocator on a trace of three requests, each of which moves the break."""
    heap = FirstFit()
    for i in range(3):
        heap.request("malloc", i, 100)
    heap.write(tmp_path / "e.tsv")
    return Subject("a", result("a", [heap.trace("t" * 150 + ".rep")]), tmp_path / "e.tsv")


@pytest.mark.parametrize("name", ("heap", "map"))
def test_few_requests_are_whole_numbers(name: str, tmp_path: Path) -> None:
    words = texts(draw(make(Request(name, [few(tmp_path)])), "svg"))
    assert [words.count(number) for number in ("1", "2", "3")] == [1, 1, 1]


def test_the_break_of_the_map_lies_over_the_block_that_moved_it(tmp_path: Path) -> None:
    """A request's column has its block and its break, from left to right; nothing stands above the break."""
    svg = draw(make(Request("map", [few(tmp_path)])), "svg").decode()
    lines = [path for path in re.findall(r"<path [^>]*>", svg, re.S) if "rgb(192,  57,  43)" in path]
    places = [tuple(map(float, place)) for path in lines for place in re.findall(r"[ML]([\d.]+),([\d.]+)", path)]
    places = [(x, y) for x, y in places if y < 500]  # but for the key's
    left, right = min(x for x, _ in places), max(x for x, _ in places)
    assert right > 800
    for step, height in enumerate(sorted({y for _, y in places}, reverse=True)):
        first = min(x for x, y in places if y == height)
        assert abs(first - left - step * (right - left) / 3) < 2, (step, places)


def test_one_request_is_drawn(tmp_path: Path) -> None:
    """Of no bytes, too; what lies below the block is overhead, and the peak's label stands inside."""
    lines = "\n1\t5\tmalloc\t0\t{0}\t16\t48\t{0}\n"
    for size in (10, 0):
        (tmp_path / "e.tsv").write_text(HEADER + lines.format(size))
        heap = FirstFit().random(random.Random(1), 9)
        trace = heap.trace("t.rep", requests=1, peak_payload=size)
        subject = Subject("a", result("a", [trace]), tmp_path / "e.tsv")
        for name in ("heap", "map", "fragmented", "waste", "holes", "sizes"):
            picture = make(Request(name, [subject]))
            assert draw(picture, "png").startswith(b"\x89PNG")
            assert picture.settings.get("RIGHT", 1) == 1
        pixels = make(Request("map", [subject])).binaries["map.rgb"]
        assert pixels[:3] == PALETTE["OVERHEAD"].to_bytes(3, "big")
        assert len(make(Request("heap", [subject])).tables["series"].rows) == 2


def test_bars_of_few_traces_have_room_for_their_names(tmp_path: Path, dice: random.Random) -> None:
    """And the key does not stand on the axis, however high the picture."""
    for many in (3, 40):
        traces = []
        for i in range(many):
            heap = FirstFit().random(dice, 9)
            heap.write(tmp_path / "events" / f"name{i}.tsv")
            traces.append(heap.trace(f"name{i}.rep"))
        subject = Subject("a", result("a", traces), tmp_path / "events")
        svg = draw(make(Request("waste", [subject])), "svg").decode()
        at = {words: float(y) for y, words in re.findall(
            r'translate\([\d.]+,([\d.]+)\)[^<]*<text>(?:<tspan[^>]*>)?([^<]*)<', svg)}
        names = sorted(y for words, y in at.items() if words.startswith("name"))
        assert len(names) == many and min(low - high for high, low in zip(names, names[1:])) > 11
        assert at["payload"] - at["percent of the heap at its highest"] > 14


@pytest.mark.parametrize("name", ("waste", "traces"))
def test_a_long_name_of_a_trace_leaves_room_for_the_drawing(name: str, tmp_path: Path) -> None:
    words = texts(draw(make(Request(name, [few(tmp_path)])), "svg"))
    assert "t" * 12 + "…" + "t" * 9 in words and not any("t" * 23 in line for line in words)


def test_traces_in_a_terminal_name_each_allocator(tmp_path: Path, dice: random.Random) -> None:
    heap = FirstFit().random(dice, 30)
    subjects = [Subject(name, result(name, [heap.trace("t.rep", utilization=used)]))
                for name, used in (("first", 0.25), ("second", 0.75))]
    drawn = in_terminal(Request("traces", subjects, columns=80, lines=20), colour=False)
    row = next(line for line in drawn.splitlines() if re.search(r"\ba\b.*\bb\b.*\|", line))
    frame = row.rindex("|")  # at 105 %
    assert abs(row.index("a") - frame * 25 / 105) < 3 and abs(row.index("b") - frame * 75 / 105) < 3
    assert re.search(r"25\.0% +75\.0% +t$", drawn, re.M) and "a first, b second" in drawn


def test_every_point_of_600_is_in_the_picture(tmp_path: Path, dice: random.Random) -> None:
    subjects = [Subject(f"student {i}", result("mm.c", [], dice.uniform(0.3, 0.95), 10 ** dice.uniform(-2, 0.5),
                                               path="mm.c")) for i in range(600)]
    picture = make(Request("pareto", subjects))
    assert len(picture.tables["submission"].rows) == 600
    svg = draw(picture, "svg").decode()
    assert len(re.findall(r"<use xlink:href='#gpPt6'", svg)) >= 600
    labels = [row[2] for side in ("left", "right") for row in picture.tables[f"labels_{side}"].rows]
    assert 0 < len(labels) <= 12  # names of the front only
    assert all(label in texts(svg.encode()) for label in labels)


def test_labels_of_nine_points_do_not_overlap(dice: random.Random) -> None:
    from grader.plot_pareto import LETTER, LINE, place_labels
    subjects = [Subject(f"allocator{i}", result(f"a{i}", [], dice.uniform(0.7, 0.9), dice.uniform(0.5, 1.5)))
                for i in range(9)]
    field = field_of(subjects)
    boxes = []
    for x, y, side, name in place_labels(field, range(9)):
        left = x if side == "left" else x - LETTER * len(name)
        boxes.append((left, y - LINE / 2, left + LETTER * len(name), y + LINE / 2))
    assert len(boxes) >= 7
    for i, a in enumerate(boxes):
        for b in boxes[i + 1:]:
            assert not (a[0] < b[2] and b[0] < a[2] and a[1] < b[3] and b[1] < a[3])


def test_the_front_is_what_nothing_beats(dice: random.Random) -> None:
    points = [(round(dice.random(), 2), round(dice.random(), 2)) for _ in range(300)]
    expected = {p for p in points if not any(q != p and q[0] >= p[0] and q[1] >= p[1] for q in points)}
    assert {points[i] for i in front(points)} == expected
    chosen = [points[i] for i in front(points)]
    assert chosen == sorted(chosen)


@pytest.mark.parametrize("course", ["malloclab", "classic", "autolab", "cmu16", "product", "geometric-50-50"])
def test_along_an_iso_line_the_index_is_the_same(course: str) -> None:
    formula = load_course(course)
    low, high = (0.05, 5) if formula.speed == "relative" else (100, 50_000)
    drawn = 0
    for level in (10, 30, 50, 70, 90):
        for x, y in formula.iso(level, low, high):
            if 1e-6 < x < 1 - 1e-6 and formula.index(x - 1e-4, y) < formula.index(x + 1e-4, y):
                assert formula.index(x, y) == pytest.approx(level, abs=0.01)
                drawn += 1
    assert drawn > 100


def test_the_formula_is_mdrivers(tmp_path: Path) -> None:
    formula = Course("c", (Part("utilization", 60, 0.5, 0.9, 1, False), Part("relative", 40, 0, 1, 2, False)),
                     False, False)
    assert formula.index(0.7, 0.5) == pytest.approx(30 + 10)
    assert formula.index(0.2, 3) == pytest.approx(40)
    real = load_course("malloclab")
    assert real.index(0.806, 1.0) == pytest.approx(60 * 0.806 + 40)


def test_the_map_shows_payload_overhead_hole_and_nothing(tmp_path: Path) -> None:
    heap = FirstFit(header=16)
    heap.request("malloc", 0, 4080)
    heap.request("malloc", 1, 4080)
    for i in range(2, 98):
        heap.request("free", 1000 + i)  # of nothing: time passes
    heap.request("free", 0)
    heap.request("malloc", 2, 16)
    heap.write(tmp_path / "e.tsv")
    subject = Subject("a", result("a", [heap.trace("t.rep")]), tmp_path / "e.tsv")
    picture = make_map(Request("map", [subject]))
    columns, rows = int(picture.settings["COLUMNS"]), int(picture.settings["ROWS"])
    pixels = picture.binaries["map.rgb"]
    assert len(pixels) == 3 * columns * rows

    def pixel(request_: int, address: int) -> int:
        row = address * rows // heap.heap
        return int.from_bytes(pixels[3 * (row * columns + request_ * columns // 100):][:3], "big")

    assert pixel(50, 2000) == PALETTE["PAYLOAD"] and pixel(50, 6000) == PALETTE["PAYLOAD"]
    assert pixel(99, 2000) == PALETTE["HOLE"] and pixel(99, 6000) == PALETTE["PAYLOAD"]
    assert pixel(0, 6000) == 0xFFFFFF  # beyond the break


def test_the_map_of_a_million_requests_is_quick(tmp_path: Path) -> None:
    """Two seconds on a quiet machine; this counts CPU time, and leaves room for a slow one."""
    dice, lines, live, fresh, brk = random.Random(5), [], [], 0, 0
    for n in range(1_000_000):
        if len(live) > 5000:
            place = dice.randrange(5000)
            live[place], live[-1] = live[-1], live[place]
            name, offset = live.pop()
            lines.append(f"{n + 1}\t{n + 5}\tfree\t{name}\t0\t-\t{brk}\t240000")
        else:
            live.append((fresh, 64 * (fresh % 20_000)))
            brk = max(brk, live[-1][1] + 64)
            lines.append(f"{n + 1}\t{n + 5}\tmalloc\t{fresh}\t48\t{live[-1][1]}\t{brk}\t240000")
            fresh += 1
    path = tmp_path / "e.tsv"
    path.write_text("request\tline\tkind\tid\tsize\toffset\tbrk\tlive\n" + "\n".join(lines) + "\n")
    subject = Subject("a", result("a", [FirstFit().random(dice, 20).trace("t.rep")]), path)
    before, children = resource.getrusage(resource.RUSAGE_SELF), resource.getrusage(resource.RUSAGE_CHILDREN)
    svg = draw(make(Request("map", [subject])), "svg")
    after, later = resource.getrusage(resource.RUSAGE_SELF), resource.getrusage(resource.RUSAGE_CHILDREN)
    used = after.ru_utime - before.ru_utime + later.ru_utime - children.ru_utime
    print(f"map of 1,000,000 requests: {used:.2f} s of CPU time")
    assert used < 6 and len(svg) < 2_000_000 and "data:image/png" in svg.decode()


def test_the_failing_request_is_shown(tmp_path: Path, dice: random.Random) -> None:
    heap = FirstFit().random(dice, 60)
    heap.write(tmp_path / "events" / "bad.tsv")
    heap.write(tmp_path / "events" / "good.tsv")
    bad = failing(heap.trace("bad.rep"), 61, "request 61 overlaps", address=64)
    write_result(tmp_path / "r.json", result("mm.c", [heap.trace("good.rep"), bad]))
    subject = load_results([tmp_path / "r.json"], tmp_path / "events")[0]
    asked = Request("fragmented", [subject])
    words = texts(draw(make(asked), "svg"))
    assert any("before request 61, which fails (overlap)" in line for line in words)
    assert any("the failure is at 0x40" in line for line in words)
    assert "bad: the first of 1 that fail" in asked.notes[0]


def test_waste_bars_are_the_shares(alpha: Subject, tmp_path: Path) -> None:
    picture = make(Request("waste", [alpha]))
    for row in picture.tables["waste"].rows:
        events = read_events(tmp_path / "events" / f"{row[-1]}.tsv")
        waste = events.waste(events.peak)
        assert row[2] == pytest.approx(100 * waste.payload / events.heap)
        assert row[5] == pytest.approx(100 * (1 - waste.unreleased / events.heap))
        assert row[6] == pytest.approx(100)


def test_the_heap_line_keeps_the_peak(alpha: Subject, tmp_path: Path) -> None:
    picture = make(Request("heap", [alpha], trace="one"))
    peak = max(read_events(tmp_path / "events" / "one.tsv").live)
    unit = {"B": 1, "KiB": 1024, "MiB": 1024 ** 2}[str(picture.settings["UNIT"])]
    assert max(row[1] for row in picture.tables["series"].rows) * unit == pytest.approx(peak)


def test_sizes_and_lifetimes_are_whole(alpha: Subject) -> None:
    picture = make(Request("sizes", [alpha], trace="one"))
    for table in ("sizes", "lives"):
        assert sum(row[1] for row in picture.tables[table].rows) == pytest.approx(100)


def test_latency_goes_through_the_quantiles() -> None:
    figures = {"count": 100_000, "p50": 1e-7, "p99": 1e-6, "p999": 2e-6, "max": 1e-4}
    assert tail(figures, 1e-7) == pytest.approx(0.5)
    assert tail(figures, 1e-6) == pytest.approx(0.01)
    assert tail(figures, 2e-6) == pytest.approx(0.001)
    assert tail(figures, 1e-4) == pytest.approx(1e-5)
    assert tail(figures, 2e-4) == 0
    few = {"count": 20, "p50": 1e-7, "p99": 9e-7, "p999": 1e-6, "max": 1e-6}
    assert tail(few, 1e-6) == pytest.approx(1 / 20)  # of 20 requests nothing is known beyond the longest


def test_hostile_names_are_only_text(tmp_path: Path, dice: random.Random) -> None:
    name = "a'`system(\"touch pwned\")`'\\n<b>@_{x} #1\t%s\u202e"
    heap = FirstFit().random(dice, 50)
    heap.write(tmp_path / "e.tsv")
    subject = Subject(name, result(name, [heap.trace(name)]), tmp_path / "e.tsv")
    for picture in NAMES:
        svg = draw(make(Request(picture, [subject])), "svg")
        assert b"<b>" not in svg and "\u202e" not in svg.decode()
    assert not (tmp_path / "pwned").exists() and not Path("pwned").exists()


# ---- the command ----

def test_errors_are_one_sentence(tmp_path: Path, grader, dice: random.Random) -> None:
    heap = FirstFit().random(dice, 50)
    heap.write(tmp_path / "ev" / "t.tsv")
    write_result(tmp_path / "one.json", result("one", [heap.trace("t.rep")]))
    write_result(tmp_path / "two.json", result("one", [heap.trace("t.rep")]), result("two", [heap.trace("t.rep")]))
    (tmp_path / "bad.json").write_text("{")
    (tmp_path / "other.json").write_text("[1]")
    for args, words in (
            (["pareto", "-o", "x.svg"], "give --result FILE.json"),
            (["pareto", "--result", "none.json", "-o", "x.svg"], "none.json: No such file"),
            (["pareto", "--result", "bad.json", "-o", "x.svg"], "bad.json: not JSON"),
            (["pareto", "--result", "other.json", "-o", "x.svg"], "other.json: not a result of mdriver"),
            (["pareto", "--result", "one.json"], "no terminal to draw in; give -o FILE.svg"),
            (["pareto", "--result", "one.json", "-o", "x.gif"], "must end in .svg, .png or .pdf"),
            (["pareto", "--result", "one.json", "-o", "no/x.svg"], "there is no folder no"),
            (["heap", "--result", "one.json", "-o", "x.svg"], "no events of trace t"),
            (["heap", "--result", "two.json", "--events", "ev", "-o", "x.svg"], "name one with --allocator"),
            (["heap", "--result", "one.json", "--events", "nowhere", "-o", "x.svg"], "--events nowhere: no such"),
            (["heap", "--result", "one.json", "--events", "ev", "--trace", "x", "-o", "x.svg"],
             "--trace x: no such trace"),
            (["holes", "--result", "one.json", "--events", "ev", "--moment", "51", "-o", "x.svg"], "--moment 51"),
            (["class", "--batch", "nothing", "-o", "x.svg"], "holds no results.sqlite")):
        done = grader("plot", *args, expect=2)
        assert words in done.stderr and done.stderr.count("\n") == 1, done.stderr


def test_a_file_is_written_and_what_was_chosen_is_told(tmp_path: Path, grader, dice: random.Random) -> None:
    good, worse = FirstFit().random(dice, 60), FirstFit().random(dice, 60)
    good.write(tmp_path / "ev" / "good.tsv")
    worse.write(tmp_path / "ev" / "worse.tsv")
    write_result(tmp_path / "r.json", result("a", [good.trace("good.rep", utilization=0.9),
                                                   worse.trace("worse.rep", utilization=0.2)]))
    done = grader("plot", "map", "--result", "r.json", "--events", "ev", "-o", "odd name'.svg")
    assert "worse: of 2 traces the one with the lowest utilization" in done.stderr
    assert (tmp_path / "odd name'.svg").read_bytes().startswith(b"<?xml")


def in_a_terminal(folder: Path, *args: str, **environment: str) -> str:
    """What `plot` draws in a terminal."""
    main, other = pty.openpty()
    with subprocess.Popen(["/usr/bin/python3", "-m", "grader", "plot", *args], cwd=folder, stdout=other,
                          env={**os.environ, "PYTHONPATH": str(ROOT), "COLUMNS": "90", "LINES": "30",
                               **environment}) as process:
        os.close(other)
        data = b""
        try:
            while chunk := os.read(main, 65536):
                data += chunk
        except OSError:
            pass  # the other end is closed
        os.close(main)
        assert process.wait() == 0
    return data.decode()


def test_colour_in_a_terminal_only_where_wanted(tmp_path: Path, dice: random.Random) -> None:
    heap = FirstFit().random(dice, 50)
    heap.write(tmp_path / "e.tsv")
    write_result(tmp_path / "r.json", result("one", [heap.trace("t.rep")]))
    args = ("heap", "--result", "r.json", "--events", "e.tsv")
    os.environ.pop("NO_COLOR", None)
    assert "\x1b[" in in_a_terminal(tmp_path, *args, TERM="xterm")
    assert "\x1b" not in in_a_terminal(tmp_path, *args, TERM="dumb")
    assert "\x1b" not in in_a_terminal(tmp_path, *args, TERM="xterm", NO_COLOR="1")


def test_mdriver_draws_too(tmp_path: Path) -> None:
    """From the allocator to the picture: the real driver, a real allocator."""
    mdriver = ROOT / "mdriver"
    assert mdriver.exists(), "build mdriver first: make"
    picture = tmp_path / "heap.svg"
    done = subprocess.run([mdriver, "--check-only", "--plot", f"heap={picture}", "-f", ROOT / "traces/short-steps.rep",
                           "implicit"], capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert any("implicit on short-steps" in line for line in texts(picture.read_bytes()))


def test_nothing_timed_is_said(tmp_path: Path, dice: random.Random) -> None:
    trace = FirstFit().random(dice, 30).trace("t.rep", relative=None, kops=None, latency={}, repetitions=[])
    untimed = {"utilization": 0.5, "kops": None, "relative": None, "index": None}
    subject = Subject("a", {**result("a", [trace]), "score": untimed})
    for name in ("pareto", "latency", "class"):
        with pytest.raises(Problem):
            make(Request(name, [subject]))
    assert "not timed" in texts(draw(make(Request("traces", [subject])), "svg"))
