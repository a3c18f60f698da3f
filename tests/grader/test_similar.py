"""similar: planted similarities are found with their lines, base code and chance are not, nothing can be injected."""

import argparse
import json
import random
import re
from pathlib import Path

import pytest
from conftest import ROOT
from made_class import Student, made_class

from grader import similar
from grader.errors import Problem
from grader.people import Person
from grader.similar import Source, compare

HELPERS = """static size_t round_up(size_t size, size_t to)
{
    size_t rest = size % to;
    return rest ? size - rest + to : size;
}

static int find_class(size_t size)
{
    int k = 0;
    for (size_t edge = 32; edge < size && k < 20; edge <<= 1)
        k++;
    while (k > 3 && table[k].first == NULL && table[k - 1].count != 7)
        k -= table[k].count > 2 ? 2 : 1;
    return k;
}

static void insert(struct node *node, int k)
{
    node->next = table[k].first;
    node->previous = NULL;
    if (table[k].first)
        table[k].first->previous = node;
    table[k].first = node;
    table[k].count++;
}
"""


def renamed(text: str) -> str:
    """The same code under other names and in another layout."""
    for old, new in (("round_up", "align"), ("find_class", "bucket"), ("insert", "push"), ("table", "bins"),
                     ("node", "blk"), ("rest", "r"), ("size", "n"), ("edge", "lim")):
        text = re.sub(rf"\b{old}\b", new, text)
    return "/* my own work */\n" + text.replace("    ", "\t").replace(";\n", ";  // step\n")


def other(number: int) -> str:
    """Code that shares nothing with anybody's: statements drawn from NUMBER."""
    dice = random.Random(number)

    def term(depth: int) -> str:
        kind = dice.randrange(6) if depth < 4 else dice.randrange(2)
        if kind < 2:
            return ("a", "7")[kind]
        if kind == 2:
            return f"({term(depth + 1)})"
        if kind == 3:
            return f"b[{term(depth + 1)}]"
        sign = dice.choice(["+", "-", "*", "/", "%", "<<", "&", "|", "^", "=="])
        return f"{term(depth + 1)} {sign} {term(depth + 1)}"

    starts = ("a =", "return", "if (a)", "while (b)", "a +=", "*b =")
    lines = "".join(f"    {dice.choice(starts)} {term(0)};\n" for _ in range(12))
    return f"int own(int a, int *b)\n{{\n{lines}}}\n"


@pytest.fixture
def pile(tmp_path: Path) -> list[Source]:
    """Ann and Bob share HELPERS; Cy has only base code; Di nothing in common with anybody."""
    base = (ROOT / "mm.c").read_text()
    texts = {"Ann": base + HELPERS + other(5), "Bob": "\n\n" + other(70) + renamed(HELPERS), "Cy": base,
             "Di": other(333)}
    found = []
    for name, text in texts.items():
        path = tmp_path / f"{name}.c"
        path.write_text(text)
        found.append(Source(path, [name]))
    return found


def test_finds_what_is_shared_and_only_that(pile: list[Source]):
    """One pair, both directions, the right lines; renaming and layout do not hide it; base code does not count."""
    findings = compare(pile, similar.base_files([]), 24)
    assert [(p.one.who, p.other.who) for p in findings.pairs] in ([("Ann", "Bob")], [("Bob", "Ann")])
    pair = findings.pairs[0]
    assert 0.3 < pair.other_share <= pair.share <= 1
    ann = next(source for source in pile if source.people == ["Ann"])
    lines = ann.path.read_text().split("\n")
    start = lines.index("static size_t round_up(size_t size, size_t to)") + 1
    place = pair.runs[0]
    first, last = (place.first, place.last) if pair.one is ann else (place.other_first, place.other_last)
    assert abs(first - start) <= 2 and abs(last - (start + HELPERS.count("\n") - 1)) <= 2
    cy = next(source for source in pile if source.people == ["Cy"])
    assert cy.tokens < 20 and cy.base_tokens > 1000 and findings.base_share > 0.5


def test_base_of_the_instructor(pile: list[Source], tmp_path: Path):
    """What --base holds is no similarity any more."""
    (tmp_path / "handout").mkdir()
    (tmp_path / "handout" / "helpers.c").write_text(HELPERS)
    assert not compare(pile, similar.base_files([tmp_path / "handout"]), 24).pairs


def test_cutting_joins_nothing(tmp_path: Path):
    """What stands before and after base code does not become one run."""
    base = tmp_path / "base.c"
    base.write_text(HELPERS)
    halves = ("int a(int x) { return x * 2 + (x << 3);", " if (x) while (x > 2) x -= 3; }")
    for name in ("one", "two"):
        (tmp_path / f"{name}.c").write_text(halves[0] + "\n" + HELPERS + "\n" + halves[1] + "\n")
    findings = compare([Source(tmp_path / f"{name}.c", [name]) for name in ("one", "two")], [base], 24)
    assert not findings.pairs


def test_command(tmp_path: Path, capsys: pytest.CaptureFixture):
    """The whole command, with names and code that want to be markup; never the word copied."""
    evil = "/* <script>alert(1)</script> */ char *s = \"</pre><img src=x onerror=alert(1)>\";\x1b[2J\n"
    students = [Student(Person("a", "<b>Ann</b> \u202eevil"), 10.0), Student(Person("b", "Bob, =1+1"), 20.0),
                Student(Person("c", "Cy"), 30.0), Student(Person("d", "Di"))]
    out = tmp_path / "out"
    store = made_class(out, students)
    rows = {row.person.key: row for row in store.rows()}
    store.close()
    for key, text in (("a", evil + HELPERS + other(9)), ("b", other(20) + evil + renamed(HELPERS)), ("c", other(77))):
        (out / "sources" / f"{rows[key].sha256}.c").write_text(text)
    top = argparse.ArgumentParser()
    similar.add_parser(top.add_subparsers())
    args = top.parse_args(["similar", str(out), "-o", str(tmp_path / "s.html"), "--json", str(tmp_path / "s.json")])
    assert args.action(args) == 0
    text, html = capsys.readouterr().out, (tmp_path / "s.html").read_text()
    assert "3 different files compared" in text and re.search(r"1\. \d+ % of .* is similar to", text)
    for shown in (text, html):
        assert "copied" not in shown.lower() and "plagiar" not in shown.lower() and "a reason to look" in shown
        assert "\x1b" not in shown and "\u202e" not in shown
    assert html.count("<script") == 1 and "<img" not in html and "&lt;script&gt;" in html
    assert "default-src 'none'; style-src 'sha256-" in html
    assert html.count('<div class="pair">') >= 1 and "round_up" in html and "align" in html
    pairs = json.loads((tmp_path / "s.json").read_text())["pairs"]
    assert len(pairs) == 1 and pairs[0]["share"] >= pairs[0]["other_share"] > 0.2


def test_same_file_twice(tmp_path: Path):
    """Two people with one file are told apart from a pair."""
    path = tmp_path / "x.c"
    path.write_text(HELPERS)
    findings = compare([Source(path, ["Ann", "Bob"])], [], 24)
    assert "The same file, byte for byte: Ann, Bob" in similar.as_text(findings, 0.25, 100, 50)
    assert "No two files are 25 % similar" in similar.as_text(findings, 0.25, 100, 50)
    assert not compare([], [], 24).pairs


def test_problems(tmp_path: Path):
    """A base that is not there is a sentence."""
    with pytest.raises(Problem, match="no C file there"):
        similar.base_files([tmp_path / "nowhere"])
