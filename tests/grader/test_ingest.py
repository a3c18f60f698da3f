"""From a pile to people: layouts, rosters, attempts, and everything that is refused by name."""

import hashlib
import io
import os
import stat
import tarfile
import tracemalloc
import zipfile
from pathlib import Path

import pytest

from grader.errors import Problem
from grader.people import Roster, read_roster
from grader.store import Store
from grader.submissions import ingest, parse_time

CODE = "int mm_init(void) { return 0; } /* %s */\n"
KEPT: dict[str, bytes] = {}


def keep(data: bytes) -> str:
    """A submission's name is its digest."""
    sha = hashlib.sha256(data).hexdigest()
    KEPT[sha] = data
    return sha


def pile(folder: Path, paths: list[str]) -> Path:
    """A folder with a submission at each path that ends in .c, and something else at the others."""
    for path in paths:
        target = folder / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(CODE % path)
    return folder


def read(source: Path, roster: Roster | None = None, **options: object):
    """What ingest makes of SOURCE."""
    return ingest(source, roster or Roster(), keep, **options)  # type: ignore[arg-type]


def found(intake) -> dict[str, tuple[str, int, bool]]:
    """Person's key -> path, number and lateness of the attempt with the highest number."""
    best: dict[str, tuple[str, int, bool]] = {}
    for a in sorted(intake.attempts, key=lambda a: a.number):
        best[a.person.key] = (a.path, a.number, a.late)
    return best


def kinds(intake) -> dict[str, list[str]]:
    """Notes by kind."""
    table: dict[str, list[str]] = {}
    for note in intake.notes:
        table.setdefault(note.kind, []).append(note.sentence)
    return table


# ---- layouts ----

LAYOUTS = [
    ("canvas", ["doejane_4242_99_mm.c", "roebob_LATE_4243_100_mm-2.c", "müllerzoë_4244_101_mm.c"],
     {"4242": ("doejane_4242_99_mm.c", 0, False), "4243": ("roebob_LATE_4243_100_mm-2.c", 2, True),
      "4244": ("müllerzoë_4244_101_mm.c", 0, False)}),
    ("moodle", ["Jane Doe_11_assignsubmission_file_/mm.c", "Bob Roe_12_assignsubmission_file_/work/mm.c",
                "A_B C_13_assignsubmission_file_mm.c"],
     {"11": ("Jane Doe_11_assignsubmission_file_/mm.c", 0, False),
      "12": ("Bob Roe_12_assignsubmission_file_/work/mm.c", 0, False),
      "13": ("A_B C_13_assignsubmission_file_mm.c", 0, False)}),
    ("autolab", ["jd@x.edu_1_mm.c", "jd@x.edu_10_mm.c", "bob@x.edu_2_mm.c"],
     {"jd@x.edu": ("jd@x.edu_10_mm.c", 10, False), "bob@x.edu": ("bob@x.edu_2_mm.c", 2, False)}),
    ("github", ["malloclab-jane/mm.c", "malloclab-bob-main/mm.c", "malloclab-zoe/src/mm.c"],
     {"jane": ("malloclab-jane/mm.c", 0, False), "bob": ("malloclab-bob-main/mm.c", 0, False),
      "zoe": ("malloclab-zoe/src/mm.c", 0, False)}),
    ("folders", ["Jane Doe/mm.c", "bob/mm.c"],
     {"Jane Doe": ("Jane Doe/mm.c", 0, False), "bob": ("bob/mm.c", 0, False)}),
    ("below a folder", ["all/2026/jane/mm.c", "all/2026/bob/lab/mm.c"],
     {"jane": ("all/2026/jane/mm.c", 0, False), "bob": ("all/2026/bob/lab/mm.c", 0, False)}),
    ("names", ["Doe_mm.c", "O'Neil-mm.c", "名前_mm.c"],
     {"Doe": ("Doe_mm.c", 0, False), "O'Neil": ("O'Neil-mm.c", 0, False), "名前": ("名前_mm.c", 0, False)}),
    ("one", ["mm.c"], None),
]


