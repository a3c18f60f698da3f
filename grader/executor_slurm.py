"""Work units as a Slurm job array; Slurm schedules, retries a lost node and keeps the queue, not we.

The units are cut into chunks, one array task each, in OUT/slurm/run-N/ on the shared file system. A task writes an
outcome a line into a file of its own; this side collects lines into the database as they come. Nothing else travels,
so whatever dies (a task, a node, this process) loses at most the submission it was at: a requeued task skips what is
written, and the same command collects what earlier runs left and submits what is missing.
"""

import argparse
import dataclasses
import json
import math
import os
import shutil
import socket
import subprocess
import time
from collections.abc import Callable, Iterable
from pathlib import Path

from grader import executor_local
from grader.batch import prepared
from grader.errors import FAULT, OK, Problem
from grader.executor_local import Task
from grader.mdriver import Mdriver
from grader.sandbox import ROOT, Wall
from grader.store import Outcome, Unit
from grader.text import count, plain
from grader.turns import share_of

MAX_TASKS = 1000   # Slurm's default MaxArraySize is 1001
CPUS = 2           # of one task: one to check on, one to time on
ROUNDS = 3         # submissions of what is missing, before it is called our fault
POLL = float(os.environ.get("GRADER_SLURM_POLL", "2"))  # seconds between looks at the queue
PATIENCE = 900.0   # seconds that the controller may be silent
# States in which Slurm does nothing more for a task by itself; squeue lists ended jobs for a while.
ENDED = frozenset(("BOOT_FAIL", "CANCELLED", "COMPLETED", "DEADLINE", "FAILED", "NODE_FAIL", "OUT_OF_MEMORY",
                   "PREEMPTED", "REVOKED", "TIMEOUT"))
PYTHON = "/usr/bin/python3"


def run(tasks: list[Task], mdriver: Mdriver, out: Path, chunk: int, partition: str | None,
        save: Callable[[Outcome], None], say: Callable[[str], None]) -> None:
    """Does every task on the cluster; returns when each has an outcome that SAVE has seen."""
    for program in ("sbatch", "squeue"):
        if shutil.which(program) is None:
            raise Problem(f"--executor slurm: {program} is not on PATH; run this on a Slurm login node")
    wanted = {task.unit: task for task in tasks}
    base = out.resolve() / "slurm"
    base.mkdir(exist_ok=True)

    def take(outcome: Outcome) -> None:
        if wanted.pop(outcome.unit, None) is not None:
            save(outcome)

    folder = _unfinished(base)
    if folder is not None:
        say(f"Slurm job {_job(folder)} of an earlier run is still in the queue; collecting from it")
    rounds = 0
    while wanted:
        if folder is None:
            if rounds == ROUNDS:
                break
            for old in _runs(base):
                Collector(old, take).collect()  # what an interrupted run left
            if not wanted:
                break
            rounds += 1
            folder = submit(list(wanted.values()), mdriver, base, chunk, partition)
            say(f"Slurm job {_job(folder)}: {count(len(wanted), 'submission')}")
        _follow(folder, take, wanted)
        folder = None
    for unit in list(wanted):
        take(Outcome(unit, None, f"Slurm ended the task {ROUNDS} times without a result (see {base})", ROUNDS))
    abandon(out)


def abandon(out: Path) -> None:
    """Removes what earlier runs left, cancelling what still runs."""
    for folder in _runs(out.resolve() / "slurm"):
        if _in_queue(_job(folder)):
            subprocess.run(["scancel", _job(folder)], check=False, capture_output=True)
        shutil.rmtree(folder, ignore_errors=True)


def submit(tasks: list[Task], mdriver: Mdriver, base: Path, chunk: int, partition: str | None) -> Path:
    """Writes a run's files and hands the array to Slurm. Returns the run's folder."""
    number = max((int(path.name.split("-")[1]) for path in _runs(base)), default=0) + 1
    folder = base / f"run-{number}"
    folder.mkdir()
    size = max(chunk, math.ceil(len(tasks) / MAX_TASKS))
    chunks = [tasks[i:i + size] for i in range(0, len(tasks), size)]
    for index, part in enumerate(chunks, start=1):
        (folder / f"chunk-{index}.json").write_text(json.dumps(
            [[dataclasses.astuple(task.unit), str(task.source.resolve())] for task in part]))
    (folder / "plan.json").write_text(json.dumps({
        "program": mdriver.program, "course": mdriver.course, "traces": str(mdriver.traces or ""),
        "extra": list(mdriver.extra), "sandbox": mdriver.wall.on,
        "visible": [str(path) for path in mdriver.wall.visible]}))
    script = folder / "task.sh"
    script.write_text("#!/bin/sh\n"
                      f"PYTHONPATH='{ROOT}' exec {PYTHON} -m grader worker '{folder}' \"$SLURM_ARRAY_TASK_ID\"\n")
    words = ["sbatch", "--parsable", f"--array=1-{len(chunks)}", f"--cpus-per-task={CPUS}", "--requeue",
             f"--chdir={folder}",
             f"--output={folder}/task-%a.log", "--open-mode=append", "--job-name=grader", "--export=ALL"]
    if partition:
        words.append(f"--partition={partition}")
    done = subprocess.run([*words, str(script)], capture_output=True, text=True, check=False)
    if done.returncode:
        shutil.rmtree(folder)
        raise Problem(f"sbatch refused the job: {plain(done.stderr.strip(), 300)}", FAULT)
    (folder / "job").write_text(done.stdout.strip().split(";")[0])
    return folder


