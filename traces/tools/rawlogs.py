"""Readers of other tools' logs of malloc calls: text in, calls of a Pairing out.

Each reader takes the log's lines and the number of the process wanted (None: the first seen), and returns how many
threads and processes it saw. What they read is described, with examples, in docs/TRACES.md.
"""

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from pairing import Pairing
from repfile import Problem


@dataclass
class Seen:
    """Who made the calls."""
    process: int | None = None  # the one whose calls were taken
    processes: set[int] = field(default_factory=set)
    threads: set[int] = field(default_factory=set)

    def wanted(self, process: int) -> bool:
        """Whether PROCESS is the one; the first is, if none was asked for."""
        self.processes.add(process)
        if self.process is None:
            self.process = process
        return process == self.process


def address(text: str) -> int:
    """0x55d0, 0, nil and (nil)."""
    return 0 if "nil" in text else int(text, 16)


def number(text: str) -> int:
    """A size, in decimal; int() would take a sign as well."""
    if not text.strip().isdecimal():
        raise ValueError(text)
    return int(text)


def one_process(process: int | None) -> None:
    """For a format that does not say which process makes a call."""
    if process is not None:
        raise Problem("such a log has one process and does not say its number; leave out --pid")


def call(to: Pairing, name: str, arguments: list[str], result: str) -> None:
    """One call of the C functions by name."""
    if name in ("free", "cfree"):
        to.free(address(arguments[0]))
    elif name == "malloc":
        to.malloc(number(arguments[0]), address(result))
    elif name == "calloc":
        to.calloc(number(arguments[0]) * number(arguments[1]), address(result))
    elif name == "realloc":
        to.realloc(address(arguments[0]), number(arguments[1]), address(result))
    elif name == "reallocarray":
        to.realloc(address(arguments[0]), number(arguments[1]) * number(arguments[2]), address(result))
    elif name in ("valloc", "pvalloc"):
        to.memalign(number(arguments[0]), address(result))
    else:  # memalign, aligned_alloc, posix_memalign as logalloc writes it: alignment, size
        to.memalign(number(arguments[1]), address(result))


NAMES = r"(malloc|calloc|realloc|reallocarray|free|cfree|memalign|aligned_alloc|posix_memalign|valloc|pvalloc)"

# ---- our own recorder, and Firefox's logalloc: "PID TID malloc(32)=0x55d0c0ffee10" ----

LOGALLOC = re.compile(rf"(\d+) (\d+) {NAMES}\(([^)]*)\)(?:=(\S+))?\s*$")


def logalloc(lines: Iterable[str], to: Pairing, process: int | None) -> Seen:
    """Firefox's logalloc; record.c writes the same."""
    seen = Seen(process)
    for line in lines:
        if (found := LOGALLOC.match(line)) and seen.wanted(int(found[1])):
            seen.threads.add(int(found[2]))
            call(to, found[3], found[4].split(","), found[5] or "0x0")
    return seen


# ---- valgrind --trace-malloc=yes: "--PID-- malloc(100) = 0x4A44040", among whatever else goes to stderr ----

VALGRIND = re.compile(r"--(\d+)-- (?:(\w+)\(([^)]*)\))?(?:(\w+)\(([^)]*)\))?(?: = 0x([0-9A-F]+))?")
VALGRIND_NEW = re.compile(r"_Zn[wa]|__builtin_(?:vec_)?new$")
VALGRIND_DELETE = re.compile(r"_Zd[la]|__builtin_(?:vec_)?delete$")


def valgrind_call(to: Pairing, name: str, text: str, result: str) -> None:
    """One call as valgrind writes it, C++'s by their mangled names."""
    arguments = text.split(",")
    numbers = [re.sub(r"^ *(?:al|size) ", "", argument) for argument in arguments]
    if VALGRIND_DELETE.match(name):
        to.free(address(numbers[0]))
    elif VALGRIND_NEW.match(name):
        sized = [argument for argument in arguments if not argument.startswith(" al ")][0]
        (to.memalign if "align_val" in name else to.malloc)(number(sized.removeprefix("size ")), int(result, 16))
    elif re.fullmatch(NAMES, name):
        call(to, name, numbers, result)


def valgrind(lines: Iterable[str], to: Pairing, process: int | None) -> Seen:
    """valgrind --trace-malloc=yes, any tool that replaces malloc (memcheck, dhat, massif). A call and its result are
    written one after the other, and another thread's call may stand between them: "malloc(96)free(0x5F4D2A0)", and the
    result on a line of its own."""
    seen = Seen(process)
    waiting: list[tuple[str, str]] = []  # calls whose result is still to come
    for line in lines:
        found = VALGRIND.search(line)
        if not found or not seen.wanted(int(found[1])):
            continue
        _, name, arguments, other, others, result = found.groups()
        if name == "realloc" and re.match(r"0x0,|.*,0$", arguments):
            other = None  # the malloc or free that this realloc is
        if name and other:
            waiting.append((name, arguments))
            name, arguments = other, others
        if name and not result and re.match(r"(m|c|re)alloc|memalign|" + VALGRIND_NEW.pattern, name) \
                and not (name == "realloc" and arguments.endswith(",0")):
            waiting.append((name, arguments))
        elif name:
            valgrind_call(to, name, arguments, result or "0")
        elif result and waiting:
            valgrind_call(to, *waiting.pop(0), result)
    while to.requests and to.requests[-1] == ("f", -1, 0):
        to.requests.pop()  # valgrind's own, as it empties the C library at the end
    return seen


