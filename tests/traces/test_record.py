"""The recorder, on programs whose requests are known."""

import subprocess
from pathlib import Path

import pytest
from tracetools import ROOT, needed, tool  # first: it finds the tools
from repfile import Request, most_live, read, violation


def build(folder: Path, name: str, text: str, *flags: str) -> Path:
    """A C program; unoptimized, so that every call is made."""
    source = folder / f"{name}.c"
    source.write_text(text)
    subprocess.run([needed("gcc", "gcc"), "-O0", "-w", "-o", folder / name, source, *flags], check=True)
    return folder / name


def record(folder: Path, *arguments: object, **options: object) -> tuple[list[Request], str]:
    """The requests recorded, and what was said."""
    out = folder / "out.rep.gz"
    done = tool("record", "-o", out, *arguments, **options)
    assert done.returncode == 0, done.stderr
    trace = read(out)
    assert violation(trace.requests) is None and not trace.warnings
    return trace.requests, done.stderr


EVERY_CALL = r"""
#define _GNU_SOURCE
#include <stdlib.h>
#include <malloc.h>
#include <unistd.h>
void *volatile null;
int main(void)
{
    char *a = malloc(100), *b = calloc(3, 40), *n = realloc(null, 50), *d, *e, *g;
    void *c;
    volatile size_t huge = (size_t)1 << 62;
    a = realloc(a, 300);
    posix_memalign(&c, 64, 128);
    free(null);
    d = malloc(0);
    n = realloc(n, 0);
    e = aligned_alloc(32, 64);
    g = memalign(128, 10);
    null = reallocarray(null, 3, 5);
    if (malloc(huge) || reallocarray(a, huge, huge) || realloc(a, huge)) return 1;
    free(b); free(a); free(c); free(d);
    malloc(7);
    _exit(0);
}
"""


def test_every_call(tmp_path):
    """Each function of the C library, at its edges; what fails is left out; what leaks stays."""
    requests, said = record(tmp_path, "--", build(tmp_path, "every", EVERY_CALL))
    assert requests == [
        ("a", 0, 100), ("c", 1, 120), ("r", 2, 50), ("r", 0, 300), ("a", 3, 128), ("f", -1, 0), ("a", 4, 0), ("r", 2, 0),
        ("a", 5, 64), ("a", 6, 10), ("r", 7, 15), ("f", 1, 0), ("f", 0, 0), ("f", 3, 0), ("f", 4, 0), ("a", 8, 7)]
    assert "3 requests for a given alignment; the alignment is dropped" in said
    assert "2 requests that failed (the answer was NULL); left out" in said
    assert "4 blocks are live at the end" in said


def test_limit_balance_and_weight(tmp_path):
    """The first requests only; what is live then is freed; the weight asked for."""
    program = build(tmp_path, "every", EVERY_CALL)
    requests, _ = record(tmp_path, "--limit", "5", "--balance", "--weight", "2", "--", program)
    assert requests == [("a", 0, 100), ("c", 1, 120), ("r", 2, 50), ("r", 0, 300), ("a", 3, 128),
                        ("f", 0, 0), ("f", 1, 0), ("f", 2, 0), ("f", 3, 0)]
    assert read(tmp_path / "out.rep.gz").weight == 2


def test_before_main(tmp_path):
    """Constructors run before the C library has the environment; their requests are there."""
    program = build(tmp_path, "early", r"""
#include <stdlib.h>
__attribute__((constructor(101))) static void early(void) { free(malloc(4321)); }
int main(void) { free(malloc(77)); return 0; }
""")
    requests, _ = record(tmp_path, "--", program)
    assert requests == [("a", 0, 4321), ("f", 0, 0), ("a", 1, 77), ("f", 1, 0)]


def test_threads(tmp_path):
    """Threads in one order, none of their requests lost, no address given to two."""
    program = build(tmp_path, "threads", r"""
#include <pthread.h>
#include <stdlib.h>
static void *work(void *arg)
{
    for (int i = 0; i < 5000; i++) {
        void *p = malloc(1000 + (size_t)arg);
        p = realloc(p, 2000 + (size_t)arg);
        free(p);
    }
    return NULL;
}
int main(void)
{
    pthread_t t[4];
    for (size_t i = 0; i < 4; i++) pthread_create(&t[i], NULL, work, (void *)i);
    for (size_t i = 0; i < 4; i++) pthread_join(t[i], NULL);
    return 0;
}
""", "-pthread")
    requests, said = record(tmp_path, "--", program)
    for size in range(4):
        assert sum(request[0] == "a" and request[2] == 1000 + size for request in requests) == 5000
        assert sum(request[0] == "r" and request[2] == 2000 + size for request in requests) == 5000
    assert "5 threads; their requests are in one order" in said and "again without" not in said
    assert most_live(requests) <= 16