@pytest.mark.parametrize("paths, expected", [case[1:] for case in LAYOUTS], ids=[case[0] for case in LAYOUTS])
@pytest.mark.parametrize("pack", ["folder", "zip", "tar"])
def test_layout(tmp_path, paths, expected, pack):
    """The same people, whatever the download is packed in."""
    source = pile(tmp_path / "submissions", paths)
    if pack == "zip":
        with zipfile.ZipFile(tmp_path / "submissions.zip", "w") as archive:
            for path in paths:
                archive.write(source / path, path)
        source = tmp_path / "submissions.zip"
    elif pack == "tar":
        with tarfile.open(tmp_path / "submissions.tar.xz", "w:xz") as archive:
            archive.add(source, ".")
        source = tmp_path / "submissions.tar.xz"
    intake = read(source)
    if expected is None:
        assert [a.path for a in intake.attempts] == paths
    else:
        assert found(intake) == expected
    assert not [note for note in intake.notes if note.kind != "duplicate"]
    assert all(KEPT[a.sha256].decode() == CODE % a.path for a in intake.attempts)


GRADESCOPE = """---
submission_100:
  :submitters:
  - :name: Jane Doe
    :sid: '77'
    :email: jane@x.edu
  - :name: "Bob Roe"
    :sid: '78'
    :email: bob@x.edu
  :created_at: 2026-11-24 23:58:00.123456789 Z
  :score: 0.0
submission_101:
  :submitters:
  - :name: Zoë M
    :sid: ''
    :email: zoe@x.edu
  :created_at: 2026-11-25 00:01:00 Z
"""


def test_gradescope(tmp_path):
    """Folders named submission_N; who, when and with whom stands in the metadata."""
    source = pile(tmp_path, ["assignment_1/submission_100/mm.c", "assignment_1/submission_101/mm.c",
                             "assignment_1/submission_102/mm.c"])
    (source / "assignment_1" / "submission_metadata.yml").write_text(GRADESCOPE)
    intake = read(source, due=parse_time("2026-11-25T00:00"))
    assert {a.person.key: (a.person.name, a.person.sis, a.late) for a in intake.attempts} == {
        "jane@x.edu": ("Jane Doe", "77", False), "bob@x.edu": ("Bob Roe", "78", False),
        "zoe@x.edu": ("Zoë M", "", True), "submission_102": ("", "", False)}


def test_zip_in_the_download(tmp_path):
    """A student who hands in a zip is read as if it were a folder; one level, no more."""
    inner, innermost = io.BytesIO(), io.BytesIO()
    with zipfile.ZipFile(innermost, "w") as archive:
        archive.writestr("mm.c", CODE % "too deep")
    with zipfile.ZipFile(inner, "w") as archive:
        archive.writestr("lab/mm.c", CODE % "inner")
        archive.writestr("more.zip", innermost.getvalue())
    with zipfile.ZipFile(tmp_path / "class.zip", "w") as archive:
        archive.writestr("doejane_1_2_lab.zip", inner.getvalue())
        archive.writestr("roebob_2_3_lab.zip", b"PK\3\4 broken")
    intake = read(tmp_path / "class.zip")
    assert found(intake) == {"1": ("doejane_1_2_lab.zip/lab/mm.c", 0, False)}
    assert "roebob_2_3_lab.zip: is not a readable zip or tar" in kinds(intake)["refused"][0]


# ---- people ----

