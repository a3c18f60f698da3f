"""Replays what failed in a batch, for the picture of the heap at the failing request: in the sandbox, like grading."""

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from grader.batch import prepared
from grader.mdriver import Mdriver, find
from grader.report.results import Subject, file_of
from grader.sandbox import ROOT, Wall, require
from grader.store import Store

MOST = 3  # failing traces of one submission


@contextmanager
def replayer(store: Store) -> Iterator[Mdriver]:
    """mdriver as the batch was graded with."""
    program = find(store.get("mdriver"))
    course, traces = store.get("course_argument") or None, store.get("trace_folder") or None
    wall = Wall(store.get("sandbox") == "full", [Path(program).parent]
                + ([ROOT] if not Path(program).is_relative_to(ROOT) else []))
    wall.visible += [Path(course).parent] if course and Path(course).is_file() else []
    wall.visible += [Path(traces)] if traces else []
    require(wall)
    with prepared(Mdriver(program, wall, course, Path(traces) if traces else None)) as ready:
        yield ready


@contextmanager
def replayed(mdriver: Mdriver, subject: Subject, source: Path) -> Iterator[Subject]:
    """SUBJECT with events of the first traces that fail; without where nothing fails or the replay does not work."""
    failing = [trace for trace in subject.failing() if trace.get("request")][:MOST]
    if not failing or not source.is_file():
        yield subject
        return
    # The path in a result is that of the day it was graded; what the folder of traces holds is at its place now.
    paths = [str(mdriver.traces / Path(trace["path"]).name) if mdriver.traces else trace["path"] for trace in failing]
    with tempfile.TemporaryDirectory(prefix="grader-", ignore_cleanup_errors=True) as folder:
        events = mdriver.events(source, paths, Path(folder))
        # The result on the page has all traces; the events of one alone are a file, and are looked for by its name.
        if events is not None and events.is_file():
            named = Path(folder) / "named"
            named.mkdir()
            events = events.rename(named / file_of(failing[0])).parent
        yield replace(subject, events=events)
