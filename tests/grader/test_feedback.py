"""feedback: what a student reads, what nobody else's name is in, and what cannot be smuggled into a page."""

import csv
import json
import re
import subprocess
from html.parser import HTMLParser
from pathlib import Path

import pytest
from conftest import ROOT, Grader
from made_class import HOSTILE_NAMES, Student, made_class, mixed_class

from grader.feedback import Plane
from grader.people import Person
from grader.statistics import Benchmark, Entry, Spread, Statistics
from grader.text import slug

VOID = {"meta", "br", "img", "input", "hr", "link", "line", "circle", "rect", "path", "polyline"}
ALLOWED = {"html", "head", "meta", "title", "style", "body", "header", "main", "section", "article", "h1", "h2", "h3",
           "p", "b", "a", "bdi", "span", "ul", "li", "table", "thead", "tbody", "tr", "td", "th", "pre", "div",
           "details", "summary",
           "figure", "figcaption", "output", "svg", "g", "line", "text", "path", "polyline", "rect"}
SCRIPT = (ROOT / "grader" / "report" / "templates" / "table.js").read_text()
HARM = "</pre><script>alert(1)</script><img src=x onerror=alert(1)>\x1b[2J\u202e"


class Page(HTMLParser):
    """Checks that a page is well nested and holds only what the template has."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.words: list[str] = []
        self.feed(text.replace(f"<script>{SCRIPT}</script>", ""))  # the one script that may be there
        assert not self.open, f"left open: {self.open}"

    def handle_starttag(self, tag: str, attrs: list) -> None:
        assert tag in ALLOWED, tag
        assert not [name for name, value in attrs if name.startswith("on") or name == "src"
                    or name == "href" and value != "#main"], attrs
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        if tag not in VOID:
            assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.words.append(data)


def feedback(grader: Grader, *args: object) -> dict[str, str]:
    """The files of `feedback`, by name."""
    grader.run("feedback", grader.out, "--no-benchmarks", *args)
    return {path.name: path.read_text() for path in (grader.out / "feedback").iterdir()}


def test_everybody_gets_both(grader: Grader):
    """A text and a page each, also for those without a grade; the index says whose; names cannot leave the folder."""
    mixed_class(grader.out).close()
    files = feedback(grader)
    assert len(files) == 2 * (5 + len(HOSTILE_NAMES)) + 1
    assert all(re.fullmatch(r"[A-Za-z0-9._@-]+", name) for name in files)
    index = list(csv.reader(files["index.csv"].splitlines()))
    assert ["ann", "Doe, Ann", "ann@x.edu", "ann"] in index
    for name, text in files.items():
        if name.endswith(".html"):
            assert "default-src 'none'; style-src 'sha256-" in text
            assert "<h1><bdi>Malloc Lab: " in text
            Page(text)
        if name != "index.csv":  # data: names as they are, for a mail merge
            assert not [c for c in text if ord(c) < 32 and c != "\n" or c in "\u202e\u061c\x7f"], name


def test_what_a_student_reads(grader: Grader):
    """Score and parts, the first failure with its request, the next command, the standing."""
    mixed_class(grader.out).close()
    files = feedback(grader)
    for name in ("bob.txt", "bob.html"):
        text = " ".join((Page(files[name]).words if name.endswith("html") else [files[name]]))
        for words in ("31.00", "18.60", "60", "overlap", "request 38", "line 42", "which overlap live", "block 1",
                      "./mdriver -D -f traces/realloc2.rep mm.c", "rank 16", "the median is", "16 others"):
            assert words in text, (name, words)
    assert "not your fault" in files["di.txt"] and "not your fault" in files["di.html"]
    assert "signal 9" not in files["di.txt"], "how we failed is for the staff"
    assert "could not be run" in files["cy.txt"] and "error: <b>&no" in files["cy.txt"]
    assert "error: &lt;b&gt;&amp;no" in files["cy.html"]
    assert "handed in nothing" in files["ed.txt"]
    assert "late" in files["ann.txt"] and "./mdriver -c malloclab --plot heap -f traces/" in files["ann.txt"]


def test_nobody_else_is_named(grader: Grader):
    """Neither names nor ids nor aliases of others; dots only."""
    mixed_class(grader.out).close()
    files = feedback(grader)
    board = grader.run("leaderboard", grader.out, "--no-benchmarks", "--anonymous").stdout
    aliases = set(re.findall(r"student [A-Z2-7]{6}", board))
    assert len(aliases) == 3 + len(HOSTILE_NAMES)
    for name in ("ann.txt", "ann.html"):
        assert not re.search(r"Roe|Bob|Poe|Moe|Zoe|bob@|Müller|4243", files[name])
        assert len(set(re.findall(r"student [A-Z2-7]{6}", files[name])) & aliases) == 1
    page = files["ann.html"]
    assert len(re.findall(r'<path class="submission( own)?" d="[^"]+"><title>', page)) == 1 + len(HOSTILE_NAMES)
    assert page.count(' own"') == 1 and ">you</text>" in page and page.count("<title>you</title>") == 1
    assert ' own"' not in files["cy.html"] and ' own"' not in files["bob.html"], "who fails a trace has no place there"


def test_harm_stays_text(grader: Grader):
    """Compiler, allocator and file names cannot write markup or move a cursor, nor flood the page."""
    student = Student(Person("eve", f"Eve {HARM}"), 0.0, ("realloc2.rep", "overlap", 3))
    other = Student(Person("mal", HARM), 0.0, build_log=HARM + "\n" + "x" * 100_000 + "\n" + "line\n" * 50_000)
    store = made_class(grader.out, [student, other])
    for key, json_text in store.db.execute("SELECT person, json FROM result").fetchall():
        result = json.loads(json_text)
        for trace in result["traces"]:
            trace.update(output=HARM * 500, message=HARM, hint=HARM, name=HARM + trace["name"])
        result["findings"] = [{"rule": "globals", "sentence": HARM, "line": 3, "points": 2.5}]
        store.db.execute("UPDATE result SET json=? WHERE person=?", (json.dumps(result), key))
    store.close()
    files = feedback(grader)
    del files["index.csv"]
    for name, text in files.items():
        assert "\x1b" not in text and "\u202e" not in text and len(text) < 120_000, name
        if name.endswith(".html"):
            assert text.count("<script") == 1 and "<img" not in text
            Page(text)
    assert "more characters" in (grader.out / "feedback" / "mal.txt").read_text(), "a flood is cut, and says so"


def test_no_folders_of_ours(grader: Grader):
    """Where the traces lay on the grading machine is nobody's business."""
    store = made_class(grader.out, [Student(Person("a"), 0.0, ("realloc2.rep", "overlap", 3))])
    text = store.db.execute("SELECT json FROM result").fetchone()[0]
    store.db.execute("UPDATE result SET json=?", (
        text.replace(f"-f {ROOT}/traces/", "-c /home/prof/mine.cfg -f /home/prof/out/hidden/"),))
    store.put(traces="hidden:abc")
    store.db.execute("UPDATE result SET traces='hidden:abc'")
    store.close()
    files = feedback(grader)
    assert "/home/prof" not in files["a.txt"] + files["a.html"]
    assert "./mdriver -D -c mine.cfg -f realloc2.rep mm.c" in files["a.txt"]


