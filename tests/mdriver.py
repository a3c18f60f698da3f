"""Runs the built mdriver, for every test that looks at it from outside."""
from __future__ import annotations

import json
import os
import random
import subprocess
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
MDRIVER = ROOT / "mdriver"


def mdriver(*arguments: str | Path, timeout: float = 120, cwd: Path = ROOT,
            env: dict[str, str] | None = None) -> subprocess.CompletedProcess[str]:
    """One run, both streams captured; ENV is added to the environment."""
    assert MDRIVER.exists(), "mdriver is not built: run make"
    return subprocess.run([str(MDRIVER), *map(str, arguments)], cwd=cwd, capture_output=True, text=True, errors="replace",
                          timeout=timeout, check=False, env={**os.environ, **(env or {})}, stdin=subprocess.DEVNULL)


def result(*arguments: str | Path, timeout: float = 120) -> dict[str, Any]:
    """The JSON of a run of one allocator."""
    done = mdriver("--json", "-", *arguments, timeout=timeout)
    assert done.stdout, done.stderr
    parsed: dict[str, Any] = json.loads(done.stdout)
    parsed["exit"] = done.returncode
    return parsed


def write_trace(path: Path, requests: int, seed: int = 1) -> Path:
    """A trace of so many requests, of all three kinds, in the oldest dialect."""
    draw, live, lines, ids = random.Random(seed), [], [], 0
    while len(lines) < requests:
        choice = draw.random()
        if not live or choice < 0.5:
            lines.append(f"a {ids} {draw.randint(1, 300)}")
            live.append(ids)
            ids += 1
        elif choice < 0.6:
            lines.append(f"r {draw.choice(live)} {draw.randint(1, 400)}")
        else:
            lines.append(f"f {live.pop(draw.randrange(len(live)))}")
    return write_lines(path, lines)


def write_lines(path: Path, lines: list[str]) -> Path:
    """A trace with these requests and the header of the oldest dialect."""
    ids = {line.split()[1] for line in lines if line.split()[1] != "-1"}
    path.write_text("\n".join(["20000000", str(len(ids)), str(len(lines)), "1", *lines]) + "\n")
    return path
