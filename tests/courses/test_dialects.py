"""Files as students of each edition wrote them: they build unedited, in the word size that suits them, and run."""
from __future__ import annotations

import json
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from mdriver import ROOT, mdriver, result

from . import model

HERE = Path(__file__).parent


@pytest.fixture(name="trace", scope="module")
def fixture_trace(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A trace with all kinds of requests."""
    return model.write(tmp_path_factory.mktemp("trace") / "mixture.rep", list(model.mixture(4, 600, 300)), "classic")


def check(trace: Path, *arguments: str | Path) -> dict[str, Any]:
    """A check of answers alone."""
    return result("--check-only", "-f", trace, *arguments)


# ---- what each submission of this folder is ----

# Submission; what --course auto says; what --bits auto says under that course; the verdict on the mixture.
FILES = [
    ("classic/naive.c", "course classic, because it has a team_t", "32-bit, as this course builds its files", "ok"),
    ("classic/implicit.c", "course classic", "32-bit, as this course builds its files", "ok"),
    ("classic/explicit32.c", "course classic",
     "32-bit, as this course builds its files; a short replay passes", "ok"),
    ("classic/segregated.c", "course classic", "32-bit, as this course", "ok"),
    ("classic/only64.c", "course classic",
     "64-bit, because a short replay passes in 64 bits and fails in 32 (misaligned)", "ok"),
    ("classic/old_style.c", "course classic",
     "32-bit, as this course builds its files; a short replay passes", "ok"),
    ("classic/no_team_name.c", "course classic", "32-bit", "ok"),
    ("classic/buggy_merge.c", "course classic", "a short replay fails in 32 and 64 bits", "overlap"),
    ("autolab/explicit.c", "course autolab, because it maps malloc to mm_malloc by macro (line 26)", "", "ok"),
    ("autolab/int_checkheap.c", "course autolab", "", "ok"),
    ("autolab/with_team.c", "course autolab", "", "ok"),
    ("autolab/dirty_calloc.c", "course autolab", "", "ok"),
    ("cmu16/explicit.c", "course cmu16, because its mm_init returns bool (line 134)", "", "ok"),
    ("cmu16/size32.c", "course cmu16", "", "ok"),
    ("cmu16/init_fails.c", "course cmu16", "", "init"),
    ("malloclab/bump.c", "course malloclab, because it uses MM_ALIGNMENT", "", "ok"),
]


@pytest.mark.parametrize(("source", "course", "bits", "verdict"), FILES, ids=[name for name, *_ in FILES])
def test_auto(source: str, course: str, bits: str, verdict: str, trace: Path) -> None:
    """The edition and the word size are recognised, with a reason; the verdict is right in both."""
    found = check(trace, "-c", "auto", HERE / source)
    assert course in found["course_reason"] and found["course"] == source.split("/")[0]
    assert bits in found["submission"]["bits_reason"]
    assert found["verdict"] == verdict, found["traces"][0]["message"]
    assert f"{found['submission']['bits']}-bit" in found["submission"]["bits_reason"] or not bits


def test_every_submission_is_listed() -> None:
    """Adding a submission is adding a file and a line above."""
    assert {name for name, *_ in FILES} == {str(path.relative_to(HERE)) for path in HERE.glob("*/*.c")}


def test_auto_of_several(trace: Path) -> None:
    """Files of one edition share a course, ours go with any, and two editions are not mixed."""
    both = mdriver("--check-only", "-c", "auto", "-f", trace, HERE / "autolab/explicit.c", "implicit",
                   HERE / "autolab/with_team.c")
    assert both.returncode == 0, both.stdout
    assert both.stdout.count("course autolab, because") == 3
    mixed = mdriver("--check-only", "-c", "auto", "-f", trace, HERE / "autolab/explicit.c", HERE / "cmu16/explicit.c")
    assert mixed.returncode == 2 and mixed.stdout == ""
    assert "is a file of the autolab edition and" in mixed.stderr and "of the cmu16 one" in mixed.stderr
    assert check(trace, "-c", "auto", "implicit")["course"] == "malloclab"
    assert mdriver("--check-only", "-c", "auto", "-f", trace, "no-such.c").returncode == 2


def test_wrong_course_is_recognised(trace: Path) -> None:
    """A file of another edition is called by that edition's conventions, and the report says so."""
    for course, source in (("malloclab", "cmu16/explicit.c"), ("autolab", "cmu16/explicit.c"), ("cmu16", ROOT / "mm.c"),
                           ("classic", "autolab/explicit.c")):
        found = check(trace, "-c", course, HERE / source)
        assert found["verdict"] == "ok", (course, source, found["message"], found["traces"])
    found = check(trace, "-c", "autolab", HERE / "cmu16/explicit.c")
    said = found["findings"][0]["sentence"]
    assert said.startswith("it is called as a file of the cmu16 edition, because its mm_init returns bool")
    assert said.endswith("; -c cmu16 judges it by that edition's rules")


# ---- word sizes ----

@pytest.mark.parametrize("source", ["classic/implicit.c", "classic/segregated.c", "autolab/explicit.c",
                                    "cmu16/explicit.c"])
def test_both_widths(source: str, trace: Path) -> None:
    """Files that store no pointers in words of the wrong size are right in both, and need the same heap."""
    heaps = {bits: check(trace, "-c", source.split("/")[0], "--bits", bits, HERE / source)["traces"][0]["heap"]
             for bits in ("32", "64")}
    assert heaps["32"] == heaps["64"]


def test_pointers_in_four_bytes(trace: Path) -> None:
    """A file that keeps pointers in 4-byte words passes in 32 bits and crashes in 64."""
    source = HERE / "classic/explicit32.c"
    assert check(trace, "-c", "classic", "--bits", "32", source)["verdict"] == "ok"
    assert check(trace, "-c", "classic", "--bits", "64", source)["verdict"] == "crash"
    chosen = check(trace, "-c", "autolab", "--bits", "auto", HERE / "autolab/explicit.c")["submission"]
    assert chosen["bits"] == 64 and "as this course builds its files" in chosen["bits_reason"]


@pytest.mark.parametrize(("source", "bits", "reason"), [
    ("explicit32.c", 32, "because a short replay passes in 32 bits and fails in 64 (crash); gcc warns of casts between "
     "pointers and 4-byte integers (line 17)"),
    ("old_style.c", 32, "because it casts between pointers and 4-byte integers (line 42); a short replay passes in "
     "both"),
    ("implicit.c", 64, "as this course builds its files; a short replay passes"),
    ("buggy_merge.c", 64, "as this course builds its files; a short replay fails in 32 and 64 bits"),
    ("only64.c", 64, "as this course builds its files; a short replay passes"),
])
def test_evidence(source: str, bits: int, reason: str, tmp_path: Path, trace: Path) -> None:
    """In a course that builds 64-bit, files that are right in 32 alone are still found out, with the evidence."""
    course = tmp_path / "wide.cfg"
    course.write_text('base = "classic"; title = "wide"; bits = 64;')
    found = check(trace, "-c", course, "--bits", "auto", HERE / "classic" / source)["submission"]
    assert (found["bits"], found["bits_reason"]) == (bits, f"{bits}-bit, {reason}")


def test_casts_to_eight_bytes(tmp_path: Path, trace: Path) -> None:
    """A file that passes in both and casts pointers to integers of 8 bytes was written for 64 bits."""
    source = tmp_path / "mm.c"
    source.write_text(BASE.replace("    if (bp == NULL)\n        return;\n",
                                   "    if ((unsigned long long)bp == 0)\n        return;\n"))
    found = check(trace, "-c", "classic", source)["submission"]
    assert found["bits"] == 64 and "casts between pointers and 8-byte integers (line" in found["bits_reason"]


def test_timed_in_32_bits(trace: Path) -> None:
    """A 32-bit file is timed beside a 32-bit reference."""
    found = result("-c", "classic", "-f", trace, HERE / "classic/explicit32.c")
    assert found["verdict"] == "ok" and found["submission"]["bits"] == 32
    assert found["score"]["kops"] > 0 and found["score"]["relative"] > 0 and found["score"]["index"] > 0


def test_without_multilib(tmp_path: Path, trace: Path) -> None:
    """Where 32-bit runners were not built, one sentence names the package."""
    shutil.copy(ROOT / "mdriver", tmp_path)
    (tmp_path / "build").mkdir()
    for name in ("courses", "mm.h", "memlib.h", "allocators", "build/runner64"):
        (tmp_path / name).symlink_to(ROOT / name)
    run = [str(tmp_path / "mdriver"), "--check-only", "-c", "classic", "-f", str(trace)]
    source = str(HERE / "classic/implicit.c")
    asked = subprocess.run([*run, "--bits", "32", source], capture_output=True, text=True, check=False)
    assert asked.returncode == 5 and asked.stdout == ""
    assert "mdriver: 32-bit runners are not built: install gcc-multilib and run make again" in asked.stderr
    auto = subprocess.run([*run, "--json", "-", source], capture_output=True, text=True, check=False)
    submission = json.loads(auto.stdout)["submission"]
    assert submission["bits"] == 64 and "install gcc-multilib" in submission["bits_reason"]


# ---- what real files are like ----

BASE = (HERE / "classic/implicit.c").read_text()
INIT = "int mm_init(void)\n"
OWN_TEAM = "typedef struct { char *teamname, *name1, *id1, *name2, *id2; } team_t;\n"
TEAM_OF_ARRAYS = "typedef struct { char a[40], b[40], c[40], d[40], e[40]; } team_t;\n"
PROTOTYPES = "extern int mm_init (void);\nextern void *mm_malloc (size_t size);\n"
INCLUDES = "".join(f"#include <{name}.h>\n" for name in (
    "sys/mman", "pthread", "setjmp", "math", "limits", "malloc", "sys/time", "signal", "contracts"))


def before(place: str, text: str) -> str:
    """BASE with TEXT put before the first PLACE."""
    return BASE.replace(place, text + place, 1)


def in_init(text: str) -> str:
    """BASE with statements in its mm_init, once there is a heap."""
    return before("    if (grow(GROW", "".join(f"    {line}\n" for line in text.splitlines()))


# A change of classic/implicit.c, the flag that it needs, if any.
QUIRKS: dict[str, tuple[str, str]] = {
    "crlf": (BASE.replace("\n", "\r\n"), ""),
    "byte order mark": ("\ufeff" + BASE, ""),
    "no newline at the end": (BASE.rstrip("\n"), ""),
    "tabs and form feeds": (BASE.replace("    ", "\t") + "\f\n", ""),
    "own prototypes": (before(INIT, PROTOTYPES), ""),
    "own team_t": (before("team_t team", OWN_TEAM), "-DMM_NO_TEAM"),
    "team of arrays": (before("team_t team", TEAM_OF_ARRAYS), "-DMM_NO_TEAM"),
    "no team": (re.sub(r"team_t team = \{.*?\};", "", BASE, flags=re.S), ""),
    "mm_checkheap of its own kind": (BASE + "\nchar *mm_checkheap(void) { return 0; }\n", ""),
    "mm_init returns nothing": (BASE.replace(INIT, "void mm_init(void)\n").replace("    return 0;\n}", "}", 1)
                                .replace("        return -1;\n", "        return;\n", 2), "-Ibare"),
    "size as another type": (BASE.replace("mm_malloc(size_t size)", "mm_malloc(unsigned long long size)"), "-Ibare"),
    "undeclared functions": (re.sub(r"#include <.*\n", "", BASE), ""),
    "memlib.h not included": (BASE.replace('#include "memlib.h"\n', ""), ""),
    "a main of its own": (BASE + "\nint main(void) { return mm_check(1); }\n", ""),
    "a global of the driver": (BASE + "\nextern int verbose;\nint talk(void) { return verbose; }\n", ""),
    "names of the library's": (BASE + "\nint errors; char *optarg; void warn(void) {}\n", ""),
    "unusual includes": (INCLUDES + BASE, ""),
    "mathematics": ("#include <math.h>\n" + in_init(
        "if (log2(WORD(first - 4)) < pow(2, 0.5))\n    WORD(first - 8) = 0;"), ""),
    "inline without static": (before(INIT, "inline int words(int n) { return n / W; }\n"
                                           "static int (*volatile counter)(int) = words;\n")
                              .replace("    if (grow(GROW / W)", "    if (grow(counter(GROW))"), "-fgnu89-inline"),
    "nested function": (in_init("size_t words(void) { return GROW / W; }\nif (words() != GROW / W)\n    return -1;"),
                        ""),
    "prints much": (before("    if (size == 0)\n        return NULL;\n    if (size <= D)",
                           '    printf("mm_malloc(%lu), and a long line of output\\n", (unsigned long)size);\n'), ""),
    "perror, time, random": ("#include <time.h>\n#include <errno.h>\n" + in_init(
        'srand(time(NULL));\nerrno = ENOMEM;\nperror("mm_init");\nfflush(stdout);\n'
        "if (rand() < 0 || getpagesize() != mem_pagesize())\n    return -1;"), ""),
    "comments in another encoding": (BASE.replace("Implicit free list", "Implicit free list \udce9\udcff"), ""),
    "pragmas and attributes": (before(INIT, '#pragma GCC optimize("O3")\n__attribute__((hot))\n'), ""),
    "a name that is a keyword now": (before("static void tag(", "static int f(int restrict) { return restrict; }\n"),
                                     "-std=gnu89"),
}


@pytest.mark.parametrize("name", QUIRKS)
def test_quirk(name: str, tmp_path: Path, trace: Path) -> None:
    """It builds, in 32 bits, and answers as the file that it was made from; the flag that it needed is reported."""
    text, flag = QUIRKS[name]
    assert text != BASE
    source = tmp_path / "mm.c"
    source.write_bytes(text.encode(errors="surrogateescape"))
    found = check(trace, "-c", "classic", "--bits", "32", source)
    assert found["verdict"] == "ok", (found["message"], found["submission"]["build_log"])
    assert found["traces"][0]["heap"] == model.HEAPS["classic/implicit.c"](model.read(trace))
    assert len(found["traces"][0]["output"]) <= 65536
    added = found["submission"]["flags"].split("-DMM_ALIGNMENT=8", 1)[1].replace("-Iinclude", "").strip()
    assert added == flag


def test_order_of_remedies(trace: Path, tmp_path: Path) -> None:
    """A file that needs several gets them in the documented order, and -V shows them."""
    found = check(trace, "-c", "classic", HERE / "classic/old_style.c")
    assert found["submission"]["flags"].endswith("-DMM_NO_TEAM -fgnu89-inline -Iinclude")
    assert "-DMM_NO_TEAM -fgnu89-inline" in mdriver("-V", "--check-only", "-c", "classic", "-f", trace,
                                                    HERE / "classic/old_style.c").stdout
    documented = re.findall(r"^\| \d \| `(-[^`]+)`", (ROOT / "docs/COURSES.md").read_text(), flags=re.M)
    assert documented == ["-DMM_NO_CHECKHEAP", "-DMM_NO_TEAM", "-include team.h", "-Ibare", "-DDRIVER",
                          "-fgnu89-inline", "-std=gnu89"]
    hopeless = tmp_path / "mm.c"
    hopeless.write_text("int mm_init(void) { return 0 }\n")
    found = check(trace, "-c", "classic", hopeless)
    assert found["verdict"] == "build" and "mm.c:1:" in found["submission"]["build_log"]
    assert "-Ibare" not in found["submission"]["flags"]


@pytest.mark.parametrize(("source", "flag"), [
    ("autolab/int_checkheap.c", "-DMM_NO_CHECKHEAP"), ("autolab/with_team.c", "-include team.h"),
])
def test_remedies_of_autolab(source: str, flag: str, trace: Path) -> None:
    """mm_checkheap may return int, and a team_t may stand in an edition that has none."""
    found = check(trace, "-c", "autolab", HERE / source)
    assert found["verdict"] == "ok" and flag in found["submission"]["flags"]


def test_bool_checker_with_int_init(tmp_path: Path, trace: Path) -> None:
    """An mm_checkheap that returns bool does not make a file cmu16's: its mm_init still returns 0."""
    source = tmp_path / "mm.c"
    source.write_text("#include <stdbool.h>\n" + (HERE / "autolab/explicit.c").read_text().replace(
        "void mm_checkheap(int verbose)\n{", "bool mm_checkheap(int verbose)\n{"))
    for course in ("autolab", "auto"):
        found = check(trace, "-c", course, source)
        assert (found["verdict"], found["course"]) == ("ok", "autolab") and not found["findings"]


def test_output_is_kept_and_shown_on_demand(trace: Path) -> None:
    """What a file prints is in the JSON and under -v, and not in the plain table."""
    arguments = ["--check-only", "-c", "autolab", "-f", trace, HERE / "autolab/with_team.c"]
    assert "hello from mm_init" in result(*arguments)["traces"][0]["output"]
    assert "and from mixture" in mdriver("-v", *arguments).stdout
    assert "hello" not in mdriver(*arguments).stdout


# ---- teams ----

def test_team_is_printed_and_never_refused(trace: Path) -> None:
    """As the classic driver printed it; what that one stopped at is a note."""
    out = mdriver("--check-only", "-c", "classic", "-f", trace, HERE / "classic/segregated.c").stdout
    for line in ("Team Name:classes", "Member 1 :A:a@example.edu", "Member 2 :B:b@example.edu",
                 "Member 3 :C:c@example.edu"):
        assert line in out
    for bits in ("32", "64"):
        found = check(trace, "-c", "classic", "--bits", bits, HERE / "classic/no_team_name.c")
        assert found["verdict"] == "ok" and found["exit"] == 0
        assert [f["rule"] for f in found["findings"]] == ["team"] * 3
        assert found["submission"]["team"][3] == "Second Example"
    found = check(trace, "-c", "classic", HERE / "classic/old_style.c")
    assert found["submission"]["team"] == ["K&R", "Dennis Example", "dmr"] and not found["findings"]


def test_a_teams_name_cannot_steer_the_terminal(trace: Path, tmp_path: Path) -> None:
    """Not even by the controls and directions that take several bytes."""
    text = (HERE / "classic/segregated.c").read_text().replace('"classes"', '"\u009b31mred\u202e"', 1)
    (tmp_path / "mm.c").write_text(text, encoding="utf-8")
    out = mdriver("--check-only", "-c", "classic", "-f", trace, tmp_path / "mm.c").stdout
    assert "  Team Name:??31mred???\n" in out


# ---- platform lines, and flags that fingers know ----

NUMBER = r"-?\d+(\.\d+)?"
LINES = {
    "autolab": rf"AUTORESULT_STRING=1:{NUMBER}:{NUMBER}:{NUMBER}",
    "autolab-60-40": rf'{{"scores": {{"Autograded Score": {NUMBER}}}, "scoreboard": \[{NUMBER}(, {NUMBER}){{3}}\]}}',
    "cmu16": rf'{{"scores": {{"Autograded Score": {NUMBER}}}, "scoreboard": \[{NUMBER}(, {NUMBER}){{3}}\]}}',
    "malloclab": rf'{{"scores": {{"Malloc Lab": {NUMBER}}}, "scoreboard": \[{NUMBER}(, {NUMBER}){{2}}\]}}',
}
SUBMISSION = {"autolab": "autolab/explicit.c", "autolab-60-40": "autolab/explicit.c", "cmu16": "cmu16/explicit.c",
              "malloclab": "malloclab/bump.c"}


@pytest.mark.parametrize("course", LINES)
def test_platform_line(course: str, trace: Path) -> None:
    """It is the last line, parses, has no -0, and is 0 for a file that fails."""
    done = mdriver("-A", "-c", course, "-f", trace, HERE / SUBMISSION[course])
    last = done.stdout.splitlines()[-1]
    assert re.fullmatch(LINES[course], last), last
    assert "-0" not in last
    failed = mdriver("-A", "-c", course, "-f", trace, ROOT / "tests/broken/does-not-compile.c").stdout.splitlines()[-1]
    assert re.fullmatch(LINES[course].replace("=1:", "=0:"), failed) and "-0" not in failed
    if course != "autolab":
        assert list(json.loads(failed)["scores"].values()) == [0]
        assert list(json.loads(last)["scores"].values())[0] >= 0


def test_no_platform_line(trace: Path) -> None:
    """classic has none; without a timing there is none; both are said on standard error."""
    done = mdriver("-A", "-c", "classic", "-f", trace, HERE / "classic/naive.c")
    assert "no platform line" in done.stderr and "index" in done.stdout.splitlines()[-1]
    done = mdriver("-A", "--check-only", "-c", "cmu16", "-f", trace, HERE / "cmu16/explicit.c")
    assert "without a timing" in done.stderr and "scores" not in done.stdout


@pytest.mark.parametrize(("course", "source", "flags"), [
    ("classic", "classic/implicit.c", ["-a", "-V"]), ("classic", "classic/implicit.c", ["-a", "-g", "-v", "-t", "."]),
    ("autolab", "autolab/explicit.c", ["-d", "1", "-s", "30", "-v", "1"]), ("autolab", "autolab/explicit.c", ["-D"]),
    ("autolab", "autolab/explicit.c", ["-v2", "-d2"]), ("cmu16", "cmu16/explicit.c", ["-p", "-v", "0"]),
    ("cmu16", "cmu16/explicit.c", ["-C", "-A", "-V", "-s", "20"]), ("cmu16", "cmu16/explicit.c", ["-d", "0", "-D"]),
])
def test_flags_of_older_drivers(course: str, source: str, flags: list[str], trace: Path) -> None:
    """They mean what they meant, as far as it makes sense here."""
    done = mdriver("-c", course, "-f", trace, *flags, HERE / source)
    assert done.returncode == 0, done.stderr
    if "-g" in flags:
        assert re.search(r"^correct:1\nperfidx:\d+\n\Z", done.stdout, flags=re.M)


def test_no_checkpoint(trace: Path) -> None:
    """Where a course has none, that is said."""
    done = mdriver("-p", "--check-only", "-c", "classic", "-f", trace, HERE / "classic/naive.c")
    assert done.returncode == 0 and "course classic has no checkpoint: its own formula is used" in done.stderr


def test_c_with_a_trace(trace: Path) -> None:
    """-c FILE, where the file is a trace: once, for correctness."""
    done = mdriver("-c", trace, ROOT / "mm.c")
    assert done.returncode == 0 and "not timed" in done.stdout
    for flag in ("-O", "-T"):
        done = mdriver(flag, "-f", trace, ROOT / "mm.c")
        assert done.returncode == 2 and "--json FILE gives every figure" in done.stderr


def test_random_choices_repeat(tmp_path: Path, trace: Path) -> None:
    """rand() without a seed takes the same turns in every replay, so that a skip list is not taken for a cheat."""
    source = tmp_path / "mm.c"
    source.write_text((HERE / "classic/naive.c").read_text().replace(
        "mem_sbrk(ROUND(size + HEADER))", "mem_sbrk(ROUND(size + HEADER) + 8 * (rand() % 4))"))
    found = result("-c", "classic", "-f", trace, source)
    assert found["verdict"] == "ok", found["traces"][0]["message"]


def test_heap_begins_where_it_did(tmp_path: Path, trace: Path) -> None:
    """Some files of the 64-bit editions have the heap's address built in, to keep pointers in 4 bytes."""
    source = tmp_path / "mm.c"
    source.write_text((HERE / "autolab/explicit.c").read_text().replace(
        "    list = 0;", "    if (base != (char *)0x800000000)\n        return -1;\n    list = 0;"))
    assert check(trace, "-c", "autolab", source)["verdict"] == "ok"
