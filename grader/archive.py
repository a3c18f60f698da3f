"""Reads a directory, zip or tar that strangers filled, without ever unpacking it to disk.

A submission is one small file, so nothing but files that are asked for is read, and each only up to a limit;
whatever is unsafe about an entry (its path, its kind, its size, its name's encoding) becomes a refusal that
names it. Archives inside the archive (a student who handed in a zip) are read in the same way, one level deep.
"""

import bz2
import gzip
import io
import lzma
import os
import stat
import tarfile
import unicodedata
import zipfile
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from grader.errors import Problem
from grader.text import plain

MAX_SOURCE = 256 * 1024         # bytes of one submission; the longest real ones have 60 KiB
MAX_NESTED = 32 * 1024 * 1024   # bytes of an archive inside the archive
MAX_INFLATED = 256 * 1024 * 1024  # bytes such an inner archive may inflate to
MAX_OUTER = 64 << 30            # bytes the outer, compressed tar may inflate to
MAX_NAMES = 5_000_000           # entries of the outer archive
MAX_INNER_NAMES = 20_000        # entries of an inner one

NOTHING = "nothing"             # stands for the files of an empty folder

SUFFIXES = (".zip", ".tar", ".tar.gz", ".tgz", ".tar.bz2", ".tar.xz")
BROKEN = (zipfile.BadZipFile, tarfile.TarError, zlib.error, lzma.LZMAError, EOFError, OSError, RuntimeError,
          NotImplementedError, ValueError)


@dataclass(frozen=True)
class Entry:
    """One file. `content` is None for files nobody asked for; `path` uses '/', relative to the top."""

    path: str
    content: bytes | None


@dataclass(frozen=True)
class Refusal:
    """A file that was left out, and why."""

    path: str
    why: str


Item = Entry | Refusal


def is_archive(path: str) -> bool:
    """Whether PATH is named like an archive this module reads."""
    return path.lower().endswith(SUFFIXES)


def walk(source: Path, wanted: Callable[[str], bool], but: Path | None = None) -> Iterator[Item]:
    """Every file of SOURCE that is not below the folder BUT; those whose path is WANTED come with their content."""
    if source.is_dir():
        yield from _directory(source, wanted, but)
        return
    try:
        handle = source.open("rb")
    except OSError as error:
        raise Problem(f"{source}: {error.strerror}; give a directory, a zip or a tar of submissions") from error
    with handle:
        if source.name.lower().endswith(".c"):
            yield Entry(source.name, handle.read(MAX_SOURCE + 1))
        else:
            yield from _archive(handle, source.name, "", wanted, outer=True)


