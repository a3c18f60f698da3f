"""Results and events made by hand: a first-fit allocator whose every byte is known, and classes of any size."""

import hashlib
import json
import random
from dataclasses import dataclass, field
from pathlib import Path

from grader.people import Person
from grader.report.events import HEADER, KINDS
from grader.store import Outcome, Store, Unit
from grader.submissions import Attempt, Note

HOSTILE = ("<script>document.title='owned'</script>", "\"><img src=x onerror=\"document.title='owned'\">",
           "</script><script>document.title='owned'</script>", "{{ 7 * 7 }} {% raw %}",
           "Ann \"The Cat\", O'Neil & <b>Co</b>",
           "\u202eevil\u202c \u200ftxt\u200e", "x" * 10_000, "javascript:document.title='owned'",
           "two\nlines\ttab\x00\x1b[31m",
           "'; DROP TABLE result; --", "名前 太郎", "../../../etc/passwd")


@dataclass
class FirstFit:
    """An allocator with a header before every block: addresses a multiple of 16, 16 bytes of header, first fit."""

    header: int = 16
    heap: int = 0
    blocks: dict[int, tuple[int, int]] = field(default_factory=dict)  # id -> (offset, size)
    lines: list[str] = field(default_factory=list)
    lives: list[int] = field(default_factory=list)                    # live payload after each request
    live: int = 0

    def room(self, size: int) -> int:
        """Bytes of a block with its header."""
        return self.header + max(16, -(-size // 16) * 16)

    def find(self, size: int) -> int:
        """The lowest offset for a payload of SIZE."""
        place = 0
        for offset, other in sorted(self.blocks.values()):
            if offset - self.header - place >= self.room(size):
                break
            place = offset - self.header + self.room(other)
        self.heap = max(self.heap, place + self.room(size))
        return place + self.header

    def request(self, kind: str, name: int, size: int = 0) -> None:
        """One request, and its line of events."""
        offset: int | str = "-"
        if kind in ("realloc", "free") and name in self.blocks:
            self.live -= self.blocks.pop(name)[1]
        if kind != "free" and size:
            offset = self.find(size)
            self.blocks[name] = (int(offset), size)
            self.live += size
        number = len(self.lines) + 1
        self.lives.append(self.live)
        self.lines.append(f"{number}\t{number + 4}\t{kind}\t{name}\t{size}\t{offset}\t{self.heap}\t{self.live}")

    def random(self, dice: random.Random, requests: int, most: int = 40) -> "FirstFit":
        """REQUESTS random requests with about MOST blocks alive."""
        fresh = 0
        for _ in range(requests):
            names = list(self.blocks)
            if names and (len(names) >= most or dice.random() < 0.4):
                name = dice.choice(names)
                if dice.random() < 0.3:
                    self.request("realloc", name, dice.randrange(1, 600))
                else:
                    self.request("free", name)
            else:
                self.request(dice.choice(("malloc", "malloc", "calloc")), fresh, dice.choice((8, 24, 64, 100, 500)))
                fresh += 1
        return self

    def write(self, path: Path) -> Path:
        """The events."""
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("\n".join([HEADER, *self.lines]) + "\n")
        return path

    def trace(self, name: str, **other: object) -> dict:
        """The trace's entry in a result."""
        peak = max(self.lives)
        count = len(self.lines)
        return {"name": name, "path": f"traces/{name}", "weight": "both", "verdict": "ok", "message": "", "hint": "",
                "line": 0, "request": 0, "address": None, "requests": count, "peak_payload": peak, "heap": self.heap,
                "outside": 0, "utilization": peak / self.heap, "ceiling": 0.98, "header_ceiling": 0.9,
                "seconds": count / 2e7, "kops": 20_000.0, "relative": 0.8, "relative_error": 0.05,
                "repetitions": [1.0e-4, 1.1e-4, 1.02e-4], "reference_repetitions": [0.8e-4, 0.9e-4, 0.8e-4],
                "latency": {kind: {"count": count // 4 + 1, "p50": 40.0, "p99": 200.0 + 10 * KINDS.index(kind),
                                   "p999": 900.0, "max": 5000.0, "max_request": 17} for kind in KINDS},
                "pauses": None, "output": "", **other}


def result(name: str, traces: list[dict], utilization: float = 0.8, relative: float = 0.8, path: str | None = None,
           **other: object) -> dict:
    """One result as docs/JSON.md has it."""
    bad = next((t["verdict"] for t in traces if t["verdict"] != "ok"), "ok")
    index = 60 * utilization + 40 * min(1, relative)
    return {"schema": 1, "tool": "mdriver 1.0", "course": "malloclab", "checkpoint": False, "clock": "cpu",
            "sandbox": "full", "submission": {
                "name": name, "path": name if path is None else path, "sha256": "0" * 64, "bits": 64, "static_bytes": 0,
                "flags": "-O2", "build_log": "", "team": []},
            "verdict": bad, "message": "", "reference": "explicit", "traces": traces,
            "score": {"utilization": utilization, "kops": 20_000.0 * relative, "relative": relative,
                      "index": index if bad == "ok" else 0.0, "max_index": 100.0, "deduction": 0.0,
                      "valid": sum(t["verdict"] == "ok" for t in traces), "scored": len(traces),
                      "parts": [{"name": "utilization", "points": 60 * utilization, "max": 60.0},
                                {"name": "throughput", "points": 40 * min(1, relative), "max": 40.0}]},
            "findings": [], **other}


def write_result(path: Path, *results: dict) -> Path:
    """The file of one result or of several."""
    data = results[0] if len(results) == 1 else {"schema": 1, "results": list(results)}
    path.write_text(json.dumps(data))
    return path


def failing(trace: dict, request: int, message: str, **other: object) -> dict:
    """The entry of a trace that fails."""
    return {**trace, "verdict": "overlap", "request": request, "line": request + 4, "message": message,
            "hint": "to see it: ./mdriver -D -f traces/x.rep mm.c", "relative": None, "kops": None, "seconds": None,
            "relative_error": None, "repetitions": [], "latency": {}, **other}


def made_class(out: Path, people: list[Person], results: list[dict | None]) -> Path:
    """OUT/results.sqlite with one attempt each; None handed in nothing."""
    out.mkdir(parents=True, exist_ok=True)
    store = Store(out, create=True)
    key = ("malloclab", "course", "sandbox")
    store.put(course=key[0], traces=key[1], settings=key[2], sandbox="full", attempts="latest")
    shas = [hashlib.sha256(person.key.encode("utf-8", "surrogatepass")).hexdigest() for person in people]
    attempts = [Attempt(p, f"{n}/mm.c", sha, 1, False, "") for n, (p, sha, r) in enumerate(zip(people, shas, results))
                if r is not None]
    notes = [Note("missing", "", "handed in nothing", p.key) for p, r in zip(people, results) if r is None]
    store.take_in(people, attempts, notes, "latest")
    for person, sha, found in zip(people, shas, results):
        if found is not None:
            store.save(Outcome(Unit(person.key, sha, *key), found))
    store.close()
    return out
