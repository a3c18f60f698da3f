"""The shipped traces: complete, sound, where they say they are from, and the same however often they are made."""

import gzip
import json
from pathlib import Path

import pytest
from tracetools import ROOT, tool  # first: it finds the tools
from families import CORPUS
from repfile import aligned, find, id_count, most_live, packed, peak, read, violation

TRACES = ROOT / "traces"
SHIPPED = find(TRACES)
RECORDED = json.loads((TRACES / "recorded.json").read_text(encoding="utf-8"))
DIALECTS = ("classic", "autolab", "cmu16")


def unpacked(path: Path) -> bytes:
    """The file's text."""
    data = path.read_bytes()
    return gzip.decompress(data) if path.suffix == ".gz" else data


@pytest.mark.parametrize("made", CORPUS, ids=lambda made: made.seed)
def test_generating_again_gives_the_same(made):
    """Text to the byte; packed bytes depend on the zlib, so of those only what a reader could trip over."""
    shipped = TRACES / made.name
    trace = made.make()
    assert trace.text().encode() == unpacked(shipped)
    assert packed(made.name, trace.text()) == packed(made.name, made.make().text())


def test_generate_writes_the_corpus(tmp_path):
    """The command line writes what the functions make; only what was asked for."""
    done = tool("generate.py", "corpus", "-o", tmp_path / "new", "coalescing", "short-steps")
    assert (done.returncode, done.stderr) == (0, "")
    assert sorted(path.name for path in (tmp_path / "new").iterdir()) == ["coalescing.rep.gz", "short-steps.rep"]
    for path in (tmp_path / "new").iterdir():
        assert unpacked(path) == unpacked(TRACES / path.name)


@pytest.mark.parametrize("path", SHIPPED, ids=lambda path: path.name)
def test_header_and_requests(path):
    """Header counts are those of the requests, which are valid; gzip headers hold neither time nor name."""
    data = path.read_bytes()
    if path.suffix == ".gz":
        assert data[:2] == b"\x1f\x8b" and data[3:8] == bytes(5), "flags or a time in the gzip header"
    lines = unpacked(path).decode("ascii").split("\n")
    assert lines.pop() == ""
    weight, ids, requests, live = map(int, lines[:4])
    trace = read(path)
    assert violation(trace.requests) is None and not trace.warnings
    assert weight in range(4)
    assert (ids, requests, live) == (id_count(trace.requests), len(lines) - 4, peak(trace.requests))


def test_both_parsers_agree(parsed):
    """The C parser finds no fault with any, and the same peaks as the Python one."""
    for path, seen in zip(SHIPPED, parsed(*SHIPPED), strict=True):
        trace = read(path)
        assert seen == {"error": 0, "warnings": 0, "requests": len(trace.requests), "peak": peak(trace.requests),
                        "aligned": peak(trace.requests, aligned(16)), "headers": peak(trace.requests, aligned(16, 8, 32)),
                        "live": most_live(trace.requests), "weight": trace.weight,
                        "dialect": DIALECTS.index(trace.dialect), "shift": 0}, path


def test_what_is_there():
    """Ten and more real programs of 5,000 to 300,000 requests, all families, nothing else, few bytes."""
    names = {path.name.partition(".")[0]: path for path in SHIPPED}
    assert set(names) == set(RECORDED) | {made.seed for made in CORPUS}
    assert len(RECORDED) >= 10
    for name, about in RECORDED.items():
        assert 5000 <= len(read(names[name]).requests) <= 300000, name
        assert about["command"] and about["packages"] and about["says"]
    families = {made.family.__name__ for made in CORPUS}
    assert families >= {"uniform", "octaves", "structs", "binary", "coalescing", "growth", "doubling", "arrays", "stack",
                        "fifo", "queues", "drift", "tables", "corners", "first_steps"}
    assert sum(path.stat().st_size for path in SHIPPED) < 4_000_000


def test_readme_is_up_to_date():
    """The tables of traces/README.md are those that the script writes."""
    done = tool("index.py", "--check")
    assert done.returncode == 0, done.stderr


def test_families_do_what_they_say():
    """The characteristic order of frees, where a family has one."""
    made = {entry.seed: entry.make().requests for entry in CORPUS}

    def freed_in_order(requests, pick):
        live = []
        for kind, ident, _ in requests:
            if kind == "a":
                live.append(ident)
            elif kind == "f":
                assert live.pop(pick) == ident
        assert not live
    freed_in_order(made["stack"], -1)
    freed_in_order(made["fifo"], 0)
    kinds = {(kind, ident < 0, size == 0) for kind, ident, size in made["short-corners"]}
    assert kinds >= {("f", True, True), ("a", False, True), ("r", False, True), ("c", False, False), ("c", False, True)}
    averages = [sum(size for _, _, size in part) / sum(kind == "a" for kind, _, _ in part) for part in
                (made["drift"][:20000], made["drift"][-20000:])]
    assert averages[1] > 3 * averages[0]
    assert len({ident for kind, ident, _ in made["realloc-arrays"] if kind == "r"}) == 8


def test_unknown_names_are_refused(tmp_path):
    """A name that is none, and what there is instead."""
    done = tool("generate.py", "corpus", "-o", tmp_path, "random")
    assert done.returncode == 2 and "random: no such generated trace; there are " in done.stderr


def test_traces_of_other_courses(parsed):
    """The published traces of three editions, where they are at hand: they are not ours to ship. (The same forms are
    in the tables of tests/unit/test_trace.c.)"""
    published = sorted(ROOT.parent.glob("shared/traces/*/*.rep*"))
    if not published:
        pytest.skip("no published traces beside the project")
    for path, seen in zip(published, parsed(*published), strict=True):
        assert not seen["error"], path
        assert len(read(path).requests) == seen["requests"]
