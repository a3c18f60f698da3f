"""Variants: valid, repeatable, different, and as hard as the original."""

import itertools
import os
import random
from collections import Counter
from pathlib import Path

import pytest
from tracetools import ROOT, tool  # first: it finds the tools
from repfile import Trace, find, packed, peak, read, violation, write
from vary import phases, sizes, vary
from families import Chance

SEED = os.environ.get("SEED", "20261")
SHIPPED = find(ROOT / "traces")


def random_trace(seed: str) -> Trace:
    """A short trace with everything a trace may have: reused ids, NULL, sizes 0, what is live at the end."""
    chance = random.Random(seed)
    live: set[int] = set()
    requests = []
    for _ in range(chance.randrange(1, 120)):
        ident = chance.randrange(12)
        size = chance.choice([0, 1, 8, 16, 24, 100, 4096, chance.randrange(10000), 1 << 40])
        if ident in live:
            kind = chance.choice("rff")
        else:
            kind = chance.choice("aaacrN")
        if kind == "N":
            requests.append(("f", -1, 0))
            continue
        requests.append((kind, ident, 0 if kind == "f" else size))
        if kind == "f" or (kind == "r" and size == 0 and ident in live):
            live.discard(ident)
        else:
            live.add(ident)
    return Trace(f"{seed}.rep", requests, chance.randrange(4), chance.choice(["classic", "autolab", "cmu16"]), 1)


def check_promises(old: Trace, new: Trace) -> None:
    """What vary.py promises at its top."""
    assert violation(new.requests) is None
    assert (new.name, new.weight, new.dialect, new.extra) == (old.name, old.weight, old.dialect, old.extra)
    assert Counter(kind for kind, _, _ in new.requests) == Counter(kind for kind, _, _ in old.requests)
    assert peak(new.requests) <= peak(old.requests)
    # sizes are mapped one by one and in order: sorted, they correspond
    pairs = list(zip(sorted(size for kind, _, size in old.requests if kind != "f"),
                     sorted(size for kind, _, size in new.requests if kind != "f"), strict=True))
    image = dict(pairs)
    assert all(image[before] == after for before, after in pairs)
    assert all(after <= before and (after > 0) == (before > 0) for before, after in pairs)


@pytest.mark.parametrize("number", range(60))
def test_random_traces(number):
    """Promises hold for anything; failures repeat with SEED."""
    trace = random_trace(f"{SEED}-{number}")
    check_promises(trace, vary(trace, SEED))


@pytest.mark.parametrize("path", SHIPPED, ids=lambda path: path.name)
def test_shipped_traces(path):
    """Promises hold for every shipped trace, and a good part of it is different."""
    trace = read(path)
    variant = vary(trace, SEED)
    check_promises(trace, variant)
    assert sum(before != after for before, after in zip(trace.requests, variant.requests, strict=True)) \
        > len(trace.requests) // 2
    assert peak(variant.requests) > 0.8 * peak(trace.requests)


def test_what_fitted_together_still_does():
    """Coalesced parts hold the whole, and holes that were too small still are."""
    for seed in range(200):
        size = sizes([("a", 0, 1008), ("a", 1, 4032), ("a", 2, 448), ("a", 3, 512)], Chance(str(seed)))
        assert 4 * size[1008] >= size[4032]
        assert size[448] < size[512]
        assert size[448] != 448 and size[512] != 512


def test_resized_blocks_keep_their_steps():
    """In a trace of many sizes, those of reallocs are scaled alike: equal steps stay equal, within rounding."""
    requests = [("a", 0, 512)] + [("r", 0, 512 + 96 * i) for i in range(1, 200)]
    requests += [("a", i, 7 * i) for i in range(1, 200)]
    size = sizes(requests, Chance("x"))
    steps = {size[512 + 96 * (i + 1)] - size[512 + 96 * i] for i in range(199)}
    assert max(steps) - min(steps) <= 1


def test_phases_change_places():
    """Parts between empty heaps are permuted, whole; one that stays live stays last."""
    requests = []
    for i in range(12):
        requests += [("a", i, 1000 * (i + 1)), ("c", 100 + i, 10), ("f", i, 0), ("f", 100 + i, 0)]
    requests.append(("a", 50, 77777))
    trace = Trace("phases.rep", requests)
    orders = set()
    for seed in range(5):
        varied = phases(vary(trace, str(seed)).requests)
        assert len(varied) == 13 and all(len(part) == 4 for part in varied[:-1])
        largest = tuple(max(size for _, _, size in part) for part in varied)
        assert largest[-1] == max(largest)
        orders.add(tuple(sorted(range(12), key=lambda i, sizes=largest: sizes[i])))
    assert len(orders) > 1


