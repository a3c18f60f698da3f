"""The wall around the compiler and the cage of the runner: as root, as an ordinary user, and where they cannot be had."""
from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from mdriver import ROOT, write_trace

HERE = Path(__file__).resolve().parent
NEEDED = ("mdriver", "build/runner64", "build/runner32", "courses", "allocators", "mm.h", "memlib.h", "mm.c")
ORDINARY = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"] if os.geteuid() == 0 else []
NO_NAMESPACES = ["bwrap", "--unshare-user", "--uid", "1000", "--gid", "1000", "--disable-userns",
                 "--dev-bind", "/", "/"]


@pytest.fixture(name="place", scope="module")
def fixture_place() -> Iterator[Path]:
    """A copy of what mdriver needs, where every user can reach it."""
    folder = Path(tempfile.mkdtemp(prefix="sandbox-"))
    folder.chmod(0o755)
    for name in NEEDED:
        source, to = ROOT / name, folder / name
        to.parent.mkdir(parents=True, exist_ok=True)
        if source.is_dir():
            shutil.copytree(source, to)
        elif source.exists() or name == "mdriver":
            shutil.copy(source, to)
    write_trace(folder / "mixed.rep", 600)
    shutil.copy(HERE / "base.inc", folder / "base.c")
    yield folder
    shutil.rmtree(folder)


def run(place: Path, prefix: list[str], *options: str) -> subprocess.CompletedProcess[str]:
    """mdriver with an environment of nothing."""
    return subprocess.run([*prefix, "env", "-i", str(place / "mdriver"), "-f", str(place / "mixed.rep"), *options,
                           str(place / "base.c")], capture_output=True, text=True, check=False, timeout=60, cwd=place,
                          stdin=subprocess.DEVNULL)


@pytest.mark.parametrize("prefix", [[], ORDINARY], ids=["as-we-are", "ordinary-user"])
def test_works_for_every_user(place: Path, prefix: list[str]) -> None:
    """Checked and timed behind the whole wall, whoever starts it."""
    done = run(place, prefix, "--json", "-")
    found = json.loads(done.stdout)
    assert (found["verdict"], found["sandbox"], done.returncode) == ("ok", "full", 0), done.stderr
    assert found["traces"][0]["seconds"] > 0


def test_refuses_without_namespaces(place: Path) -> None:
    """Where there is no wall, a stranger's file is not compiled: it says why and what to do."""
    done = run(place, ORDINARY + NO_NAMESPACES)
    assert done.returncode == 5
    said = done.stderr.strip().splitlines()[-1]
    for piece in ("cannot be walled off", "namespace", "user.max_user_namespaces", "--no-sandbox"):
        assert piece in said
    assert "ok" not in done.stdout


def test_no_sandbox_marks_results(place: Path) -> None:
    """Without the wall it is done when asked for, and every result says so."""
    done = run(place, ORDINARY + NO_NAMESPACES, "--no-sandbox", "--check-only", "--json", "-")
    found = json.loads(done.stdout)
    assert (found["verdict"], found["sandbox"]) == ("ok", "none"), done.stderr
    shown = run(place, ORDINARY + NO_NAMESPACES, "--no-sandbox", "--check-only")
    assert "untrusted" in shown.stdout


def test_the_compiler_sees_nothing(place: Path) -> None:
    """Through the preprocessor's eyes: neither this folder, nor /etc, /root, /proc or /sys are there."""
    paths = ["mm.h", str(place / "mm.h"), str(ROOT / "mm.h"), "/etc/passwd", "/etc/hostname", "/proc/self/environ",
             "/proc/version", "/root/.bashrc", "/sys/kernel/notes"]
    looks = (f'#if __has_include("{path}")\n#error seen <{path}>\n#endif\n' for path in paths)
    (place / "look.c").write_text("".join(looks))
    done = run(place, [], "--check-only", str(place / "look.c"))
    assert re.findall("seen <(.*)>", done.stdout) == ["mm.h"]


def test_the_runner_is_confined(place: Path) -> None:
    """What /proc says of a runner while it runs: filter, limits, descriptors, memory, no new privileges."""
    source = place / "slow.c"
    source.write_text("#define AT_INIT() for (;;) __asm__ volatile(\"\")\n" + (HERE / "base.inc").read_text())
    trace = place / "mixed.rep"
    with subprocess.Popen([str(place / "mdriver"), "--check-only", "-s", "3", "-f", str(trace), str(source)],
                          stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, stdin=subprocess.DEVNULL) as process:
        facts = ""
        while process.poll() is None and "\nSeccomp:\t2" not in facts:
            for child in Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split():
                try:
                    facts = Path("/proc", child, "status").read_text()
                    limits = Path("/proc", child, "limits").read_text()
                    descriptors = sorted(int(name) for name in os.listdir(f"/proc/{child}/fd"))
                    name = Path("/proc", child, "comm").read_text().strip()
                except OSError:
                    facts = ""
                    continue
                if name.startswith(("mdriver", "bwrap")) or descriptors != [0, 1, 2]:
                    facts = "" # not yet, or the compiler
        assert facts, "no runner was seen"
        process.kill()
    for word in ("Seccomp:\t2", "Seccomp_filters:\t2", "NoNewPrivs:\t1", "Threads:\t1", "CapEff:\t0000000000000000"):
        assert word in facts, word
    soft = {line[:26].strip(): line[26:].split()[0] for line in limits.splitlines()[1:]}
    assert soft["Max core file size"] == "0" and soft["Max processes"] == "1" and soft["Max locked memory"] == "0"
    assert int(soft["Max stack size"]) <= 1 << 20 and int(soft["Max file size"]) <= 1 << 20
    assert int(soft["Max data size"]) < 1 << 19 and int(soft["Max cpu time"]) <= 5


def test_security_page_names_tests_that_exist() -> None:
    """Every attack and test that docs/SECURITY.md refers to is there, and every attack is referred to."""
    text = (ROOT / "docs/SECURITY.md").read_text()
    named = set(re.findall(r"`([a-z0-9-]+)`", text))
    attacks = {path.stem for path in HERE.glob("*.c")}
    assert not attacks - named, f"docs/SECURITY.md does not mention {sorted(attacks - named)}"
    tests = set(re.findall(r"`(test_[a-z_]+)`", text))
    here = "".join(path.read_text() for path in ROOT.glob("tests/*/test_*.py")) + "".join(
        path.read_text() for path in ROOT.glob("tests/unit/test_*.c"))
    for test in tests:
        assert re.search(rf"\b{test}\b", here), test
