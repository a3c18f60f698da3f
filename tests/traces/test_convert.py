"""Converters: logs made here by the tools that packages.txt installs, and samples of the others' output."""

import gzip
import os
import subprocess
from pathlib import Path

import pytest
from tracetools import needed, tool  # first: it finds the tools
from repfile import Request, read, violation

PROGRAM = r"""
#define _GNU_SOURCE
#include <mcheck.h>
#include <stdlib.h>
#include <unistd.h>
void *volatile null;
int main(void)
{
    if (getenv("MALLOC_TRACE")) mtrace();
    char *a = malloc(100), *b = calloc(3, 40), *d, *e;
    void *c;
    a = realloc(a, 300);
    posix_memalign(&c, 64, 128);
    free(null);
    d = realloc(null, 50);
    e = malloc(0);
    d = realloc(d, 20);
    d = realloc(d, 0);
    write(2, "--12-- chatter\nmalloc\n", 22);
    free(b); free(a); free(c); free(e);
    return malloc(7) == NULL;
}
"""
CALLS = [("a", 0, 100), ("c", 1, 120), ("r", 0, 300), ("a", 2, 128), ("f", -1, 0), ("r", 3, 50), ("a", 4, 0), ("r", 3, 20),
         ("r", 3, 0), ("f", 1, 0), ("f", 0, 0), ("f", 2, 0), ("f", 4, 0), ("a", 5, 7)]


@pytest.fixture(scope="module", name="program")
def built(tmp_path_factory) -> Path:
    """The program above."""
    folder = tmp_path_factory.mktemp("program")
    (folder / "calls.c").write_text(PROGRAM)
    subprocess.run([needed("gcc", "gcc"), "-O0", "-w", "-o", folder / "calls", folder / "calls.c"], check=True)
    return folder / "calls"


def convert(log: Path, *options: object) -> tuple[list[Request], str]:
    """The requests of a log, and what was said."""
    out = log.with_name("out.rep")
    done = tool("convert", log, "-o", out, *options)
    assert done.returncode == 0, done.stderr
    trace = read(out)
    assert violation(trace.requests) is None and not trace.warnings
    return trace.requests, done.stderr


def test_valgrind(program, tmp_path):
    """Real output of valgrind, amid the program's own."""
    with open(tmp_path / "log", "w", encoding="utf-8") as log:
        subprocess.run([needed("valgrind", "valgrind"), "--trace-malloc=yes", program], stderr=log, check=True)
    requests, said = convert(tmp_path / "log")
    assert requests == CALLS
    assert "1 requests for a given alignment" in said and "1 blocks are live at the end" in said


def test_mtrace(program, tmp_path):
    """Real output of glibc's mtrace; what it does not write is missing: calloc, free(NULL), realloc's edges."""
    environment = os.environ | {"MALLOC_TRACE": str(tmp_path / "log"), "LD_PRELOAD": "libc_malloc_debug.so.0"}
    subprocess.run([program], env=environment, stderr=subprocess.DEVNULL, check=True)
    requests, _ = convert(tmp_path / "log")
    as_mtrace = {("c", 1, 120): ("a", 1, 120), ("r", 3, 50): ("a", 3, 50), ("r", 3, 0): ("f", 3, 0)}
    assert requests == [as_mtrace.get(request, request) for request in CALLS if request[1] >= 0]


def test_recorder_log(program, tmp_path):
    """The recorder's own log, which is in logalloc's format."""
    library = tmp_path / "record.so"
    source = Path(tool.__code__.co_filename).parents[2] / "traces" / "tools" / "record.c"
    subprocess.run(["gcc", "-O2", "-shared", "-fPIC", "-o", library, source], check=True)
    subprocess.run([program], env=os.environ | {"LD_PRELOAD": str(library), "MM_RECORD": str(tmp_path / "log")},
                   stderr=subprocess.DEVNULL, check=True)
    (log,) = tmp_path.glob("log.calls.*")
    assert convert(log)[0] == CALLS