# ---- ltrace -e malloc+free+...: "gcc->malloc(48) = 0x18102a0", "free(0x18102a0) = <void>" ----

LTRACE_PID = re.compile(r"(?:\[pid (\d+)\]|(\d+)) +")
LTRACE_CALL = re.compile(rf"(?:([^ (]*)->)?{NAMES}(?:@[^(]*)?\(([^)<]*?)\s*(?:(<unfinished \.\.\.>)|\) *= *(\S+))\s*$")
LTRACE_RESUMED = re.compile(rf"<\.\.\. {NAMES} resumed>.* = *(\S+)\s*$")


def ltrace(lines: Iterable[str], to: Pairing, process: int | None) -> Seen:
    """ltrace, with -f or without. What -f numbers are threads as well as processes: all are taken, unless one is asked
    for. Calls within libc are left out (their arguments are wrong in ltrace's output), and so is posix_memalign (its
    result is not shown)."""
    seen = Seen(process)
    unfinished: dict[int, list[tuple[str, list[str] | None]]] = {}
    for line in lines:
        who = 0
        if prefix := LTRACE_PID.match(line):
            who = int(prefix[1] or prefix[2])
            line = line[prefix.end():]
        if process is not None and who != process:
            continue
        if resumed := LTRACE_RESUMED.match(line):
            waiting = unfinished.get(who, [])
            while waiting:
                name, begun = waiting.pop()
                if name == resumed[1]:
                    if begun:
                        call(to, name, begun, resumed[2])
                    break
            continue
        if not (found := LTRACE_CALL.match(line)) or found[2] == "posix_memalign":
            continue
        seen.threads.add(who)
        module, name, arguments = found[1] or "", found[2], [argument.strip() for argument in found[3].split(",")]
        if module.startswith("libc.so"):
            arguments = []
        elif name == "free":
            call(to, name, arguments, "")  # in effect at once: others may get the address before it returns
            arguments = []
        if found[4]:
            unfinished.setdefault(who, []).append((name, arguments or None))
        elif arguments:
            call(to, name, arguments, found[5])
    return seen


# ---- mtrace(3): "@ ./a.out:[0x11b0] + 0x55d0 0x64" ----

MTRACE = re.compile(r"@ .*?\[0x[0-9a-f]+\] ([-+<>!]) (0x[0-9a-f]+|\(nil\))(?: (0x[0-9a-f]+|0))?\s*$")


def mtrace(lines: Iterable[str], to: Pairing, process: int | None) -> Seen:
    """glibc's mtrace. calloc is not told from malloc; free(NULL) and alignments are not written."""
    one_process(process)
    seen = Seen(process)
    old = 0
    for line in lines:
        if not (found := MTRACE.match(line)):
            continue
        sign, where, size = found[1], address(found[2]), int(found[3] or "0", 16)
        if sign == "+":
            to.malloc(size, where)
        elif sign == "-":
            to.free(where)
        elif sign == "<":
            old = where
        elif sign == ">":
            to.realloc(old, size, where)
    return seen


# ---- heaptrack --raw: "+ SIZE TRACE POINTER", "- POINTER", hexadecimal ----

def heaptrack(lines: Iterable[str], to: Pairing, process: int | None) -> Seen:
    """heaptrack's raw file. realloc is written as free and malloc; calloc and alignments are not told from malloc."""
    one_process(process)
    seen = Seen(process)
    for line in lines:
        words = line.split()
        if len(words) == 4 and words[0] == "+":
            to.malloc(int(words[1], 16), int(words[3], 16))
        elif len(words) == 2 and words[0] == "-":
            to.free(int(words[1], 16))
        elif words and words[0] == "a":
            raise Problem("this heaptrack file is interpreted already and has lost the addresses; "
                          "record with heaptrack --raw")
    return seen


Reader = Callable[[Iterable[str], Pairing, int | None], Seen]

# By what a line near the beginning looks like; in this order, the strictest first.
FORMATS: dict[str, tuple[Reader, re.Pattern[str]]] = {
    "heaptrack": (heaptrack, re.compile(r"v [0-9a-f]+ [0-9a-f]+$")),
    "valgrind": (valgrind, re.compile(r".*--\d+-- \w+\(")),
    "logalloc": (logalloc, LOGALLOC),
    "mtrace": (mtrace, re.compile(r"= Start$|@ .*\[0x[0-9a-f]+\] [-+<>]")),
    "ltrace": (ltrace, re.compile(rf"(?:\[pid \d+\] |\d+ +)?(?:[^ (]*->)?{NAMES}(?:@[^(]*)?\(.*(?:= |unfinished)")),
}


def recognise(lines: list[str]) -> str | None:
    """The format's name, by the first lines; None if it is none of them."""
    for name, (_, pattern) in FORMATS.items():
        if any(pattern.match(line) for line in lines):
            return name
    return None
