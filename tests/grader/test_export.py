"""export: every format against a fixture, its schema where there is one, and names that want to do harm."""

import argparse
import csv
import io
import json
import re
import subprocess
from pathlib import Path
from xml.etree import ElementTree

import pytest
from conftest import ROOT, Grader, write_class
from made_class import FORGED, HOSTILE_NAMES, TRACES, Student, made_class, mixed_class

from grader import export, platforms
from grader.errors import Problem
from grader.export import PER_STUDENT
from grader.people import Person

FIXTURES = Path(__file__).with_name("fixtures")


def validate(value: object, name: str) -> None:
    """Checks VALUE against a schema of fixtures/schemas."""
    from jsonschema import Draft202012Validator  # python3-jsonschema
    schema = json.loads((FIXTURES / "schemas" / f"{name}.json").read_text())
    Draft202012Validator.check_schema(schema)
    Draft202012Validator(schema).validate(value)


def command(*args: object) -> int:
    """`grader export ARGS` in this process; problems are raised."""
    top = argparse.ArgumentParser()
    export.add_parser(top.add_subparsers())
    parsed = top.parse_args(["export", *map(str, args)])
    return parsed.action(parsed)


@pytest.fixture
def out(tmp_path: Path) -> Path:
    """A class with every kind of outcome and name."""
    mixed_class(tmp_path / "out").close()
    return tmp_path / "out"


def table(path: Path, delimiter: str = ",") -> list[list[str]]:
    """A CSV file's cells."""
    return list(csv.reader(io.StringIO(path.read_bytes().decode("utf-8-sig"), newline=""), delimiter=delimiter))


def test_csv(out: Path, capsys: pytest.CaptureFixture):
    """One line a person; nothing a spreadsheet would run; ours and nobody's are empty, not zero."""
    assert command(out, "csv", "-o", out / "g.csv") == 0
    rows = table(out / "g.csv")
    by_id = {row[0]: dict(zip(rows[0], row)) for row in rows[1:]}
    assert len(rows) == 1 + 5 + len(HOSTILE_NAMES)
    assert by_id["ann"]["score"] == "87.25" and by_id["ann"]["late"] == "late" and by_id["ann"]["max"] == "100.00"
    assert by_id["cy"]["score"] == "0.00" and by_id["cy"]["verdict"] == "build"
    assert by_id["di"]["score"] == "" and by_id["di"]["status"] == "fault"
    assert by_id["ed"]["score"] == "" and by_id["ed"]["status"] == "missing"
    for row in rows[1:]:
        for text in row:
            assert not re.match(r"[=+\-@\t\r\n]", text), text
    assert {row[1].removeprefix("'") for row in rows[1:]} >= set(HOSTILE_NAMES)
    errors = capsys.readouterr().err
    assert "1 person could not be graded through our fault: no score written" in errors
    assert "1 person handed in nothing: no score written" in errors


def test_missing_is_the_instructors_decision(out: Path):
    """--missing 0 gives nothing handed in a zero, and our fault still none."""
    command(out, "csv", "--missing", "0", "-o", out / "g.csv")
    score = {row[0]: row[4] for row in table(out / "g.csv")}
    assert score["ed"] == "0.00" and score["di"] == ""


def test_json(out: Path):
    """The whole batch, one object, with mdriver's words."""
    command(out, "json", "-o", out / "g.json")
    batch = json.loads((out / "g.json").read_text())
    people = {person["id"]: person for person in batch["people"]}
    assert batch["schema"] == 1 and batch["course"] == "malloclab" and len(people) == 5 + len(HOSTILE_NAMES)
    assert people["bob"]["result"]["traces"][1]["verdict"] == "overlap"
    assert people["di"]["score"] is None and people["di"]["result"] is None and "signal 9" in people["di"]["fault"]
    assert batch["notes"][0]["kind"] == "missing"


def test_json_of_nobody(tmp_path: Path):
    """An empty class is valid JSON, CSV, XML and Markdown too."""
    made_class(tmp_path / "out", []).close()
    for kind in export.ONE_FILE:
        command(tmp_path / "out", kind, "-o", tmp_path / kind)
    assert json.loads((tmp_path / "json").read_text())["people"] == []
    assert ElementTree.parse(tmp_path / "junit").getroot().tag == "testsuites"


