"""Course files: the shipped ones, what they say in JSON, their formulas on real runs, and bad files."""
from __future__ import annotations

import json
import math
import os
from collections.abc import Callable
from pathlib import Path
from statistics import fmean, geometric_mean, harmonic_mean
from typing import Any

import pytest

from mdriver import ROOT, mdriver, result

from . import model

HERE = Path(__file__).parent
SHIPPED = {"malloclab", "classic", "classic-64m", "classic-1g", "classic-2000m", "product", "autolab", "autolab-60-40",
           "geometric-50-50", "cmu16"}


def course_json(name: str | Path) -> dict[str, Any]:
    """A course as mdriver exports it."""
    done = mdriver("--course-json", name)
    assert done.returncode == 0, done.stderr
    parsed: dict[str, Any] = json.loads(done.stdout)
    return parsed


# ---- the shipped ones ----

def test_all_are_listed() -> None:
    """--courses names each, with a title."""
    lines = mdriver("--courses").stdout.splitlines()
    assert {line.split()[0] for line in lines} >= SHIPPED
    assert all(len(line.split()) > 3 for line in lines)


# Dialect, bits, alignment and heap limit as the editions have them.
@pytest.mark.parametrize(("name", "expected"), [
    ("classic", ("classic", 0, 8, 20 << 20)), ("classic-64m", ("classic", 0, 8, 64 << 20)),
    ("classic-1g", ("classic", 0, 8, 1 << 30)), ("classic-2000m", ("classic", 0, 8, 2000 << 20)),
    ("product", ("classic", 0, 8, 20 << 20)), ("autolab", ("autolab", 64, 8, 100 << 20)),
    ("autolab-60-40", ("autolab", 64, 8, 100 << 20)), ("geometric-50-50", ("autolab", 64, 8, 100 << 20)),
    ("cmu16", ("cmu16", 64, 16, 100 << 20)), ("malloclab", ("malloclab", 64, 16, 1 << 30)),
])
def test_facts(name: str, expected: tuple[str, int, int, int]) -> None:
    """The JSON gives what the editions are known for; static data is heap only in the default."""
    course = course_json(name)
    assert (course["dialect"], course["bits"], course["alignment"], course["heap_limit"]) == expected
    assert course["invalid"] == "zero"
    assert course["outside"] == ("heap" if name == "malloclab" else "ignored")
    assert (course["outside_cap"] > 0) == (name != "malloclab")
    assert ("-DDRIVER" in course["flags"]) == (expected[0] in ("autolab", "cmu16"))
    assert course["accepts"]["malloc_zero_null"] and course["accepts"]["realloc_zero_null"]


# ---- formulas, written down a second time, on figures of a real run ----

def slope(value: float, low: float, high: float) -> float:
    """Linear from 0 at LOW to 1 at HIGH, clamped."""
    return min(1.0, max(0.0, (value - low) / (high - low)))


class Figures:
    """What the formulas are about, computed from a result's traces."""

    def __init__(self, traces: list[dict[str, Any]]) -> None:
        """Takes traces that all count."""
        seconds = [t["seconds"] for t in traces]
        reference = [sum(t["requests"] for t in traces)]
        kops = [t["requests"] / t["seconds"] / 1000 for t in traces]
        of_reference = [k / t["relative"] for k, t in zip(kops, traces, strict=True)]
        self.util = fmean(t["peak_payload"] / t["heap"] for t in traces)
        self.of_ceiling = harmonic_mean([t["utilization"] / t["ceiling"] for t in traces])
        self.total = reference[0] / sum(seconds) / 1000
        self.geometric = geometric_mean(kops)
        self.ratio = harmonic_mean(kops) / harmonic_mean(of_reference)
        self.relative = harmonic_mean([t["relative"] for t in traces])