def test_roster(tmp_path):
    """Every kind of claim finds its person; the rest is reported, not lost."""
    roster = tmp_path / "roster.csv"
    roster.write_text("\ufeffStudent,ID,SIS User ID,SIS Login ID,Email,GitHub,Section\n    Points Possible,,,,,,\n"
                      '"Doe, Jane",4242,s1,jdoe,jane@x.edu,jane-codes,A\n"Roe, Bob",4243,s2,broe,bob@x.edu,,A\n'
                      '"Moe, Zoë",4244,s3,zmoe,zoe@x.edu,,B\n"Poe, Pat",4245,s4,ppoe,pat@x.edu,,B\n'
                      '"Student, Test",1,,,,,A\n', encoding="utf-8")
    source = pile(tmp_path / "pile", ["doejane_4242_9_mm.c", "bob@x.edu_1_mm.c", "moe_mm.c", "stranger_mm.c"])
    intake = read(source, read_roster(roster))
    assert {a.person.key: a.path for a in intake.attempts} == {
        "jdoe": "doejane_4242_9_mm.c", "broe": "bob@x.edu_1_mm.c", "zmoe": "moe_mm.c", "stranger": "stranger_mm.c"}
    notes = kinds(intake)
    assert notes["missing"] == ["Poe, Pat handed in nothing"]
    assert "'stranger' is not on the roster" in notes["unknown"][0]


def test_two_people_of_one_name(tmp_path):
    """A name that two people have finds neither; their ids still do."""
    roster = tmp_path / "roster.csv"
    roster.write_text("name;login\nAnn Lee;alee1\nAnn Lee;alee2\n")
    intake = read(pile(tmp_path / "pile", ["Ann Lee_mm.c", "alee2_mm.c"]), read_roster(roster))
    assert sorted(a.person.key for a in intake.attempts) == ["Ann Lee", "alee2"]
    assert [n.path for n in intake.notes if n.kind == "unknown"] == ["Ann Lee_mm.c"]


def test_same_name_but_for_accents(tmp_path):
    """Strangers whose names fold alike stay two people."""
    intake = read(pile(tmp_path / "pile", ["Muller/mm.c", "Müller/mm.c"]))
    assert sorted(a.person.key for a in intake.attempts) == ["Muller", "Müller"]


def test_duplicates_and_what_was_there_instead(tmp_path):
    """Two files for one attempt: one is graded, both are named. No file: what there was is named."""
    source = pile(tmp_path / "pile", ["ann/mm.c", "ann/old/mm.c", "bob/report.pdf", "bob/malloc.c", "cy/mm.c"])
    intake = read(source)
    notes = kinds(intake)
    assert found(intake)["ann"][0] == "ann/mm.c"
    assert "ann has two files for one attempt: ann/mm.c is graded, ann/old/mm.c is not" in notes["duplicate"][0]
    assert notes["missing"] == ["bob has no mm.c (found malloc.c, report.pdf)"]


def test_what_was_handed_in_and_cannot_be_graded(tmp_path):
    """The reason stands where the person is missing, too."""
    source = pile(tmp_path / "pile", ["ann/mm.c", "bob/mm.c", "cy/mm.c"])
    (source / "bob" / "mm.c").write_bytes(b"")
    (source / "cy" / "mm.c").write_text("int x;", encoding="utf-16")
    assert kinds(read(source))["missing"] == [
        "bob has no mm.c that can be graded: mm.c is empty",
        "cy has no mm.c that can be graded: mm.c is UTF-16 text; C source must be ASCII or UTF-8"]


@pytest.mark.parametrize("text, utc", [
    ("2026-11-24T23:59", "2026-11-24T23:59:00+00:00"), ("2026-11-24 23:59:10 Z", "2026-11-24T23:59:10+00:00"),
    ("2026-11-24 23:59:10.123456789 -0500", "2026-11-25T04:59:10.123456+00:00"),
    ("2026-11-24T23:59+01:00", "2026-11-24T22:59:00+00:00"), ("2026-11-24 10:00:00 UTC", "2026-11-24T10:00:00+00:00")])
def test_times(text, utc):
    """As people and platforms write them."""
    assert (parse_time(text) - parse_time(utc)).total_seconds() == 0


# ---- what is refused, by name ----

def refusals(source: Path) -> dict[str, str]:
    """Path -> sentence, for everything that was left out."""
    return {n.path: n.sentence for n in read(source).notes if n.kind == "refused"}


