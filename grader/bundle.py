"""`bundle`: the grader as a package that a platform takes as it is.

A bundle is this tree (sources, no build products), config.json with the instructor's choices, the platform's own
entry points from grader/bundles/, and the answer of last resort. What runs there is grader/onplatform.py.
"""

import argparse
import hashlib
import io
import json
import re
import subprocess
import sys
import tarfile
import uuid
import zipfile
from dataclasses import asdict, dataclass
from pathlib import Path, PurePosixPath

from grader import platforms
from grader.errors import Problem
from grader.batch import preflight
from grader.mdriver import Mdriver, find
from grader.onplatform import Config
from grader.run import write_atomically
from grader.sandbox import ROOT, Wall
from grader.text import count, plain

TEMPLATES = Path(__file__).with_name("bundles")
TREE = ("Makefile", "packages.txt", "mm.h", "mm.c", "memlib.h", "memlib.c", "mdriver.c", "driver", "allocators",
        "courses", "traces", "grader")
SKIPPED = ("__pycache__", "build", ".git")
TRACES = (".rep", ".rep.gz")
SECONDS = {"gradescope": 600, "prairielearn": 600, "autolab": 180}  # the platforms' own limits on a job
LAST_RESORT = "the grader could not be started: see what the platform logged"

EXAMPLES = """examples:
  python3 -m grader bundle gradescope -o autograder.zip --course classic
  python3 -m grader bundle autolab -o malloclab/ --traces hidden/ --title "Malloc Lab"
  python3 -m grader bundle prairielearn -o pl-course/ --image me/malloclab

then: Gradescope    upload the zip under Configure Autograder
      Autolab       autograde-Makefile and autograde.tar are in the lab's folder; name a problem like --title
      PrairieLearn  build and push the image from serverFilesCourse/malloclab, then sync the course
"""


@dataclass(frozen=True)
class File:
    """One file of a bundle."""

    path: str
    data: bytes
    executable: bool = False


def tree(shipped_traces: bool) -> list[File]:
    """The sources that grading needs, below malloclab/; with SHIPPED_TRACES or without."""
    files = []
    included = re.findall(r"^include (\S+\.mk)$", (ROOT / "Makefile").read_text(), re.M)
    for name in (*TREE, *(path for path in included if not path.startswith(TREE))):
        top = ROOT / name
        if name == "traces" and not shipped_traces:
            continue
        for path in [top] if top.is_file() else sorted(top.rglob("*")):
            inside = path.relative_to(ROOT)
            if path.is_file() and not set(SKIPPED) & set(inside.parts) and not path.name.endswith((".pyc", "~", ".o")):
                files.append(File(f"malloclab/{inside.as_posix()}", path.read_bytes(), executable=_runs(path)))
    return files


def _runs(path: Path) -> bool:
    return bool(path.stat().st_mode & 0o100)


def trace_files(folder: Path) -> list[File]:
    """The traces of FOLDER, below traces/."""
    if not folder.is_dir():
        raise Problem(f"{folder}: no such folder of traces; give a folder of .rep files to --traces")
    found = [path for path in sorted(folder.iterdir()) if path.name.endswith(TRACES)]
    if not found:
        raise Problem(f"{folder}: holds no .rep files; give a folder of traces to --traces")
    return [File(f"traces/{path.name}", path.read_bytes()) for path in found]


def further_packages(program: str, course: str | None) -> list[str]:
    """What COURSE needs on the platform beyond what packages.txt marks `run`."""
    if course is None:
        return []
    done = subprocess.run([program, "--course-json", course], capture_output=True, text=True, check=False,
                          stdin=subprocess.DEVNULL)
    if done.returncode:
        raise Problem(plain(done.stderr.strip().removeprefix("mdriver: ") or f"{course}: no such course", 300))
    return [] if json.loads(done.stdout)["bits"] == 64 else ["gcc-multilib"]  # the course has 32-bit submissions


