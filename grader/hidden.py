"""Hidden traces: variants of the course's traces, drawn from a seed for one batch and published afterwards."""

import hashlib
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from grader.errors import FAULT, Problem
from grader.sandbox import ROOT
from grader.text import plain

GENERATOR = ROOT / "traces" / "tools" / "generate.py"


def trace_set(folder: Path | None, seed: str | None, out: Path) -> tuple[Path | None, str]:
    """The folder mdriver is to use (None: the course's own) and a name that changes whenever a trace does."""
    if seed is not None:
        drawn = out / "hidden" / hashlib.sha256(seed.encode()).hexdigest()[:12]
        if not drawn.is_dir():
            draw(folder, seed, drawn)
        return drawn.resolve(), f"hidden:{fingerprint(drawn)}"
    if folder is None:
        return None, "course"
    if not folder.is_dir():
        raise Problem(f"{folder}: no such folder of traces; give a folder of .rep files to -t")
    return folder.resolve(), f"folder:{fingerprint(folder)}"


def fingerprint(folder: Path) -> str:
    """A digest of names and contents of a trace folder."""
    total = hashlib.sha256()
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    if not files:
        raise Problem(f"{folder}: holds no traces; give a folder of .rep files to -t")
    for path in files:
        total.update(f"{path.relative_to(folder)}\0{path.stat().st_size}\0".encode("utf-8", "surrogateescape"))
        total.update(path.read_bytes())
    return total.hexdigest()[:16]


def draw(folder: Path | None, seed: str, drawn: Path) -> None:
    """Draws the variants of FOLDER (the shipped traces by default) into DRAWN; all of them or none."""
    source = folder or ROOT / "traces"
    if not GENERATOR.exists():
        raise Problem(f"{GENERATOR}: missing; --hidden needs the trace generator", FAULT)
    drawn.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=drawn.parent) as scratch:
        made = Path(scratch, "traces")
        made.mkdir()
        done = subprocess.run(
            ["/usr/bin/python3", str(GENERATOR), "vary", "--seed", seed, "-o", str(made), str(source)],
            capture_output=True, text=True, check=False, stdin=subprocess.DEVNULL)
        if done.returncode:
            raise Problem(f"drawing hidden traces failed: {plain(done.stderr.strip() or 'no message', 300)}", FAULT)
        os.chmod(made, 0o755)
        made.rename(drawn)
    print(f"Hidden traces drawn into {drawn}; keep that folder private until the deadline, then publish it with "
          "the seed.", file=sys.stderr)


def publish(out: Path, target: Path) -> Path:
    """Copies the hidden traces of a batch to TARGET, for the students."""
    folders = sorted((out / "hidden").glob("*/")) if (out / "hidden").is_dir() else []
    if not folders:
        raise Problem(f"{out}: no hidden traces were drawn here")
    for folder in folders:
        shutil.copytree(folder, target / folder.name, dirs_exist_ok=True)
    return target
