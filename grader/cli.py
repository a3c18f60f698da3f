"""The command line: python3 -m grader COMMAND ..."""

import argparse
import sys
from collections.abc import Sequence
from importlib import import_module

from grader import __version__
from grader.errors import FAULT, INTERRUPTED, MEANING, USAGE, Problem

# The modules of this package that are commands. Each has add_parser(commands), which adds its parser and sets `action`:
# a function from the parsed arguments to an exit status.
COMMANDS = ("run", "export", "bundle", "similar", "leaderboard", "feedback", "plot", "report", "hidden", "doctor",
            "completion", "executor_slurm")

EPILOG = """examples:
  python3 -m grader grade submissions.zip -o out --course classic
  python3 -m grader grade moodle.zip -o out --roster roster.csv --attempts best --jobs 8
  python3 -m grader grade repos/ -o out --hidden autumn-7 --executor slurm
  python3 -m grader export out csv > grades.csv

exit status:
""" + "".join(f"  {status:<4} {words}\n" for status, words in MEANING.items())


def parser() -> argparse.ArgumentParser:
    """The whole command line."""
    top = argparse.ArgumentParser(
        prog="grader", description="Grade a class of malloc labs: submissions in, gradebook out.", epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter)
    top.add_argument("--version", action="version", version=f"grader {__version__}")
    commands = top.add_subparsers(dest="command", metavar="COMMAND", required=True)
    for name in COMMANDS:
        import_module(f"grader.{name}").add_parser(commands)
    return top


def main(argv: Sequence[str] | None = None) -> int:
    """Runs one command; problems become one sentence and an exit status."""
    args = parser().parse_args(argv)
    try:
        return args.action(args)
    except Problem as problem:
        print(f"grader: {problem}", file=sys.stderr)
        return problem.status
    except KeyboardInterrupt:
        print("grader: interrupted", file=sys.stderr)
        return INTERRUPTED
    except BrokenPipeError:
        return USAGE
    except OSError as error:
        print(f"grader: {error.filename or 'system'}: {error.strerror}", file=sys.stderr)
        return FAULT