def common(config: Config, traces: list[File], course: Path | None, packages: list[str]) -> list[File]:
    """What every bundle holds: the tree, the traces, the configuration, and a version to tell bundles apart."""
    files = tree(shipped_traces=not traces) + traces
    files.append(File("packages", "".join(f"{package}\n" for package in packages).encode()))
    if course:
        files.append(File(config.course or "", course.read_bytes()))
    digest = hashlib.sha256()
    for file in files:
        digest.update(f"{file.path}\0{len(file.data)}\0".encode("utf-8", "surrogateescape") + file.data)
    files.append(File("version", f"{digest.hexdigest()}\n".encode()))
    return files + [File("config.json", (json.dumps(asdict(config), indent=1) + "\n").encode())]


def template(path: str, target: str | None = None) -> File:
    """A file of grader/bundles/."""
    return File(target or PurePosixPath(path).name, (TEMPLATES / path).read_bytes(), _runs(TEMPLATES / path))


def gradescope(files: list[File]) -> list[File]:
    """The zip that is uploaded: its root holds setup.sh and run_autograder."""
    files = [template("gradescope/setup.sh"), template("gradescope/run_autograder"), *files,
             File("fallback.json", platforms.gradescope(None, LAST_RESORT).encode())]
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for file in files:
            info = zipfile.ZipInfo(file.path, (2020, 1, 1, 0, 0, 0))  # the same bundle, the same bytes
            info.compress_type = zipfile.ZIP_DEFLATED
            info.create_system = 3
            info.external_attr = (0o100755 if file.executable else 0o100644) << 16
            archive.writestr(info, file.data)
    return [File("", out.getvalue())]


def autolab(files: list[File]) -> list[File]:
    """The two files of the lab's folder."""
    files = [template("autolab/autograde.sh"), template("Dockerfile"), *files,
             File("fallback.txt", platforms.autolab(None, LAST_RESORT).encode())]
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w", format=tarfile.GNU_FORMAT) as archive:
        for file in files:
            info = tarfile.TarInfo(f"autograde/{file.path}")
            info.size, info.mode, info.mtime = len(file.data), 0o755 if file.executable else 0o644, 1577836800
            archive.addfile(info, io.BytesIO(file.data))
    return [template("autolab/autograde-Makefile"), File("autograde.tar", out.getvalue())]


def prairielearn(files: list[File], config: Config, image: str, seconds: int) -> list[File]:
    """Files of a course: a question, and the grader in serverFilesCourse."""
    where = "serverFilesCourse/malloclab/"
    files = [template("prairielearn/run.sh"), template("Dockerfile"), *files,
             File("fallback.json", platforms.prairielearn(None, LAST_RESORT).encode())]
    info = {"uuid": str(uuid.uuid5(uuid.NAMESPACE_URL, f"malloclab:{image}:{config.title}")), "title": config.title,
            "topic": "Memory allocation", "type": "v3", "gradingMethod": "External",
            "externalGradingOptions": {"enabled": True, "image": image, "serverFilesCourse": ["malloclab/"],
                                       "entrypoint": f"/grade/{where}run.sh", "timeout": seconds}}
    question = (TEMPLATES / "prairielearn/question.html").read_text().replace("@FILE@", config.file)
    return [File(where + file.path, file.data, file.executable) for file in files] + [
        File("questions/malloclab/info.json", (json.dumps(info, indent=2) + "\n").encode()),
        File("questions/malloclab/question.html", question.encode())]


def limits(seconds: float, traces: int) -> tuple[float, float]:
    """Seconds for the job and for each of so many TRACES, on a platform that allows a job SECONDS.

    We give up before the platform does, and a submission that hangs in every trace ends before we give up: then it is
    mdriver's verdict, or at least our sentence, that the student reads.
    """
    job = seconds * 0.9 - 10
    return job, round(min(20.0, max(1.0, job * 0.6 / max(1, traces))), 1)


