"""What the tests of pictures and pages share."""

import os
import random
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
SEED = int(os.environ.get("SEED", "7"))


@pytest.fixture
def dice() -> random.Random:
    """Random choices that can be repeated: SEED=N."""
    print(f"SEED={SEED}")
    return random.Random(SEED)


@pytest.fixture
def grader(tmp_path: Path) -> Callable[..., subprocess.CompletedProcess]:
    """Runs python3 -m grader, and checks its exit status."""
    def run(*args: object, expect: int = 0, **environment: str) -> subprocess.CompletedProcess:
        done = subprocess.run(["/usr/bin/python3", "-m", "grader", *map(str, args)], cwd=tmp_path, text=True,
                              capture_output=True, timeout=120, check=False,
                              env={**os.environ, "PYTHONPATH": str(ROOT), **environment})
        assert done.returncode == expect, done.stdout + done.stderr
        assert "Traceback" not in done.stderr, done.stderr
        return done
    return run


@pytest.fixture(scope="module")
def browser() -> Iterator:
    """Debian's chromium."""
    from report.browser import Browser
    opened = Browser()
    yield opened
    opened.close()