FORMULAS: dict[str, tuple[str, Callable[[Figures], float], Callable[[Figures], float]]] = {
    # course: submission, index, checkpoint index
    "classic": ("classic/implicit.c", lambda f: 60 * f.util + 40 * min(1, f.total / 600), lambda f: math.nan),
    "product": ("classic/implicit.c", lambda f: (max(0, f.util - .6) / .4) ** 2 * f.total / 100, lambda f: math.nan),
    "autolab": ("autolab/explicit.c", lambda f: 61 * slope(f.util, .60, .92) + 39 * slope(f.total, 3000, 14000),
                lambda f: math.nan),
    "autolab-60-40": ("autolab/explicit.c", lambda f: zero_below(50, school(f)), lambda f: 100.0 * (school(f) >= 40)),
    "geometric-50-50": ("autolab/explicit.c",
                        lambda f: 50 * slope(f.util, .55, .75) + 50 * slope(f.geometric, 10500, 18500),
                        lambda f: math.nan),
    "cmu16": ("cmu16/explicit.c", lambda f: 60 * slope(f.util, .55, .74) + 40 * slope(f.ratio, .50, .90),
              lambda f: 20 * slope(f.util, .55, .58) + 80 * slope(f.ratio, .10, .80)),
    "malloclab": ("malloclab/bump.c", lambda f: 60 * f.of_ceiling + 40 * slope(f.relative, 0, 1), lambda f: math.nan),
}


def school(figures: Figures) -> float:
    """The points of autolab-60-40."""
    return 60 * slope(figures.util, .70, .90) + 40 * slope(figures.total, 4000, 14000)


def zero_below(least: float, points: float) -> float:
    """What a school does that gives nothing for little."""
    return points if points >= least else 0


@pytest.mark.parametrize("name", FORMULAS)
def test_formula(name: str, tmp_path: Path) -> None:
    """The index of a timed run is what the published formula gives for its figures."""
    source, formula, checkpoint = FORMULAS[name]
    model.write(tmp_path / "a.rep", list(model.mixture(3, 1200, 4000)), "classic")
    model.write(tmp_path / "b.rep", list(model.binary(60)), "classic")
    arguments: list[str | Path] = ["-c", name, "-t", tmp_path, HERE / source]
    found = result(*arguments)
    assert found["verdict"] == "ok"
    assert found["score"]["index"] == pytest.approx(formula(Figures(found["traces"])), abs=1e-6)
    if name in ("cmu16", "autolab-60-40"):
        found = result("-p", *arguments)
        assert found["checkpoint"] is True
        assert found["score"]["index"] == pytest.approx(checkpoint(Figures(found["traces"])), abs=1e-6)


# ---- which traces count ----

def test_classic_scores_its_eleven(tmp_path: Path) -> None:
    """In a folder that has them, only the classic set counts; the rest must be valid; -f counts whatever it names."""
    one = model.write(tmp_path / "random-bal.rep", list(model.mixture(1, 300, 100)), "classic")
    two = model.write(tmp_path / "short1-bal.rep", ["a 0 2040", "f 0"], "classic")
    done = mdriver("--check-only", "--json", "-", "-c", "classic", "-t", tmp_path, HERE / "classic/implicit.c")
    found = json.loads(done.stdout)
    assert "scores 11 files by name, of which 1 are here; missing is amptjp-bal.rep" in done.stderr
    assert {t["name"]: t["weight"] for t in found["traces"]} == {one.name: "both", two.name: "none"}
    assert (found["score"]["valid"], found["score"]["scored"]) == (1, 1)
    both = result("--check-only", "-c", "classic", "-f", one, "-f", two, HERE / "classic/implicit.c")
    assert both["score"]["scored"] == 2


def test_weights_of_headers(tmp_path: Path) -> None:
    """autolab uses the headers' weights, classic does not; an invalid trace of weight 0 still makes the index 0."""
    for name, weight in (("a", 2), ("b", 0), ("c", 3)):
        model.write(tmp_path / f"{name}.rep", ["a 0 64", "f 0"], "autolab", weight)
    found = result("--check-only", "-c", "autolab", "-t", tmp_path, HERE / "autolab/explicit.c")
    assert [t["weight"] for t in found["traces"]] == ["util", "none", "speed"]
    assert found["score"]["scored"] == 2
    found = result("--check-only", "-c", "classic", "-t", tmp_path, HERE / "classic/implicit.c")
    assert [t["weight"] for t in found["traces"]] == ["both"] * 3
    model.write(tmp_path / "b.rep", ["a 0 90000000", "f 0", "a 1 16", "a 2 100000000"], "autolab", 0)
    found = result("--check-only", "-c", "autolab", "-t", tmp_path, HERE / "autolab/explicit.c")
    assert found["traces"][1]["verdict"] == "heap-limit"
    assert (found["score"]["valid"], found["score"]["invalid"], found["score"]["index"]) == (2, 1, 0)