def add(archive: tarfile.TarFile, name: str, kind: bytes = tarfile.REGTYPE, data: bytes = b"", link: str = "") -> None:
    """One member of a hostile tar."""
    info = tarfile.TarInfo(name)
    info.type, info.size, info.linkname = kind, len(data), link
    archive.addfile(info, io.BytesIO(data))


def test_hostile_tar(tmp_path):
    """Paths that escape, links, devices, names of no encoding: each refused by name, the honest file still read."""
    with tarfile.open(tmp_path / "class.tar", "w", encoding="utf-8", errors="surrogateescape") as archive:
        add(archive, "../../evil/mm.c", data=b"x")
        add(archive, "/etc/cron.d/mm.c", data=b"x")
        add(archive, "c:\\windows\\mm.c", data=b"x")
        add(archive, "soft/mm.c", tarfile.SYMTYPE, link="/etc/shadow")
        add(archive, "hard/mm.c", tarfile.LNKTYPE, link="ann/mm.c")
        add(archive, "fifo/mm.c", tarfile.FIFOTYPE)
        add(archive, "device/mm.c", tarfile.CHRTYPE)
        add(archive, "bad\udcff/mm.c", data=b"x")
        add(archive, "esc\x1b[31m/mm.c", data=b"x")
        add(archive, "ann/mm.c", data=b"int x;")
    intake = read(tmp_path / "class.tar")
    assert [a.path for a in intake.attempts] == ["ann/mm.c"]
    said = " | ".join(kinds(intake)["refused"])
    for words in ("leaves the archive", "absolute path", "soft/mm.c: is a link", "hard/mm.c: is a link",
                  "fifo/mm.c: is not a regular file", "device/mm.c: is not a regular file", "name that is not UTF-8",
                  "control characters"):
        assert words in said, (words, said)
    assert "\x1b" not in said and not (tmp_path.parent / "evil").exists()
    store = Store(tmp_path, create=True)
    store.take_in(intake.roster.people, intake.attempts, intake.notes, "latest")
    paths = {note.path for note in store.notes()}
    assert paths > {"soft/mm.c", "bad\\udcff/mm.c"}, "a refused name must not end the batch"


