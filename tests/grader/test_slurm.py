"""The Slurm executor against a real slurmctld and slurmd on localhost. Fails, never skips, without them."""

import os
import shutil
import time

import pytest
from conftest import ROOT, Grader, write_class
from slurm_cluster import Cluster, missing, wait_for


@pytest.fixture(scope="module")
def cluster(tmp_path_factory):
    """One Slurm for all tests of this file."""
    lacking = missing()
    if lacking:
        pytest.fail(f"the Slurm test needs these Debian packages: apt-get install {' '.join(lacking)}")
    cluster = Cluster(tmp_path_factory.mktemp("slurm"))
    try:
        cluster.start()
        yield cluster
    finally:
        cluster.stop()


@pytest.fixture
def slurm(cluster: Cluster, grader: Grader, monkeypatch) -> Grader:
    """A grader whose environment knows the cluster."""
    monkeypatch.setenv("SLURM_CONF", str(cluster.conf))
    monkeypatch.setenv("PATH", cluster.environment["PATH"])
    monkeypatch.setenv("GRADER_SLURM_POLL", "0.2")
    return grader


def timed(grader: Grader) -> int:
    """How many timings were begun."""
    return grader.calls(kind="time")


def test_array(slurm: Grader):
    """Same results as on one machine; a fault is ours there too; nothing is left behind."""
    pile = write_class(slurm.folder / "pile", {f"s{i:02}/mm.c": f"ok {i}" for i in range(10)} |
                       {"bob/mm.c": "crash", "ed/mm.c": "fault"})
    done = slurm.grade(pile, "--executor", "slurm", "--chunk", "4", expect=5)
    rows = slurm.rows()
    assert [rows[f"s{i:02}"].score for i in range(10)] == list(range(10))
    assert rows["bob"].verdict == "crash" and rows["ed"].status == "fault" and rows["ed"].score is None
    assert "11 people graded" in done.stdout and "Slurm job" in done.stderr
    assert not list((slurm.out / "slurm").iterdir())


def test_node_dies_in_the_middle(slurm: Grader, cluster: Cluster):
    """Slurm requeues the task; it goes on after what was written, and every result arrives once."""
    pile = write_class(slurm.folder / "pile", {f"s{i:02}/mm.c": "sleep 0.3" for i in range(12)})
    process = slurm.start("grade", pile, "-o", slurm.out, "--no-sandbox", "--executor", "slurm", "--chunk", "6")
    try:
        wait_for(lambda: timed(slurm) >= 3, "three submissions are timed", cluster)
        cluster.kill_node()
        at_death = timed(slurm)
        time.sleep(1)
        assert timed(slurm) == at_death, "the node is not dead"
        assert process.poll() is None
        cluster.start_node()
        out, errors = process.communicate(timeout=90)
    finally:
        if process.poll() is None:
            process.kill()
            process.communicate()
    assert process.returncode == 0, out + errors
    assert "12 people graded" in out
    under_way = 6  # on two cores
    assert timed(slurm) <= 12 + under_way, "what was written before the node died was graded again"


def test_grader_killed_meanwhile(slurm: Grader, cluster: Cluster):
    """The array goes on without us; the same command collects it and submits nothing twice."""
    pile = write_class(slurm.folder / "pile", {f"s{i:02}/mm.c": "sleep 0.3" for i in range(8)})
    process = slurm.start("grade", pile, "-o", slurm.out, "--no-sandbox", "--executor", "slurm", "--chunk", "4")
    wait_for(lambda: timed(slurm) >= 2, "two submissions are timed", cluster)
    process.kill()
    process.communicate()
    done = slurm.grade(pile, "--executor", "slurm")
    assert "of an earlier run" in done.stderr and "8 people graded" in done.stdout
    assert timed(slurm) == 8


def test_without_slurm(grader: Grader, monkeypatch):
    """A clear sentence where there is no sbatch."""
    pile = write_class(grader.folder / "pile", {"a/mm.c": "ok"})
    (grader.folder / "bin").mkdir()
    for name in ("setpriv", "prlimit"):
        (grader.folder / "bin" / name).symlink_to(f"/usr/bin/{name}")
    monkeypatch.setenv("PATH", str(grader.folder / "bin"))
    done = grader.grade(pile, "--executor", "slurm", expect=2)
    assert "sbatch is not on PATH" in done.stderr


def test_real_mdriver_behind_the_wall(slurm: Grader):
    """What a task does on a node: its own preparations, the sandbox, mdriver; the score is that of one machine."""
    pile = slurm.folder / "pile"
    for person in ("ann", "bob"):
        (pile / person).mkdir(parents=True)
        (pile / person / "mm.c").write_text((ROOT / "mm.c").read_text() + f"/* {person} */\n")
    (pile / "cy").mkdir()
    (pile / "cy" / "mm.c").write_text("int mm_init(void) { return nonsense; }\n")
    slurm.environment = lambda: {**{k: v for k, v in os.environ.items() if k != "GRADER_MDRIVER"},
                                 "PYTHONPATH": str(ROOT)}
    traces = slurm.folder / "traces"
    traces.mkdir()
    shutil.copy(ROOT / "traces" / "short-steps.rep", traces)
    words = ("grade", pile, "-t", traces, "--timing-seconds", "0.1")
    slurm.run(*words, "-o", slurm.out, "--executor", "slurm")
    rows = slurm.rows()
    assert {key: row.verdict for key, row in rows.items()} == {"ann": "ok", "bob": "ok", "cy": "build"}
    slurm.out = slurm.folder / "here"
    slurm.run(*words, "-o", slurm.out)
    assert {key: row.utilization for key, row in slurm.rows().items()} == {
        key: row.utilization for key, row in rows.items()}
