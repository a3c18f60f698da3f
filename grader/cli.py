"""The command line: python3 -m grader COMMAND ..."""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from grader import __version__, executor_slurm, run
from grader.errors import FAULT, INTERRUPTED, MEANING, USAGE, Problem
from grader.submissions import LAYOUTS, parse_time

EPILOG = """examples:
  python3 -m grader grade submissions.zip -o out --course classic
  python3 -m grader grade moodle.zip -o out --roster roster.csv --attempts best --jobs 8
  python3 -m grader grade repos/ -o out --hidden autumn-7 --executor slurm

exit status:
""" + "".join(f"  {status:<4} {words}\n" for status, words in MEANING.items())


def parser() -> argparse.ArgumentParser:
    """The whole command line."""
    top = argparse.ArgumentParser(
        prog="grader", description="Grade a class of malloc labs: submissions in, gradebook out.", epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter)
    top.add_argument("--version", action="version", version=f"grader {__version__}")
    commands = top.add_subparsers(dest="command", metavar="COMMAND", required=True)
    _add_grade(commands)
    worker = commands.add_parser("worker")  # one task of a Slurm array; not for people, so without a help line
    worker.add_argument("folder", type=Path)
    worker.add_argument("index", type=int)
    worker.set_defaults(action=_worker)
    return top


def _add_grade(commands: argparse._SubParsersAction) -> None:
    sub = commands.add_parser("grade", help="grade a pile of submissions; run it again to resume",
                              formatter_class=argparse.RawDescriptionHelpFormatter,
                              description="Grades every submission; the same command resumes after any interruption.")
    sub.add_argument("submissions", metavar="SUBMISSIONS", type=Path,
                     help="directory, zip or tar as downloaded from Canvas, Moodle, Gradescope, Autolab or GitHub, a "
                          "folder per student, or NAME_mm.c files")
    sub.add_argument("-o", "--out", metavar="OUT", type=Path, required=True, help="folder for all results")
    sub.add_argument("-c", "--course", metavar="COURSE", help="course profile (see mdriver --help)")
    sub.add_argument("-t", "--traces", metavar="DIR", type=Path, help="traces instead of the course's")
    sub.add_argument("--hidden", metavar="SEED", help="grade on variants of the traces drawn from SEED")
    sub.add_argument("--roster", metavar="CSV", type=Path,
                     help="who is in the class: a Canvas or Moodle export, or columns name, email, login, github")
    sub.add_argument("--layout", choices=LAYOUTS, default="auto", help="what names mean (default: %(default)s)")
    sub.add_argument("--file", dest="filename", metavar="NAME", default="mm.c",
                     help="the file that students hand in (default: %(default)s)")
    sub.add_argument("--attempts", choices=("latest", "best"), default="latest",
                     help="which of several attempts counts (default: %(default)s)")
    sub.add_argument("--due", metavar="TIME", help="later attempts are marked late, where their time is known")
    sub.add_argument("--jobs", metavar="N", type=int, help="checks at once (default: one a core)")
    sub.add_argument("--regrade", metavar="WHO", help="grade one person again, or all")
    sub.add_argument("--executor", choices=("local", "slurm"), default="local", help="where (default: %(default)s)")
    sub.add_argument("--chunk", metavar="N", type=int, default=50, help="submissions a Slurm task (default: 50)")
    sub.add_argument("--partition", metavar="NAME", help="Slurm partition")
    sub.add_argument("--no-sandbox", action="store_true", help="grade without the wall; results are untrusted")
    sub.add_argument("--mdriver", metavar="FILE", help="mdriver to use (default: the one built here)")
    sub.set_defaults(action=_grade)


def _grade(args: argparse.Namespace) -> int:
    if args.jobs is not None and args.jobs < 1:
        raise Problem(f"--jobs {args.jobs}: at least 1 is needed")
    if args.chunk < 1:
        raise Problem(f"--chunk {args.chunk}: at least 1 is needed")
    return run.grade(run.Options(
        submissions=args.submissions, out=args.out, course=args.course, traces=args.traces, hidden=args.hidden,
        roster=args.roster, layout=args.layout, filename=args.filename, attempts=args.attempts,
        due=parse_time(args.due) if args.due else None, jobs=args.jobs, regrade=args.regrade,
        executor=args.executor, chunk=args.chunk, partition=args.partition, sandbox=not args.no_sandbox,
        mdriver=args.mdriver))


def _worker(args: argparse.Namespace) -> int:
    executor_slurm.work(args.folder, args.index)
    return 0


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