def test_hostile_zip(tmp_path):
    """The same for a zip; and a bomb, which is not inflated."""
    with zipfile.ZipFile(tmp_path / "class.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("../evil_mm.c", "x")
        archive.writestr("bomb_1_2_mm.c", b"\0" * (200 << 20))
        link = zipfile.ZipInfo("link_2_3_mm.c")
        link.create_system, link.external_attr = 3, (stat.S_IFLNK | 0o777) << 16
        archive.writestr(link, "/etc/passwd")
        archive.writestr("ann_3_4_mm.c", "int x;")
    raw = bytearray((tmp_path / "class.zip").read_bytes())
    at = raw.rindex(b"ann_3_4_mm.c") - 46  # the last entry of the central directory
    tracemalloc.start()
    said = refusals(tmp_path / "class.zip")
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert set(said) == {"../evil_mm.c", "bomb_1_2_mm.c", "link_2_3_mm.c"}
    assert "the limit is 262,144" in said["bomb_1_2_mm.c"] and "symbolic link" in said["link_2_3_mm.c"]
    assert peak < 16 << 20, f"{peak:,} bytes were needed to refuse a bomb"
    raw[at + 8] |= 1  # encrypted
    (tmp_path / "locked.zip").write_bytes(raw)
    assert "is encrypted" in refusals(tmp_path / "locked.zip")["ann_3_4_mm.c"]


def test_size_that_lies(tmp_path):
    """A member that says it is small and inflates without end is cut off."""
    data = b"\0" * (50 << 20)
    with zipfile.ZipFile(tmp_path / "a.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("ann_mm.c", data)
        archive.writestr("bob_mm.c", b"int x;")
    raw = (tmp_path / "a.zip").read_bytes()
    (tmp_path / "a.zip").write_bytes(raw.replace((50 << 20).to_bytes(4, "little"), (100).to_bytes(4, "little")))
    assert set(refusals(tmp_path / "a.zip")) == {"ann_mm.c"}


def test_nested_bomb(tmp_path):
    """A student's tar.gz that inflates to gigabytes, as far as anybody knows."""
    inner = io.BytesIO()
    with tarfile.open(fileobj=inner, mode="w:gz", compresslevel=1) as archive:
        info = tarfile.TarInfo("filler.bin")
        info.size = 300 << 20
        archive.addfile(info, _Zeros(info.size))
    source = pile(tmp_path / "pile", ["bob_2_3_mm.c"])
    (source / "ann_1_2_lab.tar.gz").write_bytes(inner.getvalue())
    said = refusals(source)
    assert "a bomb?" in said["ann_1_2_lab.tar.gz"]


class _Zeros(io.RawIOBase):
    """So many zero bytes, without having them."""

    def __init__(self, size: int) -> None:
        self.left = size

    def read(self, size: int = -1) -> bytes:
        """The next of them."""
        size = min(size, self.left)
        self.left -= size
        return bytes(size)


def test_odd_files_on_disk(tmp_path):
    """Links, FIFOs, UTF-16, binaries, empty and huge files in a folder."""
    source = pile(tmp_path / "pile", ["good/mm.c"])
    for name in ("link", "dangling", "fifo", "utf16", "binary", "empty", "huge", "latin1"):
        (source / name).mkdir()
    (source / "link" / "mm.c").symlink_to("/etc/passwd")
    (source / "dangling" / "mm.c").symlink_to("/nowhere")
    (source / "loop").symlink_to(source)
    (source / "nobody").mkdir()
    (source / "good" / "docs").mkdir()
    os.mkfifo(source / "fifo" / "mm.c")
    (source / "utf16" / "mm.c").write_bytes("int x;".encode("utf-16"))
    (source / "binary" / "mm.c").write_bytes(b"\x7fELF\0\0")
    (source / "empty" / "mm.c").write_bytes(b"\n \n")
    (source / "huge" / "mm.c").write_bytes(b"/" * (257 << 10))
    (source / "latin1" / "mm.c").write_bytes("int x; /* für Jörg */\n".encode("latin-1"))
    intake = read(source)
    assert {a.person.key for a in intake.attempts} == {"good", "latin1"}
    said = {n.path: n.sentence for n in intake.notes if n.kind == "refused"}
    assert set(said) == {"link/mm.c", "dangling/mm.c", "loop", "fifo/mm.c", "utf16/mm.c", "binary/mm.c", "empty/mm.c",
                         "huge/mm.c"}
    missing = {n.person for n in intake.notes if n.kind == "missing"}
    assert {"link", "utf16", "binary", "empty", "huge"} <= missing, "who handed in only what was refused must be told"
    assert "nobody has no mm.c (found nothing)" in kinds(intake)["missing"] and "good" not in missing


def test_nothing_to_grade(tmp_path):
    """A sentence that says what was expected."""
    source = pile(tmp_path / "pile", ["ann/allocator.c"])
    with pytest.raises(Problem, match="no mm.c in it; expected a download from Canvas"):
        read(source)


def test_memory_is_flat(tmp_path):
    """Twenty times the submissions, far from twenty times the memory: contents are not kept."""
    peaks = []
    for number in (100, 2000):
        with zipfile.ZipFile(tmp_path / f"{number}.zip", "w") as archive:
            for i in range(number):
                archive.writestr(f"s{i}_{i}_{i}_mm.c", f"/* {i} */" + "x" * 20_000)
        tracemalloc.start()
        assert len(ingest(tmp_path / f"{number}.zip", Roster(), lambda data: hashlib.sha256(data).hexdigest()).attempts
                   ) == number
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
    assert peaks[1] < 2000 * 8_000, f"{peaks[1]:,} bytes for 2000 submissions of 20 KB"