def _directory(top: Path, wanted: Callable[[str], bool], but: Path | None) -> Iterator[Item]:
    """A tree on disk; links are not followed."""
    for folder, folders, files in os.walk(top):
        folders[:] = sorted(name for name in folders
                            if not (but and name == but.resolve().name and but.samefile(Path(folder, name))))
        for name in list(folders):
            if os.path.islink(os.path.join(folder, name)):
                folders.remove(name)
                yield Refusal(os.path.relpath(os.path.join(folder, name), top), "is a symbolic link")
        if folder != str(top) and not folders and not files:  # somebody's, who handed in nothing
            path = os.path.relpath(os.path.join(folder, NOTHING), top)
            yield Refusal(os.path.dirname(path), fault) if (fault := name_fault(path)) else Entry(path, None)
        for name in sorted(files):
            full = os.path.join(folder, name)
            path = os.path.relpath(full, top)
            fault = name_fault(path)
            if fault:
                yield Refusal(path, fault)
                continue
            try:
                # O_NOFOLLOW and O_NONBLOCK: neither a link nor a FIFO put there meanwhile can mislead us.
                fd = os.open(full, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
            except OSError as error:
                link = os.path.islink(full)
                yield Refusal(path, "is a symbolic link" if link else f"cannot be read: {error.strerror}")
                continue
            with os.fdopen(fd, "rb") as handle:
                if not stat.S_ISREG(os.fstat(fd).st_mode):
                    yield Refusal(path, "is not a regular file")
                else:
                    yield from _file(handle, path, os.fstat(fd).st_size, wanted, outer=True)


def _file(handle: BinaryIO, path: str, size: int, wanted: Callable[[str], bool], outer: bool) -> Iterator[Item]:
    """One file that may be a submission, an inner archive, or neither."""
    if outer and is_archive(path):
        if size > MAX_NESTED:
            yield Refusal(path, f"is an archive of {size:,} bytes; the limit is {MAX_NESTED:,}")
            return
        try:
            data = handle.read(MAX_NESTED + 1)
        except BROKEN as error:
            yield Refusal(path, f"cannot be read: {plain(str(error))}")
            return
        if len(data) > MAX_NESTED:
            yield Refusal(path, f"inflates to more than {MAX_NESTED:,} bytes")
            return
        yield from _archive(io.BytesIO(data), path, path + "/", wanted, outer=False)
    elif not wanted(path):
        yield Entry(path, None)
    elif size > MAX_SOURCE:
        yield Refusal(path, f"has {size:,} bytes; the limit is {MAX_SOURCE:,}")
    else:
        try:
            data = handle.read(MAX_SOURCE + 1)
        except BROKEN as error:
            yield Refusal(path, f"cannot be read: {plain(str(error))}")
            return
        if len(data) > MAX_SOURCE:
            yield Refusal(path, f"inflates to more than the {MAX_SOURCE:,} bytes allowed (a zip bomb?)")
        else:
            yield Entry(path, data)


def _archive(handle: BinaryIO, name: str, prefix: str, wanted: Callable[[str], bool], outer: bool
             ) -> Iterator[Item]:
    """Dispatches on the content, not the name; a broken outer archive is a Problem, a broken inner one not."""
    reader = _zip if zipfile.is_zipfile(handle) else _tar
    handle.seek(0)
    try:
        yield from reader(handle, prefix, wanted, outer)
    except BROKEN as error:
        if outer:
            raise Problem(f"{name}: not a readable zip or tar ({plain(str(error))})") from error
        yield Refusal(name, f"is not a readable zip or tar ({plain(str(error))})")


def _zip(handle: BinaryIO, prefix: str, wanted: Callable[[str], bool], outer: bool) -> Iterator[Item]:
    with zipfile.ZipFile(handle) as archive:
        members = archive.infolist()
        if len(members) > (MAX_NAMES if outer else MAX_INNER_NAMES):
            raise ValueError(f"{len(members):,} entries")
        for member in members:
            if member.is_dir():
                continue
            path = prefix + _zip_name(member)
            fault = name_fault(path)
            if not fault and stat.S_ISLNK(member.external_attr >> 16):
                fault = "is a symbolic link"
            if not fault and member.flag_bits & 1:
                fault = "is encrypted"
            if fault:
                yield Refusal(path, fault)
            elif wanted(path) or (outer and is_archive(path)):
                try:
                    with archive.open(member) as inner:
                        yield from _file(inner, path, member.file_size, wanted, outer)
                except BROKEN as error:
                    yield Refusal(path, f"cannot be read: {plain(str(error))}")
            else:
                yield Entry(path, None)


def _zip_name(member: zipfile.ZipInfo) -> str:
    """The name as its writer meant it: many tools write UTF-8 and do not say so."""
    name = member.orig_filename
    if not member.flag_bits & 0x800:
        try:
            name = name.encode("cp437").decode("utf-8")
        except UnicodeError:
            pass
    return name.replace("\\", "/") if "\\" in name and "/" not in name else name


class _Inflating(io.RawIOBase):
    """Counts the bytes that come out of a decompressor, and stops a bomb."""

    def __init__(self, stream: BinaryIO, limit: int) -> None:
        self.stream, self.left = stream, limit

    def readable(self) -> bool:
        """As io wants it."""
        return True

    def read(self, size: int = -1) -> bytes:
        """Up to SIZE bytes; ValueError once the limit is passed."""
        data = self.stream.read(size)
        self.left -= len(data)
        if self.left < 0:
            raise ValueError("inflates beyond every reasonable size (a bomb?)")
        return data


def _tar(handle: BinaryIO, prefix: str, wanted: Callable[[str], bool], outer: bool) -> Iterator[Item]:
    magic = handle.read(6)
    handle.seek(0)
    opened = (gzip.GzipFile(fileobj=handle) if magic[:2] == b"\x1f\x8b" else
              bz2.BZ2File(handle) if magic[:3] == b"BZh" else
              lzma.LZMAFile(handle) if magic == b"\xfd7zXZ\x00" else handle)
    stream = _Inflating(opened, MAX_OUTER if outer else MAX_INFLATED)
    with tarfile.open(fileobj=stream, mode="r|", encoding="utf-8", errors="surrogateescape") as archive:
        for number, member in enumerate(archive):
            if number >= (MAX_NAMES if outer else MAX_INNER_NAMES):
                raise ValueError(f"more than {number:,} entries")
            archive.members = []  # tarfile remembers every member; a class of 50,000 need not
            if member.isdir():
                continue
            path = prefix + (member.name[2:] if member.name.startswith("./") else member.name)
            fault = name_fault(path)
            if not fault and (member.issym() or member.islnk()):
                fault = "is a link"
            if not fault and not member.isreg():
                fault = "is not a regular file"
            inner = None if fault else archive.extractfile(member)
            if fault or inner is None:
                yield Refusal(path, fault or "cannot be read")
            else:
                yield from _file(inner, path, member.size, wanted, outer)


def name_fault(path: str) -> str | None:
    """Why a file of this name is refused, or None."""
    if any(0xd800 <= ord(c) <= 0xdfff for c in path):
        return "has a name that is not UTF-8"
    if "\0" in path or any(unicodedata.category(c) == "Cc" for c in path):
        return "has control characters in its name"
    if path.startswith(("/", "\\")) or path[1:3] in (":\\", ":/"):
        return "has an absolute path"
    if ".." in path.replace("\\", "/").split("/"):
        return "has a path that leaves the archive"
    return None