# ---- what the courses accept ----

def own_course(tmp_path: Path, text: str, base: str = "malloclab") -> Path:
    """A course file of one's own."""
    path = tmp_path / "mine.cfg"
    path.write_text(f'base = "{base}";\ntitle = "mine";\n{text}\n')
    return path


def test_zero_sizes(tmp_path: Path) -> None:
    """Every answer that C allows to zero sizes is accepted, unless a course wants a block."""
    trace = model.write(tmp_path / "zero.rep", ["a 0 0", "f 0", "a 1 8", "r 1 0", "f -1", "a 2 16", "f 2"], "autolab")
    for course, source in (("classic", "classic/implicit.c"), ("classic", "classic/naive.c"),
                           ("autolab", "autolab/explicit.c"), ("cmu16", "cmu16/explicit.c"),
                           ("malloclab", "malloclab/bump.c")):
        found = result("--check-only", "-c", course, "-f", trace, HERE / source)
        assert found["verdict"] == "ok", (course, source, found["traces"][0]["message"])
    strict = own_course(tmp_path, "accepts = { malloc_zero_null = false; };", "cmu16")
    found = result("--check-only", "-c", strict, "-f", trace, HERE / "cmu16/explicit.c")
    assert (found["verdict"], found["traces"][0]["request"]) == ("null", 1)
    assert "this course wants a block even of size 0" in found["traces"][0]["message"]
    strict = own_course(tmp_path, "accepts = { realloc_zero_null = false; };", "cmu16")
    found = result("--check-only", "-c", strict, "-f", trace, HERE / "cmu16/explicit.c")
    assert (found["verdict"], found["traces"][0]["request"]) == ("null", 4)


def test_calloc(tmp_path: Path) -> None:
    """calloc's bytes are zero in every course; a product that overflows is refused where the course looks."""
    trace = model.write(tmp_path / "calloc.rep", ["a 0 400", "f 0", "c 1 390", "f 1", "c 2 20"], "autolab")
    dirty = result("--check-only", "-c", "autolab", "-f", trace, HERE / "autolab/dirty_calloc.c")
    assert (dirty["verdict"], dirty["traces"][0]["line"]) == ("not-zero", 7)
    source = HERE / "autolab/explicit.c"
    assert result("--check-only", "-c", "autolab", "-f", trace, source)["verdict"] == "ok"
    strict = own_course(tmp_path, "accepts = { calloc_overflow = false; };", "autolab")
    found = result("--check-only", "-c", strict, "-f", trace, source)
    assert found["verdict"] == "outside" and "overflows" in found["traces"][0]["message"]
    assert result("--check-only", "-c", own_course(tmp_path, "", "cmu16"), "-f", trace,
                  HERE / "cmu16/explicit.c")["verdict"] == "ok"


@pytest.mark.parametrize("base", sorted(SHIPPED))
def test_every_course_can_be_a_base(base: str, tmp_path: Path) -> None:
    """A file of two lines is a course that differs in its title alone."""
    mine, theirs = course_json(own_course(tmp_path, "", base)), course_json(base)
    assert {key for key in theirs if mine[key] != theirs[key]} == {"name", "title", "base"}


def test_base_contradicted(tmp_path: Path) -> None:
    """What the base says and the file makes impossible is still one sentence."""
    done = mdriver("--course-json", own_course(tmp_path, "heap_limit = 4000000000L; bits = 32;", "classic"))
    assert done.returncode == 2 and "mine.cfg:3: a 32-bit process has no room" in done.stderr
    (tmp_path / "wide.cfg").write_text('base = "classic"; title = "wide"; heap_limit = 4000000000L;')
    done = mdriver("--course-json", own_course(tmp_path, "bits = 32;", "wide.cfg"))
    assert done.returncode == 2 and "mine.cfg:1: a 32-bit process has no room" in done.stderr


# ---- bad files ----

