"""Every file here is an allocator with one bug; its first line says the verdict that it must get.

    // expect: VERDICT[, request N][, with OPTION ...][, timed]
"""
from __future__ import annotations

from pathlib import Path

import pytest

from mdriver import mdriver, result

HERE = Path(__file__).resolve().parent
TRACE = HERE / "mixed.rep"
FILES = sorted(HERE.glob("*.c"))
EXITS = {"build": 3, "crash": 4, "abort": 4, "exited": 4, "timeout": 4}


def expectation(path: Path) -> tuple[str, int | None, list[str]]:
    """Verdict, request and options from the first line of a file."""
    first = path.read_text().splitlines()[0]
    assert first.startswith("// expect: "), f"{path.name}: line 1 must be `// expect: VERDICT`"
    verdict, *more = first.removeprefix("// expect: ").split(", ")
    request, options = None, [] if "timed" in more or "with -D" in more else ["--check-only"]
    for word in more:
        if word.startswith("request "):
            request = int(word.split()[1])
        elif word.startswith("with "):
            options += word.split()[1:]
        else:
            assert word == "timed", f"{path.name}: unknown word in line 1: {word}"
    return verdict, request, options


def test_there_are_enough() -> None:
    """A folder that lost its files must not pass."""
    assert len(FILES) >= 25
    assert {expectation(path)[0] for path in FILES} >= {
        "overlap", "outside", "misaligned", "damaged", "lost", "not-zero", "null", "crash", "timeout", "heap-limit",
        "past-break", "abort", "exited", "init", "checkheap", "differs", "static-limit", "forbidden", "build"}


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_gets_its_verdict(path: Path) -> None:
    """The verdict is exactly the one in line 1, with a sentence that names the request."""
    verdict, request, options = expectation(path)
    found = result("-s", "2", "-f", TRACE, *options, path)
    assert found["verdict"] == verdict, found["message"] or found["traces"][0]["message"]
    assert found["exit"] == EXITS.get(verdict, 1)
    if verdict == "build":
        assert found["message"] and found["score"]["index"] == 0
        return
    trace = found["traces"][0]
    assert trace["message"]
    if trace["request"]:
        assert trace["line"] == trace["request"] + 4
        assert f"request {trace['request']} (line {trace['line']}" in trace["message"]
    if request:
        assert trace["request"] == request
    assert found["score"]["index"] == 0


def test_one_failing_trace_never_ends_the_run(tmp_path: Path) -> None:
    """A crash on one trace leaves the others their verdicts."""
    small = tmp_path / "small.rep"
    small.write_text("20000000\n1\n2\n1\na 0 64\nf 0\n")
    found = result("--check-only", "-f", TRACE, "-f", small, "-f", TRACE, HERE / "crash-at-request-100.c")
    assert [trace["verdict"] for trace in found["traces"]] == ["crash", "ok", "crash"]
    assert found["score"]["valid"] == 1 and found["score"]["scored"] == 3


def test_table_shows_what_a_student_needs() -> None:
    """Verdict, place in the source, the words' meaning and the next command stand in the table."""
    done = mdriver("--check-only", "-f", TRACE, HERE / "crash-at-request-100.c")
    assert done.returncode == 4
    for piece in ("crash", "line 104, request 100", "a NULL pointer", "(crash-at-request-100.c:",
                  "What the words mean", "mdriver -D -f", "index"):
        assert piece in done.stdout, piece


def test_what_an_allocator_prints_is_shown() -> None:
    """The words of a failed assertion reach the student."""
    done = mdriver("--check-only", "-f", TRACE, HERE / "own-assertion.c")
    assert "Assertion" in done.stdout and "own-assertion.c" not in done.stderr
