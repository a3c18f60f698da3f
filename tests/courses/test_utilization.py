"""Heap and peak payload by course, against an independent replay (model.py) and by hand."""
from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from mdriver import ROOT, result

from . import model

HERE = Path(__file__).parent

# Submission, the courses that it is graded under, and the word sizes in which it is right.
TABLE = [
    ("classic/naive.c", ["classic", "classic-64m"], [32, 64]),
    ("classic/no_team_name.c", ["classic"], [32, 64]),
    ("classic/implicit.c", ["classic", "product", "classic-2000m"], [32, 64]),
    ("classic/explicit32.c", ["classic"], [32]),
    ("autolab/explicit.c", ["autolab", "autolab-60-40", "geometric-50-50"], [64, 32]),
    ("autolab/int_checkheap.c", ["autolab"], [64, 32]),
    ("cmu16/explicit.c", ["cmu16"], [64, 32]),
    ("malloclab/bump.c", ["malloclab"], [64]),
]
ROWS = [(source, course, bits) for source, courses, widths in TABLE
        for course in courses for bits in (widths if course == courses[0] else widths[:1])]
EDITION = {"classic": "classic", "autolab": "autolab", "cmu16": "cmu16", "malloclab": "classic"}


@pytest.fixture(name="folders", scope="module")
def fixture_folders(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """The same requests in the formats of the three editions."""
    made = {edition: tmp_path_factory.mktemp(edition) for edition in ("classic", "autolab", "cmu16")}
    for edition, folder in made.items():
        model.corpus(folder, edition)
    return made


@pytest.mark.parametrize(("source", "course", "bits"), ROWS, ids=lambda value: str(value).removesuffix(".c"))
def test_replay_agrees(source: str, course: str, bits: int, folders: dict[str, Path]) -> None:
    """mdriver's heap and peak are the model's, to the byte, and utilization is their quotient."""
    folder = folders[EDITION[source.split("/")[0]]]
    found = result("--check-only", "-c", course, "--bits", str(bits), "-t", folder, HERE / source)
    assert found["submission"]["bits"] == bits
    assert len(found["traces"]) == len(list(folder.glob("*.rep")))
    for trace in found["traces"]:
        requests = model.read(folder / trace["name"])
        expected = (model.peak_payload(requests), model.HEAPS[source](requests))
        assert (trace["verdict"], trace["peak_payload"], trace["heap"]) == ("ok", *expected), trace["name"]
        assert trace["utilization"] == pytest.approx(expected[0] / expected[1], rel=1e-9)


# By hand: the requests, and the heap of classic/naive.c (8-byte header, 8-byte units) and of classic/implicit.c
# (16 bytes around the blocks, chunks of 4096, blocks of payload + 8 in units of 8, at least 16).
BY_HAND: list[tuple[list[str], int, int, int]] = [
    # requests                                                  peak   naive               implicit
    (["a 0 1", "f 0"],                                            1,   16,                 16 + 4096),
    (["a 0 8", "a 1 9"],                                          17,  16 + 24,            16 + 4096),
    (["a 0 100", "f 0", "a 1 100", "f 1"],                        100, 2 * 112,            16 + 4096),
    (["a 0 4088"],                                                4088, 4096,              16 + 4096),
    (["a 0 4089"],                                                4089, 4104,              16 + 4096 + 4104),
    (["a 0 2040", "a 1 2040", "f 0", "f 1", "a 2 4088"],          4088, 2 * 2048 + 4096,   16 + 4096),
    (["a 0 4088", "r 0 4088"],                                    4088, 2 * 4096,          16 + 2 * 4096),
    (["a 0 10", "r 0 20", "r 0 5", "f 0"],                        20,  24 + 32 + 16,       16 + 4096),
]


@pytest.mark.parametrize(("source", "column"), [("classic/naive.c", 0), ("classic/implicit.c", 1)])
def test_by_hand(source: str, column: int, tmp_path: Path) -> None:
    """Traces so small that a person can follow them; the model is held to them too."""
    for i, (lines, *_) in enumerate(BY_HAND):
        model.write(tmp_path / f"{i}.rep", lines, "classic")
    found = result("--check-only", "-c", "classic", "-t", tmp_path, HERE / source)
    for trace, (lines, peak, *heaps) in zip(found["traces"], BY_HAND, strict=True):
        assert (trace["verdict"], trace["peak_payload"], trace["heap"]) == ("ok", peak, heaps[column]), lines
        requests = model.read(tmp_path / trace["name"])
        assert (model.peak_payload(requests), model.HEAPS[source](requests)) == (peak, heaps[column])


def test_published_traces_when_present(record_property: Any) -> None:
    """Where the published traces lie beside the project: known results of a boundary-tag list on the classic set."""
    folder = ROOT.parent / "shared" / "traces" / "classic"
    if not folder.is_dir():
        record_property("published traces", f"not run: there is no {folder}; test_replay_agrees is its equivalent")
        return
    found = result("--check-only", "-c", "classic", "-t", folder, HERE / "classic/implicit.c")
    percent = {t["name"].removesuffix("-bal.rep"): round(100 * t["utilization"]) for t in found["traces"]}
    assert {name: percent[name] for name in ("amptjp", "cccp", "cp-decl", "expr", "coalescing", "random", "binary",
                                             "binary2", "realloc", "realloc2")} == {
        "amptjp": 99, "cccp": 99, "cp-decl": 99, "expr": 100, "coalescing": 66, "random": 92, "binary": 55,
        "binary2": 51, "realloc": 27, "realloc2": 34}
    assert found["score"]["scored"] == 11 and found["score"]["utilization"] == pytest.approx(0.74, abs=0.005)
