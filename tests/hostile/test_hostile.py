"""Every file here is an attack; its first line says how it must end.

    // expect: VERDICT[, with OPTION ...][, timed][, mailbox][, elsewhere][, prints][, lookahead][, charged]

The harness puts base.inc, an honest allocator, after the attack (mailbox.inc and elsewhere.inc before it where the line
says so). An attack that ends `ok` must not have gained: it needs no less memory than base.inc alone, save what
docs/SECURITY.md concedes, and, if `timed`, no fewer instructions. Nothing here is skipped: where the sandbox cannot
work, these tests fail.
"""
from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from mdriver import MDRIVER, ROOT, write_trace

HERE = Path(__file__).resolve().parent
FILES = sorted(HERE.glob("*.c"))
EXITS = {"ok": 0, "build": 3, "crash": 4, "abort": 4, "exited": 4, "timeout": 4}
WORDS = {"timed", "mailbox", "elsewhere", "prints", "lookahead", "charged"}
FREE_BYTES = 1024  # memory outside the heap that is not charged: docs/SECURITY.md
SENTENCE_SECONDS = 90  # for one mdriver; a compilation is stopped after 4 s of CPU, on a loaded machine far later


def expectation(path: Path) -> tuple[str, set[str], list[str]]:
    """Verdict, words and options from the first line of an attack."""
    first, second = path.read_bytes().decode("utf-8", "replace").split("\n")[:2]
    assert first.startswith("// expect: "), f"{path.name}: line 1 must be `// expect: VERDICT`"
    assert second.startswith("/* ") and second.endswith(" */"), f"{path.name}: line 2 must say what it tries"
    verdict, *more = first.removeprefix("// expect: ").split(", ")
    words = {word for word in more if not word.startswith("with ")}
    assert words <= WORDS, f"{path.name}: unknown words in line 1: {words - WORDS}"
    return verdict, words, [option for word in more if word.startswith("with ") for option in word.split()[1:]]


def whole(attack: bytes, words: set[str]) -> bytes:
    """A submission: the attack and the honest allocator around it."""
    parts = [b"#define _GNU_SOURCE\n#include <stddef.h>\n#include <stdint.h>\n"]
    if "mailbox" in words:
        parts += [(ROOT / "driver/wire.h").read_bytes(), (HERE / "mailbox.inc").read_bytes()]
    parts.append(attack)
    if "elsewhere" in words:
        parts.append((HERE / "elsewhere.inc").read_bytes())
    return b"\n".join([*parts, (HERE / "base.inc").read_bytes()])


def session_of(pid: str) -> int:
    """The session that a process belongs to, or -1 when it is gone."""
    try:
        return int(Path("/proc", pid, "stat").read_text().rpartition(")")[2].split()[3])
    except (OSError, IndexError):
        return -1


