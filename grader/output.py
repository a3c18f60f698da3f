"""Files for the user: looked at before the work begins, and whole or not there when it ends."""

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from io import TextIOWrapper
from pathlib import Path
from typing import BinaryIO, TextIO

from grader.errors import FAULT, Problem
from grader.text import plain


def place_of(target: Path) -> Path | None:
    """The file that a new one takes the place of, behind links; None for a pipe, a device or our own output."""
    if not target.exists():
        return target
    own = [os.fstat(fd) for fd in (1, 2) if _is_open(fd)]
    if not target.is_file() or any(os.path.samestat(target.stat(), stat) for stat in own):
        return None
    return target.resolve()


def _is_open(fd: int) -> bool:
    try:
        os.fstat(fd)
    except OSError:
        return False
    return True


def check(target: Path | None, option: str = "-o") -> None:
    """Raises Problem when TARGET cannot be written; leaves it as it is."""
    if target is None:
        return
    name = f"{option} {plain(str(target), 200)}"
    try:
        if target.is_dir():
            raise Problem(f"{name}: that is a folder; name a file in it")
        place = place_of(target)
        if place is None:
            return
        if not place.parent.exists():
            raise Problem(f"{name}: there is no folder {plain(str(place.parent), 200)}; make it first, or name another")
        if place.exists() and not os.access(place, os.W_OK):
            raise Problem(f"{name}: cannot write it: Permission denied")
        with tempfile.TemporaryFile(dir=place.parent):
            pass  # only trying tells
    except OSError as error:
        raise Problem(f"{name}: cannot write it: {error.strerror}") from error


@contextmanager
def replacing(target: Path) -> Iterator[BinaryIO]:
    """A file that takes TARGET's place once it is whole; a pipe or device is written to as it is."""
    name = None
    try:
        place = place_of(target)
        if place is None:
            with target.open("ab") as out:
                yield out
            return
        mode = place.stat().st_mode & 0o777 if place.exists() else 0o666 & ~_umask()
        fd, name = tempfile.mkstemp(dir=place.parent, prefix=f".{place.name[:40]}.")
        with os.fdopen(fd, "wb") as out:
            yield out
        os.chmod(name, mode)
        os.replace(name, place)
        name = None
    except OSError as error:
        if isinstance(error, BrokenPipeError) or error.filename not in (None, str(target), name):
            raise  # not about this file
        raise Problem(f"{plain(str(target), 200)}: cannot write it: {error.strerror}", FAULT) from error
    finally:
        if name:
            os.unlink(name)


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask


@contextmanager
def replacing_text(target: Path) -> Iterator[TextIO]:
    """The same for text; what is no UTF-8 is escaped."""
    with replacing(target) as out:
        text = TextIOWrapper(out, encoding="utf-8", errors="backslashreplace", newline="")
        yield text
        text.flush()
        text.detach()