SAMPLES = {
    "logalloc": ("""\
4242 4242 malloc(32)=0x7f0000001000
4242 4243 calloc(1,48)=0x7f0000001040
4242 4242 realloc(0x7f0000001000,64)=0x7f0000001080
9999 9999 malloc(5)=0x7f0000001000
4242 4242 realloc(0x0,8)=0x7f0000001000
4242 4243 memalign(64,100)=0x7f0000002000
4242 4242 free(0x7f0000001080)
4242 4242 free(0x0)
4242 4242 free(0x123450)
""", [("a", 0, 32), ("c", 1, 48), ("r", 0, 64), ("r", 2, 8), ("a", 3, 100), ("f", 0, 0), ("f", -1, 0)],
                 ("2 threads", "only process 4242 was taken; --pid chooses another (9999)", "3 blocks are live",
                  "1 frees of addresses that were never seen", "1 requests for a given alignment")),
    "ltrace": ("""\
sort->malloc(100)                                = 0x564c799402a0
sort->calloc(3, 40)                              = 0x564c79940310
sort->realloc(0x564c799402a0, 300)               = 0x564c79940390
sort->posix_memalign(0x7ffcfc98a508, 64, 128, 5) = 0
sort->realloc(nil, 20)                           = 0x564c79940590
sort->realloc(0x564c79940590, 0)                 = 0
sort->reallocarray(0, 3, 5, 7 <unfinished ...>
libc.so.6->calloc(0, 15)                         = 0x564c79940590
<... reallocarray resumed> )                     = 0x564c79940590
sort->malloc(4611686018427387904)                = 0
sort->free(0)                                    = <void>
sort->free(0x564c79940310)                       = <void>
+++ exited (status 0) +++
""", [("a", 0, 100), ("c", 1, 120), ("r", 0, 300), ("r", 2, 20), ("r", 2, 0), ("r", 3, 15), ("f", -1, 0), ("f", 1, 0)],
               ("1 requests that failed", "2 blocks are live at the end")),
    "ltrace of threads": ("""\
[pid 31] malloc(101 <unfinished ...>
[pid 30] malloc(100 <unfinished ...>
[pid 31] <... malloc resumed> )                  = 0x7f8930000b70
[pid 30] <... malloc resumed> )                  = 0x7f8928000b70
[pid 31] free(0x7f8930000b70 <unfinished ...>
[pid 30] malloc(50)                              = 0x7f8930000b70
[pid 31] <... free resumed> )                    = <void>
[pid 30] free(0x7f8930000b70)                    = <void>
""", [("a", 0, 101), ("a", 1, 100), ("f", 0, 0), ("a", 2, 50), ("f", 2, 0)],
                          ("2 threads or processes, which ltrace does not tell apart (--pid takes one)",)),
    "heaptrack": ("""\
v 10400 3
x 14 /home/user/program
X ./program
I 1000 5e2990
t 55ce98106100 0
+ 64 8 55cec6be31d0
+ 78 9 55cec6be3300
- 55cec6be31d0
+ 12c a 55cec6be33e0
- 55cec6be3300
c 0
R 3a0
- 1234
""", [("a", 0, 100), ("a", 1, 120), ("f", 0, 0), ("a", 2, 300), ("f", 1, 0)],
                  ("1 frees of addresses that were never seen", "1 blocks are live")),
    "mtrace": ("""\
= Start
@ ./a.out:(main+0x20)[0x11b0] + 0x55d000 0x64
@ ./a.out:[0x11c4] + 0x55d070 0
@ ./a.out:[0x121c] < 0x55d000
@ ./a.out:[0x121c] > 0x55d100 0x12c
@ ./a.out:[0x12f7] + (nil) 0x4000000000000000
@ ./a.out:[0x1300] ! 0x55d100 0x4000000000000000
@ ./a.out:[0x1313] - 0x55d070
= End
""", [("a", 0, 100), ("a", 1, 0), ("r", 0, 300), ("f", 1, 0)], ("1 requests that failed", "1 blocks are live")),
    "valgrind, C++": ("""\
==77== Memcheck, a memory error detector
--77-- _Znam(40) = 0x4D70C80
--77-- _Znwm(32) = 0x4D70CF0
some output --77-- realloc(0x0,15)malloc(15) = 0x4A435D0
--77-- _ZdlPvm(0x4D70CF0)
--77-- _ZdaPv(0x4D70C80)
--77-- _ZnwmSt11align_val_t(size 64, al 64) = 0x4D70E00
--78-- malloc(1) = 0x4D70E00
--77-- realloc(0x4A435D0,0)free(0x4A435D0)
--77--  = 0
--77-- _ZdlPvmSt11align_val_t(0x4D70E00)
--77-- free(0x0)
--77-- free(0x0)
""", [("a", 0, 40), ("a", 1, 32), ("r", 2, 15), ("f", 1, 0), ("f", 0, 0), ("a", 3, 64), ("r", 2, 0), ("f", 3, 0)],
                      ("only process 77 was taken", "1 requests for a given alignment")),
    "valgrind, threads": ("""\
--77-- malloc(96)free(0x0)
--77-- malloc(14)calloc(17,16) = 0x53F69E0
--77--  = 0x53F6B30
--77-- realloc(0x53F69E0,30)malloc(5) = 0x53F6C00
--77--  = 0x53F6D00
--77--  = 0x53F6E00
--77-- free(0x53F6D00)
""", [("f", -1, 0), ("c", 0, 272), ("a", 1, 96), ("a", 2, 5), ("a", 3, 14), ("r", 0, 30), ("f", 3, 0)],
                          ("3 blocks are live at the end",)),
    "an address given out twice": ("1 1 malloc(5)=0x10\n1 1 malloc(6)=0x10\n1 1 realloc(0x20,9)=0x30\n1 1 malloc(4)=0x40\n"
                                   "1 1 realloc(0x40,8)=0x30\n1 1 free(0x30)\n",
                                   [("a", 0, 5), ("f", 0, 0), ("a", 1, 6), ("a", 2, 9), ("a", 3, 4), ("f", 2, 0), ("r", 3, 8),
                                    ("f", 3, 0)],
                                   ("2 addresses were given out again", "1 reallocs of addresses that were never seen")),
}


