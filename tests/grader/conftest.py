"""What the grader's tests share: a class made of nothing, and a grader to run on it."""

import os
import random
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
FAKE = Path(__file__).with_name("fake_mdriver.py")
sys.path.insert(0, str(ROOT))
SEED = int(os.environ.get("SEED", "20241"))


@pytest.fixture
def dice() -> random.Random:
    """Random choices that can be repeated: SEED=N."""
    print(f"SEED={SEED}")
    return random.Random(SEED)


class Grader:
    """Runs python3 -m grader with the fake mdriver, as a user would."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.out = folder / "out"
        self.log = folder / "calls.log"
        self.state = folder / "state"
        self.state.mkdir()

    def environment(self) -> dict[str, str]:
        """Without a sandbox FAKE_* reach the fake mdriver."""
        return {**os.environ, "GRADER_MDRIVER": str(FAKE), "FAKE_LOG": str(self.log),
                "FAKE_STATE": str(self.state), "PYTHONPATH": str(ROOT)}

    def argv(self, *args: object) -> list[str]:
        """The command line."""
        return ["/usr/bin/python3", "-m", "grader", *map(str, args)]

    def start(self, *args: object) -> subprocess.Popen:
        """Starts a command and does not wait."""
        return subprocess.Popen(self.argv(*args), env=self.environment(), cwd=self.folder, text=True,
                                stdout=subprocess.PIPE, stderr=subprocess.PIPE)

    def run(self, *args: object, expect: int | None = 0) -> subprocess.CompletedProcess:
        """Runs a command to its end and checks its exit status."""
        done = subprocess.run(self.argv(*args), env=self.environment(), cwd=self.folder, text=True,
                              capture_output=True, timeout=120, check=False)
        if expect is not None:
            assert done.returncode == expect, done.stdout + done.stderr
        return done

    def grade(self, submissions: Path, *args: object, expect: int | None = 0) -> subprocess.CompletedProcess:
        """grade without the sandbox: quick, and the fake mdriver can keep its log."""
        return self.run("grade", submissions, "-o", self.out, "--no-sandbox", *args, expect=expect)

    def calls(self, sha256: str | None = None, kind: str = "") -> int:
        """How often mdriver was called."""
        lines = self.log.read_text().splitlines() if self.log.exists() else []
        return sum((sha256 is None or line.startswith(sha256)) and line.endswith(kind) for line in lines)

    def store(self):
        """The results."""
        from grader.store import Store
        return Store(self.out)

    def rows(self) -> dict[str, object]:
        """The gradebook by person's key."""
        return {row.person.key: row for row in self.store().rows()}


@pytest.fixture
def grader(tmp_path: Path) -> Grader:
    """A grader with a fresh folder."""
    return Grader(tmp_path)


def write_class(folder: Path, files: dict[str, str]) -> Path:
    """A folder of submissions: path -> what the fake mdriver is told."""
    for path, order in files.items():
        target = folder / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(f"/* {path} */\n// fake: {order}\n", errors="surrogateescape")
    return folder
