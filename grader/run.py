"""`grade`: from a pile of submissions to a full results.sqlite, however often it is interrupted."""

import argparse
import fcntl
import hashlib
import json
import os
import shlex
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from grader import executor_local, executor_slurm, hidden
from grader.batch import prepared
from grader.errors import FAULT, INTERRUPTED, OK, Problem
from grader.mdriver import Mdriver, course_json, find
from grader.people import Roster, read_roster
from grader.progress import Progress
from grader.sandbox import ROOT, Wall, require
from grader.store import Outcome, Store, Unit
from grader.submissions import LAYOUTS, Intake, Note, ingest, parse_time
from grader.text import count, plain, slug
from grader.turns import Cores

EXAMPLES = """examples:
  python3 -m grader grade submissions.zip -o out -c classic       a download from Canvas, say
  python3 -m grader grade repos/ -o out --roster class.csv --due 2026-11-24T23:59
  python3 -m grader grade submissions.zip -o out --hidden autumn-7    on variants of the traces
  python3 -m grader grade submissions.zip -o out --regrade jdoe       one person again
  python3 -m grader grade submissions.zip -o out --executor slurm     on a cluster
"""
SHOWN_NOTES = 20
TIMING_SECONDS = 0.8  # so that a core that only times does more than 60 submissions a minute
TIME_LIMIT = 10.0     # for one trace


@dataclass
class Options:
    """What `grade` was asked for."""

    submissions: Path
    out: Path
    course: str | None = None
    traces: Path | None = None
    hidden: str | None = None
    roster: Path | None = None
    layout: str = "auto"
    filename: str = "mm.c"
    attempts: str = "latest"
    due: datetime | None = None
    jobs: int | None = None
    regrade: str | None = None
    executor: str = "local"
    chunk: int = 50
    partition: str | None = None
    sandbox: bool = True
    mdriver: str | None = None
    timing_seconds: float = TIMING_SECONDS
    time_limit: float = TIME_LIMIT
    extra: list[str] = field(default_factory=list)


