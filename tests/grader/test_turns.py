"""mdriver as a batch uses it: in turn with others, and with the reference kept between runs."""

import fcntl
import json
import signal
import subprocess
import time
from pathlib import Path

import pytest
from conftest import ROOT

TRACE = ROOT / "traces" / "short-steps.rep"


def start(*args: object) -> subprocess.Popen:
    """mdriver on a small trace."""
    assert (ROOT / "mdriver").exists(), "mdriver is not built: run make"
    words = [ROOT / "mdriver", "-f", TRACE, "--timing-seconds", "0.1", "--json", "-", *args, ROOT / "mm.c"]
    return subprocess.Popen(list(map(str, words)), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def run(*args: object) -> dict:
    """Its result."""
    process = start(*args)
    out, errors = process.communicate(timeout=60)
    assert process.returncode == 0, errors
    return json.loads(out)


@pytest.mark.parametrize("option", ["--check-turn", "--timing-turn"])
def test_waits_for_its_turn(tmp_path: Path, option: str):
    """Nothing happens while another holds the lock; a signal ends the wait; the lock is free again afterwards."""
    lock = tmp_path / "lock"
    lock.touch()
    with lock.open() as mine:
        fcntl.flock(mine, fcntl.LOCK_EX)
        waiting, stopped = start(option, lock), start(option, lock)
        time.sleep(1.5)
        assert waiting.poll() is None and stopped.poll() is None
        stopped.send_signal(signal.SIGTERM)
        assert "interrupted" in stopped.communicate(timeout=10)[1] and stopped.returncode == 130
    out, errors = waiting.communicate(timeout=60)
    assert waiting.returncode == 0, errors
    assert json.loads(out)["verdict"] == "ok"
    with lock.open() as mine:
        fcntl.flock(mine, fcntl.LOCK_EX | fcntl.LOCK_NB)


def test_no_lock_file(tmp_path: Path):
    """A sentence."""
    process = start("--check-turn", tmp_path / "nothing")
    errors = process.communicate(timeout=10)[1]
    assert process.returncode == 2 and "nothing: cannot wait for a turn" in errors


def test_reference_is_kept(tmp_path: Path):
    """Made once and used again; a damaged copy, or one of other traces, is not believed."""
    folder = tmp_path / "reference"
    first = run("--keep-reference", folder)
    kept = next(folder.iterdir())
    made = (kept / "records").stat().st_mtime_ns
    second = run("--keep-reference", folder)
    assert (kept / "records").stat().st_mtime_ns == made and len(list(folder.iterdir())) == 1
    for result in (first, second):
        assert result["verdict"] == "ok" and result["traces"][0]["relative"] is not None
    for name in ("records", "runner"):
        whole = (kept / name).read_bytes()
        (kept / name).write_bytes(whole[:len(whole) // 2])
        assert run("--keep-reference", folder)["verdict"] == "ok", f"{name} was cut off"
        (kept / name).write_bytes(whole)
    run("--keep-reference", folder, "-f", ROOT / "traces" / "short-ids.rep")
    assert len(list(folder.iterdir())) == 2, "other traces, another copy"


def test_folder_that_cannot_be_written(tmp_path: Path):
    """Costs time, nothing else."""
    blocker = tmp_path / "file"
    blocker.touch()
    assert run("--keep-reference", blocker / "below")["verdict"] == "ok"