def test_canvas_fills_one_column(out: Path, capsys: pytest.CaptureFixture):
    """Only our column changes, and only where there is a score; everything else is as it was."""
    before = table(FIXTURES / "canvas.csv")
    command(out, "canvas", "--roster", FIXTURES / "canvas.csv", "-o", out / "up.csv")
    after = table(out / "up.csv")
    assert [row[:6] + row[7:] for row in after] == [row[:6] + row[7:] for row in before]
    filled = {row[1]: row[6] for row in after}
    assert filled == {"ID": "Malloc Lab (222)", "": "100.00", "4242": "87.25", "4243": "31.00", "4244": "0.00",
                      "4245": "77.00", "4246": "", "9999": "3.00", "77": ""}
    errors = capsys.readouterr().err
    assert "1 person in canvas.csv but unknown to the batch: Nobody, Known" in errors
    assert f"{len(HOSTILE_NAMES)} people graded but not in canvas.csv" in errors


def test_canvas_scale_and_excused(out: Path, capsys: pytest.CaptureFixture):
    """A column with another maximum is said; --out-of scales; EX stays."""
    text = (FIXTURES / "canvas.csv").read_text().replace(",100.00,", ",50.00,").replace(",12.00,44", ",EX,44")
    (out / "fifty.csv").write_text(text)
    command(out, "canvas", "--roster", out / "fifty.csv", "-o", out / "up.csv")
    assert ("the scores are out of 100, the column is out of 50; to scale them add --out-of 50"
            in capsys.readouterr().err)
    command(out, "canvas", "--roster", out / "fifty.csv", "--out-of", "50", "-o", out / "up.csv")
    errors = capsys.readouterr().err
    assert "out of 100" not in errors and "1 person excused (EX) and left so in fifty.csv: Roe, Bob" in errors
    filled = {row[1]: row[6] for row in table(out / "up.csv")}
    assert filled["4242"] == "43.63" and filled["4243"] == "EX"


def test_canvas_smallest_file(out: Path):
    """Without a gradebook: the header and the maxima that Canvas wants, names neutralised, ids as they are."""
    command(out, "canvas", "-o", out / "up.csv")
    rows = table(out / "up.csv")
    assert rows[0] == ["Student", "ID", "SIS User ID", "SIS Login ID", "Section", "Malloc Lab"]
    assert rows[1] == ["    Points Possible", "", "", "", "", "100.00"]
    assert ["Doe, Ann", "4242", "s1", "ann", "", "87.25"] in rows
    assert any(row[0] == "'=cmd|' /C calc'!A0" for row in rows)


def test_canvas_keeps_namesakes_apart(tmp_path: Path, capsys: pytest.CaptureFixture):
    """Two people of one name with different ids: the one who handed in nothing gets nothing."""
    made_class(tmp_path / "out", [Student(Person("1", "Doe, Jane", canvas="1"), 90.0)]).close()
    (tmp_path / "g.csv").write_text("Student,ID,Section,Malloc Lab\n\"Doe, Jane\",2,A,\n\"Doe, Jane\",1,A,\n")
    command(tmp_path / "out", "canvas", "--roster", tmp_path / "g.csv", "-o", tmp_path / "up.csv")
    assert [row[3] for row in table(tmp_path / "up.csv")[1:]] == ["", "90.00"]
    (tmp_path / "g.csv").write_text("Student,ID,Section,Malloc Lab\n\"Doe, Jane\",,A,\n\"Doe, Jane\",,A,\n")
    with pytest.raises(Problem, match="two lines of it are"):
        command(tmp_path / "out", "canvas", "--roster", tmp_path / "g.csv")


