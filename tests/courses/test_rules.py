"""Static rules, each with its sentence and line; and giant traces."""
from __future__ import annotations

import json
from pathlib import Path

import pytest

from mdriver import mdriver, result

from . import model

HERE = Path(__file__).parent
SOURCE = (HERE / "cmu16/explicit.c").read_text()


@pytest.fixture(name="trace", scope="module")
def fixture_trace(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A short trace."""
    return model.write(tmp_path_factory.mktemp("trace") / "few.rep", ["a 0 64", "a 1 100", "f 0", "r 1 200"], "cmu16")


def findings(tmp_path: Path, trace: Path, text: str, rules: str = "", timed: bool = False) -> dict[str, object]:
    """The result of TEXT under cmu16 with RULES in place of its own."""
    source = tmp_path / "mm.c"
    source.write_text(text)
    course = tmp_path / "ruled.cfg"
    course.write_text(f'base = "cmu16"; title = "ruled"; {rules}')
    return result(*([] if timed else ["--check-only"]), "-c", course, "-f", trace, source)


def test_shipped_rules_are_kept_by_an_honest_file(tmp_path: Path, trace: Path) -> None:
    """16 bytes of globals and dbg_ macros break nothing."""
    assert findings(tmp_path, trace, SOURCE)["findings"] == []


@pytest.mark.parametrize(("excess", "points"), [(0, 0), (8, 1), (64, 8), (160, 20), (100_000, 20)])
def test_globals(excess: int, points: float, tmp_path: Path, trace: Path) -> None:
    """min(20, excess / 8) points off the index, with the line of the largest."""
    text = SOURCE.replace("static block_t *free_list = NULL;",
                          f"static block_t *free_list = NULL;\nchar big[{112 + excess}] = {{ 1 }};")
    found = findings(tmp_path, trace, text, timed=points == 8)
    assert found["score"]["deduction"] == points
    if points:
        (finding,) = found["findings"]
        assert finding["points"] == points and f"{128 + excess} bytes of writable global data" in finding["sentence"]
        assert text.splitlines()[finding["line"] - 1].startswith("char big")
    else:
        assert found["findings"] == []
    if points == 8:
        assert found["score"]["index"] == pytest.approx(
            max(0, sum(part["points"] for part in found["score"]["parts"]) - 8))


def test_macros(tmp_path: Path, trace: Path) -> None:
    """Function-like macros of the file's own, as the preprocessor sees them: not of headers, comments or #if 0."""
    text = SOURCE.replace("typedef uint64_t word_t;", """typedef uint64_t word_t;
/* #define IN_COMMENT(x) (x) */
#if 0
#define NEVER_SEEN(x) (x)
#endif
#define OBJECT (1)
#  define  SPACED(x)   ((x) + 1)
#define LONG( \\
    a, b) ((a) + (b))
#define dbg_mine(x) (x)
""")
    found = findings(tmp_path, trace, text)
    named = {f["sentence"].split()[0]: f["line"] for f in found["findings"]}
    assert set(named) == {"SPACED", "LONG"}
    assert all(name in text.splitlines()[line - 1] for name, line in named.items())
    assert all(f["rule"] == "macro" for f in found["findings"])


def test_line_directive_hides_nothing(tmp_path: Path, trace: Path) -> None:
    """A #line that names another file does not make a macro a header's."""
    text = SOURCE.replace("typedef uint64_t word_t;", '#line 1 "/usr/include/elsewhere.h"\n#define HIDDEN(x) (x)\n'
                          "typedef uint64_t word_t;")
    assert [f["sentence"].split()[0] for f in findings(tmp_path, trace, text)["findings"]] == ["HIDDEN"]


def test_banned_call(tmp_path: Path, trace: Path) -> None:
    """A call is seen in the object: in comments, strings and unused macros a name does no harm; the file is refused."""
    rules = 'rules = { banned = [ "printf", "puts", "qsort" ]; };'
    harmless = SOURCE.replace("typedef uint64_t word_t;",
                              'typedef uint64_t word_t; /* qsort */ const char *s = "qsort";')
    assert findings(tmp_path, trace, harmless, rules)["verdict"] == "ok"
    text = harmless.replace("    if (heap_start == NULL)\n        mm_init();", "    qsort(&size, 0, 8, NULL);")
    found = findings(tmp_path, trace, text, rules)
    assert found["verdict"] == "build" and found["exit"] == 3
    assert "calls qsort, which this course does not allow" in found["message"] and found["findings"][0]["line"] > 0


def test_missing_heap_checker(tmp_path: Path, trace: Path) -> None:
    """A static or absent mm_checkheap is none."""
    rules = "rules = { need_checkheap = true; };"
    assert findings(tmp_path, trace, SOURCE, rules)["findings"] == []
    (finding,) = findings(tmp_path, trace, SOURCE.replace("bool mm_checkheap(int line)", "bool other(int line)"),
                          rules)["findings"]
    assert finding["rule"] == "checkheap" and "no mm_checkheap" in finding["sentence"]


def test_source_size(tmp_path: Path, trace: Path) -> None:
    """The limit is told beside the size."""
    rules = "rules = { source_bytes = %d; };"
    assert findings(tmp_path, trace, SOURCE, rules % len(SOURCE))["findings"] == []
    (finding,) = findings(tmp_path, trace, SOURCE, rules % (len(SOURCE) - 1))["findings"]
    assert finding["sentence"] == f"the source has {len(SOURCE)} bytes; this course allows {len(SOURCE) - 1}"


def test_deduction_on_the_platform_line(trace: Path) -> None:
    """[score, -deduction, Kops, util], the deduction taken off the score."""
    done = mdriver("-A", "-c", "cmu16", "-f", trace, HERE / "cmu16/size32.c")
    line = json.loads(done.stdout.splitlines()[-1])
    score, deduction, kops, util = line["scoreboard"]
    index = next(text for text in done.stdout.splitlines() if text.startswith("  index"))
    assert deduction == -17.0 and kops > 0 and 0 < util <= 100
    assert line["scores"] == {"Autograded Score": score} and f"{score:.1f} of 100" in index


def test_findings_are_printed(trace: Path) -> None:
    """In the table, with line and points."""
    out = mdriver("--check-only", "-c", "cmu16", "-f", trace, HERE / "cmu16/size32.c").stdout
    assert "rule  line 27:  264 bytes of writable global data, most of it in lists; this course allows 128" in out
    assert "17.0 points off" in out and "SIZE_OF is a function-like macro" in out


# ---- giant traces ----

GIANT = ["a 0 5000000000", "a 1 48", "a 2 30000000000000", "r 1 96", "f 2", "a 3 29000000000000", "f 3", "f 1", "f 0"]


def test_giant(tmp_path: Path) -> None:
    """Sizes beyond 32 bits in a sparse space: served, measured, and over before anything could touch 30 terabytes."""
    trace = model.write(tmp_path / "giant.rep", GIANT, "cmu16")
    found = result("--check-only", "-c", "cmu16", "-f", trace, HERE / "cmu16/explicit.c")
    requests = model.read(trace)
    assert (found["traces"][0]["verdict"], found["traces"][0]["peak_payload"], found["traces"][0]["heap"]) == (
        "ok", model.peak_payload(requests), model.HEAPS["cmu16/explicit.c"](requests))
    timed = result("-c", "cmu16", "--latency", "-f", trace, HERE / "cmu16/explicit.c")
    assert timed["verdict"] == "ok" and timed["score"]["kops"] > 0
    assert timed["traces"][0]["latency"]["malloc"]["count"] == 4


def test_giant_copied(tmp_path: Path) -> None:
    """A block of 5 GB that is copied whole ends the trace, not the machine."""
    trace = model.write(tmp_path / "giant.rep", ["a 0 5000000000", "a 1 9000000000000", "r 0 6000000000"], "cmu16")
    found = result("--check-only", "-c", "cmu16", "-f", trace, HERE / "cmu16/explicit.c")["traces"][0]
    assert (found["verdict"], found["line"]) == ("heap-limit", 7) and "copying one whole" in found["message"]


def test_sizes_of_32_bits_fail_with_an_explanation(tmp_path: Path) -> None:
    """The hint speaks of 32-bit sizes."""
    trace = model.write(tmp_path / "giant.rep", GIANT, "cmu16")
    found = result("--check-only", "-c", "cmu16", "-f", trace, HERE / "cmu16/size32.c")
    assert found["verdict"] != "ok" and found["score"]["index"] == 0
    assert "a size kept in 32 bits" in found["traces"][0]["hint"]


def test_beyond_the_address_space(tmp_path: Path) -> None:
    """Scaled by a stated power of two, the sizes' order kept."""
    trace = model.write(tmp_path / "vast.rep", ["a 0 200000000000000000", "a 1 100000000000000000", "a 2 16", "f 0",
                                                "f 1", "f 2"], "cmu16")
    done = mdriver("--check-only", "-c", "cmu16", "-f", trace, HERE / "cmu16/explicit.c")
    assert done.returncode == 0 and "were divided by 2^13 to fit the address space" in done.stdout
    found = result("--check-only", "-c", "cmu16", "-f", trace, HERE / "cmu16/explicit.c")["traces"][0]
    assert found["scale_shift"] == 13
    assert found["peak_payload"] == (200000000000000000 >> 13) + (100000000000000000 >> 13) + 1


def test_giant_in_32_bits(tmp_path: Path) -> None:
    """No 32-bit process can be asked for it: the trace is skipped, with the reason, and does not count."""
    giant = model.write(tmp_path / "giant.rep", GIANT, "cmu16")
    small = model.write(tmp_path / "small.rep", ["a 0 64", "f 0"], "cmu16")
    found = result("--check-only", "-c", "cmu16", "--bits", "32", "-f", giant, "-f", small, HERE / "cmu16/explicit.c")
    assert [t["verdict"] for t in found["traces"]] == ["skipped", "ok"]
    assert "no 32-bit process can have" in found["traces"][0]["message"]
    assert (found["verdict"], found["exit"], found["score"]["scored"]) == ("ok", 0, 1)
