"""Every shipped allocator through the student's door: as one file, from outside the project, and by its name."""
from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from mdriver import ROOT, mdriver, result, write_trace

ALLOCATORS = sorted(path.stem for path in (ROOT / "allocators").glob("*.c"))
SMALL = ROOT / "traces" / "short-corners.rep"


@pytest.fixture(name="mixed", scope="module")
def fixture_mixed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A trace of 3000 requests of all kinds."""
    return write_trace(tmp_path_factory.mktemp("traces") / "mixed.rep", 3000)


def amalgamated(name: str, folder: Path) -> Path:
    """One allocator as the file that would be handed in."""
    folder.mkdir(parents=True)
    target = folder / "mm.c"
    subprocess.run([ROOT / "allocators" / "amalgamate.py", ROOT / "allocators" / f"{name}.c", "-o", target], check=True)
    return target


@pytest.mark.parametrize("name", ALLOCATORS)
def test_one_file_is_a_valid_submission(name: str, mixed: Path, tmp_path: Path) -> None:
    """It compiles and is graded where nothing of this project lies beside it, and is as good as by its name."""
    source = amalgamated(name, tmp_path / name)
    arguments = ["-f", SMALL, "-f", mixed, "--reference", "none"]
    graded = result(*arguments, source)
    assert graded["exit"] == 0, graded
    assert [t["verdict"] for t in graded["traces"]] == ["ok", "ok"]
    assert graded["submission"]["build_log"] == ""
    by_name = result(*arguments, "--check-only", name)
    for theirs, ours in zip(graded["traces"], by_name["traces"]):
        root_table = 8 * ours["requests"] if name == "gc" else 0  # which is charged to a submission
        assert theirs["heap"] == ours["heap"] + root_table


@pytest.mark.parametrize("name", ALLOCATORS)
@pytest.mark.parametrize("bits", [32, 64])
@pytest.mark.parametrize("course", ["malloclab", "classic"])
def test_checkheap_after_every_request(name: str, bits: int, course: str, mixed: Path) -> None:
    """At 16 and at 8 bytes of alignment, in both word sizes."""
    graded = result("-c", course, "--bits", str(bits), "-D", "--check-only", "-f", mixed, name)
    assert [t["verdict"] for t in graded["traces"]] == ["ok"], graded["traces"][0]["message"]


def test_the_readme_has_a_row_for_each() -> None:
    """Nobody added an allocator without measuring it."""
    table = (ROOT / "allocators" / "README.md").read_text(encoding="utf-8").split("<!-- measured: begin -->")[1]
    for name in ALLOCATORS:
        assert f"| {name} |" in table, f"{name} is not in allocators/README.md: run make table"


def test_each_opens_with_what_a_reader_needs() -> None:
    """Picture, vocabulary, cost and worst trace, before the first line of code."""
    for name in ALLOCATORS:
        opening = (ROOT / "allocators" / f"{name}.c").read_text(encoding="utf-8").split("*/")[0]
        if "See the picture in common/boundary_tags.c" in " ".join(opening.split()):
            opening = (ROOT / "allocators" / "common" / "boundary_tags.c").read_text(encoding="utf-8").split("*/")[0]
        for wanted in ("vocabulary", "cost", "memory" if name != "champion" else "metadata", "worst trace"):
            assert wanted in opening, f"{name}.c does not open with its {wanted}"


def test_an_allocator_may_include_only_its_neighbours(tmp_path: Path) -> None:
    """A missing include is told with its place, and no file is written."""
    source = tmp_path / "mine.c"
    source.write_text('#include "mm.h"\n#include "elsewhere.h"\n')
    done = subprocess.run([ROOT / "allocators" / "amalgamate.py", source, "-o", tmp_path / "mm.c"], capture_output=True,
                          text=True, check=False)
    assert done.returncode == 1
    assert f'{source}:2: cannot find "elsewhere.h"' in done.stderr
    assert not (tmp_path / "mm.c").exists()


def test_pauses_of_the_collector(mixed: Path) -> None:
    """Their number and lengths are in the JSON and in the table; others have none."""
    trace = result("-f", mixed, "gc")["traces"][0]
    pauses = trace["pauses"]
    assert pauses["count"] > 0
    assert 0 < pauses["longest"] <= pauses["total"] < 10
    assert "Pauses for garbage collection" in mdriver("-f", mixed, "gc").stdout
    assert result("-f", mixed, "--check-only", "explicit")["traces"][0]["pauses"] is None


@pytest.mark.parametrize("bits", [32, 64])
def test_random_payloads_keep_no_garbage(bits: int, tmp_path: Path) -> None:
    """What payloads are filled with never looks like a reference: checked and timed run give the same answers."""
    trace = write_trace(tmp_path / "long.rep", 15000, seed=9)
    graded = result("--bits", str(bits), "-f", trace, "gc")["traces"][0]
    assert graded["verdict"] == "ok", graded["message"]
    assert graded["pauses"]["count"] > 5


def test_garbage_does_not_add_up(tmp_path: Path) -> None:
    """On a long trace with little alive, the collector's heap stays small: naive shows what it would be."""
    trace = write_trace(tmp_path / "long.rep", 40000, seed=5)
    heaps = {name: result("--check-only", "-f", trace, name)["traces"][0]["heap"] for name in ("gc", "naive")}
    assert heaps["gc"] < heaps["naive"] / 2


def test_latency_of_the_collector(mixed: Path) -> None:
    """The latency pass keeps the root table, too."""
    trace = result("--latency", "-f", mixed, "gc")["traces"][0]
    assert trace["verdict"] == "ok", trace["message"]
    assert trace["latency"]["malloc"]["count"] > 0
