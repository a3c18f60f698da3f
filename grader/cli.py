"""The command line: python3 -m grader COMMAND ..."""

import argparse
import sys
from collections.abc import Iterable, Sequence
from difflib import get_close_matches
from importlib import import_module

from grader import __version__
from grader.errors import FAULT, INTERRUPTED, MEANING, USAGE, Problem
from grader.text import plain

# The modules of this package that are commands. Each has add_parser(commands), which adds its parser and sets `action`:
# a function from the parsed arguments to an exit status.
COMMANDS = ("run", "export", "bundle", "similar", "leaderboard", "feedback", "plot", "report", "hidden", "doctor",
            "completion", "executor_slurm")

LISTED = "; --help lists them"

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


def parse(argv: Sequence[str]) -> argparse.Namespace:
    """The command line of ARGV. What is wrong is told by the parser that it concerns, and ends the program."""
    top = parser()
    commands = next(action for action in top._actions if isinstance(action, argparse._SubParsersAction))
    name = next((word for word in argv if not word.startswith("-")), None)
    if name is not None and name not in commands.choices:
        shown = [choice.dest for choice in commands._choices_actions]  # those that --help shows
        top.error(f"no command {plain(name)!r}{_meant(name, shown) or '; there are ' + ', '.join(shown)}")
    sub = commands.choices[name] if name else top
    # Before argparse complains of what is missing, which the misspelt option may have been meant for.
    known = [option for action in sub._actions for option in action.option_strings]
    for word in argv[argv.index(name) + 1:] if name else argv:
        if word == "--":
            break
        option = word.partition("=")[0]
        if word.startswith("--") and not any(one.startswith(option) for one in known):
            sub.error(f"no option {plain(option)}{_meant(option, known) or LISTED}")
    args, rest = top.parse_known_args(argv)
    if rest:
        sub.error(f"no option {plain(rest[0])}{LISTED}" if rest[0].startswith("-") else
                  f"{plain(rest[0])!r} is one argument too many")
    return args


def _meant(word: str, candidates: Iterable[str]) -> str:
    """'; did you mean X?', or nothing."""
    return "".join(f"; did you mean {near}?" for near in get_close_matches(word, candidates, 1))


def main(argv: Sequence[str] | None = None) -> int:
    """Runs one command; problems become one sentence and an exit status."""
    args = parse(sys.argv[1:] if argv is None else argv)
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
    except UnicodeEncodeError as error:
        print(f"grader: {plain(error.object, 200)}: this name is not UTF-8; rename it", file=sys.stderr)
        return USAGE
    except OSError as error:
        print(f"grader: {error.filename}: {error.strerror}" if error.filename else f"grader: {error.strerror}",
              file=sys.stderr)
        return FAULT