class Bench:
    """Runs mdriver with a private TMPDIR, and looks afterwards at what it left."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.tmp = folder / "tmp"
        self.tmp.mkdir()
        self.tmp.chmod(0o1777)
        self.trace = write_trace(folder / "mixed.rep", 1200)
        self.source = folder / "mm.c"

    def run(self, source: bytes, *options: str) -> dict[str, Any]:
        """The JSON of a run; no process and no file of it is left."""
        self.source.write_bytes(source)
        before = (self.source.read_bytes(), self.trace.read_bytes(), sorted(self.folder.iterdir()))
        command = [str(MDRIVER), "--json", "-", "--reference", "none", "-s", "6", "-f", str(self.trace), *options,
                   str(self.source)]
        with subprocess.Popen(command, cwd=self.folder, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                              start_new_session=True, stdin=subprocess.DEVNULL,
                              env={"PATH": "/usr/bin:/bin", "TMPDIR": str(self.tmp)}) as process:
            try:
                out, err = process.communicate(timeout=SENTENCE_SECONDS)
            except subprocess.TimeoutExpired:
                os.killpg(process.pid, signal.SIGKILL)
                raise
        assert process.returncode >= 0, f"mdriver itself was killed by signal {-process.returncode}"
        left = [pid for pid in os.listdir("/proc") if pid.isdigit() and session_of(pid) == process.pid]
        assert not left, f"processes left behind: {left}"
        assert not os.listdir(self.tmp), "files left in TMPDIR"
        assert before == (self.source.read_bytes(), self.trace.read_bytes(), sorted(self.folder.iterdir()))
        assert out, err
        found: dict[str, Any] = json.loads(out)
        found["exit"], found["text"] = process.returncode, out
        return found


@pytest.fixture(name="bench", scope="module")
def fixture_bench() -> Iterator[Bench]:
    """One folder for the whole module, reachable for the user that compilers run as."""
    folder = Path(tempfile.mkdtemp(prefix="hostile-"))
    folder.chmod(0o755)
    yield Bench(folder)
    shutil.rmtree(folder)


def memory(found: dict[str, Any]) -> int:
    """What the allocator is charged for, in bytes."""
    return int(found["traces"][0]["heap"])


@pytest.fixture(name="honest", scope="module")
def fixture_honest(bench: Bench) -> dict[str, Any]:
    """The honest allocator alone."""
    found = bench.run(whole(b"", set()), "--clock=instructions")
    assert found["verdict"] == "ok" and found["sandbox"] == "full", "the sandbox must work where these tests run"
    return found


def test_there_are_enough() -> None:
    """A folder that lost its files must not pass."""
    assert len(FILES) >= 50
    assert {expectation(path)[0] for path in FILES} >= {
        "ok", "build", "exited", "abort", "crash", "timeout", "forbidden", "outside", "overlap", "damaged",
        "past-break", "heap-limit", "differs"}


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_gains_nothing(path: Path, bench: Bench, honest: dict[str, Any]) -> None:
    """The attack ends with its verdict; where that is `ok`, it costs at least what the honest allocator does."""
    verdict, words, options = expectation(path)
    if "timed" not in words:
        options.append("--check-only")
    elif verdict == "ok" and "mailbox" not in words:  # whose place is another one under valgrind
        options.append("--clock=instructions")
    found = bench.run(whole(path.read_bytes(), words), *options)
    said = found["message"] if verdict == "build" else found["traces"][0]["message"]
    assert found["verdict"] == verdict, said or found["text"][:2000]
    assert found["exit"] == EXITS.get(verdict, 1)
    if "prints" in words:
        assert not any(code in found["text"] for code in ("\\u001b", "\\u009b", "\\u0007", "\\u202e", "\x1b", "\u202e"))
    if verdict != "ok":
        assert said and len(said) < 600 and not found["score"]["index"]
        return
    slack = FREE_BYTES if words & {"elsewhere"} else 0
    if "lookahead" in words:
        slack = memory(honest) // 50
    assert memory(found) >= memory(honest) - slack
    if "charged" in words:
        assert found["traces"][0]["outside"] > 4 * 4096 - FREE_BYTES
    if "timed" in words:
        trace, beside = found["traces"][0], honest["traces"][0]
        if "mailbox" in words:
            assert trace["seconds"] >= 0.7 * beside["cpu_seconds"]
        else:
            assert trace["seconds"] >= 0.999 * beside["seconds"]


def build_sentence(bench: Bench, source: bytes) -> str:
    """The message of a file that must not build."""
    found = bench.run(source, "--check-only")
    assert found["verdict"] == "build" and found["exit"] == 3
    assert found["message"].count("\n") == 0 and "internal" not in found["message"]
    return str(found["message"])


def test_ten_megabytes_of_source(bench: Bench) -> None:
    """Refused before the compiler sees it."""
    assert "longer than" in build_sentence(bench, whole(b"int x;\n" * 1_500_000, set()))


@pytest.mark.parametrize("noise", [b"\xff\xfe\x00i\x00n\x00t", b"int caf\xe9 \x1b[2J = \x80;\n", bytes(range(256))],
                         ids=["utf-16", "latin-1", "all-bytes"])
def test_source_that_is_no_text(bench: Bench, noise: bytes) -> None:
    """One sentence, and output that is valid JSON and steers no terminal."""
    build_sentence(bench, whole(noise, set()))


def test_deep_nesting(bench: Bench) -> None:
    """A million brackets exhaust the compiler's stack, not ours."""
    build_sentence(bench, b"int x = " + b"(" * 500_000 + b"1" + b")" * 499_999 + b";\n")


def uncharged(bench: Bench, how: str, most: int, *options: str) -> int:
    """The most bytes, up to MOST, that can be kept in memory HOW gives without being charged for them."""
    attack = ("#include <string.h>\nstatic void keep(void)\n{\n    static int calls;\n"
              "    if (calls++ == 0)\n        memset(DEPOT, 0xa5, BYTES);\n"
              "    for (long i = 0; i < BYTES; i++)\n        if (((unsigned char *)DEPOT)[i] != 0xa5)\n"
              "            __builtin_trap();\n}\n#define AT_FREE(ptr) keep()\n")
    low, high = 0, most
    while high - low > 32:  # the amounts between: kept and free, or kept and charged
        middle = (low + high) // 2 // 8 * 8
        source = f"#define BYTES {middle}\n#define DEPOT {how}\n{attack}"
        found = bench.run(whole(source.encode(), set()), "--check-only", *options)
        assert found["verdict"] == "ok", found["traces"][0]["message"]
        if found["traces"][0]["outside"] > found["submission"]["static_bytes"]:
            high = middle
        else:
            low = middle
    return low


DEEP = "((char *)(((unsigned long)__builtin_frame_address(0) & ~0xfffful) - 0x10000))"


def test_residue_is_what_is_published(bench: Bench) -> None:
    """How much memory outside the heap costs nothing, found by using it: in the stack, and in the C library's arena."""
    stack = uncharged(bench, DEEP, 8192)
    print(f"\nuncharged bytes in the stack: {stack}")
    assert 0 < stack <= FREE_BYTES


def test_a_batch_goes_on(bench: Bench, honest: dict[str, Any]) -> None:
    """After every kind of end, mdriver goes on with the next file of the same run."""
    hostile = [HERE / f"{name}.c" for name in ("constructor-forges-score", "endless-recursion", "exits-in-init", "flood",
                                               "fork-bomb", "kills-everybody")]
    with tempfile.TemporaryDirectory(prefix="hostile-") as folder:
        os.chmod(folder, 0o755)
        names = []
        for path in hostile:
            names.append(Path(folder, f"{path.stem}.c"))
            names[-1].write_bytes(whole(path.read_bytes(), expectation(path)[1]))
        names.append(Path(folder, "honest.c"))
        names[-1].write_bytes(whole(b"", set()))
        done = subprocess.run([str(MDRIVER), "--json", "-", "--check-only", "-s", "6", "-f", str(bench.trace),
                               *map(str, names)], capture_output=True, text=True, timeout=60, check=False, cwd=folder)
    results = json.loads(done.stdout)["results"]
    assert [result["verdict"] for result in results[:-1]] == [expectation(path)[0] for path in hostile]
    assert results[-1]["verdict"] == "ok" and memory(results[-1]) == memory(honest)
