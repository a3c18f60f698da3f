"""`similar`: which submissions have code in common that nobody was given.

sim_c (Debian's similarity-tester) compares token by token, so that renaming, layout and comments do not matter. Its
exit status says nothing; its output is parsed. It reads hostile text, so it runs behind the sandbox, on copies under
names of our own. What the shipped files and --base have in common with a submission is cut out of it first: in its
place stand a few tokens of no meaning, different in every file, so that what was before and after is not joined.
"""

import argparse
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path

from grader.errors import FAULT, Problem
from grader.output import check, replacing_text
from grader.report.pages import render
from grader.sandbox import NOBODY, ROOT, Wall, require
from grader.store import Store
from grader.text import count, plain

RUN = re.compile(r"^(\w+)\.c: line (\d+)-(\d+)\s*\|\s*(\w+)\.c: line (\d+)-(\d+)\s*\[(\d+)\]$")
FILE = re.compile(r"^File (\w+)\.c: (\d+) tokens, (\d+) lines?")
SECONDS = 1800
MARKS = "~!^%"  # operators that stand in the place of base code, spelling the file's number in base 4
CAUTION = ("Similar code is a reason to look, not a finding: the book, the lecture and the problem itself make code "
           "alike. Read both files before you speak to anybody.")
SHOWN_LINES = 80  # of a run, in HTML


@dataclass(frozen=True)
class Run:
    """Lines of one file that are similar to lines of another; all counted from 1, both ends included."""

    first: int
    last: int
    other_first: int
    other_last: int
    tokens: int


@dataclass
class Source:
    """One distinct file and who handed it in."""

    path: Path
    people: list[str]
    name: str = ""          # in the scratch folder
    tokens: int = 0         # without base code
    base_tokens: int = 0

    @property
    def who(self) -> str:
        """Its owners, for a line of text."""
        return ", ".join(self.people[:3]) + (f" and {len(self.people) - 3} more" if len(self.people) > 3 else "")


@dataclass
class Pair:
    """Two files with code in common. share: of the first's own tokens, the part that is similar to the second's."""

    one: Source
    other: Source
    share: float
    other_share: float
    tokens: int
    runs: list[Run] = field(default_factory=list)

    def sentence(self) -> str:
        """'64 % of Ann Doe is similar to Bob Roe, 58 % the other way round (412 tokens in 7 places)'."""
        return (f"{self.share * 100:.0f} % of {self.one.who} is similar to {self.other.who}, "
                f"{self.other_share * 100:.0f} % the other way round ({count(self.tokens, 'token')} in "
                f"{count(len(self.runs), 'place')})")


@dataclass
class Findings:
    """What was compared and found."""

    sources: list[Source]
    pairs: list[Pair]           # most similar first
    base: list[str]             # names of the files subtracted

    @property
    def identical(self) -> list[Source]:
        """Files that several people handed in, byte for byte."""
        return [source for source in self.sources if len(source.people) > 1]

    @property
    def base_share(self) -> float:
        """The part of all tokens that was base code."""
        base = sum(source.base_tokens for source in self.sources)
        return base / max(1, base + sum(source.tokens for source in self.sources))