def test_moodle_fills_the_worksheet(out: Path):
    """Grade and feedback, nothing else; the mark, line ends and multi-line cells of the file survive."""
    command(out, "moodle", "--roster", FIXTURES / "moodle.csv", "-o", out / "up.csv")
    raw = (out / "up.csv").read_bytes()
    assert raw.startswith(b"\xef\xbb\xbf") and b"\r\n" in raw
    before, after = table(FIXTURES / "moodle.csv"), table(out / "up.csv")
    assert [row[:4] + row[5:9] for row in after] == [row[:4] + row[5:9] for row in before]
    grades = {row[0]: row[4] for row in after[1:]}
    remarks = {row[0]: row[9] for row in after[1:]}
    assert grades == {"Participant 11": "87.25", "Participant 12": "31.00", "Participant 14": "55.00",
                      "Participant 15": ""}
    assert remarks["Participant 12"].startswith("31.00 of 100 points; utilization 80.0 %, 9,000 Kops; 2 of 3 traces")
    assert remarks["Participant 14"] == "keep" and remarks["Participant 15"] == ""


def test_moodle_in_another_language(out: Path):
    """The identifier is known by its form, the grade's column by --column; semicolons stay semicolons."""
    (out / "de.csv").write_text("ID;Vollständiger Name;Bewertung\nTeilnehmer/in 11;Ann Doe;\nTeilnehmer/in 12;Bob;\n")
    with pytest.raises(Problem, match="no column is called 'Grade'; name the one to fill with --column"):
        command(out, "moodle", "--roster", out / "de.csv")
    command(out, "moodle", "--roster", out / "de.csv", "--column", "Bewertung", "-o", out / "up.csv")
    assert (out / "up.csv").read_text() == ("ID;Vollständiger Name;Bewertung\nTeilnehmer/in 11;Ann Doe;87.25\n"
                                            "Teilnehmer/in 12;Bob;31.00\n")


def test_moodle_gradebook_import(out: Path):
    """Feedback never stands without a grade, which would delete the grade on the site."""
    command(out, "moodle", "-o", out / "up.csv")
    rows = table(out / "up.csv")
    assert rows[0] == ["Username", "ID number", "Email address", "Malloc Lab", "Malloc Lab (Feedback)"]
    assert all(row[3] for row in rows[1:]) and not any(row[0] in ("di", "ed") for row in rows)


def each(out: Path, kind: str) -> dict[str, str]:
    """The files of a format with one a student, by the folder's name."""
    command(out, kind, "-o", out / kind)
    return {path.parent.name: path.read_bytes().decode() for path in (out / kind).rglob("*") if path.is_file()}


def test_gradescope(out: Path):
    """results.json by the schema; hidden from the student is only our own fault."""
    files = each(out, "gradescope")
    assert len(files) == 4 + len(HOSTILE_NAMES) and "ed" not in files
    for text in files.values():
        validate(json.loads(text), "gradescope")
    ann, bob, cy, di = (json.loads(files[key]) for key in ("ann", "bob", "cy", "di"))
    assert ann["score"] == 87.25 and [t["max_score"] for t in ann["tests"][:2]] == [60, 40]
    assert all(t["visibility"] == "visible" for t in ann["tests"])
    assert [t["status"] for t in bob["tests"][2:]] == ["passed", "failed", "passed"]
    assert bob["tests"][3]["output"].endswith("./mdriver -D -f traces/realloc2.rep mm.c"), "a command for the student"
    assert "error: <b>&no" in cy["output"] and cy["output_format"] == "text"
    assert di["tests"][0]["visibility"] == "hidden" and "not your fault" in di["output"]


def test_autolab(out: Path):
    """The last line parses, by JSON and as Autolab does it, and holds only our figures; our fault scores nothing."""
    for key, text in each(out, "autolab").items():
        assert text.endswith("\n") and FORGED not in text.splitlines()
        *_, feedback, last = text.splitlines()
        validate([json.loads(feedback), json.loads(last)], "autolab")
        assert json.loads(re.sub(r"([a-zA-Z0-9]+):", r'"\1":', last)) == json.loads(last)
        if key == "di":
            assert json.loads(last) == {"scores": {}} and "not your fault" in text
    assert json.loads(each(out, "autolab")["ann"].splitlines()[-1]) == {
        "scores": {"Malloc Lab": 87.25}, "scoreboard": [87.25, 80.0, 12000]}
    bob = json.loads(each(out, "autolab")["bob"].splitlines()[-1])
    assert bob["scoreboard"] == [31.0, 0.0, 0], "who fails a trace is first in nothing"
    with pytest.raises(Problem, match="Autolab cannot read"):
        command(out, "autolab", "--title", "Lab 3: malloc")