def test_one_person(grader: Grader):
    """--who writes one person's, found by any id; a stranger is a sentence."""
    mixed_class(grader.out).close()
    assert set(feedback(grader, "--who", "ann@x.edu")) == {"ann.txt", "ann.html"}
    assert "no such person" in grader.run("feedback", grader.out, "--who", "zed", expect=2).stderr


def test_rewritten_whole(grader: Grader):
    """A second run replaces what a first one wrote, and leaves nothing else."""
    mixed_class(grader.out).close()
    before = feedback(grader)
    (grader.out / "feedback" / "ann.txt").write_text("stale")
    after = feedback(grader)
    assert after == before


def test_class_of_one(grader: Grader):
    """Nobody to be compared with."""
    made_class(grader.out, [Student(Person("a"), 100.0)]).close()
    text = feedback(grader)["a.txt"]
    assert "others" not in text and "What to run next" not in text, "full points need no advice"


def test_a_crowd_is_thinned():
    """A page of a large class stays small, and whoever it is for is on it."""
    entries = [Entry(i, str(i), "", "", 1.0, 100, "ok", 0.2 + i / 20_000, 1000.0 + i, 1.0) for i in range(9000)]
    found = Statistics(9000, {}, 0, 9000, 100, Spread(), [], {}, entries, [], [], {}, "explicit")
    marks = [Benchmark("libc", "real", 0.8, 9000.0, 1.0), Benchmark("tlsf", "shipped", 0.8, 9900.0, 1.0)]
    plane = Plane(found, marks, "")
    for key in ("0", "4501", "8999"):
        plot = plane.of(found.entry(key))
        assert len(plot.points) <= 504 and sum(mark.own for mark in plot.points) == 1
        assert {mark.label for mark in plot.points if mark.label} <= {"you", "libc", "tlsf"}
        assert not [mark for mark in plot.points if mark.key or mark.href]
        assert {mark.kind for mark in plot.points} == {"submission", "shipped", "real"}
    assert Plane(Statistics(0, {}, 0, 0, None, Spread(), [], {}, [], [], [], {}, ""), [], "").plot is None


def test_file_names_are_distinct():
    """Keys that would make the same file name do not."""
    keys = ("ann", "ann/", "../ann", "ann ", "", "Änn", ".", "..", "a" * 300, "a" * 301)
    assert len({slug(key) for key in keys}) == len(keys)


@pytest.mark.parametrize("name", ["nowhere"])
def test_problems(grader: Grader, name: str):
    """A folder without results is a sentence."""
    assert "holds no results.sqlite" in grader.run("feedback", grader.folder / name, expect=2).stderr


def test_in_a_browser(grader: Grader):
    """Chromium shows the page, and blocks nothing that the page needs."""
    mixed_class(grader.out).close()
    feedback(grader)
    path: Path = grader.out / "feedback" / "bob.html"
    done = subprocess.run(["chromium", "--headless", "--no-sandbox", "--disable-gpu",
                           f"--user-data-dir={grader.folder}/chromium",
                           "--enable-logging=stderr", "--dump-dom", path.as_uri()],
                          capture_output=True, text=True, timeout=60, check=False)
    assert "request 38" in done.stdout and "Where you stand" in done.stdout
    assert "Content Security Policy" not in done.stderr