class Comparison:
    """sim_c on copies in a scratch folder."""

    def __init__(self, folder: Path, wall: Wall, least: int) -> None:
        self.folder, self.wall, self.least = folder, wall, least

    def sim_c(self, *options: str, names: Sequence[str]) -> list[str]:
        """The lines that sim_c prints about the files NAMES (with / between new and old ones)."""
        results = self.folder / "results"
        results.mkdir(exist_ok=True)
        argv = ["/usr/bin/sim_c", "-n", "-r", str(self.least), "-w", "200", *options, "-i"]
        probe = self.folder / "list"
        probe.write_text("".join(f"{name}\n" for name in names))
        if self.wall.on:
            self.wall.visible = [self.folder]
            os.chmod(self.folder, 0o755)
            if self.wall.identity():
                os.chown(results, NOBODY, NOBODY)
        command = self.wall.command(["/bin/sh", "-c", 'cd "$0" && exec "$@" < list', str(self.folder), *argv], probe,
                                    results)
        try:
            done = subprocess.run(command, capture_output=True, text=True, errors="replace", timeout=SECONDS,
                                  check=False, stdin=subprocess.DEVNULL,
                                  **self.wall.identity())  # type: ignore[call-overload]
        except (OSError, subprocess.TimeoutExpired) as error:
            raise Problem(f"sim_c could not compare: {plain(str(error), 300)}", FAULT) from error
        lines = done.stdout.splitlines()
        lost = [line for line in lines if ">>>> cannot open <<<<" in line]
        if done.returncode or lost or not any(line.startswith("Total input:") for line in lines):
            said = (lost or (done.stderr or done.stdout).strip().splitlines() or ["no message"])[-1]
            raise Problem(f"sim_c could not compare: {plain(said, 300)}", FAULT)
        return lines

    def copy(self, source: Path, name: str) -> None:
        """A copy of SOURCE that sim_c reads without complaint; lines stay what they are."""
        data = source.read_bytes().replace(b"\r\n", b"\n").replace(b"\r", b" ")
        (self.folder / f"{name}.c").write_bytes(bytes(c if c in b"\n\t" or 32 <= c < 127 else 63 for c in data))

    def subtract(self, sources: Sequence[Source], base: Sequence[Path]) -> None:
        """Cuts what BASE also has out of the copies, and counts tokens before and after."""
        olds = [f"b{number}" for number in range(len(base))]
        for path, name in zip(base, olds):
            self.copy(path, name)
        news = [f"{source.name}.c" for source in sources]
        # A large "old" group would hide one base file behind another only where both have the run: no loss.
        lines = self.sim_c("-S", names=[*news, "/", *(f"{name}.c" for name in olds)] if olds else news)
        ranges: dict[str, list[tuple[int, int]]] = {}
        before = _tokens(lines)
        for line in lines:
            if olds and (m := RUN.match(line.strip())):
                ranges.setdefault(m[1], []).append((int(m[2]), int(m[3])))
        marks: dict[str, int] = {}
        for number, source in enumerate(sources):
            marks[source.name] = self.cut(source.name, number, ranges.get(source.name, []))
        after = _tokens(self.sim_c("-S", names=news))
        for source in sources:
            source.tokens = max(0, after.get(source.name, 0) - marks[source.name])
            source.base_tokens = max(0, before.get(source.name, 0) - source.tokens)

    def cut(self, name: str, number: int, ranges: list[tuple[int, int]]) -> int:
        """Takes lines out of a copy, leaving them empty; returns how many marks stand there instead."""
        path = self.folder / f"{name}.c"
        lines = path.read_bytes().split(b"\n")
        digits, rest = "", number
        for _ in range(8):
            digits, rest = digits + MARKS[rest % 4], rest // 4
        mark = " ".join(digits).encode()
        gone = {line for first, last in ranges for line in range(first, last + 1) if line <= len(lines)}
        marks = 0
        for line in sorted(gone):
            lines[line - 1] = b"" if line - 1 in gone else mark
            marks += 0 if line - 1 in gone else 8
        path.write_bytes(b"\n".join(lines))
        return marks

    def pairs(self, sources: Sequence[Source]) -> list[Pair]:
        """Every two files with a run in common; most similar first."""
        by_name = {source.name: source for source in sources}
        runs: dict[tuple[str, str], list[Run]] = {}
        for line in self.sim_c("-e", "-a", "-s", "-T", names=[f"{source.name}.c" for source in sources]):
            if m := RUN.match(line.strip()):
                runs.setdefault((m[1], m[4]), []).append(Run(*map(int, (m[2], m[3], m[5], m[6], m[7]))))
        found = []
        for (one, other), there in runs.items():
            back = runs.get((other, one), [])
            share, other_share = _share(there, by_name[one]), _share(back, by_name[other])
            if share > other_share or (share == other_share and one < other) or not back:
                found.append(Pair(by_name[one], by_name[other], share, other_share, sum(r.tokens for r in there),
                                  sorted(there, key=lambda r: (-r.tokens, r.first))))
        return sorted(found, key=lambda p: (-p.share, -p.other_share, p.one.who, p.other.who))


