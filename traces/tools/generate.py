#!/usr/bin/python3
"""Generates traces.

  generate.py corpus -o DIR               the generated part of the corpus, from its fixed seeds
  generate.py vary --seed S -o OUT SRC    a variant of every trace in SRC, the same for the same seed
"""

import argparse
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))
# pylint: disable=wrong-import-position
from families import CORPUS  # noqa: E402
from repfile import SUFFIXES, Problem, find, read, violation, write  # noqa: E402
from vary import vary  # noqa: E402


def corpus(args: argparse.Namespace) -> None:
    """Writes all generated traces, or those named."""
    unknown = set(args.only) - {made.name.partition(".")[0] for made in CORPUS}
    if unknown:
        raise Problem(f"{', '.join(sorted(unknown))}: no such generated trace; there are "
                      f"{', '.join(made.name.partition('.')[0] for made in CORPUS)}")
    for made in CORPUS:
        if not args.only or made.name.partition(".")[0] in args.only:
            write(made.make(), args.output / made.name)


def variants(args: argparse.Namespace) -> None:
    """Writes a variant of every trace."""
    sources = find(args.source)
    single = not args.source.is_dir() and args.output.name.endswith(SUFFIXES)
    for source in sources:
        target = args.output if single else args.output / source.name
        if target.exists() and target.samefile(source):
            raise Problem(f"{source}: would be overwritten by its own variant; choose another -o")
        variant = vary(read(source), args.seed)
        wrong = violation(variant.requests)
        assert wrong is None, f"{source}: variant is invalid: {wrong}"
        write(variant, target)


def main() -> int:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    sub = commands.add_parser("corpus", help="write the generated part of the corpus")
    sub.add_argument("-o", "--output", type=Path, required=True, metavar="DIR", help="folder to write to")
    sub.add_argument("only", nargs="*", metavar="NAME", help="only these (default: all)")
    sub.set_defaults(run=corpus)
    sub = commands.add_parser("vary", help="write variants of traces: other sizes, ids and orders, as hard")
    sub.add_argument("--seed", required=True, metavar="S", help="any text; the same gives the same variants")
    sub.add_argument("-o", "--output", type=Path, required=True, metavar="OUT",
                     help="folder to write to, under the same file names (for one file: also a .rep or .rep.gz file)")
    sub.add_argument("source", type=Path, metavar="SRC", help="a trace, or a folder of traces")
    sub.set_defaults(run=variants)
    args = parser.parse_args()
    try:
        args.run(args)
    except Problem as problem:
        print(f"generate.py: {problem}", file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
