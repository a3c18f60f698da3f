#!/usr/bin/python3
"""Measures what docs/SECURITY.md concedes, by attacks that use all of it, and writes the figures into that page.

    tests/hostile/measure.py
"""
from __future__ import annotations

import re
import shutil
import sys
import tempfile
from pathlib import Path

sys.path[:0] = [str(Path(__file__).resolve().parents[1] / folder) for folder in (".", "bench")]

from page import write_part  # noqa: E402
from test_hostile import DEEP, HERE, Bench, expectation, memory, uncharged, whole  # noqa: E402

from mdriver import ROOT, write_lines  # noqa: E402

PAGE = ROOT / "docs/SECURITY.md"


def figures(bench: Bench) -> list[str]:
    """The lines of the table."""
    def attack(name: str) -> dict[str, object]:
        path = HERE / f"{name}.c"
        return bench.run(whole(path.read_bytes(), expectation(path)[1]), "--check-only")

    honest = memory(bench.run(whole(b"", set()), "--check-only"))
    kept = re.search(r"kept (\d+) bytes", attack("metadata-in-signal-handlers")["traces"][0]["output"])
    assert kept
    ahead = memory(attack("looks-ahead"))
    bench.trace = write_lines(bench.folder / "copies.rep", [
        line for i in range(20) for line in [f"a {i} 1000", *(f"r {i} {size}" for size in range(2000, 60_000, 1000))]])
    copied, left_out = (1e3 * float(bench.run(source)["traces"][0]["seconds"]) for source in (
        whole(b"", set()), whole((HERE / "skips-copies-when-unchecked.c").read_bytes(), {"mailbox"})))
    return [
        "| what | measured |", "| --- | --- |",
        f"| bytes of stack or static data of the runner's that cost nothing | {uncharged(bench, DEEP, 8192)} |",
        f"| bytes in the kernel's tables of signal handlers and limits | {kept[1]} |",
        f"| heap of the honest allocator when it looks ahead as far as it can | {ahead} of {honest} bytes "
        f"({100 * (honest - ahead) / honest:.1f} % less) |",
        f"| time of a trace of reallocs up to 60 KB that all move, without their copies | {left_out:.2f} of {copied:.2f} ms "
        f"({100 * (copied - left_out) / copied:.0f} % less) |",
    ]


def main() -> None:
    """Replaces what stands between the page's two markers."""
    folder = Path(tempfile.mkdtemp(prefix="hostile-"))
    folder.chmod(0o755)
    try:
        lines = figures(Bench(folder))
    finally:
        shutil.rmtree(folder)
    write_part(PAGE, "measured", "\n".join(lines))
    print("\n".join(lines))


if __name__ == "__main__":
    main()
