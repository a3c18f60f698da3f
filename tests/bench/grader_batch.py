#!/usr/bin/python3
"""How fast a class is graded: submissions made from the reference allocators and from tests/broken, graded with the
sandbox on; prints the rate of each fifth of the batch, and the grader's own memory.

With --document the figures, and the sizing that follows from them, are written into docs/GRADING.md.
"""

import argparse
import json
import os
import random
import re
import sqlite3
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from page import write_part

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))
from grader.store import Store  # noqa: E402

DOCUMENT = ROOT / "docs" / "GRADING.md"
REFERENCES = ("implicit", "explicit", "segregated", "tlsf", "buddy", "slab", "champion")
PYTHON = "/usr/bin/python3"
PARTS = 5


def sources() -> tuple[list[str], list[str]]:
    """The reference allocators as single files, and the broken ones."""
    references = [subprocess.run([PYTHON, ROOT / "allocators" / "amalgamate.py", ROOT / "allocators" / f"{name}.c"],
                                 capture_output=True, text=True, check=True).stdout for name in REFERENCES]
    broken = [path.read_text() for path in sorted((ROOT / "tests" / "broken").glob("*.c"))]
    if not broken:
        sys.exit(f"{ROOT}/tests/broken holds no allocators")
    return references, broken


def make_class(folder: Path, number: int, seed: int) -> None:
    """NUMBER submissions in random order, half of them made from references; no two are the same file."""
    dice = random.Random(seed)
    good, bad = sources()
    # Every source equally often, in a random order: so that each part of the batch is alike.
    texts = [(good if i % 2 else bad)[i // 2 % len(good if i % 2 else bad)] for i in range(number)]
    dice.shuffle(texts)
    for i, text in enumerate(texts):
        place = folder / f"student{i:05}"
        place.mkdir()
        (place / "mm.c").write_text(f"{text}\n/* submission {i} */\n")


def peak_memory(pid: int) -> int:
    """The most resident memory that PID itself has had, in KiB; 0 once it is gone."""
    try:
        found = re.search(r"VmHWM:\s+(\d+)", Path(f"/proc/{pid}/status").read_text())
    except OSError:
        return 0
    return int(found[1]) if found else 0


def done(out: Path) -> int:
    """How many results are stored."""
    if not (out / "results.sqlite").exists():
        return 0
    with sqlite3.connect(out / "results.sqlite", timeout=30) as db:
        try:
            return db.execute("SELECT count(*) FROM result").fetchone()[0]
        except sqlite3.OperationalError:  # the tables are not made yet
            return 0


def grade(pile: Path, out: Path, args: argparse.Namespace) -> list[tuple[int, float, int]]:
    """Grades PILE; (results, seconds since the start, KiB) at the first result and after each part."""
    words = [PYTHON, "-m", "grader", "grade", pile, "-o", out, "-c", args.course, *args.more]
    if args.traces:
        words += ["-t", args.traces]
    marks: list[tuple[int, float, int]] = []
    begin, memory = time.monotonic(), 0
    with open(out.parent / "log", "wb") as log:
        process = subprocess.Popen(list(map(str, words)), cwd=ROOT, stdout=log, stderr=log)
        try:
            while process.poll() is None:
                time.sleep(0.2)
                memory, now = max(memory, peak_memory(process.pid)), done(out)
                if now and now // max(1, args.number // PARTS) >= len(marks):
                    marks.append((now, time.monotonic() - begin, memory))
                    print(f"{now:6} of {args.number}: {marks[-1][1]:7.1f} s, the grader's peak memory {memory:,} KiB",
                          flush=True)
        finally:
            if process.poll() is None:
                process.terminate()
            process.wait()
    if process.returncode:
        sys.exit((out.parent / "log").read_text(errors="replace") + f"the grader ended with {process.returncode}")
    return marks


def rates(marks: list[tuple[int, float, int]]) -> list[float]:
    """Submissions a minute between marks."""
    return [(b[0] - a[0]) / (b[1] - a[1]) * 60 for a, b in zip(marks, marks[1:]) if b[0] > a[0]]


def figures(out: Path, marks: list[tuple[int, float, int]], number: int) -> dict:
    """What the document needs."""
    store = Store(out)
    verdicts: dict[str, int] = {}
    for row in store.rows():
        verdicts[row.verdict] = verdicts.get(row.verdict, 0) + 1
    store.close()
    disk = sum(path.stat().st_size for path in out.rglob("*") if path.is_file())
    last = marks[-1]
    return {"number": number, "minutes": last[1] / 60, "rate": last[0] / last[1] * 60,
            "start": marks[0][1], "parts": rates(marks), "memory": [mark[2] for mark in marks],
            "disk": disk / number, "ok": verdicts.get("ok", 0),
            "load": os.getloadavg()[0], "cores": len(os.sched_getaffinity(0))}


def hours(seconds: float) -> str:
    """'8 minutes', '13.9 hours'."""
    return f"{seconds / 60:.0f} minutes" if seconds < 5400 else f"{seconds / 3600:.1f} hours"


def document(f: dict, traces: str) -> str:
    """The block between the markers."""
    per = 60 / f["rate"]
    parts = ", ".join(f"{rate:.0f}" for rate in f["parts"])
    lines = [
        f"Written by `tests/bench/grader_batch.py --document`: {f['number']} submissions ({f['ok']} of them valid) on "
        f"{traces}, {f['cores']} cores, sandbox on, load {f['load']:.1f} at the end (other programs were running if "
        f"that is above {f['cores']}).",
        "",
        "| measured | |", "| --- | --- |",
        f"| submissions a minute, the start included | {f['rate']:.1f} |",
        f"| the same in each fifth of the batch | {parts} |",
        f"| before the first result | {f['start']:.1f} s |",
        f"| the grader's own memory, at the first result and at the end | {f['memory'][0] >> 10} MiB, "
        f"{f['memory'][-1] >> 10} MiB |",
        f"| disk in OUT | {f['disk'] / 1024:.0f} KiB a submission |",
        "",
        "What follows from these figures, at the same rate:",
        "",
        "| class | one machine of two cores | array tasks of two cores, all at once | disk in OUT |",
        "| --- | --- | --- | --- |",
    ]
    for size, tasks in ((600, 4), (50_000, 64)):
        lines.append(f"| {size:,} | {hours(size * per)} | {tasks} tasks: {hours(size * per / tasks)} | "
                     f"{size * f['disk'] / (1 << 20):,.0f} MiB |")
    return "\n".join(lines)


def main() -> None:
    """Makes the class, grades it, prints."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("-n", "--number", type=int, default=500)
    parser.add_argument("-t", "--traces", type=Path, help="folder of traces (default: the course's)")
    parser.add_argument("-c", "--course", default="classic")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--document", metavar="TRACES", help="write docs/GRADING.md; TRACES says in words what was run")
    parser.add_argument("more", nargs="*", help="further options of `grade`, after --")
    args = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="grader-bench-") as folder:
        pile, out = Path(folder, "pile"), Path(folder, "out")
        pile.mkdir()
        make_class(pile, args.number, args.seed)
        marks = grade(pile, out, args)
        found = figures(out, marks, args.number)
    print(json.dumps(found, indent=1))
    if args.document:
        write_part(DOCUMENT, "sizing", document(found, args.document))


if __name__ == "__main__":
    main()
