"""A class of 200 simulated submissions: every layout, every way to end, every oddity; with what must come of each."""

import io
import random
import stat
import tarfile
import zipfile
from dataclasses import dataclass, field
from pathlib import Path

ENDS = (  # what the fake mdriver is told; verdict, status
    ("ok", "ok", "graded"), ("crash", "crash", "graded"), ("wrong", "overlap", "graded"), ("build", "build", "graded"),
    ("ok", "ok", "graded"), ("ok", "ok", "graded"), ("ok", "ok", "graded"),
    ("fault", "", "fault"), ("fault-once", "ok", "graded"), ("signal", "", "fault"), ("no-json", "", "fault"),
    ("bad-json", "", "fault"), ("grader", "grader", "fault"))
NAMES = ("Zoë Müller", "名前 太郎", "O'Neil, Ann", "=cmd|' /C calc'!A0", "Doe <b>Jane</b>", "Ana María Núñez")


@dataclass
class Expected:
    """What the gradebook must say of a person."""

    status: str
    verdict: str = ""
    score: float | None = None
    late: bool = False
    attempts: int = 1
    attempt: int | None = None


@dataclass
class Pile:
    """Files of a class as they lie in a download, and what must come of them."""

    files: dict[str, bytes] = field(default_factory=dict)
    links: dict[str, str] = field(default_factory=dict)   # symbolic links: refused
    people: dict[str, Expected] = field(default_factory=dict)
    refused: set[str] = field(default_factory=set)        # paths named in a note
    duplicates: set[str] = field(default_factory=set)     # people named in a note
    missing: set[str] = field(default_factory=set)

    def __len__(self) -> int:
        return len(self.files) + len(self.links)


def order(what: str, number: int) -> bytes:
    """A submission that tells the fake mdriver what to do; no two are alike."""
    return f"/* submission {number} */\n// fake: {what}\n".encode()


class _Maker:
    def __init__(self, seed: int) -> None:
        self.dice, self.pile, self.number = random.Random(seed), Pile(), 0

    def end(self) -> tuple[bytes, Expected]:
        """The next way to end, as a file and as what must come of it."""
        word, verdict, status = ENDS[self.number % len(ENDS)]
        self.number += 1
        index = round(self.dice.uniform(1, 100), 2)
        # A fault that happens once must not be seen, a wrong answer earns nothing here.
        score = None if status == "fault" else index if verdict == "ok" else 0.0
        return order(f"{word} {index}", self.number), Expected(status, verdict, score)

    def add(self, key: str, path: str, **more: object) -> Expected:
        """One submission of KEY's that counts."""
        data, expected = self.end()
        expected.__dict__.update(more)
        self.pile.files[path] = data
        self.pile.people[key] = expected
        return expected

    def older(self, path: str) -> None:
        """An attempt that does not count."""
        self.number += 1
        self.pile.files[path] = order("ok 100", self.number)


def simulated(seed: int, size: int = 200) -> Pile:
    """SIZE submissions, a fifth in each of five layouts but for the odd ones."""
    m = _Maker(seed)
    each = (size - 32) // 5
    for i in range(each):
        late = i % 7 == 0
        name = f"canvas{i}" if i >= len(NAMES) else NAMES[i].replace("/", "").replace("_", "")
        m.add(f"{5000 + i}", f"{name}_{'LATE_' if late else ''}{5000 + i}_{9000 + i}_mm.c", late=late, attempt=0)
        m.add(f"{7000 + i}", f"Student {i}_{7000 + i}_assignsubmission_file_/mm.c", attempt=0)
        m.add(f"u{i}@example.edu", f"u{i}@example.edu_{2}_mm.c", attempt=2)
        m.add(f"s{i}", f"repos/malloclab-s{i}-main/mm.c")
        m.add(f"last{i}", f"last{i}_mm.c")
    for i in range(8):  # attempts: of two versions the later counts
        m.older(f"twice{i}@example.edu_1_mm.c")
        m.add(f"twice{i}@example.edu", f"twice{i}@example.edu_3_mm.c", attempts=2, attempt=3)
    for i in range(4):  # two files for one attempt: the one nearer the top is graded
        m.add(f"{8000 + i}", f"Double {i}_{8000 + i}_assignsubmission_file_/mm.c", attempt=0)
        m.older(f"Double {i}_{8000 + i}_assignsubmission_file_/copy/mm.c")
        m.pile.duplicates.add(f"{8000 + i}")
    odd = {"utf16": "\ufeffint x;".encode("utf-16"), "nul": b"int x;\0\0", "empty": b" \n", "huge": b"x" * (300 << 10)}
    for i, (name, data) in enumerate(odd.items()):
        path = f"{name}_{6000 + i}_{6500 + i}_mm.c"
        m.pile.files[path] = data
        m.pile.refused.add(path)
        m.pile.missing.add(f"{6000 + i}")
    m.pile.files["pdf_6010_6510_report.pdf"] = b"%PDF"
    m.pile.missing.add("6010")
    m.pile.links["link_6011_6511_mm.c"] = "/etc/passwd"
    m.pile.refused.add("link_6011_6511_mm.c")
    m.pile.missing.add("6011")
    m.pile.files["__MACOSX/._mm.c"] = b"junk"
    while len(m.pile) < size:
        m.add(f"filler{m.number}", f"filler{m.number}_mm.c")
    return m.pile


def as_folder(pile: Pile, target: Path) -> Path:
    """The pile on disk."""
    for path, data in pile.files.items():
        (target / path).parent.mkdir(parents=True, exist_ok=True)
        (target / path).write_bytes(data)
    for path, to in pile.links.items():
        (target / path).symlink_to(to)
    return target


def as_zip(pile: Pile, target: Path) -> Path:
    """The pile as platforms send it."""
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
        for path, data in pile.files.items():
            archive.writestr(path, data)
        for path, to in pile.links.items():
            info = zipfile.ZipInfo(path)
            info.create_system, info.external_attr = 3, (stat.S_IFLNK | 0o777) << 16
            archive.writestr(info, to)
    return target


def as_tar(pile: Pile, target: Path) -> Path:
    """The pile as a compressed tar."""
    with tarfile.open(target, "w:gz") as archive:
        for path, data in pile.files.items():
            info = tarfile.TarInfo("./" + path)
            info.size = len(data)
            archive.addfile(info, io.BytesIO(data))
        for path, to in pile.links.items():
            info = tarfile.TarInfo("./" + path)
            info.type, info.linkname = tarfile.SYMTYPE, to
            archive.addfile(info)
    return target