def test_prairielearn(out: Path):
    """A score from 0 to 1; neither a failed build nor our fault costs an attempt."""
    files = {key: json.loads(text) for key, text in each(out, "prairielearn").items()}
    for value in files.values():
        validate(value, "prairielearn")
    assert files["ann"]["score"] == pytest.approx(0.87254)
    assert files["cy"]["gradable"] is False and "<b>" in files["cy"]["output"]
    assert files["di"]["gradable"] is False and "not your fault" in files["di"]["format_errors"][0]


def test_classroom50(out: Path):
    """The schema, and what it cannot say: no score above its maximum."""
    for text in each(out, "classroom50").values():
        value = json.loads(text)
        validate(value, "classroom50")
        assert all(part["score"] <= part["max-score"] for part in (value, *value["tests"]))
    unbounded = {"schema": 1, "verdict": "ok", "traces": [], "submission": {"sha256": "0" * 64},
                 "score": {"index": 123.6, "max_index": None, "parts": [{"name": "x", "points": 123.6, "max": None}]}}
    value = json.loads(platforms.classroom50(unbounded, environment={
        "CLASSROOM": "cs101", "ASSIGNMENT": "malloc", "SUBMISSION_TAG": "submit/1-abc", "COMMIT_URL": "https://g/c",
        "RELEASE_URL": "https://g/r", "REVIEW_URL": "https://g/v", "GITHUB_REPOSITORY_OWNER": "ann"}))
    validate(value, "classroom50")
    assert (value["classroom"], value["release"]) == ("cs101", "https://g/r")
    assert value["score"] == value["max-score"] == 124


def test_unbounded_scores(tmp_path: Path):
    """A course without a maximum: every format still is one its platform takes."""
    student = Student(Person("a"), 150.0, extra={"score": {
        "index": 150.0, "max_index": None, "utilization": 0.8, "kops": 1.0, "relative": None, "valid": 3, "scored": 3,
        "parts": [{"name": "product", "points": 150.0, "max": None}]}})
    made_class(tmp_path / "out", [student]).close()
    validate(json.loads(each(tmp_path / "out", "gradescope")["a"]), "gradescope")
    validate(json.loads(each(tmp_path / "out", "prairielearn")["a"]), "prairielearn")
    with pytest.raises(Problem, match="no maximum"):
        command(tmp_path / "out", "csv", "--out-of", "10")


def test_what_no_file_could_serve_is_no_failure(tmp_path: Path):
    """A trace that does not fit into the course's heap is said to be skipped, and fails in no format."""
    student = Student(Person("a"), 90.0, ("random.rep", "skipped", 0), extra={"verdict": "ok"})
    made_class(tmp_path / "out", [student]).close()
    texts = {kind: each(tmp_path / "out", kind)["a"] for kind in PER_STUDENT}
    for kind in ("gradescope", "autolab", "prairielearn"):
        assert "2 of 2 traces valid, 1 skipped (random.rep)" in texts[kind], kind
    tests = json.loads(texts["gradescope"])["tests"]
    assert [test["name"] for test in tests if "status" in test] == list(TRACES[:2])
    assert set(json.loads(texts["autolab"].splitlines()[-2])["Test"]) == set(TRACES[:2])
    assert TRACES[2] not in {test["test-name"] for test in json.loads(texts["classroom50"])["tests"]}
    grader = subprocess.run(["/usr/bin/python3", "-m", "grader", "feedback", tmp_path / "out", "--no-benchmarks"],
                            cwd=ROOT, capture_output=True, text=True, check=True)
    page = (tmp_path / "out/feedback/a.html").read_text()
    assert "2 of 2 valid, 1 skipped (random.rep)" in page and 'class="bad"' not in page, grader.stderr
    assert "Traces: 2 of 2 valid, 1 skipped (random.rep)" in (tmp_path / "out/feedback/a.txt").read_text()


