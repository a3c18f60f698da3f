"""mdriver's command line: what is accepted, what is refused and how, what comes out."""
from __future__ import annotations

import fcntl
import gzip
import json
import os
import pty
import select
import shutil
import signal
import struct
import subprocess
import tempfile
import termios
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from mdriver import MDRIVER, ROOT, mdriver, result, write_lines, write_trace


@pytest.fixture(name="trace", scope="module")
def fixture_trace(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A trace of 3000 requests."""
    return write_trace(tmp_path_factory.mktemp("traces") / "mixed.rep", 3000)


# ---- bad input: one sentence, a documented exit status ----

@pytest.mark.parametrize(("arguments", "status", "words"), [
    (["--nonsense"], 2, "no option --nonsense"),
    (["--check-onyl"], 2, "did you mean --check-only"),
    (["-Z"], 2, "no option -Z"),
    (["-f"], 2, "a value is missing"),
    (["--json"], 2, "a value is missing"),
    (["--clock=sundial"], 2, "expected one of cpu, wall, instructions"),
    (["--bits", "16"], 2, "expected one of auto, 32, 64"),
    (["-s", "soon"], 2, "expected a number"),
    (["-s", "nan"], 2, "expected a number"),
    (["--min-score", "-3"], 2, "expected a number"),
    (["--seed", "1.5"], 2, "--seed 1.5: expected a whole number"),
    (["--seed", "1e17"], 2, "expected a number from 0 to 9007199254740992"),
    (["--cpu", "1000"], 2, "--cpu 1000: there is no such core here"),
    (["--check-turn", "no-such-lock"], 2, "No such file or directory; make it first, with touch"),
    (["-c", "clasic"], 2, "did you mean 'classic'"),
    (["-c", "/no/such/course.cfg"], 2, "/no/such/course.cfg"),
    (["explicti"], 2, "did you mean 'explicit'"),
    (["no-such-file.c"], 2, "no-such-file.c: No such file or directory"),
    (["implicit", "no-such-file.c"], 2, "no-such-file.c: No such file or directory"),
    (["mdriver.x", "./mm"], 2, "mdriver.x: No such file"),
    (["./mm"], 2, "./mm: no such file; did you mean './mm.c'?"),
    (["-f", "/no/such.rep"], 2, "/no/such.rep"),
    (["-t", "/no/such/folder"], 2, "/no/such/folder"),
    (["-f", "."], 2, "directory"),
    (["-D", "--latency"], 2, "--latency asks for a timing"),
    (["-O"], 2, "belongs to another driver"),
    (["--reference", "no-such", "implicit"], 2, "no-such"),
    (["--plot", "nonsense"], 2, "expected one of pareto, heap"),
    (["--plot", "heap=picture.jpg"], 2, "must end in .svg, .png or .pdf"),
    (["--plot", "heap"], 2, "no terminal to draw in"),
    (["--plot", "heap=x.svg", "implicit", "explicit"], 2, "shows one allocator, and here are 2"),
    (["--plot", "pareto=x.svg", "-D"], 2, "-D times nothing"),
    (["--plot", "latency=x.svg"], 2, "add --latency"),
    (["--json", "no/such/result.json"], 2, "there is no folder no/such"),
    (["--json", "tests"], 2, "that is a folder"),
    (["--json", "/proc/result.json"], 2, "cannot write in the folder /proc"),
    (["--events", "no/such"], 2, "there is no folder no"),
    (["--events", "/proc", "implicit", "explicit"], 2, "cannot write in that folder"),
    (["--events", "README.md", "implicit", "explicit"], 2, "that is a file"),
    (["--events", "build/events", "mm.c", "tests/../mm.c"], 2, "two allocators are called mm.c"),
    (["--plot", "heap=no/such.svg"], 2, "there is no folder no"),
    (["--plot", "heap=/proc/heap.svg"], 2, "cannot write in the folder /proc"),
], ids=lambda value: " ".join(value) if isinstance(value, list) else None)
def test_bad_input(arguments: list[str], status: int, words: str, trace: Path) -> None:
    """What is wrong is said in one line on standard error, and nothing on standard output."""
    more = [] if "-f" in arguments or "-t" in arguments else ["-f", str(trace)]
    done = mdriver(*arguments, *more) if arguments not in (["-f"], ["--json"]) else mdriver(*arguments)
    assert done.returncode == status, done.stderr
    said = [line for line in done.stderr.splitlines() if line.startswith("mdriver: ")]
    assert len(said) == 1 and words in said[0]
    assert done.stdout == ""


def test_missing_gnuplot_is_noticed_before_grading(tmp_path: Path, trace: Path) -> None:
    """A program that is no gnuplot stands in its place: nothing is graded, and what to install is said."""
    (tmp_path / "gnuplot").write_text("#!/bin/sh\nexit 1\n")
    (tmp_path / "gnuplot").chmod(0o755)
    for path in (str(tmp_path / "empty"), f"{tmp_path}:{os.environ['PATH']}"):
        done = mdriver("--check-only", "--plot", f"heap={tmp_path}/heap.svg", "-f", trace, "implicit",
                       env={"PATH": path})
        assert done.returncode == 5 and done.stdout == "" and "install gnuplot-nox" in done.stderr
        assert done.stderr.startswith("mdriver: ") and "quiet machine" not in done.stderr


def test_bad_trace_names_file_and_line(tmp_path: Path) -> None:
    """A malformed request is located."""
    bad = tmp_path / "bad.rep"
    bad.write_text("0\n1\n2\n1\na 0 64\nq 0\n")
    done = mdriver("-f", bad, "implicit")
    assert done.returncode == 2
    assert f"{bad}:6:" in done.stderr


def test_empty_folder(tmp_path: Path) -> None:
    """A folder without traces is said to be one."""
    done = mdriver("-t", tmp_path, "implicit")
    assert done.returncode == 2
    assert f"{tmp_path}: no .rep or .rep.gz file there" in done.stderr


def test_trace_without_requests(tmp_path: Path) -> None:
    """A header alone is refused, with what is missing."""
    empty = tmp_path / "empty.rep"
    empty.write_text("20000000\n0\n0\n1\n")
    done = mdriver("-f", empty, "implicit")
    assert done.returncode == 2 and "at least one request" in done.stderr


BUILD_FAILURES = {
    "nothing": ("", "it does not define mm_init, mm_malloc, mm_free, mm_realloc"),
    "a syntax error": ('#include "mm.h"\nint mm_init(void) { return 0 }\n', "does not compile\n"),
    "UTF-16": ("int mm_init(void);\n", "it holds zero bytes, so it is no plain text; save it as UTF-8\n"),
    "an array of 8 GiB": ('#include "mm.h"\nvolatile char a[8ULL << 30];\nint mm_init(void) { return a[0]; }\n'
                          "void *mm_malloc(size_t n) { return n ? 0 : 0; }\nvoid mm_free(void *p) { (void)p; }\n"
                          "void *mm_realloc(void *p, size_t n) { return n ? p : 0; }\n",
                          "its static data is larger than 2 GiB"),
    "a function that is missing": ('#include "mm.h"\nint mm_init(void) { return 0; }\nvoid *mm_malloc(size_t n)\n'
                                   "{\n    extern int place(size_t); return place(n) ? mem_heap_lo() : 0;\n}\n"
                                   "void mm_free(void *p) { (void)p; }\n"
                                   "void *mm_realloc(void *p, size_t n) { return n ? p : 0; }\n",
                                   "does not link: place (mm.c:5) is used and nowhere defined\n"),
    "a missing mm_free": ('#include "mm.h"\nint mm_init(void) { return 0; }\n'
                          "void *mm_malloc(size_t n) { (void)n; return 0; }\n"
                          "void *mm_realloc(void *p, size_t n) { return n ? p : 0; }\n",
                          "it does not define mm_free\n"),
    "a header of one's own": ('#include "mm.h"\n#include "lists.h"\nint mm_init(void) { return 0; }\n',
                              "does not compile: lists.h is not here, for a submission is one file; put what is"),
    "lost macros": ('#include "mm.h"\nint mm_init(void) { return 0; }\nvoid *malloc(size_t n) { return n ? 0 : 0; }\n'
                    "void free(void *p) { (void)p; }\nvoid *realloc(void *p, size_t n) { return n ? p : 0; }\n",
                    "it does not define mm_malloc, mm_free, mm_realloc, but malloc: write `#define malloc mm_malloc`"),
}


@pytest.mark.parametrize("what", BUILD_FAILURES)
def test_why_a_file_does_not_build(tmp_path: Path, trace: Path, what: str) -> None:
    """The reason stands first, and no other course is suggested when none would help."""
    text, words = BUILD_FAILURES[what]
    (tmp_path / "mm.c").write_text(text, encoding="utf-16" if what == "UTF-16" else "utf-8")
    done = mdriver("--check-only", "-f", trace, tmp_path / "mm.c")
    assert done.returncode == 3
    assert words in done.stdout and "--course auto" not in done.stdout


def test_the_linkers_own_words_are_for_those_who_ask(tmp_path: Path, trace: Path) -> None:
    """With -V and in the JSON; otherwise only the sentence, which names none of our files."""
    (tmp_path / "mm.c").write_text(BUILD_FAILURES["a missing mm_free"][0])
    arguments = ["--check-only", "-f", trace, tmp_path / "mm.c"]
    plain, whole, found = mdriver(*arguments).stdout, mdriver("-V", *arguments).stdout, result(*arguments)
    assert plain == "build  mm.c: it does not define mm_free\n"
    assert whole.startswith(plain) and "undefined reference to `mm_free'" in whole
    assert "undefined reference" in found["submission"]["link_log"] and found["submission"]["build_log"] == ""


def test_another_edition_is_suggested_when_it_would_help(tmp_path: Path, trace: Path) -> None:
    """A file of the autolab edition that lacks a function under the default course."""
    (tmp_path / "mm.c").write_text('#include "mm.h"\n#ifdef DRIVER\n#define malloc mm_malloc\n#endif\n'
                                   "int mm_init(void) { return 0; }\n")
    done = mdriver("--check-only", "-f", trace, tmp_path / "mm.c")
    assert done.returncode == 3 and "looks like a file of the autolab edition" in done.stdout


def test_many_failures_are_told_once(trace: Path) -> None:
    """Six failures are described, the others counted; -v describes all."""
    arguments = ["--check-only", *["-f", trace] * 9, "tests/broken/init-fails.c"]
    short, whole = mdriver(*arguments).stdout, mdriver("-v", *arguments).stdout
    assert short.count("mdriver -f") == 6 and "3 more traces fail" in short
    assert whole.count("mdriver -f") == 9 and "more traces fail" not in whole


# ---- what a failure tells ----

def allocator(folder: Path, malloc: str) -> Path:
    """A file whose mm_malloc, from line 5 on, has this body; nothing is ever freed, and there is no mm_checkheap."""
    path = folder / "attempt.c"
    path.write_text('#include <stdio.h>\n#include <string.h>\n#include "memlib.h"\nint mm_init(void) { return 0; }\n'
                    "void *mm_malloc(size_t size) {\n" + malloc + "\n}\nvoid mm_free(void *p) { (void)p; }\n"
                    "void *mm_realloc(void *p, size_t size) {\n    void *q = mm_malloc(size);\n"
                    "    if (p && q) memcpy(q, p, size);\n    return q;\n}\n")
    return path


NEXT = "return mem_sbrk((intptr_t)((size + 15) / 16 * 16));"


def test_the_place_of_an_endless_loop(tmp_path: Path, trace: Path) -> None:
    """Where it was when it was stopped."""
    path = allocator(tmp_path, f"static volatile int n;\nwhile (n == 20) ;\nn++; {NEXT}")
    found = result("--check-only", "-s", "0.5", "-f", trace, path)["traces"][0]
    assert found["verdict"] == "timeout" and found["message"].endswith(", in mm_malloc (attempt.c:7)")


def test_the_place_of_a_call_into_the_library(tmp_path: Path, trace: Path) -> None:
    """memset goes past the break: who called it is what a student can mend."""
    path = allocator(tmp_path, f"char *p = mem_sbrk(16);\nmemset(p, 0, 10000 + size);\n{NEXT}")
    found = result("--check-only", "-f", trace, path)["traces"][0]
    assert found["verdict"] == "past-break" and "(heap size 16)" in found["message"]
    assert found["message"].endswith(", in a library function called by mm_malloc (attempt.c:7)")


CRASHES = {  # the body of mm_malloc, word size, what is told of it
    "just before NULL": ("int *volatile p = NULL; return (char *)p + p[-1];", "32", "(4 bytes before a NULL pointer)"),
    "a field of NULL": ("struct s { long a, b; } *volatile s = NULL; return (void *)s->b;", "64",
                        "(8 bytes after a NULL pointer)"),
    "payload as a pointer": ("char **volatile p = (char **)0x8badf00d8badf00d; return *p;", "64",
                             "through a pointer that holds no possible address"),
    "no function": ("char *(*volatile f)(size_t) = NULL; return f(size) + 16;", "64",
                    "calling a function at address 0x0 (a NULL pointer), where there is none"),
    "a large array": ("volatile char a[1 << 24]; a[size] = 1; return mem_sbrk(a[size] * 16);", "32",
                      "the stack overflowed"),
    "the stack's far end": ("return *(void **volatile *)0xffffe000;", "32", "touching address 0xffffe000 at request"),
}


@pytest.mark.parametrize("what", CRASHES)
def test_what_a_crash_is_called(tmp_path: Path, trace: Path, what: str) -> None:
    """No address is called NULL, and no stack full, that is not; the place is in the source."""
    body, bits, words = CRASHES[what]
    found = result("--check-only", "--bits", bits, "-f", trace, allocator(tmp_path, body))["traces"][0]
    assert found["verdict"] == "crash" and words in found["message"]
    assert found["message"].endswith("mm_malloc (attempt.c:6)")
    assert ("stack overflowed" in found["message"]) == (what == "a large array")


def test_a_heap_that_only_grows(tmp_path: Path) -> None:
    """What may be the cause of a full heap stands below it."""
    trace = write_lines(tmp_path / "one.rep", [line for i in range(2000) for line in (f"a {i} 20000", f"f {i}")])
    def said(malloc: str) -> str:
        return mdriver("--check-only", "-c", "classic", "-f", trace, allocator(tmp_path, malloc)).stdout
    block = NEXT.replace("return", "char *p =")
    polite = said(f"{block} return p == (void *)-1 ? NULL : p;")
    assert "heap-limit" in polite and "freed blocks may never be used again" in polite
    assert "got (void *)-1, which is what mem_sbrk returned at the heap's limit of 20971520 bytes" in said(NEXT)
    crash = said(f"{block} *p = 1; return p;")
    assert "(1 byte before a NULL pointer), after mem_sbrk had returned (void *)-1 at the heap's limit" in crash


def test_free_of_null_is_named(tmp_path: Path) -> None:
    """What `f -1` means stands at the request."""
    (tmp_path / "null.rep").write_text("0\n0\n1\n1\nf -1\n")
    path = allocator(tmp_path, NEXT)
    path.write_text(path.read_text().replace("(void)p; }", "((volatile int *)p)[-1] = 0; }", 1))
    found = result("--check-only", "-f", tmp_path / "null.rep", path)["traces"][0]
    assert "(4 bytes before a NULL pointer) at request 1 (line 5: f -1, free(NULL))" in found["message"]


def test_a_failure_before_the_first_request(tmp_path: Path, trace: Path) -> None:
    """What mm_init returned, by the edition's convention; where it hangs; what it must not ask for."""
    def init(body: str, *options: str) -> dict[str, Any]:
        path = allocator(tmp_path, NEXT)
        path.write_text("#include <stdlib.h>\n" + path.read_text().replace("{ return 0; }", f"{{ {body} }}", 1))
        found: dict[str, Any] = result("--check-only", "-s", "0.5", "-f", trace, *options, path)["traces"][0]
        return found
    assert init("return -1;")["message"].endswith("it returned a number below 0, and 0 is success")
    assert init("return 0;", "-c", "cmu16")["message"].endswith("it returned false, and true is success")
    assert "mem_sbrk had refused it more than the heap's limit of 20971520 bytes" in init(
        "return mem_sbrk(1 << 25) == (void *)-1 ? -1 : 0;", "-c", "classic")["message"]
    hangs = init("for (;;) ;")
    assert hangs["verdict"] == "timeout"
    assert hangs["message"].endswith("before the first request, in mm_init (attempt.c:5)")
    assert hangs["hint"].startswith("it happened before the first request")
    calls = init('return fopen("log", "w") == NULL;')
    assert calls["verdict"] == "forbidden" and "made the system call openat, which is not allowed" in calls["message"]
    assert calls["hint"].startswith("memory comes from mem_sbrk")


def test_the_next_command_as_it_was_called(tmp_path: Path, trace: Path) -> None:
    """By the name under which mdriver was found, from where one is; none when there is nothing more to run."""
    path = allocator(tmp_path, "return NULL;")
    for program, shown in (("../mdriver", "../mdriver"), (str(MDRIVER), str(MDRIVER))):
        done = subprocess.run([program, "--check-only", "-f", trace, path], cwd=ROOT / "tests", capture_output=True,
                              text=True, check=False)
        assert f"run this trace alone:\n    {shown} -f {trace} {path}\n" in done.stdout
    done = mdriver("-D", "-f", trace, path)
    assert "mdriver -" not in done.stdout and "Next:" not in done.stdout
    assert "-D has nothing to call: there is no mm_checkheap" in done.stdout
    assert "mdriver -D -f" in mdriver("-D", *["-f", trace] * 2, path).stdout
    shutil.copy(path, tmp_path / "-dash.c")
    done = mdriver("--check-only", "-f", trace, "--", "-dash.c", cwd=tmp_path)
    assert f" -f {trace} ./-dash.c\n" in done.stdout


def test_the_last_words_are_shown(tmp_path: Path, trace: Path) -> None:
    """Of much output the beginning, and what was printed just before the crash."""
    path = allocator(tmp_path, 'static int n; printf("request %d\\n", ++n);\n'
                               f"if (n == 100) *(volatile int *)8 = 0;\n{NEXT}")
    said = mdriver("--check-only", "-f", trace, path).stdout
    shown = [line.strip(" |") for line in said.splitlines() if line.startswith("    | ")]
    assert shown == ["request 1", "request 2", "request 3", "request 4", "... 88 lines left out; --json has them",
                     *(f"request {n}" for n in range(93, 101))]


def test_printing_without_end(tmp_path: Path, trace: Path) -> None:
    """A million lines cost time, are kept up to a limit, and are named as the reason."""
    path = allocator(tmp_path, f'for (int i = 0; i < 2000; i++) printf("step %d of %zu\\n", i, size);\n{NEXT}')
    done = mdriver("--check-only", "-s", "0.5", "-f", trace, path)
    assert done.returncode == 4 and len(done.stdout) < 4000
    assert "It printed (the first and the last of it are kept)" in done.stdout and "it printed very much" in done.stdout


def test_last_words_after_a_flood(tmp_path: Path, trace: Path) -> None:
    """A checker that prints the heap each time fills far more than is kept; its complaint is seen all the same."""
    path = allocator(tmp_path, NEXT)
    with path.open("a") as more:
        more.write('int mm_checkheap(int n) {\n    for (int i = 0; i < 2000; i++) printf("block %d of %d\\n", i, n);\n'
                   '    if (n == 200) printf("block 7 is broken\\n");\n    return n == 200;\n}\n')
    done = mdriver("-D", "-f", trace, path)
    assert done.returncode == 1 and "It printed (the first and the last of it are kept)" in done.stdout
    shown = [line.strip(" |") for line in done.stdout.splitlines() if line.startswith("    | ")]
    assert shown[0] == "block 0 of 1" and shown[-2:] == ["block 1999 of 200", "block 7 is broken"]
    found = result("-D", "-f", trace, path)["traces"][0]
    assert len(found["output"]) <= 65536 and "more was printed here than is kept" in found["output"]


CHECKERS = {  # course, what mm_checkheap does at the 200th request, the verdict, and what is told
    "counts": ("malloclab", "int mm_checkheap(int n) { return n == 200; }", "checkheap",
               "mm_checkheap reports 1 broken invariant after request 200 ("),
    "tells": ("cmu16", "int mm_checkheap(int n) { return n != 200; }", "checkheap",
              "mm_checkheap reports 1 broken invariant after request 200 ("),
    "asserts": ("autolab", "#include <assert.h>\nvoid mm_checkheap(int n) { assert(n != 200); }", "abort",
                "the allocator called abort in mm_checkheap, after request 200 ("),
    "exits": ("autolab", "void exit(int);\nvoid mm_checkheap(int n) { if (n == 200) exit(1); }", "exited",
              "(exit status 1) in mm_checkheap, after request 200 ("),
    "crashes": ("malloclab", "int mm_checkheap(int n) { return n == 200 ? *(volatile int *)8 : 0; }", "crash",
                "(8 bytes after a NULL pointer) in mm_checkheap, after request 200 ("),
    "hangs": ("autolab", "void mm_checkheap(int n) { while (n == 200) ; }", "timeout",
              "in mm_checkheap, after request 200 ("),
}


@pytest.mark.parametrize("what", CHECKERS)
def test_the_checker_is_told_from_the_request(tmp_path: Path, trace: Path, what: str) -> None:
    """However it ends the trace, it was called after the request that is named; not the next one did it."""
    course, checker, verdict, words = CHECKERS[what]
    path = allocator(tmp_path, NEXT)
    text = path.read_text().replace("return 0; }", f"return {int(course == 'cmu16')}; }}", 1)
    path.write_text(f"{text}{checker}\n")
    found = result("-D", "-s", "0.5", "-c", course, "--bits", "64", "-f", trace, path)["traces"][0]
    assert found["verdict"] == verdict and words in found["message"], found
    assert found["request"] == 200
    assert ("by then the heap is broken" in found["hint"]) == (what in ("crashes", "hangs"))


@pytest.mark.parametrize(("course", "words"), [
    ("malloclab", "write int mm_checkheap(int line), the number"),
    ("cmu16", "write bool mm_checkheap(int line), false"),
    ("classic", "write void mm_checkheap(int line), which asserts")])
def test_the_checker_that_is_wanted(tmp_path: Path, trace: Path, course: str, words: str) -> None:
    """By the edition: in the older ones nothing looks at what it returns."""
    path = allocator(tmp_path, "return (void *)*(volatile long *)8;")
    path.write_text(path.read_text().replace("return 0; }", f"return {int(course == 'cmu16')}; }}", 1))
    found = result("--check-only", "-c", course, "-f", trace, path)["traces"][0]
    assert found["hint"].startswith(words) and " -D -f " in found["hint"]


def test_printing_is_noted_when_its_time_counts(tmp_path: Path, trace: Path) -> None:
    """A forgotten printf makes every request slow, and nothing else would say so."""
    words = "note: it prints on 1 of the timed traces"
    path = allocator(tmp_path, f'printf("%zu\\n", size); {NEXT}')
    assert words in mdriver("--timing-seconds", "0.1", "-f", trace, path).stdout
    assert words not in mdriver("--check-only", "-f", trace, path).stdout
    assert words not in mdriver("--timing-seconds", "0.1", "-f", trace, allocator(tmp_path, NEXT)).stdout


def test_a_trace_that_was_cut_short_is_noted(tmp_path: Path, trace: Path) -> None:
    """It is graded, as any whose header is wrong, but not in silence."""
    (tmp_path / "cut.rep").write_text("\n".join(trace.read_text().splitlines()[:-500]) + "\n")
    done = mdriver("--check-only", "-f", tmp_path / "cut.rep", "implicit")
    assert done.returncode == 0
    assert "cut.rep: the header says 3000 requests, but 2500 follow; if the file was cut short" in done.stdout
    assert "note:" not in mdriver("--check-only", "-f", trace, "implicit").stdout


# ---- odd names ----

@pytest.mark.parametrize("name", ["with space.c", "quote's.c", "-dash.c", "ünïcode.c", "new\nline.c", "%s%n.c",
                                  "$(touch pwned).c", "x" * 200 + ".c"])
def test_odd_file_names(tmp_path: Path, trace: Path, name: str) -> None:
    """Any file name works, and nothing in it is executed or formatted."""
    path = tmp_path / name
    shutil.copy(ROOT / "mm.c", path)
    found = result("--check-only", "-f", trace, path)
    assert found["verdict"] == "ok"
    assert found["submission"]["path"] == str(path)
    assert not (ROOT / "pwned").exists()


def test_control_characters_in_names_are_not_printed(tmp_path: Path) -> None:
    """A trace's name cannot paint the terminal."""
    evil = write_trace(tmp_path / "\033[2Jevil\007.rep", 50)
    done = mdriver("--check-only", "-f", evil, ROOT / "tests/broken/init-fails.c")
    assert "\033" not in done.stdout and "\007" not in done.stdout


# ---- traces: named, from folders, gzipped ----

def test_gzip_is_told_by_content(tmp_path: Path, trace: Path) -> None:
    """A gzipped trace under a plain name and a plain one under .gz are both read."""
    one, two = tmp_path / "a.rep", tmp_path / "b.rep.gz"
    one.write_bytes(gzip.compress(trace.read_bytes()))
    shutil.copy(trace, two)
    found = result("--check-only", "-t", tmp_path, "explicit")
    assert [t["name"] for t in found["traces"]] == ["a.rep", "b.rep.gz"]
    assert len({t["heap"] for t in found["traces"]}) == 1


def test_file_is_looked_for_in_the_folder(trace: Path) -> None:
    """-f NAME -t DIR means DIR/NAME when NAME is not there, as in older drivers."""
    assert result("--check-only", "-f", trace.name, "-t", trace.parent, "explicit")["traces"][0]["path"] == str(trace)


# ---- output ----

def test_json_has_every_field(trace: Path) -> None:
    """The fields that docs/JSON.md promises, with the types it promises."""
    found = result("-f", trace, "implicit")
    for key in ("schema", "course", "submission", "traces", "score", "verdict", "reference", "clock", "sandbox",
                "findings"):
        assert key in found
    for key in ("path", "sha256", "bits", "static_bytes", "name", "flags", "build_log"):
        assert key in found["submission"]
    for key in ("name", "verdict", "message", "line", "request", "requests", "peak_payload", "heap", "utilization",
                "ceiling", "header_ceiling", "seconds", "kops", "relative", "relative_error", "repetitions"):
        assert key in found["traces"][0]
    for key in ("utilization", "kops", "relative", "index"):
        assert isinstance(found["score"][key], float)
    trace_result = found["traces"][0]
    assert 0 < trace_result["utilization"] <= trace_result["ceiling"] <= 1
    assert trace_result["utilization"] == pytest.approx(trace_result["peak_payload"] / trace_result["heap"])


def test_index_follows_from_the_parts(tmp_path: Path) -> None:
    """The default course: 60 times the harmonic mean of utilization / ceiling, 40 times that of speed up to 1."""
    for seed in (1, 2, 3):
        write_trace(tmp_path / f"t{seed}.rep", 1000, seed)
    found = result("-t", tmp_path, "implicit")
    util = 3 / sum(t["ceiling"] / t["utilization"] for t in found["traces"])
    speed = 3 / sum(1 / t["relative"] for t in found["traces"])
    assert found["score"]["utilization"] == pytest.approx(util)
    assert found["score"]["relative"] == pytest.approx(speed)
    assert found["score"]["index"] == pytest.approx(60 * util + 40 * min(1, speed))


def test_several_allocators(trace: Path, tmp_path: Path) -> None:
    """Several allocators make a list, in the order given, and a summary."""
    out = tmp_path / "all.json"
    done = mdriver("--check-only", "--json", out, "-f", trace, "naive", "implicit", "explicit")
    assert done.returncode == 0
    names = [r["submission"]["name"] for r in json.loads(out.read_text())["results"]]
    assert names == ["naive", "implicit", "explicit"]
    assert done.stdout.count("\nallocator ") == 1


def test_events_follow_the_requests(tmp_path: Path) -> None:
    """One line a request: kind, size, offset, break and live payload."""
    lines = ["a 0 100", "a 1 50", "r 0 200", "f 1", "f 0", "f -1"]
    trace, out = write_lines(tmp_path / "t.rep", lines), tmp_path / "events.tsv"
    assert mdriver("--check-only", "--events", out, "-f", trace, "explicit").returncode == 0
    head, *rows = [line.split("\t") for line in out.read_text().splitlines()]
    assert head == ["request", "line", "kind", "id", "size", "offset", "brk", "live"]
    assert [row[2] for row in rows] == ["malloc", "malloc", "realloc", "free", "free", "free"]
    assert [int(row[7]) for row in rows] == [100, 150, 250, 200, 0, 0]
    assert all(row[5] == "-" or int(row[5]) % 16 == 0 for row in rows)
    assert [int(row[6]) for row in rows] == sorted(int(row[6]) for row in rows)


def test_why_there_is_no_index(trace: Path) -> None:
    """Timed, but beside nothing; not timed; of traces that do not count."""
    quick = ["--timing-seconds", "0.1", "implicit"]
    assert "index                 -   (no reference to compare with)\n" in mdriver(
        "-f", trace, "-c", "cmu16", "--reference", "none", *quick).stdout
    assert "index                 -   (not timed)\n" in mdriver("-f", trace, "--check-only", *quick).stdout
    assert "(no trace here counts for the score)\n" in mdriver("-f", "traces/short-steps.rep", *quick).stdout


def test_min_score(trace: Path) -> None:
    """--min-score decides between 0 and 1."""
    assert mdriver("--min-score", "1", "-f", trace, "explicit").returncode == 0
    assert mdriver("--min-score", "100", "-f", trace, "naive").returncode == 1


def test_autoresult_is_the_last_line(trace: Path) -> None:
    """-A ends with one line of JSON, whatever else is printed."""
    done = mdriver("-A", "-f", trace, "explicit")
    last = json.loads(done.stdout.splitlines()[-1])
    assert last["scores"]["Malloc Lab"] > 0


def test_old_flags_are_accepted(trace: Path) -> None:
    """What fingers know from older drivers does not stop a run."""
    assert mdriver("-a", "-g", "-v", "-d", "1", "-f", trace, "explicit").returncode == 0


@pytest.mark.parametrize("option", ["--list", "--courses", "--help", "--version"])
def test_lists(option: str) -> None:
    """What can be asked for is printed on standard output."""
    done = mdriver(option)
    assert done.returncode == 0 and done.stdout and not done.stderr


def test_help_starts_with_examples_and_names_every_status() -> None:
    """Examples first; exit statuses documented."""
    text = mdriver("--help").stdout
    assert text.startswith("Examples\n")
    assert all(f"\n  {status} " in text for status in (0, 1, 2, 3, 4, 5, 130))
    assert max(map(len, text.splitlines())) <= 100


# ---- terminals, pipes, colours ----

def on_terminal(*arguments: str | Path, env: dict[str, str] | None = None, columns: int = 0) -> str:
    """What a run writes to a terminal, both streams together."""
    pid, fd = pty.fork()
    if pid == 0:
        os.chdir(ROOT)
        fcntl.ioctl(1, termios.TIOCSWINSZ, struct.pack("4H", 24, columns, 0, 0))
        os.environ.update({"TERM": "xterm", **(env or {})})
        os.execv(MDRIVER, [str(MDRIVER), *map(str, arguments)])
    out = b""
    while select.select([fd], [], [], 60)[0]:
        try:
            piece = os.read(fd, 65536)
        except OSError:
            break
        if not piece:
            break
        out += piece
    os.waitpid(pid, 0)
    os.close(fd)
    return out.decode(errors="replace")


def test_colour_on_a_terminal_only(trace: Path) -> None:
    """Colours and progress appear on a terminal, unless refused, and never in a pipe."""
    arguments = ["--check-only", "-f", trace, "explicit"]
    assert "\033[32mok" in on_terminal(*arguments)
    assert "\033[32m" not in on_terminal(*arguments, env={"NO_COLOR": "1"})
    assert "\033[32m" not in on_terminal(*arguments, env={"TERM": "dumb"})
    assert "\033[32mok" in on_terminal("--color=always", *arguments, env={"NO_COLOR": "1"})
    piped = mdriver(*arguments)
    assert "\033" not in piped.stdout + piped.stderr and "\r" not in piped.stderr
    assert "\033[32mok" in mdriver("--color=always", *arguments).stdout


@pytest.mark.parametrize("columns", [60, 80])
def test_fits_the_terminal(tmp_path: Path, trace: Path, columns: int) -> None:
    """Tables and sentences; only what is to be copied may be longer. Into a pipe a sentence is one line."""
    path = allocator(tmp_path, f"char *p = mem_sbrk(16);\nmemset(p, 0, 10000 + size);\n{NEXT}")
    for arguments in (["explicit"], [path], ["--latency", "explicit"], ["implicit", "explicit"]):
        shown = on_terminal("--color=never", "-f", trace, *arguments, columns=columns)
        lines = [line.rstrip("\r") for line in shown.split("\n") if "\x1b" not in line]
        table = [line for line in lines if line.startswith("mixed")]
        assert table and ("past-break" in table[0] or table[0].split()[1] == "ok")
        assert len(table[0].split()) == (6 if columns == 60 else 9)
        if "--latency" in arguments and columns == 60:
            continue  # figures for those who have room for them
        assert not [line for line in lines[1:] if len(line) > columns and str(tmp_path) not in line
                    and str(trace) not in line], shown
    told = next(line for line in mdriver("-f", trace, path).stdout.splitlines() if "touched address" in line)
    assert "(heap size" in told and told.endswith("(attempt.c:7)")


def test_closed_pipe_is_no_crash(trace: Path) -> None:
    """A reader that goes away ends the output, not with a signal."""
    with subprocess.Popen([str(MDRIVER), "--check-only", "-f", str(trace), "explicit"], cwd=ROOT,
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stdout and process.stderr
        process.stdout.close()
        assert process.wait(60) == 5
        assert b"mdriver: " not in process.stderr.read()


def test_full_disk_loses_nothing(trace: Path) -> None:
    """JSON that cannot be written is said to be so, with our exit status."""
    done = mdriver("--check-only", "--json", "/dev/full", "-f", trace, "explicit")
    assert done.returncode == 5 and "cannot write" in done.stderr
    assert "explicit" in done.stdout


@pytest.mark.parametrize("size", ["40k", "200k", "400k"])
def test_full_temporary_disk_is_not_the_students_fault(scratch: Path, trace: Path, size: str) -> None:
    """At whichever step of the build it is full: our failure, and what to do; never a file that does not compile."""
    # With the rights that an ordinary user needs to mount, bubblewrap does not start; a shipped allocator goes without.
    source = shutil.copy(ROOT / "mm.c", scratch / "mm.c") if os.geteuid() == 0 else "explicit"
    script = (f"mkdir {scratch}/full && mount -t tmpfs -o size={size},mode=1777 full {scratch}/full || exit 77\n"
              f"TMPDIR={scratch}/full {MDRIVER} --check-only -f {trace} {source}")
    own = ["unshare", "--mount"] if os.geteuid() == 0 else ["unshare", "--mount", "--map-current-user", "--keep-caps"]
    done = subprocess.run([*own, "sh", "-c", script], capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode != 77, f"no private mounts here: {done.stderr}"
    assert done.returncode == 5 and done.stdout == "", done.stdout
    assert "TMPDIR can name" in done.stderr


@pytest.mark.parametrize("arguments", [["--help"], ["--list"], ["--courses"], ["doctor"],
                                       ["--check-only", "-f", "traces/short-steps.rep", "explicit"]])
def test_output_that_is_lost_is_no_success(arguments: list[str]) -> None:
    """Whatever was asked for."""
    with open("/dev/full", "w", encoding="ascii") as full:
        done = subprocess.run([MDRIVER, *arguments], cwd=ROOT, stdout=full, stderr=subprocess.PIPE, text=True,
                              check=False)
    assert done.returncode == 5 and "mdriver: standard output cannot be written" in done.stderr


# ---- interruption ----

@pytest.mark.parametrize("signum", [signal.SIGINT, signal.SIGTERM])
def test_interruption_leaves_nothing_behind(scratch: Path, trace: Path, signum: signal.Signals) -> None:
    """Interrupted in the middle: status 130, no half file, no folder, no process; what was there is kept."""
    out, events = scratch / "result.json", scratch / "events.tsv"
    out.write_text("old")
    events.write_text("old")
    env = {**os.environ, "TMPDIR": str(scratch)}
    with subprocess.Popen([str(MDRIVER), "--json", str(out), "--events", str(events), "-s", "60", "-f", str(trace),
                           "tests/broken/endless-init.c"], cwd=ROOT, env=env, stdout=subprocess.DEVNULL,
                          stderr=subprocess.PIPE, text=True) as process:
        deadline = time.monotonic() + 30
        while not runner_of(process.pid) and time.monotonic() < deadline:
            time.sleep(0.02)
        process.send_signal(signum)
        assert process.wait(10) == 130
        assert process.stderr and "interrupted" in process.stderr.read()
    assert {path.name: path.read_text() for path in scratch.iterdir()} == {"result.json": "old", "events.tsv": "old"}


def runner_of(pid: int) -> str:
    """The process that holds the allocator, started by PID; empty while there is none."""
    for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split():
        try:
            if Path(f"/proc/{child}/cmdline").read_text() == "runner\0":
                return child
        except OSError:
            continue  # it ended meanwhile
    return ""


@pytest.fixture(name="scratch")
def fixture_scratch() -> Iterator[Path]:
    """A folder that other users reach too: compilers run as nobody when mdriver runs as root."""
    with tempfile.TemporaryDirectory() as folder:
        os.chmod(folder, 0o755)
        yield Path(folder)


def test_killed_supervisor_takes_the_runner_along(trace: Path) -> None:
    """SIGKILL to mdriver leaves no allocator running."""
    with subprocess.Popen([str(MDRIVER), "-s", "60", "-f", str(trace), "tests/broken/endless-init.c"], cwd=ROOT,
                          stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
        deadline = time.monotonic() + 30
        runner = ""
        while not runner and time.monotonic() < deadline:
            runner = runner_of(process.pid)
            time.sleep(0.02)
        assert runner, "no runner appeared"
        process.kill()
        process.wait()
    deadline = time.monotonic() + 5
    while Path(f"/proc/{runner}").exists() and time.monotonic() < deadline:
        state = Path(f"/proc/{runner}/stat").read_text().rsplit(")", 1)[1].split()[0]
        if state == "Z":
            break
        time.sleep(0.05)
    else:
        assert not Path(f"/proc/{runner}").exists()


def test_works_from_any_folder(tmp_path: Path, trace: Path) -> None:
    """Courses, headers and shipped names are found beside the program."""
    shutil.copy(ROOT / "mm.c", tmp_path / "mm.c")
    done = mdriver("--check-only", "-f", trace, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    done = mdriver("--check-only", "-f", trace, cwd=Path("/"))
    assert done.returncode == 2 and "mm.c: No such file or directory; name your file" in done.stderr