GOOD = '''title = "t"; dialect = "classic"; alignment = 8;
heap_limit = 4096;
utilization = { mean = "arithmetic"; };
throughput = { mean = "total"; };
parts = ( { name = "u"; measure = "utilization"; points = 100.0; high = 1.0; } );
'''

BAD: list[tuple[str, int, str]] = [
    # what is put in place of, or after, the good file; the line; words of the reason
    (GOOD + "nonsense", 6, "syntax error"),
    (GOOD + 'titel = "x";', 6, "did you mean 'title'"),
    (GOOD + 'qqqqqqqq = 1;', 6, "unknown setting 'qqqqqqqq'; known are: base, title"),
    (GOOD + 'title = "again";', 6, "duplicate"),
    (GOOD.replace('title = "t"; ', ""), 1, "title is missing"),
    (GOOD.replace("heap_limit = 4096;", ""), 1, "heap_limit is missing"),
    (GOOD.replace("4096", "100"), 2, "heap_limit must be between 4096 and"),
    (GOOD.replace("4096", "4096.5"), 2, "heap_limit must be a whole number"),
    (GOOD.replace("4096", '"4096"'), 2, "heap_limit must be a whole number"),
    (GOOD.replace('"classic"', '"clasic"'), 1, "unknown dialect 'clasic'; did you mean 'classic'?"),
    (GOOD.replace('"classic"', "3"), 1, "dialect must be a word in double quotes"),
    (GOOD.replace("alignment = 8", "alignment = 12"), 1, "alignment must be a power of two"),
    (GOOD.replace("alignment = 8", "alignment = 0"), 1, "alignment must be between 1 and 4096"),
    (GOOD.replace("high = 1.0", "high = 0.0"), 5, "part 'u': high must be greater than low"),
    (GOOD.replace("high = 1.0", "low = 2; high = 1.0"), 5, "high must be greater than low"),
    (GOOD.replace("high = 1.0", "power = 0"), 5, "power must be between"),
    (GOOD.replace(" high = 1.0;", ""), 5, "high is missing"),
    (GOOD.replace('"u"', '"' + "u" * 40 + '"'), 5, "name is longer than 31 characters"),
    (GOOD.replace('"arithmetic"', '"median"'), 3, "unknown mean 'median'"),
    (GOOD.replace("{ mean = \"total\"; }", "3"), 4, "expected a group"),
    (GOOD.replace("parts = ( {", "parts = ( ").replace("} );", ");"), 5, "syntax error"),
    (GOOD.rsplit("parts", 1)[0] + "parts = ();", 5, "parts must have 1 to 6 entries"),
    (GOOD.rsplit("parts", 1)[0] + 'parts = "all";', 5, "parts must be a list"),
    (GOOD + "flags = [ 3 ];", 6, "flags must be a string in double quotes"),
    (GOOD + 'flags = [ "-Wl,-z" ];', 6, "flag '-Wl,-z' is not allowed"),
    (GOOD + "bits = 16;", 6, "bits must be 32, 64, or 0"),
    (GOOD.replace("4096", "4000000000L") + "bits = 32;", 2, "a 32-bit process has no room"),
    (GOOD + 'autoresult = "x $indx";', 6, "unknown placeholder 'indx'; did you mean 'index'?"),
    (GOOD + 'autoresult = "a\\nb";', 6, "autoresult must be one line"),
    (GOOD + "checkpoint = { };", 6, "checkpoint needs parts, or passes_at"),
    (GOOD + 'accepts = { malloc_zero_null = 1; };', 6, "malloc_zero_null must be true or false"),
    (GOOD + 'base = "no-such";', 6, "base: no course 'no-such'"),
    (GOOD + 'base = "";', 6, "base must be the name of a course"),
    (GOOD + "base = 7;", 6, "base must be the name of a course"),
    (GOOD + "zero_below = -1;", 6, "zero_below must be between"),
    (GOOD + "zero_below = 1e999;", 6, "zero_below"),
]


@pytest.mark.parametrize(("text", "line", "words"), BAD, ids=[words[:40] for *_, words in BAD])
def test_bad_file(text: str, line: int, words: str, tmp_path: Path) -> None:
    """One sentence, with file, line and reason; nothing on standard output."""
    path = tmp_path / "bad.cfg"
    path.write_text(text)
    done = mdriver("--course-json", path)
    assert done.returncode == 2 and done.stdout == ""
    assert done.stderr.count("\n") == 1
    assert f"{path}:{line}: " in done.stderr and words in done.stderr, done.stderr


