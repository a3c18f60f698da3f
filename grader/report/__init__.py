"""`report`: results as pages that need nothing but a browser."""

import argparse
import os
import sys
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

EXAMPLES = """examples:
  python3 -m grader report --result build/result.json --events build/events -o build/report
  python3 -m grader report --batch out -o out/report
  python3 -m grader report --batch out --result build/result.json -o out/report   # with shipped allocators on the plot

One file a page, with its style, script and pictures inside; nothing is loaded from anywhere. index.html is the page
of a single result, the comparison of several, or the class.
"""


def add_parser(commands: argparse._SubParsersAction) -> None:
    """The command line of `report`."""
    from grader.plot import add_sources
    sub = commands.add_parser("report", help="write results as pages for a browser", epilog=EXAMPLES,
                              formatter_class=argparse.RawDescriptionHelpFormatter,
                              description="Writes results as HTML pages that work without a network.")
    add_sources(sub)
    sub.add_argument("-o", "--output", metavar="DIR", type=Path, required=True, help="folder for the pages")
    sub.add_argument("--heaps", action="store_true",
                     help="with --batch: replay what failed, in the sandbox, to show the heap at the failing request")
    sub.add_argument("--jobs", metavar="N", type=int, default=os.cpu_count() or 1, help="pages drawn at once")
    sub.set_defaults(action=_report)


def _report(args: argparse.Namespace) -> int:
    from grader.errors import Problem
    from grader.report.results import load_results
    if args.jobs < 1:
        raise Problem(f"--jobs {args.jobs}: at least 1 is needed")
    shipped = load_results(args.result, args.events) if args.result else []
    if not shipped and not args.batch:
        raise Problem("nothing to report: give --result FILE.json (of mdriver --json) or --batch OUT")
    if args.heaps and not args.batch:
        raise Problem("--heaps goes with --batch; for a single result give --events")
    args.output.mkdir(parents=True, exist_ok=True)
    if args.batch:
        from grader.report.of_class import write_class
        index = write_class(args.batch, shipped, args.output, args.heaps)
    else:
        index = write_results(shipped, args.output, args.jobs)
    print(f"Report: {index}")
    return 0


def write_page(path: Path, page: str) -> None:
    """PAGE takes PATH's place once it is whole."""
    from grader.output import replacing
    with replacing(path) as out:
        out.write(page.encode("utf-8", "replace"))


def write_results(subjects: list, folder: Path, jobs: int) -> Path:
    """The page of one result, or a page each and their comparison. Returns the page to begin with."""
    from grader.report.pages import comparison_page, submission_page
    from grader.text import slug
    index = folder / "index.html"
    if len(subjects) == 1:
        write_page(index, submission_page(subjects[0]))
        return index
    names: list[str] = []
    for subject in subjects:
        name, number = slug(subject.name), 2
        while name in names or name == "index":
            name, number = f"{slug(subject.name)}-{number}", number + 1
        names.append(name)
    links = [name + ".html" for name in names]
    tasks = [(subject, folder / link) for subject, link in zip(subjects, links)]
    if jobs == 1:
        for task in tasks:
            _one_page(task)
    else:
        with ProcessPoolExecutor(min(jobs, len(tasks))) as pool:
            for done in pool.map(_one_page, tasks):
                print(f"  {done}", file=sys.stderr)
    write_page(index, comparison_page(subjects, links))
    return index


def _one_page(task: tuple) -> Path:
    from grader.report.pages import submission_page
    subject, path = task
    write_page(path, submission_page(subject, up="index.html"))
    return path