class Collector:
    """Reads whole lines that appeared in a run's result files since the last look."""

    def __init__(self, folder: Path, take: Callable[[Outcome], None]) -> None:
        self.folder, self.take = folder, take
        self.offsets: dict[Path, int] = {}

    def collect(self) -> None:
        """Hands over every new outcome."""
        for path in sorted(self.folder.glob("result-*.jsonl")):
            with path.open("rb") as handle:
                handle.seek(self.offsets.get(path, 0))
                for line in handle:
                    if not line.endswith(b"\n"):
                        break  # still being written, or cut off by a crash
                    self.offsets[path] = self.offsets.get(path, 0) + len(line)
                    self.take(_outcome(line))


def _outcome(line: bytes) -> Outcome:
    record = json.loads(line)
    return Outcome(Unit(*record.pop("unit")), **record)


def _follow(folder: Path, take: Callable[[Outcome], None], wanted: dict[Unit, Task]) -> None:
    """Collects until everything wanted is there or the array has ended."""
    collector = Collector(folder, take)
    while True:
        active = _in_queue(_job(folder))
        collector.collect()  # after the question, so that a task that has just ended is not missed
        if not active or not wanted:
            return
        time.sleep(POLL)


def _in_queue(job: str) -> bool:
    """Whether any task of JOB waits or runs; a silent controller is waited for."""
    deadline = time.monotonic() + PATIENCE
    while True:
        done = subprocess.run(["squeue", "--noheader", "--jobs", job, "--format", "%T"], capture_output=True,
                              text=True, check=False)
        if done.returncode == 0:
            return not ENDED.issuperset(done.stdout.split())
        if "Invalid job id" in done.stderr:
            return False
        if time.monotonic() > deadline:
            raise Problem(f"squeue fails: {plain(done.stderr.strip(), 300)}; the job goes on, the same command "
                          "collects it later", FAULT)
        time.sleep(POLL)


def _runs(base: Path) -> list[Path]:
    return sorted(base.glob("run-*"), key=lambda path: int(path.name.split("-")[1])) if base.is_dir() else []


def _job(folder: Path) -> str:
    path = folder / "job"
    return path.read_text().strip() if path.exists() else "0"


def _unfinished(base: Path) -> Path | None:
    """The newest run whose job is still in the queue."""
    return next((folder for folder in reversed(_runs(base)) if _job(folder) != "0" and _in_queue(_job(folder))),
                None)


def work(folder: Path, index: int) -> None:
    """One array task: the chunk's units that no earlier life of this task has finished."""
    plan = json.loads((folder / "plan.json").read_text())
    wall = Wall(plan["sandbox"], [Path(path) for path in plan["visible"]])
    mdriver = Mdriver(plan["program"], wall, plan["course"], Path(plan["traces"]) if plan["traces"] else None,
                      plan["extra"])
    done: set[Unit] = set()
    for path in folder.glob(f"result-{index}.*.jsonl"):
        for line in path.read_bytes().splitlines(keepends=True):
            if line.endswith(b"\n"):
                done.add(_outcome(line).unit)
    chunk: Iterable = json.loads((folder / f"chunk-{index}.json").read_text())
    tasks = (Task(Unit(*unit), Path(source)) for unit, source in chunk if Unit(*unit) not in done)
    # A file of its own for every life of the task: two that believe they are alive cannot mix their lines.
    name = f"result-{index}.{socket.gethostname()}-{os.getpid()}-{int(time.time())}.jsonl"
    with open(folder / name, "ab") as handle:
        def save(outcome: Outcome) -> None:
            record = dataclasses.asdict(outcome)
            record["unit"] = dataclasses.astuple(outcome.unit)
            handle.write(json.dumps(record).encode() + b"\n")
            handle.flush()
            os.fsync(handle.fileno())

        with share_of(CPUS) as cores, prepared(mdriver) as ready:
            executor_local.run(tasks, ready, cores.turns(), save)


def add_parser(commands: argparse._SubParsersAction) -> None:
    """`worker`, one task of an array; not for people, so without a help line."""
    worker = commands.add_parser("worker")
    worker.add_argument("folder", type=Path)
    worker.add_argument("index", type=int)
    worker.set_defaults(action=_worker)


def _worker(args: argparse.Namespace) -> int:
    work(args.folder, args.index)
    return OK
