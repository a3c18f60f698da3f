"""Manual pages, made by help2man from what --help prints: python3 -m grader.man FOLDER."""

import os
import re
import shlex
import subprocess
import sys
import tempfile
from pathlib import Path

from grader import __version__
from grader.cli import parser
from grader.errors import OK, Problem
from grader.mdriver import find
from grader.sandbox import ROOT

MDRIVER_PURPOSE = "check and score allocators of the malloc lab"
GRADER_PURPOSE = "grade a class of malloc labs"


def pages() -> dict[str, tuple[list[str], str]]:
    """Each page: the command whose --help it is made from, and the words behind its name."""
    top = next(action for action in parser()._actions if action.dest == "command")
    python = [sys.executable, "-m", "grader"]
    found = {"mdriver": ([find(None)], MDRIVER_PURPOSE), "grader": (python, GRADER_PURPOSE)}
    for choice in top._choices_actions:  # type: ignore[attr-defined]
        found[f"grader-{choice.dest}"] = ([*python, choice.dest], choice.help)
    return found


def page(name: str, command: list[str], purpose: str) -> str:
    """One page in roff. Headings of the help text become headings of the page."""
    # The lines are as long as they get: roff fills them anew.
    environment = {**os.environ, "COLUMNS": "4000", "PYTHONPATH": str(ROOT), "LC_ALL": "C.UTF-8"}
    done = subprocess.run([*command, "--help"], capture_output=True, text=True, check=True, env=environment)
    lines = done.stdout.splitlines()
    headings = {line.rstrip(":") for line, below in zip(lines, lines[1:])
                if line[:1].isalpha() and below.startswith("  ") and not line.startswith("usage")}
    with tempfile.TemporaryDirectory() as folder:
        program = Path(folder, name)  # help2man names the page after the file that it runs
        text = Path(folder, "help")
        text.write_text(re.sub("^usage:", "Usage:", done.stdout, flags=re.M))
        program.write_text(f"#!/bin/sh\ncat {shlex.quote(str(text))}\n")
        program.chmod(0o755)
        try:
            made = subprocess.run(["help2man", "--no-info", f"--version-string={__version__}", f"--name={purpose}",
                                   str(program)], capture_output=True, text=True, check=True, env=environment)
        except FileNotFoundError as error:
            raise Problem("help2man is missing: apt-get install help2man") from error
    return "\n".join(f".SS {line.rstrip(':')}" if line.rstrip(":") in headings else line
                     for line in made.stdout.splitlines()) + "\n"


def main(folder: str) -> int:
    """Writes every page into FOLDER."""
    Path(folder).mkdir(parents=True, exist_ok=True)
    for name, (command, purpose) in pages().items():
        Path(folder, f"{name}.1").write_text(page(name, command, purpose))
    return OK


if __name__ == "__main__":
    try:
        sys.exit(main(sys.argv[1] if len(sys.argv) == 2 else "build/man"))
    except Problem as problem:
        sys.exit(f"grader.man: {problem}")
