"""The wall around each submission of a batch: one bubblewrap for mdriver with everything that it starts.

mdriver confines the compiler and the allocator by itself; this wall is the second one, and keeps submissions apart
from each other and from the machine. The user id is dropped before bubblewrap starts (started by root it would keep
every capability), there is no network, the system is read-only, /tmp and /dev/shm are private and empty, and all of
it dies with the grader. Nested user namespaces stay allowed, as mdriver builds its own wall inside.
"""

import os
import subprocess
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from grader.errors import FAULT, Problem

NOBODY = 65534
TMP_BYTES = 256 << 20  # private /tmp, for the compilation
SYSTEM = ("/usr", "/bin", "/sbin", "/lib", "/lib32", "/lib64", "/libx32", "/etc/alternatives", "/etc/ld.so.cache",
          "/etc/ld.so.conf", "/etc/ld.so.conf.d")
ROOT = Path(__file__).resolve().parent.parent


@dataclass
class Wall:
    """How to start a command inside. `on` False: no wall, and every result is untrusted."""

    on: bool = True
    visible: list[Path] = field(default_factory=list)  # read-only besides the system: mdriver's folder, traces
    drop: bool = False  # started by root, become nobody even without a wall

    def command(self, argv: Sequence[str], source: Path, results: Path) -> list[str]:
        """ARGV inside the wall; SOURCE becomes /submission/mm.c and RESULTS, writable, /results."""
        if not self.on:
            return ["setpriv", "--pdeathsig", "KILL", "prlimit", "--core=0", "--", *argv]
        words = ["bwrap", "--unshare-all", "--unshare-user", "--die-with-parent", "--new-session",
                 "--cap-drop", "ALL", "--clearenv",
                 "--setenv", "PATH", "/usr/local/bin:/usr/bin:/bin", "--setenv", "LC_ALL", "C.UTF-8",
                 "--setenv", "TMPDIR", "/tmp", "--setenv", "HOME", "/tmp", "--hostname", "grader",
                 "--proc", "/proc", "--dev", "/dev", "--tmpfs", "/dev/shm",
                 "--size", str(TMP_BYTES), "--tmpfs", "/tmp"]
        for path in SYSTEM:
            if os.path.islink(path):
                words += ["--symlink", os.readlink(path), path]
            elif os.path.exists(path):
                words += ["--ro-bind", path, path]
        for folder in self.visible:
            words += ["--ro-bind", str(folder), str(folder)]
        words += ["--ro-bind", str(source), "/submission/mm.c", "--bind", str(results), "/results",
                  "--chdir", "/tmp", "--remount-ro", "/", "--"]
        return ["prlimit", "--core=0", "--", *words, *argv]

    def paths(self, source: Path, results: Path) -> tuple[str, str]:
        """Where the command finds the submission, and where it writes."""
        return ("/submission/mm.c", "/results") if self.on else (str(source), str(results))

    def identity(self) -> dict[str, object]:
        """Popen arguments that drop root, if we have it."""
        if (self.on or self.drop) and os.geteuid() == 0:
            return {"user": NOBODY, "group": NOBODY, "extra_groups": []}
        return {}


# What must hold inside the wall, each a shell test that succeeds only when it does.
PROBES = (
    ("runs at all", "true"),
    ("has no capabilities", "grep -q '^CapEff:\\s*0*$' /proc/self/status && grep -q '^CapBnd:\\s*0*$' "
                            "/proc/self/status"),
    ("cannot gain privileges", "grep -q '^NoNewPrivs:\\s*1' /proc/self/status"),
    ("is not root", "test $(id -u) != 0"),
    ("sees no network", "test -z \"$(tail -n +3 /proc/net/dev | grep -v ' *lo:')\""),
    ("cannot write to the system", "! touch /usr/x 2>/dev/null && ! touch /x 2>/dev/null"),
    ("cannot read passwords", "! cat /etc/shadow >/dev/null 2>&1"),
    ("sees only its own processes", "test $(ls -d /proc/[0-9]* | wc -l) -lt 8"),
    ("has a private /tmp", "test -z \"$(ls -A /tmp)\" && touch /tmp/x"),
    ("has a private /dev/shm", "test -z \"$(ls -A /dev/shm)\""),
    ("cannot change the submission", "! sh -c 'echo x > /submission/mm.c' 2>/dev/null"),
    ("can write its results", "echo x > /results/probe"),
)


def self_test(wall: Wall | None = None) -> list[tuple[str, bool, str]]:
    """Tries every promise of the wall; (promise, held, message) each."""
    wall = wall or Wall()
    with tempfile.TemporaryDirectory(prefix="grader-") as folder:
        os.chmod(folder, 0o755)
        source, results = Path(folder, "mm.c"), Path(folder, "results")
        source.write_text("int x;\n")
        results.mkdir()
        os.chmod(results, 0o777)
        outcome = []
        for promise, probe in PROBES:
            try:
                done = subprocess.run(wall.command(["/bin/sh", "-c", probe], source, results), timeout=30,
                                      capture_output=True, text=True, check=False, stdin=subprocess.DEVNULL,
                                      **wall.identity())  # type: ignore[call-overload]
                outcome.append((promise, done.returncode == 0, done.stderr.strip()))
            except (OSError, subprocess.TimeoutExpired) as error:
                outcome.append((promise, False, str(error)))
            if promise == PROBES[0][0] and not outcome[0][1]:
                break  # nothing else can hold
        return outcome


def require(wall: Wall) -> None:
    """Refuses to grade behind a wall that does not stand."""
    if not wall.on:
        return
    broken = [(promise, message) for promise, held, message in self_test(Wall()) if not held]
    if broken:
        promise, message = broken[0]
        what = "it does not start" if promise == PROBES[0][0] else f"'{promise}' does not hold"
        raise Problem(f"the sandbox does not work here: {what} ({message or 'no message'}); allow user namespaces "
                      "(sysctl user.max_user_namespaces, kernel.unprivileged_userns_clone), install bubblewrap, or pass "
                      "--no-sandbox, which marks every result untrusted", FAULT)