def _share(runs: Iterable[Run], source: Source) -> float:
    return min(1.0, sum(run.tokens for run in runs) / max(1, source.tokens))


def _tokens(lines: Iterable[str]) -> dict[str, int]:
    """File -> tokens, from sim_c's first lines."""
    return {m[1]: int(m[2]) for line in lines if (m := FILE.match(line))}


def compare(sources: list[Source], base: list[Path], least: int, sandbox: bool = True) -> Findings:
    """Compares SOURCES with each other, without what they have in common with BASE."""
    if not shutil.which("/usr/bin/sim_c"):
        raise Problem("sim_c is missing; install Debian's package similarity-tester", FAULT)
    wall = Wall(sandbox)
    require(wall)
    with tempfile.TemporaryDirectory(prefix="grader-") as scratch:
        comparison = Comparison(Path(scratch), wall, least)
        for number, source in enumerate(sources):
            source.name = f"s{number}"
            comparison.copy(source.path, source.name)
        pairs = []
        if sources:
            comparison.subtract(sources, base)
            pairs = comparison.pairs(sources)
    return Findings(sources, pairs, [path.name for path in base])


def sources_of(store: Store, folder: Path) -> list[Source]:
    """The files that count in a batch, each content once."""
    found: dict[str, Source] = {}
    for row in store.rows():
        if row.sha256:
            source = found.setdefault(row.sha256, Source(folder / "sources" / f"{row.sha256}.c", []))
            source.people.append(row.person.shown)
    return list(found.values())


def base_files(given: Iterable[Path]) -> list[Path]:
    """What students were given or may know: our own allocators and headers, and --base."""
    files = [ROOT / name for name in ("mm.c", "mm.h", "memlib.h", "memlib.c")]
    files += sorted((ROOT / "allocators").rglob("*.[ch]"))
    for path in given:
        inside = sorted(path.rglob("*.[ch]")) if path.is_dir() else [path]
        if not inside or not all(file.is_file() for file in inside):
            raise Problem(f"--base {path}: no C file there; give files or folders that students were handed")
        files += inside
    return files


def as_text(findings: Findings, least_share: float, least_tokens: int, top: int) -> str:
    """The ranking, with line ranges."""
    lines = [f"{count(len(findings.sources), 'different file')} compared; {findings.base_share * 100:.0f} % of their "
             f"tokens are base code ({count(len(findings.base), 'file')}) and were left out.", CAUTION, ""]
    for source in findings.identical:
        lines.append(f"The same file, byte for byte: {', '.join(source.people)}")
    pairs = shown(findings, least_share, least_tokens, top)
    for number, pair in enumerate(pairs, start=1):
        lines.append(f"{number:>3}. {pair.sentence()}")
        for run in pair.runs[:5]:
            lines.append(f"       lines {run.first}-{run.last} and {run.other_first}-{run.other_last}: "
                         f"{count(run.tokens, 'token')}")
        if len(pair.runs) > 5:
            lines.append(f"       ... and {len(pair.runs) - 5} more")
    if not pairs:
        lines.append(f"No two files are {least_share * 100:.0f} % similar or more in at least {least_tokens} tokens.")
    return "\n".join(lines) + "\n"


def shown(findings: Findings, least_share: float, least_tokens: int, top: int) -> list[Pair]:
    """The pairs worth showing. All of very little own code says nothing, so tokens count beside the share."""
    return [pair for pair in findings.pairs if pair.share >= least_share and pair.tokens >= least_tokens][:top]


