"""200 simulated submissions of every kind, through the whole of `grade`; and killed at random moments."""

import json
import signal
import sqlite3
import time

import pytest
from conftest import SEED, Grader
from simulated import Expected, Pile, as_folder, as_tar, as_zip, simulated

KILLS = 50


def verify(grader: Grader, pile: Pile) -> None:
    """The gradebook, the notes and the files, against what must come of each submission."""
    rows = grader.rows()
    seen = {key: Expected(row.status, "" if row.status == "fault" else row.verdict, row.score, row.late, row.attempts,
                          row.attempt) for key, row in rows.items() if row.status != "missing"}
    for key, expected in pile.people.items():
        expected.attempt = seen[key].attempt if expected.attempt is None else expected.attempt
        expected.verdict = "" if expected.status == "fault" else expected.verdict
    assert seen == pile.people
    store = grader.store()
    notes = store.notes()
    store.close()
    assert {n.path for n in notes if n.kind == "refused"} == pile.refused
    assert {n.person for n in notes if n.kind == "duplicate"} == pile.duplicates
    assert {n.person for n in notes if n.kind == "missing"} == pile.missing
    graded = [row for row in rows.values() if row.status == "graded"]
    written = {json.loads(path.read_text())["submission"]["sha256"] for path in (grader.out / "json").iterdir()}
    assert written == {row.sha256 for row in graded}


@pytest.mark.parametrize("pack", [as_folder, as_zip, as_tar])
def test_200_of_every_kind(grader: Grader, pack):
    """The same class as a folder, a zip and a tar."""
    print(f"SEED={SEED}")
    pile = simulated(SEED)
    assert len(pile) == 200
    done = grader.grade(pack(pile, grader.folder / {as_zip: "class.zip", as_tar: "class.tgz"}.get(pack, "class")),
                        expect=5)
    verify(grader, pile)
    faults = sum(expected.status == "fault" for expected in pile.people.values())
    assert f"{faults} not gradable through our fault" in done.stdout


def results(grader: Grader) -> list[tuple]:
    """Everything stored but how long it took, when, and in how many tries: those may differ."""
    store = grader.store()
    try:
        return sorted(store.db.execute("SELECT person, sha256, course, traces, settings, fault, verdict, score, max, "
                                       "utilization, kops, relative, json FROM result").fetchall())
    finally:
        store.close()


def test_killed_at_50_random_moments(tmp_path, dice):
    """SIGKILL at moments spread over the whole run; afterwards everything is as in a run that was left alone."""
    for name in ("calm", "killed"):
        (tmp_path / name).mkdir()
    calm, killed = Grader(tmp_path / "calm"), Grader(tmp_path / "killed")
    pile = simulated(SEED)
    source = as_zip(pile, tmp_path / "class.zip")
    calm.grade(source, expect=5)
    wanted = len(pile.people)
    reached = set()
    for kill in range(KILLS):
        process = killed.start("grade", source, "-o", killed.out, "--no-sandbox", "--jobs", "2")
        # Until so many more results are stored, and a random moment later: so the kills are spread over the batch.
        # Every fifth comes at any moment of the start.
        goal = stored(killed) + (0 if kill % 5 == 0 else 1 + dice.randrange(2 * wanted // KILLS))
        pause = dice.uniform(0, 0.6 if kill % 5 == 0 else 0.06)
        deadline = time.monotonic() + 20
        while stored(killed) < goal and process.poll() is None and time.monotonic() < deadline:
            time.sleep(0.01)
        time.sleep(pause)
        process.send_signal(signal.SIGKILL)
        process.communicate()
        reached.add(stored(killed))
        print(f"kill {kill}: goal {goal}, {pause:.3f} s later; {stored(killed)} results stored")
    assert len(reached) > KILLS // 2, f"the kills came at too few states: {reached}"
    killed.grade(source, expect=5)
    verify(killed, pile)
    assert results(killed) == results(calm)
    # What was stored is never done again: only what was under way at a kill (4 workers), and faults.
    store = killed.store()
    for row in store.rows():
        if row.status == "graded":
            tries = killed.calls(row.sha256)
            assert tries <= 2 + KILLS // 5, f"{row.person.key} was graded {tries} times"
    store.close()
    again = sum(max(0, killed.calls(row.sha256) - 1) for row in killed.rows().values() if row.status == "graded")
    assert again <= KILLS * 4, f"{again} repetitions after {KILLS} kills"


def stored(grader: Grader) -> int:
    """How many results are safe."""
    if not (grader.out / "results.sqlite").exists():
        return 0
    with sqlite3.connect(grader.out / "results.sqlite", timeout=30) as db:
        try:
            return db.execute("SELECT count(*) FROM result").fetchone()[0]
        except sqlite3.OperationalError:  # killed before the tables were made
            return 0
