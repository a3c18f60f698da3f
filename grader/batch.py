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
from grader.mdriver import Mdriver
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
            preflight(ready, folder / "reference")
            ready.reference = folder / "reference" if (folder / "reference").is_dir() else None
            if ready.reference:
                ready.wall.visible.append(ready.reference)
            yield ready
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def preflight(mdriver: Mdriver, reference: Path | None = None) -> None:
    """Grades a tiny allocator first: a wrong course or a broken build shows before the class is graded. The
    reference that mdriver made for it is moved to REFERENCE, if that is given."""
    with tempfile.TemporaryDirectory(prefix="grader-") as folder:
        sample = Path(folder, "mm.c")
        sample.write_text(SAMPLE)
        answer = mdriver.run(sample, check_only=reference is None, reference_to=reference)
    if answer.fault:
        raise Problem(f"mdriver cannot grade anything: {answer.fault}; nothing was graded", FAULT)


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
