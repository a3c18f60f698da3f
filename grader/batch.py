"""What a batch needs on one machine, made once and removed at its end: a private folder with the traces and the built
and checked reference, which every sandbox of the batch sees read-only."""

import dataclasses
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from grader.errors import FAULT, Problem
from grader.mdriver import Mdriver, course_json
from grader.sandbox import NOBODY
from grader.turns import held, turns_folder

PREFIX = "grader-batch-"
# The least that compiles: what it scores does not matter, only that mdriver can say so.
SAMPLE = """#include "mm.h"
#include "memlib.h"
int mm_init(void) { return 0; }
void *mm_malloc(size_t size) { return mem_sbrk((int)(size + 15) & ~15); }
void mm_free(void *ptr) { (void)ptr; }
void *mm_realloc(void *ptr, size_t size) { (void)ptr; return mm_malloc(size); }
"""


@contextmanager
def prepared(mdriver: Mdriver) -> Iterator[Mdriver]:
    """MDRIVER, shown to work, with its reference built. Problem when it cannot grade anything here."""
    sweep()
    folder = Path(tempfile.mkdtemp(prefix=PREFIX))
    try:
        with held(folder):  # what nobody holds is left from a killed run
            dropped = bool(mdriver.wall.identity())
            if dropped:
                os.chown(folder, NOBODY, NOBODY)
            ready = dataclasses.replace(mdriver, wall=dataclasses.replace(mdriver.wall), folder=folder)
            ready.wall.visible = [*mdriver.wall.visible, turns_folder()]
            if dropped:
                _let_nobody_in(ready, folder)
            preflight(ready)
            ready.reference = make_references(ready, folder / "reference")
            ready.wall.visible.append(ready.reference)
            yield ready
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def preflight(mdriver: Mdriver) -> None:
    """Grades a tiny allocator first: a wrong course or a broken build shows before the class is graded."""
    with sample() as source:
        answer = mdriver.run(source, check_only=True)
    if answer.refused:
        raise Problem(f"{answer.refused}; nothing was graded")
    if answer.fault:
        raise Problem(f"mdriver cannot grade anything: {answer.fault}; nothing was graded", FAULT)


def make_references(mdriver: Mdriver, folder: Path) -> Path:
    """Puts the reference, as mdriver builds and checks it beside 32- or 64-bit submissions, into FOLDER. One that is
    missing there is made anew for each submission: slower, nothing else."""
    folder.mkdir()
    for bits in word_sizes(mdriver):
        made = folder / f"of-{bits}"
        words = [*mdriver.extra, "--bits", bits, "--timing-seconds", "0.01"]
        with sample() as source:
            dataclasses.replace(mdriver, extra=words).run(source, reference_to=made)
        for part in made.glob("*"):
            part.rename(folder / part.name)
        shutil.rmtree(made, ignore_errors=True)
    os.chmod(folder, 0o755)
    return folder


def word_sizes(mdriver: Mdriver) -> list[str]:
    """The word sizes that submissions of the course may have."""
    bits = course_json(mdriver.program, mdriver.course).get("bits")
    return [str(bits)] if bits in (32, 64) else ["32", "64"]


@contextmanager
def sample() -> Iterator[Path]:
    """SAMPLE as a file."""
    with tempfile.TemporaryDirectory(prefix="grader-") as folder:
        path = Path(folder, "mm.c")
        path.write_text(SAMPLE)
        yield path


def sweep() -> None:
    """Removes the folders of batches that were killed."""
    for folder in Path(tempfile.gettempdir()).glob(PREFIX + "*"):
        try:
            if os.lstat(folder).st_uid not in (os.geteuid(), NOBODY if os.geteuid() == 0 else os.geteuid()):
                continue
            with held(folder, wait=False) as abandoned:
                if abandoned:
                    shutil.rmtree(folder, ignore_errors=True)
        except OSError:
            pass  # another grader swept it


def _let_nobody_in(mdriver: Mdriver, folder: Path) -> None:
    """The sandbox is not root: traces that only root can reach are copied, for the rest there is a sentence."""
    if mdriver.traces and not reachable(mdriver.traces):
        hidden = mdriver.traces
        mdriver.traces = folder / "traces"
        shutil.copytree(hidden, mdriver.traces, copy_function=_copy)
        os.chmod(mdriver.traces, 0o755)
        mdriver.wall.visible[mdriver.wall.visible.index(hidden)] = mdriver.traces
    for path in mdriver.wall.visible:
        if path.name != turns_folder().name and not path.is_relative_to(folder) and not reachable(path):
            raise Problem(f"{path}: only root can read it, and the sandbox gives up root; allow others to read it and "
                          "to enter the folders above it (chmod o+rx), or run the grader as an ordinary user", FAULT)


def _copy(source: str, target: str) -> None:
    shutil.copyfile(source, target)
    os.chmod(target, 0o644)


def reachable(path: Path) -> bool:
    """Whether every user can enter PATH."""
    return all(os.stat(place).st_mode & 0o001 for place in (path, *path.parents)) and bool(os.stat(path).st_mode & 4)