def test_good_file(tmp_path: Path) -> None:
    """The file that the bad ones are made from is good."""
    path = tmp_path / "good.cfg"
    path.write_text(GOOD)
    assert course_json(path)["name"] == "good"


def test_circle_and_base_beside(tmp_path: Path) -> None:
    """A base is a name or a file beside; a circle of bases ends with a sentence."""
    (tmp_path / "a.cfg").write_text('base = "b.cfg"; title = "a";')
    (tmp_path / "b.cfg").write_text('base = "a.cfg"; title = "b";')
    done = mdriver("--course-json", tmp_path / "a.cfg")
    assert done.returncode == 2 and "is there a circle?" in done.stderr
    (tmp_path / "b.cfg").write_text(GOOD)
    assert course_json(tmp_path / "a.cfg")["heap_limit"] == 4096
    (tmp_path / "b.cfg").write_text(GOOD.replace("4096", "1"))
    done = mdriver("--course-json", tmp_path / "a.cfg")
    assert f"{tmp_path / 'b.cfg'}:2: heap_limit must be between" in done.stderr


@pytest.mark.parametrize("kind", ["folder", "pipe", "unreadable bytes", "empty"])
def test_what_is_no_course_file(kind: str, tmp_path: Path) -> None:
    """A folder, a pipe, rubbish and nothing: a sentence each, and no waiting."""
    path = tmp_path / "odd.cfg"
    if kind == "folder":
        path.mkdir()
    elif kind == "pipe":
        os.mkfifo(path)
    else:
        path.write_bytes(b"" if kind == "empty" else bytes(range(256)))
    done = mdriver("--course-json", path, timeout=10)
    assert done.returncode == 2 and done.stdout == "" and str(path) in done.stderr


def test_own_folder_of_courses(tmp_path: Path) -> None:
    """Adding a course is adding a file: $MDRIVER_COURSES is searched first, and --courses names a bad one there."""
    (tmp_path / "ours.cfg").write_text('base = "classic"; title = "our department"; heap_limit = 1048576;')
    env = {"MDRIVER_COURSES": str(tmp_path)}
    assert "our department" in mdriver("--courses", env=env).stdout
    trace = model.write(tmp_path / "big.rep", ["a 0 600000", "r 0 700000"], "classic")
    done = mdriver("--check-only", "--json", "-", "-c", "ours", "-f", trace, HERE / "classic/naive.c", env=env)
    assert json.loads(done.stdout)["verdict"] == "heap-limit"
    (tmp_path / "worse.cfg").write_text("base = ")
    done = mdriver("--courses", env=env)
    assert done.returncode == 2 and "worse.cfg:1: syntax error" in done.stderr and "our department" in done.stdout


def test_more_than_the_heap(tmp_path: Path) -> None:
    """A trace that no file could serve in this course's heap is skipped, with a note, and does not count."""
    model.write(tmp_path / "big.rep", ["a 0 15000000", "a 1 15000000"], "classic")
    model.write(tmp_path / "small.rep", ["a 0 64", "f 0"], "classic")
    arguments: list[str | Path] = ["--check-only", "-c", "classic", "-t", tmp_path, HERE / "classic/implicit.c"]
    found = result(*arguments)
    assert [t["verdict"] for t in found["traces"]] == ["skipped", "ok"] and found["exit"] == 0
    assert (found["score"]["scored"], found["score"]["invalid"]) == (1, 0)
    note = "note: big: 30000000 bytes are live at once, and the course's heap has 20971520"
    assert note in mdriver(*arguments).stdout
    found = result(*["classic-64m" if word == "classic" else word for word in arguments])
    assert [t["verdict"] for t in found["traces"]] == ["ok", "ok"]


def test_files_have_no_course_left_out() -> None:
    """Every file of the folder is a course of the list above, and each says what it accepts, itself or by its base."""
    assert {path.stem for path in (ROOT / "courses").glob("*.cfg")} >= SHIPPED
    for path in (ROOT / "courses").glob("*.cfg"):
        assert "accepts" in path.read_text() or "base =" in path.read_text()