@pytest.mark.parametrize("name", SAMPLES)
def test_samples(name, tmp_path):
    """Recognised, converted, and what cannot be kept is said; plain, gzipped and with CRLF."""
    text, expected, sentences = SAMPLES[name]
    (tmp_path / "log").write_text(text)
    requests, said = convert(tmp_path / "log")
    assert requests == expected
    for sentence in sentences:
        assert sentence in said
    (tmp_path / "log.gz").write_bytes(gzip.compress(text.replace("\n", "\r\n").encode()))
    assert convert(tmp_path / "log.gz")[0] == expected


def test_pid_and_standard_input(tmp_path):
    """Another process; a log from a pipe."""
    text = SAMPLES["logalloc"][0]
    done = tool("convert", "-", "-o", tmp_path / "out.rep", "--pid", "9999", input=text)
    assert done.returncode == 0 and read(tmp_path / "out.rep").requests == [("a", 0, 5)]
    done = tool("convert", "-", "-o", tmp_path / "none.rep", "--pid", "1", input=text)
    assert done.returncode == 2 and "expected calls of malloc and free by process 1" in done.stderr


@pytest.mark.parametrize("data, options, sentence", (
    (b"", [], "is empty; expected a log of heaptrack, valgrind"),
    (b"hello\n", [], "not recognised; expected a log of"),
    (b"hello\n", ["--from", "ltrace"], "expected calls of malloc and free as ltrace writes them, found none"),
    (b"v 10400 3\na 64 1\n+ 0\n- 0\n", [], "has lost the addresses; record with heaptrack --raw"),
    (b"1 1 malloc(x)=0x10\n", [], "cannot be understood as logalloc writes them"),
    (b"1 1 malloc(-6)=0x10\n", [], "cannot be understood as logalloc writes them"),
    (b"--7-- malloc(-6) = 0x10\n", [], "cannot be understood as valgrind writes them"),
    (b"v 10400 3\n+ 10 1 10\n", ["--pid", "7"], "has one process and does not say its number; leave out --pid"),
    (b"1 1 realloc(0x10)=0x10\n", [], "cannot be understood as logalloc writes them"),
    (gzip.compress(b"1 1 malloc(5)=0x10\n")[:-6], [], "expected a whole compressed file"),
))
def test_bad_logs(tmp_path, data, options, sentence):
    """One sentence, status 2, no file."""
    (tmp_path / "log").write_bytes(data)
    done = tool("convert", tmp_path / "log", "-o", tmp_path / "out.rep", *options)
    assert done.returncode == 2 and sentence in done.stderr and len(done.stderr.splitlines()) == 1
    assert not (tmp_path / "out.rep").exists()