def test_markdown(out: Path):
    """A table in which no name is markup: as many cells in every line, and no tag, link or mention."""
    command(out, "markdown", "-o", out / "g.md")
    lines = (out / "g.md").read_text().splitlines()
    assert lines[0] == "# Malloc Lab" and len(lines) == 4 + 5 + len(HOSTILE_NAMES)
    assert all(line.count("|") == 7 for line in lines[2:])
    assert not re.search(r"[<`\[@*]", "\n".join(lines[4:]))
    assert "| Doe, Ann | 87.25 | ok | 0.800 | 12000 | late |" in lines


def test_junit(out: Path):
    """Well-formed with any name; faults are errors, failing traces failures, nothing handed in skipped."""
    command(out, "junit", "-o", out / "g.xml")
    root = ElementTree.parse(out / "g.xml").getroot()
    assert root.tag == "testsuites" and len(root) == 5 + len(HOSTILE_NAMES)
    suites = {suite.get("name"): suite for suite in root}
    counts = {name: tuple(int(suite.get(k)) for k in ("tests", "failures", "errors", "skipped"))
              for name, suite in suites.items()}
    assert counts["Doe, Ann"] == (3, 0, 0, 0) and counts["Roe, Bob"] == (3, 1, 0, 0)
    assert counts["Poe, Cy"] == (1, 1, 0, 0) and counts["Moe, Di"] == (1, 0, 1, 0) and counts["Zoe, Ed"] == (1, 0, 0, 1)
    failure = suites["Roe, Bob"].find(".//failure")
    assert failure.get("type") == "overlap" and "request 38" in failure.get("message")


def test_writes_whole_files_or_none(out: Path):
    """What was there stays until the new file is whole, and nothing is left lying about."""
    (out / "up.csv").write_text("precious")
    with pytest.raises(Problem):
        command(out, "moodle", "--roster", FIXTURES / "canvas.csv", "-o", out / "up.csv")
    assert (out / "up.csv").read_text() == "precious"
    assert not list(out.glob(".up.csv*"))


@pytest.mark.parametrize("args, words", [
    (("csv", "--roster", FIXTURES / "canvas.csv"), "csv fills no file"),
    (("canvas", "--roster", FIXTURES / "moodle.csv"), "not a Canvas gradebook"),
    (("canvas", "--roster", FIXTURES / "canvas.csv", "--title", "Homework 9"), "no column is called 'Homework 9'"),
    (("moodle", "--roster", FIXTURES / "canvas.csv"), "not a Moodle grading worksheet"),
    (("csv", "--out-of", "0"), "must be more than 0")])
def test_problems(out: Path, args: tuple, words: str):
    """Wrong input is one sentence."""
    with pytest.raises(Problem, match=words):
        command(out, *args)


def test_after_grade(grader: Grader):
    """The commands on what `grade` itself leaves, with folders named to do harm."""
    pile = write_class(grader.folder / "pile", {
        "ann/mm.c": "ok 91", "=1+1/mm.c": "crash", "-2/mm.c": "build", "\u202eevil/mm.c": "wrong", "ed/mm.c": "fault"})
    grader.grade(pile, expect=5)
    for kind in export.FORMATS:
        done = grader.run("export", grader.out, kind, "-o", grader.folder / kind)
        assert "1 person could not be graded through our fault" in done.stderr
    rows = table(grader.folder / "csv")
    assert {row[0]: row[4] for row in rows[1:]} == {
        "ann": "91.00", "'=1+1": "0.00", "'-2": "0.00", "\u202eevil": "0.00", "ed": ""}
    for path in (grader.folder / "gradescope").rglob("*.json"):
        validate(json.loads(path.read_text()), "gradescope")
    assert len(list((grader.folder / "gradescope").iterdir())) == 5
    assert "ann" in grader.run("leaderboard", grader.out, "--no-benchmarks").stdout
    grader.run("feedback", grader.out, "--no-benchmarks")
    assert len(list((grader.out / "feedback").glob("*.html"))) == 5
    grader.run("similar", grader.out)


def test_closed_pipe(grader: Grader):
    """A reader that has seen enough is no error of ours."""
    mixed_class(grader.out).close()
    done = subprocess.run(["bash", "-c", f"/usr/bin/python3 -m grader export {grader.out} json | head -c 5"], text=True,
                          capture_output=True, env=grader.environment(), cwd=grader.folder, timeout=60, check=True)
    assert "Traceback" not in done.stderr and "Exception" not in done.stderr