def test_the_seed_decides(tmp_path):
    """The same seed gives the same bytes; another gives others. Names and packing are kept."""
    source = tmp_path / "source"
    source.mkdir()
    for name in ("short-ids.rep", "short-corners.rep", "realloc-arrays.rep.gz"):
        (source / name).write_bytes((ROOT / "traces" / name).read_bytes())
    (source / "README.md").write_text("no trace")
    folders = [tmp_path / name for name in ("a", "b", "c")]
    for folder, seed in zip(folders, ("autumn", "autumn", "winter"), strict=True):
        done = tool("generate.py", "vary", "--seed", seed, "-o", folder, source)
        assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
        assert sorted(path.name for path in folder.iterdir()) == sorted(
            path.name for path in source.iterdir() if path.name != "README.md")
    for path in folders[0].iterdir():
        assert path.read_bytes() == (folders[1] / path.name).read_bytes()
        assert path.read_bytes() != (folders[2] / path.name).read_bytes()
        assert read(path).weight == read(source / path.name).weight


def test_variants_parse(parsed, tmp_path):
    """The C parser accepts variants of every dialect, without warnings, and agrees on the peak."""
    paths = []
    for number in range(40):
        trace = vary(random_trace(f"{SEED}-c-{number}"), SEED)
        if not trace.requests:
            continue
        paths.append(tmp_path / f"{number}.rep.gz")
        write(Trace(paths[-1].name, trace.requests, trace.weight, trace.dialect, 4000000 if trace.dialect == "classic" else
                    trace.extra), paths[-1])
    for path, seen in zip(paths, parsed(*paths), strict=True):
        assert not seen["error"], path
        assert seen["peak"] == peak(read(path).requests) and not seen["warnings"], path


def test_one_file(tmp_path):
    """A file to a file, and a file to a folder."""
    source = ROOT / "traces" / "short-steps.rep"
    assert tool("generate.py", "vary", "--seed", "1", "-o", tmp_path / "v.rep.gz", source).returncode == 0
    assert tool("generate.py", "vary", "--seed", "1", "-o", tmp_path / "folder", source).returncode == 0
    assert read(tmp_path / "v.rep.gz").requests == read(tmp_path / "folder" / "short-steps.rep").requests
    assert (tmp_path / "v.rep.gz").read_bytes() == packed("v.rep.gz", read(tmp_path / "v.rep.gz").text())


BAD = (
    ("missing", None, "no such file or folder"),
    ("empty.rep", b"", "expected four header lines and at least one request, found 0 lines"),
    ("header.rep", b"one\n", 'header.rep:1: expected a number of at least 0 in the header, found "one"'),
    ("request2.rep", b"1\n1\n3\n9\na 0 9\nx\n\na 1\n", 'request2.rep:6: expected "a id size"'),
    ("twice.rep", b"1\n1\n2\n9\na 0 9\na 0 9\n", "request 2: id 0 is live already"),
    ("free.rep", b"1\n1\n1\n9\nf 0\n", "request 1: id 0 is not live"),
    ("cut.rep.gz", packed("x.gz", "1\n1\n1\n9\na 0 9\n")[:-9], "expected a whole gzip file"),
)


@pytest.mark.parametrize("name, data, sentence", BAD)
def test_bad_input(tmp_path: Path, name, data, sentence):
    """One sentence, status 2, nothing written."""
    if data is not None:
        (tmp_path / name).write_bytes(data)
    done = tool("generate.py", "vary", "--seed", "1", "-o", tmp_path / "out", tmp_path / name)
    assert done.returncode == 2 and sentence in done.stderr and len(done.stderr.splitlines()) == 1
    assert not (tmp_path / "out").exists()


def test_odd_places(tmp_path: Path):
    """An empty folder; a target that is the source; a target that cannot be made."""
    empty = tmp_path / "empty folder"
    empty.mkdir()
    assert "holds no traces; expected files named *.rep or *.rep.gz" in tool(
        "generate.py", "vary", "--seed", "1", "-o", tmp_path / "out", empty).stderr
    path = empty / "ein trace ü.rep"
    path.write_text("1\n1\n1\n9\na 0 9\n")
    done = tool("generate.py", "vary", "--seed", "1", "-o", empty, empty)
    assert done.returncode == 2 and "would be overwritten by its own variant" in done.stderr
    assert path.read_text() == "1\n1\n1\n9\na 0 9\n"
    assert tool("generate.py", "vary", "--seed", "1", "-o", tmp_path / "out", empty).returncode == 0
    done = tool("generate.py", "vary", "--seed", "1", "-o", path / "x", empty)
    assert done.returncode == 2 and "cannot be written" in done.stderr


def test_published_forms(tmp_path: Path):
    """The forms of other editions: requests without a size, CRLF, rubbish after the end, free after realloc to 0."""
    path = tmp_path / "old.rep"
    path.write_bytes(b"20000\r\n3\r\n7\r\n1\r\na 0 10\r\na 1\r\nf -1\r\nr 0 0\r\nf 0\r\na 2 30\r\nf 1\r\n\x1a\r\n")
    trace = read(path)
    assert (trace.dialect, trace.extra, len(trace.requests), len(trace.warnings)) == ("classic", 20000, 7, 2)
    variant = vary(trace, "1")
    assert violation(variant.requests) is None
    assert variant.text().split("\n")[:4] == ["20000", "3", "7", "1"]
    assert list(itertools.accumulate(size for _, _, size in variant.requests))[-1] < 50