def write(files: list[File], target: Path) -> None:
    """FILES below TARGET, or a single file without a name as TARGET itself; only our own files are replaced."""
    for file in files:
        path = target / file.path if file.path else target
        path.parent.mkdir(parents=True, exist_ok=True)
        write_atomically(path, file.data)
        path.chmod(0o755 if file.executable else 0o644)


def add_parser(commands: argparse._SubParsersAction) -> None:
    """The command line of `bundle`."""
    sub = commands.add_parser(
        "bundle", help="make the package that a platform grades with", epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        description="Makes the package that a grading platform takes as it is. Submissions are graded behind the same "
                    "sandbox as here, and the platform gets a well-formed answer whatever a submission does.")
    sub.add_argument("platform", metavar="PLATFORM", choices=tuple(SECONDS), help=", ".join(SECONDS))
    sub.add_argument("-o", "--output", metavar="PATH", type=Path, required=True,
                     help="the zip for Gradescope; the lab's folder for Autolab; the course's folder for PrairieLearn")
    sub.add_argument("-c", "--course", metavar="COURSE", help="course profile, or a .cfg file of yours")
    sub.add_argument("-t", "--traces", metavar="DIR", type=Path, help="traces instead of the course's")
    sub.add_argument("--file", dest="filename", metavar="NAME", default="mm.c",
                     help="the file that students hand in (default: %(default)s)")
    sub.add_argument("--title", metavar="NAME", default="Malloc Lab",
                     help="the assignment's name; on Autolab the problem's (default: %(default)s)")
    sub.add_argument("--image", metavar="NAME", help="Docker image that PrairieLearn is to grade in")
    sub.add_argument("--timeout", metavar="SECONDS", type=int,
                     help="the platform's limit on one job (default: 600; Autolab: 180)")
    sub.add_argument("--no-sandbox", action="store_true",
                     help="for platforms without user namespaces: no wall, and every result is marked untrusted")
    sub.set_defaults(action=_bundle)


def _bundle(args: argparse.Namespace) -> int:
    seconds = args.timeout or SECONDS[args.platform]
    if not 30 <= seconds <= 86400:
        raise Problem(f"--timeout {seconds}: from 30 to 86400 seconds")
    if args.platform == "autolab":
        platforms.check_problem(args.title)
    if args.platform == "prairielearn" and not args.image:
        raise Problem("--image NAME is needed: the Docker image that PrairieLearn is to grade in; the bundle holds the "
                      "Dockerfile to build it from")
    if "/" in args.filename or not args.filename.endswith(".c"):
        raise Problem(f"--file {plain(args.filename)}: the name of one C file, such as mm.c")
    if args.platform == "gradescope" and args.output.is_dir():
        raise Problem(f"{args.output}: is a folder; name the zip to write, such as autograder.zip")
    traces = trace_files(args.traces) if args.traces else []
    course_file = Path(args.course) if args.course and Path(args.course).is_file() else None
    course = f"course/{course_file.name}" if course_file else args.course
    here = str(course_file.resolve()) if course_file else course
    program = find(None)
    packages = further_packages(program, here)
    preflight(Mdriver(program, Wall(False), here, args.traces.resolve() if args.traces else None))
    number = len(traces) or sum(file.path.endswith(TRACES) for file in tree(shipped_traces=True))
    config = Config(course, "traces" if args.traces else None, args.filename, args.title,
                    *limits(seconds, number), not args.no_sandbox)
    files = common(config, traces, course_file, packages)
    if args.platform == "gradescope":
        made = gradescope(files)
    elif args.platform == "autolab":
        made = autolab(files)
    else:
        made = prairielearn(files, config, args.image, seconds)
    write(made, args.output)
    size = sum(len(file.data) for file in made)
    print(f"Written: {args.output} ({count(len(files), 'file')}, {size / 1e6:.1f} MB"
          + ("" if config.sandbox else "; no sandbox: every result is untrusted") + ")", file=sys.stderr)
    return 0