def add_parser(commands: argparse._SubParsersAction) -> None:
    """The command line of `grade`."""
    sub = commands.add_parser("grade", help="grade a pile of submissions; run it again to resume",
                              formatter_class=argparse.RawDescriptionHelpFormatter, epilog=EXAMPLES,
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
    sub.add_argument("--timing-seconds", metavar="S", type=float, default=TIMING_SECONDS,
                     help="time spent on timing a submission, all traces together; more gives steadier figures "
                          "(default: %(default)s)")
    sub.add_argument("--time-limit", metavar="S", type=float, default=TIME_LIMIT,
                     help="limit of one trace, in seconds (default: %(default)s)")
    sub.add_argument("--regrade", metavar="WHO", help="grade one person again, or all")
    sub.add_argument("--executor", choices=("local", "slurm"), default="local", help="where (default: %(default)s)")
    sub.add_argument("--chunk", metavar="N", type=int, default=50, help="submissions a Slurm task (default: 50)")
    sub.add_argument("--partition", metavar="NAME", help="Slurm partition")
    sub.add_argument("--no-sandbox", action="store_true", help="grade without the wall; results are untrusted")
    sub.add_argument("--mdriver", metavar="FILE", help="mdriver to use (default: the one built here)")
    sub.set_defaults(action=_from_arguments)


def _from_arguments(args: argparse.Namespace) -> int:
    if args.jobs is not None and args.jobs < 1:
        raise Problem(f"--jobs {args.jobs}: at least 1 is needed")
    if args.chunk < 1:
        raise Problem(f"--chunk {args.chunk}: at least 1 is needed")
    for option, value in (("--timing-seconds", args.timing_seconds), ("--time-limit", args.time_limit)):
        if not 0.01 <= value <= 86400:
            raise Problem(f"{option} {value:g}: expected seconds from 0.01 to 86400")
    return grade(Options(
        submissions=args.submissions, out=args.out, course=args.course, traces=args.traces, hidden=args.hidden,
        roster=args.roster, layout=args.layout, filename=args.filename, attempts=args.attempts,
        due=parse_time(args.due) if args.due else None, jobs=args.jobs, regrade=args.regrade,
        executor=args.executor, chunk=args.chunk, partition=args.partition, sandbox=not args.no_sandbox,
        mdriver=args.mdriver, timing_seconds=args.timing_seconds, time_limit=args.time_limit))


def grade(options: Options) -> int:
    """Ingests, grades what is not graded yet, and says how it went. Returns the exit status."""
    make_out(options)
    with only_one(options.out), interruptible():
        store = Store(options.out, create=True)
        try:
            return _grade(options, store)
        finally:
            store.close()


def make_out(options: Options) -> None:
    """The folder of results. Problem when it cannot be one."""
    try:
        options.out.mkdir(parents=True, exist_ok=True)
    except FileExistsError:
        raise Problem(f"-o {plain(str(options.out), 200)}: that is a file; name a folder") from None
    except OSError as error:
        raise Problem(f"-o {plain(str(options.out), 200)}: cannot make that folder: {error.strerror}") from error
    if options.submissions.is_dir() and options.out.samefile(options.submissions):
        raise Problem(f"-o {plain(str(options.out), 200)}: that is the folder of the submissions; name another")


def _grade(options: Options, store: Store) -> int:
    mdriver, key = what_to_run(options)
    intake = read_pile(options)
    try:
        with prepared(mdriver) as ready:
            store.take_in(intake.roster.people, intake.attempts, intake.notes, options.attempts)
            store.put(course=key[0], traces=key[1], settings=key[2], attempts=options.attempts,
                      sandbox="full" if options.sandbox else "none", trace_folder=str(mdriver.traces or ""),
                      mdriver=mdriver.program, course_argument=mdriver.course or "")
            report_notes(intake.notes, options.out)
            return _batch(options, store, mdriver, ready, key)
    except KeyboardInterrupt:
        print("Interrupted before anything was graded; the same command resumes.", file=sys.stderr)
        return INTERRUPTED


def what_to_run(options: Options) -> tuple[Mdriver, tuple[str, str, str]]:
    """mdriver with all that it is told, and what an earlier result must share with this run to stand: the course with
    its rules, the traces, the settings."""
    program = find(options.mdriver)
    wall = Wall(options.sandbox, [Path(program).parent] + ([ROOT] if not Path(program).is_relative_to(ROOT) else []))
    require(wall)
    course, course_key = options.course, options.course or "default"
    if course and (path := Path(course)).is_file():
        course, course_key = str(path.resolve()), f"{path.name}:{digest(path.read_bytes())}"
        wall.visible.append(path.resolve().parent)
    traces, traces_key = hidden.trace_set(options.traces, options.hidden, options.out, course_json(program, course))
    if traces:
        wall.visible.append(traces)
    settings = ["--timing-seconds", f"{options.timing_seconds:g}", "--seconds", f"{options.time_limit:g}",
                *options.extra]
    return (Mdriver(program, wall, course, traces, settings),
            (course_key, traces_key, " ".join(["sandbox" if options.sandbox else "no-sandbox", *settings])))


def _batch(options: Options, store: Store, mdriver: Mdriver, ready: Mdriver, key: tuple[str, str, str]) -> int:
    """Grades what has no result under KEY: with READY here, or with MDRIVER on other machines."""
    if options.regrade:
        forgotten = store.forget(options.regrade)
        executor_slurm.abandon(options.out)  # or an earlier array's files would bring the old results back
        print(f"{count(forgotten, 'result')} forgotten; to be graded again", file=sys.stderr)
    units, total = store.todo(*key), store.count_wanted()
    if len(units) < total:
        print(f"{total - len(units)} of {total} are graded already", file=sys.stderr)
    progress = Progress(total, total - len(units))
    save = saver(store, options.out, progress)
    tasks = (executor_local.Task(unit, source_of(options.out, unit)) for unit in units)
    try:
        if units and options.executor == "slurm":
            executor_slurm.run(list(tasks), mdriver, options.out, options.chunk, options.partition, save,
                               progress.say)
        elif units:
            executor_local.run(tasks, ready, Cores().turns(options.jobs), save)
    except KeyboardInterrupt:
        progress.close()
        print(f"Interrupted: {progress.done} of {total} are graded and safe in {store.path}; the same command "
              "resumes.", file=sys.stderr)
        return INTERRUPTED
    progress.close()
    return summary(options, store)


def read_pile(options: Options) -> Intake:
    """Reads the pile and the roster; each submission's bytes go to OUT/sources."""
    sources = options.out / "sources"
    sources.mkdir(exist_ok=True)

    def keep(data: bytes) -> str:
        sha = hashlib.sha256(data).hexdigest()
        path = sources / f"{sha}.c"
        if not path.exists() or path.read_bytes() != data:  # half of it, say, from a disk that failed
            write_atomically(path, data)
        return sha

    roster = read_roster(options.roster) if options.roster else Roster()
    return ingest(options.submissions, roster, keep, options.layout, options.filename, options.due, options.out)


def report_notes(notes: list[Note], out: Path) -> None:
    """All notes to OUT/notes.txt, the first few to the terminal."""
    write_atomically(out / "notes.txt", "".join(f"{n.kind}: {n.sentence}\n" for n in notes).encode("utf-8", "replace"))
    for note in notes[:SHOWN_NOTES]:
        print(f"{note.kind}: {note.sentence}", file=sys.stderr)
    if len(notes) > SHOWN_NOTES:
        print(f"... and {len(notes) - SHOWN_NOTES} more in {out / 'notes.txt'}", file=sys.stderr)


def saver(store: Store, out: Path, progress: Progress):
    """What every executor calls with each outcome, from one thread."""
    folder = out / "json"
    folder.mkdir(exist_ok=True)

    def save(outcome: Outcome) -> None:
        store.save(outcome)
        if outcome.result is not None and outcome.fault is None:
            write_atomically(json_of(out, outcome.unit),
                             json.dumps(outcome.result, ensure_ascii=False, indent=1).encode("utf-8", "replace"))
        if outcome.fault:
            progress.say(f"our fault, not {plain(outcome.unit.person)}'s: {outcome.fault}")
        progress.step(outcome.fault is not None)

    return save


def summary(options: Options, store: Store) -> int:
    """The last lines of a run."""
    rows = {"graded": 0, "fault": 0, "missing": 0, "waiting": 0}
    valid = 0
    for row in store.rows():
        rows[row.status] += 1
        valid += row.verdict == "ok"
        if row.status == "graded" and not (path := json_of(
                options.out, Unit(row.person.key, row.sha256, "", "", ""))).exists():
            write_atomically(path, json.dumps(store.result(row), ensure_ascii=False, indent=1)
                             .encode("utf-8", "replace"))  # a kill came between the database and the file
    print(f"{count(rows['graded'], 'person', 'people')} graded, {valid} with every trace valid; "
          f"{rows['missing']} without a submission; {rows['fault']} not gradable through our fault.")
    if not options.sandbox:
        print("Graded without a sandbox: these results are untrusted.")
    if rows["fault"]:
        print(f"Run the same command again to retry those {rows['fault']}; their students lost nothing.")
        return FAULT
    print(f"Results: {store.path}; next: python3 -m grader export {shlex.quote(str(options.out))} csv")
    return OK


def source_of(out: Path, unit: Unit) -> Path:
    """Where a submission's bytes are kept."""
    return out / "sources" / f"{unit.sha256}.c"


def json_of(out: Path, unit: Unit) -> Path:
    """Where a submission's result is kept as a file."""
    return out / "json" / f"{slug(unit.person)}-{unit.sha256[:8]}.json"


def digest(data: bytes) -> str:
    """A short name for DATA."""
    return hashlib.sha256(data).hexdigest()[:16]


def write_atomically(path: Path, data: bytes) -> None:
    """DATA at PATH, or what was there before; never half of it."""
    new = path.with_name(path.name + ".new")
    try:
        with new.open("wb") as handle:
            handle.write(data)
            handle.flush()
            os.fsync(handle.fileno())
        new.replace(path)
    except OSError as error:
        raise Problem(f"{path}: {error.strerror}; mend that and run the same command again, it goes on where it "
                      "stopped", FAULT) from error


@contextmanager
def only_one(out: Path) -> Iterator[None]:
    """Keeps a second grader out of OUT."""
    fd = os.open(out / ".lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
    try:
        try:
            fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise Problem(f"{out}: another grader is working in it; wait for it, or use another -o") from error
        yield
    finally:
        os.close(fd)


@contextmanager
def interruptible() -> Iterator[None]:
    """SIGTERM and a closed terminal interrupt like Ctrl-C."""
    def interrupt(_number: int, _frame: object) -> None:
        raise KeyboardInterrupt

    before = {number: signal.signal(number, interrupt)
              for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