FORKS = r"""
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>
int main(int argc, char **argv)
{
    void *p = malloc(10);
    if (!fork()) {
        free(p);
        for (int i = 0; i < 50; i++) free(malloc(999));
        execlp("bash", "bash", "-c", ":", NULL);
    }
    wait(NULL);
    free(p);
    return 0;
}
"""


def test_children(tmp_path):
    """A child's requests are not the parent's; the child that became another program can be chosen by name."""
    program = build(tmp_path, "forks", FORKS)
    requests, said = record(tmp_path, "--", program)
    assert requests == [("a", 0, 10), ("f", 0, 0)]
    assert "3 programs ran: bash (" in said and "forks (101 requests)" in said and "this is forks" in said
    requests, said = record(tmp_path, "--process", "bash", "--", program)
    assert len(requests) > 100 and "this is bash" in said
    requests, said = record(tmp_path, "--process", "forks", "--", program)
    assert requests[:2] == [("a", 0, 999), ("f", 0, 0)] and len(requests) == 100
    assert "1 frees of addresses that were never seen allocated; left out" in said
    done = tool("record", "-o", tmp_path / "x.rep", "--process", "cc1", "--", program)
    assert done.returncode == 2 and "no process named cc1 was recorded; there were bash (" in done.stderr
    assert not (tmp_path / "x.rep").exists()


def test_more_than_one_window(tmp_path):
    """Logs larger than the part of the file that is mapped at a time."""
    program = build(tmp_path, "many", r"""
#include <stdlib.h>
int main(void) { for (size_t i = 0; i < 60000; i++) free(malloc(i)); return 0; }
""")
    requests, _ = record(tmp_path, "--", program)
    assert requests == [request for i in range(60000) for request in (("a", i, i), ("f", i, 0))]


def test_program_that_crashes(tmp_path):
    """What it did until then is there; how it ended is said; its input and output are its own."""
    program = build(tmp_path, "crash", r"""
#include <stdlib.h>
#include <unistd.h>
int main(void) { char c; read(0, &c, 1); write(1, &c, 1); malloc(5); abort(); }
""")
    done = tool("record", "-o", tmp_path / "out.rep", "--", program, input="Q")
    assert (done.returncode, done.stdout) == (0, "Q") and "was ended by signal 6" in done.stderr
    assert read(tmp_path / "out.rep").requests == [("a", 0, 5)]


def test_interpreter(tmp_path):
    """A whole real program."""
    requests, _ = record(tmp_path, "--", "bash", "-c", "x=(); for i in {1..500}; do x+=($i); done; echo ${#x[@]}")
    assert len(requests) > 3000


@pytest.mark.parametrize("arguments, sentence", (
    (["-o", "{}/x.txt", "--", "ls"], "expected a name ending in .rep or .rep.gz"),
    (["-o", "{}/x.rep", "--", "/no/such/program"], "/no/such/program: cannot be run: No such file or directory"),
    (["-o", "{}/x.rep", "--", "{}/static"], "nothing was recorded: the program asked for nothing, or it is statically"),
    (["-o", "{}/x.rep", "--limit", "0", "--", "ls"], "--limit 0: expected at least 1"),
))
def test_bad_input(tmp_path, arguments, sentence):
    """One sentence, status 2, no file."""
    build(tmp_path, "static", "#include <stdlib.h>\nint main(void) { free(malloc(9)); return 0; }", "-static")
    done = tool("record", *(argument.replace("{}", str(tmp_path)) for argument in arguments))
    assert done.returncode == 2 and sentence in done.stderr
    assert not list(tmp_path.glob("x.*"))


def test_compiles_without_warnings(tmp_path):
    """The recorder under the project's warnings."""
    flags = ["-Wall", "-Wextra", "-Wconversion", "-Wshadow", "-Wstrict-prototypes", "-Wmissing-prototypes",
             "-Wpointer-arith", "-Wcast-align", "-Wundef", "-Werror"]
    subprocess.run([needed("gcc", "gcc"), "-std=gnu11", "-O2", "-shared", "-fPIC", *flags, "-o", tmp_path / "record.so",
                    ROOT / "traces" / "tools" / "record.c"], check=True)
