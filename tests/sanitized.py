#!/usr/bin/python3
"""Runs a sanitized mdriver over good, broken and malformed input; any report of a sanitizer is a failure.

    sanitized.py MDRIVER
"""
from __future__ import annotations

import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
MALFORMED = [b"", b"\n", b"1\n2\n3\n", b"20000\n1\n1\n1\na 0 99999999999999999999\n", b"\x1f\x8b\x08broken", b"0\n0\n0\n0\n" * 3,
             b"20000\n1\n2\n1\na 0 10\nr 0\n", b"20000\n1\n1\n1\nf 7\n", b"\0" * 5000, b"a" * 70000]


def problem(done: subprocess.CompletedProcess[bytes]) -> str | None:
    """What a sanitizer said, or that the program died."""
    said = done.stderr.decode(errors="replace")
    if "Sanitizer" in said or "runtime error" in said or done.returncode < 0 or done.returncode > 5:
        return f"exit status {done.returncode}\n{said[-3000:]}"
    return None


def main() -> int:
    """Runs everything; 1 when something was reported."""
    program = str(Path(sys.argv[1]).resolve())
    trace = str(ROOT / "tests" / "broken" / "mixed.rep")
    broken = sorted(map(str, (ROOT / "tests" / "broken").glob("*.c")))
    runs = [["-f", trace, "--latency", "--json", "/dev/null", "implicit", "explicit"],
            ["-D", "-f", trace, "-c", "classic", "-A", "-V", "explicit"],
            ["--check-only", "-s", "2", "-f", trace, "--json", "/dev/null", *broken],
            ["--clock=instructions", "-f", trace, "explicit"],
            ["--peers", "-f", trace, "explicit"],
            ["--courses"], ["--list"], ["--course-json", "cmu16"], ["doctor"], ["--help"], ["-Z"], ["--clock=x"]]
    failures = 0
    with tempfile.TemporaryDirectory() as folder:
        for number, data in enumerate(MALFORMED):
            path = Path(folder, f"{number}.rep")
            path.write_bytes(data)
            runs.append(["-f", str(path), "explicit"])
        runs.append(["--check-only", "-f", trace, "--events", str(Path(folder, "events")), "implicit", "explicit"])
        for arguments in runs:
            done = subprocess.run([program, *arguments], cwd=ROOT, capture_output=True, check=False, timeout=300,
                                  stdin=subprocess.DEVNULL)
            said = problem(done)
            if said:
                failures += 1
                print(f"FAILED mdriver {' '.join(arguments)[:200]}: {said}")
    print(f"sanitized mdriver: {len(runs)} runs, {failures} with reports")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