def as_html(findings: Findings, least_share: float, least_tokens: int, top: int) -> str:
    """One page: the ranking, and under it each pair's lines side by side."""
    cache: dict[Path, list[str]] = {}

    def lines(source: Source, first: int, last: int) -> list[tuple[int, str]]:
        if source.path not in cache:
            text = source.path.read_bytes().decode("utf-8", "replace").replace("\r\n", "\n")
            cache[source.path] = [plain(line.expandtabs(4), 160) for line in text.split("\n")]
        last = min(last, first + SHOWN_LINES - 1)
        return list(enumerate(cache[source.path][first - 1:last], start=first))

    pairs = [{"pair": pair, "runs": [
        {"run": run, "one": lines(pair.one, run.first, run.last),
         "other": lines(pair.other, run.other_first, run.other_last)} for run in pair.runs]}
        for pair in shown(findings, least_share, least_tokens, top)]
    facts = [f"{count(len(findings.sources), 'different file')} compared",
             f"{findings.base_share * 100:.0f} % of their tokens are base code and left out "
             f"({count(len(findings.base), 'file')})"]
    return render("similar.html", title="Similar submissions", heading="Similar submissions", up="", facts=facts,
                  findings=findings, pairs=pairs, caution=CAUTION, least=least_share, least_tokens=least_tokens)


def as_json(findings: Findings) -> str:
    """Every pair with its runs."""
    return json.dumps({"schema": 1, "base": findings.base, "base_share": findings.base_share,
                       "identical": [source.people for source in findings.identical],
                       "pairs": [{"people": pair.one.people, "other_people": pair.other.people, "share": pair.share,
                                  "other_share": pair.other_share, "tokens": pair.tokens,
                                  "runs": [asdict(run) for run in pair.runs]} for pair in findings.pairs]},
                      ensure_ascii=False, indent=1) + "\n"


def add_parser(commands: argparse._SubParsersAction) -> None:
    """The command line of `similar`."""
    sub = commands.add_parser(
        "similar", help="rank submissions by the code they have in common",
        formatter_class=argparse.RawDescriptionHelpFormatter, epilog="example:\n  python3 -m grader similar out "
        "--base handout/ -o similar.html\n", description="Ranks pairs of submissions by similar code, without what "
        "students were given (our own files, and --base). " + CAUTION)
    sub.add_argument("folder", metavar="OUT", type=Path, help="folder of `grade -o OUT`")
    sub.add_argument("-o", "--output", metavar="FILE", type=Path, help="also a page with the lines side by side")
    sub.add_argument("--json", metavar="FILE", type=Path, help="also everything as JSON")
    sub.add_argument("--base", metavar="PATH", type=Path, action="append", default=[],
                     help="a file or folder that students were given (may be repeated)")
    sub.add_argument("--percent", metavar="N", type=float, default=25, help="least similarity shown (default: 25)")
    sub.add_argument("--tokens", metavar="N", type=int, default=100,
                     help="least tokens in common (default: %(default)s)")
    sub.add_argument("--top", metavar="N", type=int, default=50, help="most pairs shown (default: %(default)s)")
    sub.add_argument("--run", metavar="TOKENS", type=int, default=24,
                     help="shortest piece of code that counts (default: %(default)s tokens)")
    sub.add_argument("--no-sandbox", action="store_true", help="run sim_c without a wall")
    sub.set_defaults(action=_similar)


def _similar(args: argparse.Namespace) -> int:
    if not 0 <= args.percent <= 100 or args.top < 1 or args.run < 5:
        raise Problem("--percent is from 0 to 100, --top at least 1, --run at least 5")
    check(args.output)
    check(args.json, "--json")
    base = base_files(args.base)
    store = Store(args.folder)
    try:
        sources = sources_of(store, args.folder)
    finally:
        store.close()
    findings = compare(sources, base, args.run, not args.no_sandbox)
    limits = (args.percent / 100, args.tokens, args.top)
    print(as_text(findings, *limits), end="")
    for path, text in ((args.output, as_html(findings, *limits) if args.output else ""),
                       (args.json, as_json(findings) if args.json else "")):
        if path:
            with replacing_text(path) as out:
                out.write(text)
            print(f"Written: {path}", file=sys.stderr)
    return 0
