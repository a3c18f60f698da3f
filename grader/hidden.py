"""Hidden traces: variants of the course's traces, drawn from a seed for one batch and published afterwards."""

import argparse
import hashlib
import json
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from grader.errors import FAULT, OK, Problem
from grader.sandbox import ROOT
from grader.text import plain

GENERATOR = ROOT / "traces" / "tools" / "generate.py"
ABOUT = """These traces were used to grade. They are variants of the traces that everybody had, drawn from a seed that
was secret until now. Drawing them again gives the same files:

    traces/tools/generate.py vary --seed {seed} -o variants {source}
"""


def add_parser(commands: argparse._SubParsersAction) -> None:
    """The command line of `publish`."""
    sub = commands.add_parser("publish", help="copy the hidden traces of a batch, with their seed, for the students",
                              description="Copies the traces that `grade --hidden SEED` drew, and says how to draw "
                                          "them again.")
    sub.add_argument("out", metavar="OUT", type=Path, help="folder of `grade -o OUT`")
    sub.add_argument("target", metavar="DIR", type=Path, help="folder to fill; made if need be")
    sub.set_defaults(action=lambda args: publish(args.out, args.target))


def trace_set(folder: Path | None, seed: str | None, out: Path, course: dict) -> tuple[Path | None, str]:
    """The folder mdriver is to use (None: the course's own) and a name that changes whenever a trace does. COURSE is
    the course as JSON."""
    if folder is not None and not folder.is_dir():
        raise Problem(f"{folder}: no such folder of traces; give a folder of .rep files to -t")
    if seed is not None:
        source = folder or ROOT / course.get("traces", "traces")
        drawn = out / "hidden" / hashlib.sha256(f"{seed}\0{fingerprint(source)}".encode()).hexdigest()[:12]
        if not drawn.is_dir():
            draw(source, seed, drawn)
        return drawn.resolve(), f"hidden:{fingerprint(drawn)}"
    if folder is None:
        return None, "course"
    return folder.resolve(), f"folder:{fingerprint(folder)}"


def fingerprint(folder: Path) -> str:
    """A digest of names and contents of a trace folder."""
    total = hashlib.sha256()
    files = sorted(path for path in folder.rglob("*") if path.is_file() and ".rep" in path.suffixes)
    if not files:
        raise Problem(f"{folder}: holds no traces; give a folder of .rep files to -t")
    for path in files:
        total.update(f"{path.relative_to(folder)}\0{path.stat().st_size}\0".encode("utf-8", "surrogateescape"))
        total.update(path.read_bytes())
    return total.hexdigest()[:16]


def draw(source: Path, seed: str, drawn: Path) -> None:
    """Draws the variants of the traces in SOURCE into DRAWN; all of them or none."""
    if not GENERATOR.exists():
        raise Problem(f"{GENERATOR}: missing; --hidden needs the trace generator", FAULT)
    drawn.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    print("Drawing hidden traces ...", file=sys.stderr)
    with tempfile.TemporaryDirectory(dir=drawn.parent, prefix="new-") as scratch:
        made = Path(scratch, "traces")
        made.mkdir()
        done = subprocess.run(
            ["/usr/bin/python3", str(GENERATOR), "vary", f"--seed={seed}", "-o", str(made), str(source)],
            capture_output=True, text=True, check=False, stdin=subprocess.DEVNULL)
        if done.returncode:
            raise Problem(f"drawing hidden traces failed: {plain(done.stderr.strip() or 'no message', 300)}", FAULT)
        os.chmod(made, 0o755)
        drawn.with_suffix(".json").write_text(json.dumps({"seed": seed, "source": str(source)}))
        made.rename(drawn)
    print(f"Hidden traces are in {drawn}; keep that folder private. Afterwards: python3 -m grader publish "
          f"{drawn.parent.parent} DIR", file=sys.stderr)


def publish(out: Path, target: Path) -> int:
    """Copies the hidden traces of the batch in OUT to TARGET, for the students."""
    facts = sorted((out / "hidden").glob("*.json")) if (out / "hidden").is_dir() else []
    if not facts:
        raise Problem(f"{out}: no hidden traces were drawn here; `grade --hidden SEED` draws them")
    for path in facts:
        drawn = path.with_suffix("")
        if not drawn.is_dir():
            continue  # killed between the two
        about = json.loads(path.read_text())
        place = target / drawn.name if len(facts) > 1 else target
        shutil.copytree(drawn, place, dirs_exist_ok=True)
        source = Path(about["source"]).resolve()  # as it is called where the students are
        source = source.relative_to(ROOT) if source.is_relative_to(ROOT) else Path(source.name)
        (place / "README").write_text(ABOUT.format(seed=_word(about["seed"]), source=_word(str(source))))
        print(f"Published: {place}")
    return OK


def _word(text: str) -> str:
    """TEXT as one word of a shell, on one line."""
    return "'" + plain(text, 400).replace("'", "'\\''") + "'"
