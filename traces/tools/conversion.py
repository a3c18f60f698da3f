"""What convert and record share: a log becomes a trace."""

import argparse
import gzip
import io
import subprocess
import sys
import zlib
from collections.abc import Iterable
from pathlib import Path

from pairing import Pairing
from rawlogs import FORMATS, Seen, recognise
from repfile import SUFFIXES, Problem, Trace, write

HEAD = 20000  # lines in which a format must show itself: programs may print before they allocate


def unpacked(path: str) -> str:
    """The log's text; gzip and zstd are undone, and the zeroes at the end of a recorder's file are dropped."""
    try:
        data = sys.stdin.buffer.read() if path == "-" else Path(path).read_bytes()
        if data[:2] == b"\x1f\x8b":
            data = gzip.decompress(data)
        elif data[:4] == b"\x28\xb5\x2f\xfd":
            data = subprocess.run(["zstd", "-dc"], input=data, stdout=subprocess.PIPE,
                                  stderr=subprocess.DEVNULL, check=True).stdout
    except OSError as error:
        hint = "; install the package zstd" if error.filename == "zstd" else ""
        raise Problem(f"{error.filename or path}: cannot be read: {error.strerror or error}{hint}") from None
    except (EOFError, zlib.error, subprocess.CalledProcessError):
        raise Problem(f"{path}: expected a whole compressed file, but it is cut short or damaged") from None
    return data.replace(b"\0", b"").decode("utf-8", "replace")


def notes(pairing: Pairing, seen: Seen) -> Iterable[str]:
    """What the user should know about the trace."""
    yield from pairing.notes()
    if len(seen.threads) > 1:
        who = "threads" if seen.processes else "threads or processes, which ltrace does not tell apart (--pid takes one)"
        yield f"{len(seen.threads)} {who}; their requests are in one order, as they took effect"
    if len(seen.processes) > 1:
        others = ", ".join(str(process) for process in sorted(seen.processes - {seen.process})[:5])
        yield f"only process {seen.process} was taken; --pid chooses another ({others})"


def convert(path: str, form: str | None, process: int | None) -> tuple[Pairing, Seen]:
    """Reads a log; Problem if nothing in it is a call."""
    text = unpacked(path)
    if not text:
        raise Problem(f"{path}: is empty; expected a log of {', '.join(FORMATS)} (see docs/TRACES.md)")
    lines = io.StringIO(text, newline=None)
    if form is None:
        form = recognise([line for line, _ in zip(lines, range(HEAD), strict=False)])
        if form is None:
            raise Problem(f"{path}: not recognised; expected a log of {', '.join(FORMATS)} (see docs/TRACES.md)")
        lines.seek(0)
    pairing = Pairing()
    try:
        seen = FORMATS[form][0](lines, pairing, process)
    except Problem as problem:
        raise Problem(f"{path}: {problem}") from None
    except (ValueError, IndexError):
        raise Problem(f"{path}: a call in it cannot be understood as {form} writes them; "
                      "if it is another tool's, say so with --from") from None
    if not pairing.requests:
        whose = f" by process {process}" if process is not None else ""
        raise Problem(f"{path}: expected calls of malloc and free{whose} as {form} writes them, found none")
    return pairing, seen


def add_shaping(parser: argparse.ArgumentParser) -> None:
    """Options that record has too."""
    parser.add_argument("--weight", type=int, choices=range(4), default=1, metavar="0-3",
                        help="0 checked only, 1 counts for both figures, 2 utilization, 3 throughput (default: 1)")
    parser.add_argument("--limit", type=int, metavar="N", help="only the first N requests")
    parser.add_argument("--balance", action="store_true", help="free at the end what is still live")


def check_shaping(args: argparse.Namespace) -> None:
    """Refuses what cannot be done, before anything is run."""
    if not args.output.name.endswith(SUFFIXES):
        raise Problem(f"{args.output}: expected a name ending in .rep or .rep.gz")
    if args.limit is not None and args.limit < 1:
        raise Problem(f"--limit {args.limit}: expected at least 1")


def finish(args: argparse.Namespace, pairing: Pairing, seen: Seen, program: str) -> None:
    """Shapes and writes the trace, and says on stderr what there is to say."""
    if args.limit is not None:
        del pairing.requests[args.limit:]
    said = list(notes(pairing, seen))
    if args.balance:
        pairing.free_what_is_left()
    write(Trace(args.output.name, pairing.requests, args.weight), args.output)
    for note in said:
        print(f"{program}: {args.output.name}: {note}", file=sys.stderr)
