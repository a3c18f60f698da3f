"""`doctor`: what this machine lacks for grading a class; mdriver's own doctor first."""

import argparse
import importlib.util
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from grader import batch
from grader.errors import INVALID, OK, Problem
from grader.mdriver import Mdriver, find
from grader.sandbox import ROOT, Wall, self_test
from grader.text import plain
from grader.turns import Cores, siblings, turns_folder

FREE_MIB = 1024  # for a few builds at once


@dataclass(frozen=True)
class Finding:
    """One line: `state` is ok, advice (grading works, less well) or failed; `remedy` says what to do."""

    state: str
    what: str
    words: str
    remedy: str = ""


def add_parser(commands: argparse._SubParsersAction) -> None:
    """The command line of `doctor`."""
    sub = commands.add_parser("doctor", help="what this machine lacks for grading",
                              description="Tries everything that a batch needs. Exit status 1 when something fails.")
    sub.add_argument("-o", "--out", metavar="OUT", type=Path, default=Path("."),
                     help="the folder that will take the results (default: here)")
    sub.add_argument("--mdriver", metavar="FILE", help="mdriver to use (default: the one built here)")
    sub.set_defaults(action=_doctor)


def _doctor(args: argparse.Namespace) -> int:
    program = find(args.mdriver)
    failed = subprocess.run([program, "doctor"], check=False, stdin=subprocess.DEVNULL).returncode != 0
    for title, findings in (("Batch", batch_findings(program, args.out)), ("Sandbox of a batch", wall_findings()),
                            ("Further commands", tools())):
        print(f"\n{title}")
        for found in findings:
            print(f"  {found.state:7} {found.what:16} {found.words}")
            if found.remedy and found.state != "ok":
                print(f"{'':26}to do: {found.remedy}")
            failed |= found.state == "failed"
            sys.stdout.flush()
    print(f"\n{'A class cannot be graded here yet.' if failed else 'A class can be graded here.'}")
    return INVALID if failed else OK


def batch_findings(program: str, out: Path) -> Iterator[Finding]:
    """Cores, disks, and whether mdriver grades anything behind the wall."""
    try:
        cores = Cores()
        apart = cores.timing not in cores.checking
        yield Finding("ok" if apart else "advice", "cores",
                      f"core {cores.timing} times, {', '.join(map(str, cores.checking))} check",
                      "use two cores or more, or checks disturb timings")
        if any(core in siblings(cores.timing) for core in cores.checking if core != cores.timing):
            yield Finding("advice", "hyperthreads", "the timing core shares its physical core with a checking one",
                          "use more cores, or switch simultaneous multithreading off")
        yield Finding("ok", "turns", f"locks in {turns_folder()}")
    except Problem as problem:
        yield Finding("failed", "turns", str(problem))
    for what, folder in (("temporary files", Path(tempfile.gettempdir())), ("results", out)):
        yield disk(what, folder)
    try:
        with batch.prepared(Mdriver(program, Wall(True, [Path(program).parent, ROOT]))):
            pass
        yield Finding("ok", "mdriver", "grades a small allocator behind the wall")
    except Problem as problem:
        yield Finding("failed", "mdriver", str(problem), "see the lines below; then run `make` again")


def disk(what: str, folder: Path) -> Finding:
    """Whether FOLDER, or the nearest that exists above it, can be written and has room."""
    place = next(path for path in (folder.absolute(), *folder.absolute().parents) if path.exists())
    try:
        with tempfile.TemporaryFile(dir=place):
            pass
    except OSError:
        return Finding("failed", what, f"{place} cannot be written", "give another folder, or change its mode")
    free = shutil.disk_usage(place).free >> 20
    return Finding("ok" if free >= FREE_MIB else "advice", what, f"{place}, {free:,} MiB free",
                   f"free some space: {FREE_MIB:,} MiB are comfortable")


def wall_findings() -> Iterator[Finding]:
    """Every promise of the wall, tried."""
    for promise, held, message in self_test():
        yield Finding("ok" if held else "failed", "held" if held else "broken", promise + (
            "" if held else f": {plain(message or 'no message')}"),
            "install bubblewrap and allow user namespaces (sysctl user.max_user_namespaces, "
            "kernel.unprivileged_userns_clone); in a container see docs/GRADING.md")


def tools() -> Iterator[Finding]:
    """What single commands need."""
    for program, package, use in (("gnuplot", "gnuplot-nox", "plots and reports"),
                                  ("sim_c", "similarity-tester", "similar"),
                                  ("sbatch", "slurm-wlm", "--executor slurm")):
        found = shutil.which(program)
        yield Finding("ok" if found else "advice", program, "installed" if found else f"missing; {use} need it",
                      f"apt-get install {package}, if you want that")
    jinja = importlib.util.find_spec("jinja2") is not None
    yield Finding("ok" if jinja else "advice", "jinja2", "installed" if jinja else
                  f"missing for {sys.executable}; report and feedback need it",
                  "apt-get install python3-jinja2, and use /usr/bin/python3")
