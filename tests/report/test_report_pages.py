"""The pages, in a real browser: they load from their files, sort, filter, step, and hostile text does nothing."""

import json
import re
from pathlib import Path

import pytest

from grader.people import Person
from grader.report.events import read_events
from grader.report.pages import inline
from report.browser import Browser
from report.made import HOSTILE, FirstFit, failing, made_class, result, write_result

WORDS = "return document.getElementById('v-words').textContent"
READY = "return document.getElementById('viewer').dataset.ready"
BAD_TEXT = ("request 81 </script><script>document.title='owned'</script>"
            "<img src=x onerror=\"document.title='owned'\"> \u202e")
SET = "const e = document.getElementById('{}'); e.value = arguments[0]; e.dispatchEvent(new Event('{}'))"


def at(browser: Browser, number: int) -> None:
    """Waits until the viewer shows request NUMBER."""
    browser.wait(f"return document.getElementById('viewer').dataset.at === '{number}'")


@pytest.fixture(scope="module")
def pages(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A submission with a failing trace, a comparison of three, and a class with hostile names."""
    import random
    from grader.cli import main
    folder = tmp_path_factory.mktemp("pages")
    dice = random.Random(11)
    good, bad, long_ = FirstFit().random(dice, 500), FirstFit().random(dice, 90), FirstFit().random(dice, 4000)
    for name, heap in (("good", good), ("bad", bad), ("long", long_)):
        heap.write(folder / "events" / f"{name}.tsv")
        for allocator in ("alpha", "beta"):
            heap.write(folder / "events" / allocator / f"{name}.tsv")
    traces = [good.trace("good.rep"), failing(bad.trace("bad.rep"), 81, BAD_TEXT, output=BAD_TEXT, address=64),
              long_.trace("long.rep")]
    write_result(folder / "one.json", result(HOSTILE[0], traces, findings=[
        {"rule": "globals", "sentence": BAD_TEXT, "line": 3, "points": 2.0}]))
    assert main(["report", "--result", str(folder / "one.json"), "--events", str(folder / "events"), "-o",
                 str(folder / "one")]) == 0
    write_result(folder / "three.json", result("alpha", traces[::2], 0.9, 0.3), result("beta", traces[::2], 0.6, 1.2),
                 result("mm.c", traces, 0.5, 0.5, path="x/mm.c"))
    assert main(["report", "--result", str(folder / "three.json"), "--events", str(folder / "events"), "-o",
                 str(folder / "three"), "--jobs", "1"]) == 0
    names = [*HOSTILE, *(f"Student {i:02}" for i in range(20)), "Absent, Ann"]
    people = [Person(f"key {i}\u202e<b>", name, f"{i}@x.edu") for i, name in enumerate(names)]
    results: list[dict | None] = [result("mm.c", traces if i % 5 == 0 else traces[::2], 0.3 + i / 60, 0.1 + i / 20,
                                         path="mm.c") for i in range(len(names) - 1)]
    made_class(folder / "batch", people, [*results, None])
    assert main(["report", "--batch", str(folder / "batch"), "--result", str(folder / "three.json"), "-o",
                 str(folder / "class")]) == 0
    return folder


def every_page(pages: Path) -> list[Path]:
    """A page of each kind, and all of the class."""
    return [*pages.glob("one/*.html"), *pages.glob("three/*.html"), pages / "class/index.html",
            *sorted(pages.glob("class/students/*.html"))[:15]]


def test_every_page_loads_from_its_file_without_a_word(pages: Path, browser: Browser) -> None:
    for page in every_page(pages):
        browser.open(page)
        if browser.run("return !!document.getElementById('viewer')"):
            browser.wait(READY)
        assert browser.messages() == [], page
        assert browser.run("return performance.getEntriesByType('resource')"
                           ".filter(e => !e.name.startsWith('data:')).length") == 0
        assert browser.run("return [...document.images]"
                           ".every(i => i.complete && i.naturalWidth > 0 && i.alt.length > 10)")
        assert browser.run("return document.querySelectorAll('[style]').length === 0 || "
                           "[...document.querySelectorAll('[style]')].every(e => e.tagName === 'CANVAS')")


def test_pages_are_whole_files_under_a_strict_policy(pages: Path) -> None:
    for page in every_page(pages):
        text = page.read_text(encoding="utf-8")
        policy = re.search(r'Content-Security-Policy" content="([^"]*)"', text)
        assert policy and policy[1].startswith("default-src 'none'; style-src 'sha256-")
        assert "unsafe" not in policy[1] and "img-src data:;" in policy[1]
        assert not re.search(r"""(src|href)=["']?(https?:)?//""", text)
        assert not re.search(r"<(link|iframe|object|embed|form|base)\b", text)
        assert len(re.findall(r"<script", text)) == 1 + text.count('<script type="application/json" class="view">')


def test_the_policy_stops_a_script_that_got_in(pages: Path, browser: Browser, tmp_path: Path) -> None:
    """Even if escaping failed: the hash in the policy lets only our own script run."""
    text = (pages / "class/index.html").read_text(encoding="utf-8")
    broken = tmp_path / "broken.html"
    broken.write_text(text.replace("<main", "<script>document.title='owned'</script><main"), encoding="utf-8")
    browser.open(broken)
    assert browser.run("return document.title") != "owned"
    assert any("Content Security Policy" in message for message in browser.messages())
    assert inline("style.css")[1].startswith("sha256-")


def test_hostile_text_does_nothing(pages: Path, browser: Browser) -> None:
    for page in every_page(pages):
        browser.open(page)
        assert browser.run("return document.title") != "owned", page
        assert browser.run("return [...document.querySelectorAll('main b')].every(e => e.closest('.card, .hint'))")
        assert browser.run("return [...document.images].every(i => i.src.startsWith('data:image/'))")
        assert browser.run("return [...document.links].every(a => /^(file|#)/.test(a.href))")
        # Nothing a stranger wrote turns the direction of our own text, or fills the page.
        heading = browser.run("return document.querySelector('h1').textContent")
        assert not re.search("[\u202a-\u202e\u2066-\u2069\u200f]", heading) and len(heading) <= 200
    browser.open(pages / "class/index.html")
    shown = browser.run("return [...document.querySelectorAll('#everybody th[scope=row]')].map(e => e.textContent)")
    assert HOSTILE[0] in shown and any("\\u{202e}evil" in name for name in shown)
    assert browser.run("return document.documentElement.scrollWidth <= innerWidth")


def names(browser: Browser, table: str = "everybody") -> list[str]:
    """The rows that are seen, in order."""
    return browser.run(f"return [...document.querySelectorAll('#{table} tbody tr')].filter(r => !r.hidden)"
                       ".map(r => r.cells[0].textContent)")


def column(browser: Browser, number: int) -> list[float]:
    """The numbers of one column, in order."""
    return [float(v) for v in browser.run(f"return [...document.querySelectorAll('#everybody tbody tr')]"
                                          f".map(r => r.cells[{number}].dataset.value)") if v != ""]


def test_the_table_sorts_by_mouse_and_keyboard(pages: Path, browser: Browser) -> None:
    browser.open(pages / "class/index.html")
    everybody = names(browser)
    button = "#everybody thead th:nth-child(4) button"
    browser.click(button)
    scores = column(browser, 3)
    assert scores == sorted(scores, reverse=True) and len(scores) == len(everybody) - 1
    assert names(browser)[-1] == "Absent, Ann"  # who has no score comes last, both ways
    assert browser.run("return document.querySelector('#everybody th:nth-child(4)').ariaSort") == "descending"
    browser.type(button, "enter")
    assert column(browser, 3) == sorted(scores) and names(browser)[-1] == "Absent, Ann"
    browser.type("#everybody thead th:nth-child(1) button", " ")
    ordered = [name for name in names(browser) if name.startswith("Student")]
    assert ordered == sorted(ordered)
    assert browser.run("return document.querySelectorAll('#everybody th[aria-sort]').length") == 1
    assert sorted(names(browser)) == sorted(everybody)


def test_the_table_filters(pages: Path, browser: Browser) -> None:
    browser.open(pages / "class/index.html")
    total = len(names(browser))
    browser.type("body", "/")  # goes to the filter
    assert browser.run("return document.activeElement.classList.contains('filter')")
    browser.type("input.filter", "student 1")
    assert names(browser) and all("Student" in name and "1" in name for name in names(browser))
    shown = browser.run("return document.querySelector('output.shown').textContent")
    assert shown == f"{len(names(browser))} of {total} shown"
    assert browser.run("return document.querySelectorAll('#plane .faded').length") > 0
    browser.type("input.filter", "escape")
    assert len(names(browser)) == total
    assert browser.run("return document.querySelectorAll('#plane .faded').length") == 0
    browser.type("input.filter", "overlap")
    assert 0 < len(names(browser)) < total
    browser.type("input.filter", "escape", "<script>")
    assert HOSTILE[0] in names(browser)


def test_points_tell_their_names_and_lead_to_pages(pages: Path, browser: Browser) -> None:
    browser.open(pages / "class/index.html")
    points = browser.run("return document.querySelectorAll('#plane .points :is(.submission, .invalid)').length")
    assert points == len(HOSTILE) + 21
    assert browser.run("return document.querySelectorAll('#plane .points .shipped').length") == 2
    assert browser.run("return document.querySelector('#plane .front').getAttribute('points').length") > 10
    key = browser.run("const a = document.querySelectorAll('#plane a')[20]; a.id = 'target'; return a.dataset.key")
    browser.hover("#target path")
    # Another point may lie above: what is told belongs to the one that is marked.
    browser.wait("return document.querySelectorAll('#plane .marked').length === 1")
    marked = browser.run("return document.querySelector('#plane .marked').dataset.key")
    told = browser.run("return document.getElementById('hovered').textContent")
    name = browser.run("return document.querySelector('tr.marked').cells[0].textContent")
    assert name in told and "utilization" in told and (marked == key or marked)
    browser.click("#everybody tbody tr a")
    browser.wait("return location.href.includes('/students/')")
    assert browser.messages() == []
    # On a student's own page nobody else is named.
    assert browser.run("return document.querySelectorAll('#plane a').length") == 0
    assert browser.run("return [...document.querySelectorAll('#plane .submission title')].every("
                       "t => ['', 'you'].includes(t.textContent))")
    browser.click("header nav a")
    browser.wait("return location.href.endsWith('index.html')")


def state(browser: Browser) -> tuple[str, str, str]:
    """What the block diagram says: live payload, blocks, heap."""
    return tuple(browser.run(  # type: ignore[return-value]
        "return ['d-live', 'd-blocks', 'd-heap'].map(id => document.getElementById(id).textContent)"))


def size(value: int) -> str:
    """As the viewer writes sizes."""
    step, left = 0, float(value)
    while left >= 1024 and step < 4:
        left /= 1024
        step += 1
    digits = f"{left:.3g}" if left < 1000 else f"{left:.0f}"
    if step and left < 1000:
        whole = len(str(int(left)))
        digits = f"{left:.{3 - whole}f}"
    return f"{digits if step else value} {('B', 'KiB', 'MiB', 'GiB', 'TiB')[step]}"


def test_stepping_shows_what_the_events_say(pages: Path, browser: Browser) -> None:
    browser.open(pages / "one/index.html")
    browser.wait(READY)
    index = browser.run("return [...document.getElementById('v-trace').options]"
                        ".findIndex(o => o.text.startsWith('long'))")
    browser.run(SET.format("v-trace", "change"), str(index))
    browser.wait(READY + f" === '{index}'")
    events = read_events(pages / "events/long.tsv")
    for number in (1, 4000, 3999, 17, 2500, 1001, 1000, 999, 3000, 0):
        browser.run(SET.format("v-number", "change"), number)
        at(browser, number)
        if number:
            blocks = len(events.snapshot(number - 1))
            assert state(browser) == (f"{size(events.live[number - 1])} in use",
                                      f"{blocks} block{'' if blocks == 1 else 's'}",
                                      f"heap {size(events.brk[number - 1])}")
    frees = browser.run("return document.getElementById('d-frees').textContent")
    assert frees == "free 0"


def test_keys_slider_and_buttons(pages: Path, browser: Browser) -> None:
    browser.open(pages / "one/index.html")
    browser.wait(READY)
    browser.type("#viewer", "home")
    at(browser, 0)
    assert "empty" in browser.run(WORDS)
    browser.type("#viewer", "right", "right", "right", "left")
    at(browser, 2)
    assert browser.run(WORDS).startswith("Request 2 (line 6): ")
    browser.type("#v-slider", "right")
    at(browser, 3)
    browser.run(SET.format("v-slider", "input"), 40)
    at(browser, 40)
    browser.click("#v-next")
    at(browser, 41)
    browser.click("#v-back")
    at(browser, 40)
    browser.type("#viewer", "end")
    at(browser, 90)
    # The failing request: the heap as it was before it, and what is wrong.
    browser.type("#viewer", "f")
    at(browser, 80)
    assert "Here the next request fails: request 81 </script>" in browser.run(WORDS)
    assert browser.run("return document.title") != "owned"
    events = read_events(pages / "events/bad.tsv")
    browser.click("#v-peak")
    at(browser, events.peak + 1)
    browser.click("#v-hole")
    at(browser, events.largest_hole()[0] + 1)
    browser.type("#viewer", "home")
    browser.click("#v-play")
    browser.wait("return Number(document.getElementById('viewer').dataset.at) >= 3")
    browser.click("#v-play")
    assert browser.messages() == []


def test_what_a_request_did_is_told_and_drawn(tmp_path: Path, browser: Browser) -> None:
    """Appear, split, coalesce, grow: on a heap where every step is known."""
    from grader.cli import main
    heap = FirstFit()
    for name, bytes_ in ((0, 496), (1, 240), (2, 496), (3, 16)):
        heap.request("malloc", name, bytes_)
    heap.request("free", 0)         # 5: a hole at the start
    heap.request("malloc", 4, 48)   # 6: split
    heap.request("free", 1)         # 7: coalesces with the rest of the hole
    heap.request("realloc", 2, 400)  # 8: moves into it
    heap.write(tmp_path / "e.tsv")
    write_result(tmp_path / "r.json", result("a", [heap.trace("t.rep")]))
    assert main(["report", "--result", str(tmp_path / "r.json"), "--events", str(tmp_path / "e.tsv"), "-o",
                 str(tmp_path)]) == 0
    browser.open(tmp_path / "index.html")
    browser.wait(READY)
    browser.type("#viewer", "home")
    told = []
    for number in range(1, 9):
        browser.type("#viewer", "right")
        at(browser, number)
        told.append(browser.run(WORDS))
    assert "The break moved from 0 to 512" in told[0] and "top of the heap" in told[0]
    assert "(split)" in told[5] and "0x10" in told[5]
    assert "coalesced" in told[6] and "before" in told[6]
    assert "moved from 0x" in told[7]
    assert browser.run("return document.getElementById('d-moves').textContent") == "4 break moves"
    # Blue where block 4 is, in the picture of the whole heap.
    colour = browser.run("const c = document.getElementById('v-heap'), d = c.getContext('2d');"
                         "return Array.from(d.getImageData(Math.round(c.width * 40 / 336), 5, 1, 1).data)")
    assert colour[:3] == [0x0B, 0x4F, 0x8A]


def test_scrubbing_100000_requests_is_smooth(tmp_path: Path, browser: Browser, dice) -> None:
    """Jumps anywhere in 100,000 requests with 2,000 live blocks, each drawn before the eye sees it stutter."""
    from grader.cli import main
    lines, live, free, brk = [], [], [64 * i for i in range(2500)], 0
    dice.shuffle(free)
    for n in range(110_000):
        if len(live) >= 2000 and dice.random() < 0.5 or not free:
            name, offset = live.pop(dice.randrange(len(live)))
            free.append(offset)
            lines.append(f"{n + 1}\t{n + 5}\tfree\t{name}\t0\t-\t{brk}\t{48 * len(live)}")
        else:
            live.append((n, free.pop()))
            brk = max(brk, live[-1][1] + 64)
            lines.append(f"{n + 1}\t{n + 5}\tmalloc\t{n}\t48\t{live[-1][1]}\t{brk}\t{48 * len(live)}")
    path = tmp_path / "e.tsv"
    path.write_text("request\tline\tkind\tid\tsize\toffset\tbrk\tlive\n" + "\n".join(lines) + "\n")
    trace = FirstFit().random(dice, 20).trace("t.rep", requests=110_000)
    write_result(tmp_path / "r.json", result("a", [trace]))
    assert main(["report", "--result", str(tmp_path / "r.json"), "--events", str(path), "-o", str(tmp_path)]) == 0
    assert (tmp_path / "index.html").stat().st_size < 4_000_000
    browser.open(tmp_path / "index.html")
    browser.wait(READY, seconds=30)
    assert browser.run("return document.getElementById('v-slider').max") == "100000"
    assert "100,000 of 110,000" in browser.run("return document.getElementById('v-trace').textContent")
    browser.run("""
        const slider = document.getElementById('v-slider');
        window.times = [];
        (function jump(left, last) {
          if (last) window.times.push(performance.now() - last);
          if (!left) { window.done = true; return; }
          slider.value = (left * 7919 * 13) % 100001;
          slider.dispatchEvent(new Event('input'));
          const now = performance.now();
          requestAnimationFrame(() => requestAnimationFrame(() => jump(left - 1, now)));
        })(40, 0);""")
    browser.wait("return window.done", seconds=60)
    times = sorted(browser.run("return window.times"))
    print(f"jump and draw: median {times[20]:.0f} ms, worst {times[-1]:.0f} ms")
    assert times[20] < 150


def test_dark_narrow_and_printed(pages: Path, browser: Browser) -> None:
    browser.open(pages / "one/index.html")
    browser.wait(READY)
    light = browser.run("return getComputedStyle(document.body).backgroundColor")
    browser.emulate(prefers_color_scheme="dark")
    dark = browser.run("return getComputedStyle(document.body).backgroundColor")
    assert light == "rgb(255, 255, 255)" and dark != light
    assert "invert" in browser.run("return getComputedStyle(document.querySelector('figure img')).filter")
    browser.emulate(prefers_color_scheme="light")
    try:
        browser.phone()
        for page in every_page(pages)[:8]:
            browser.open(page)
            assert browser.run("return document.documentElement.scrollWidth <= 360"), page
    finally:
        browser.desktop()


def test_every_control_has_a_name(pages: Path, browser: Browser) -> None:
    for page in every_page(pages)[:6]:
        browser.open(page)
        assert browser.run("""return [...document.querySelectorAll(
            'input, select, button, canvas, svg[role=img]')].every(e =>
            e.textContent.trim() || e.ariaLabel || e.title || (e.labels && e.labels.length))"""), page
        assert browser.run("return document.documentElement.lang") == "en"


def test_the_comparison_links_and_compares(pages: Path, browser: Browser) -> None:
    browser.open(pages / "three/index.html")
    assert names(browser) == ["alpha", "beta", "mm.c"]
    best = browser.run("return [...document.querySelectorAll('#grid tbody tr')]"
                       ".map(r => r.querySelectorAll('.best').length)")
    assert all(number >= 1 for number in best)
    for href in browser.run("return [...document.querySelectorAll('#everybody a')].map(a => a.href)"):
        assert Path(href.removeprefix("file://")).is_file()


def test_what_is_wrong_is_one_sentence(tmp_path: Path, grader) -> None:
    (tmp_path / "bad.json").write_text(json.dumps({"schema": 2}))
    for args, words in ((["-o", "r"], "give --result FILE.json"),
                        (["--result", "bad.json", "-o", "r"], "not a result of mdriver"),
                        (["--batch", "nothing", "-o", "r"], "holds no results.sqlite"),
                        (["--result", "x.json", "-o", "r", "--jobs", "0"], "--jobs 0")):
        done = grader("report", *args, expect=2)
        assert words in done.stderr and done.stderr.count("\n") == 1
    made_class(tmp_path / "empty", [], [])
    assert "nobody is in it" in grader("report", "--batch", "empty", "-o", "r", expect=2).stderr


def test_without_gnuplot_there_is_no_report_with_holes(tmp_path: Path, grader, dice) -> None:
    write_result(tmp_path / "r.json", result("a", [FirstFit().random(dice, 30).trace("t.rep")]))
    done = grader("report", "--result", "r.json", "-o", "r", expect=5, PATH="/nowhere")
    assert "gnuplot is not installed; install gnuplot-nox" in done.stderr
    assert not (tmp_path / "r/index.html").exists()


def test_a_file_that_does_not_compile_has_a_page(tmp_path: Path, grader, browser: Browser) -> None:
    broken = {**result("mm.c", []), "verdict": "build", "message": "mm.c does not compile",
              "score": {"utilization": None, "kops": None, "relative": None, "index": 0.0, "max_index": 100.0,
                        "valid": 0, "scored": 3, "parts": []}}
    broken["submission"]["build_log"] = "mm.c:3: error: <b>expected</b> ';'"
    write_result(tmp_path / "r.json", broken)
    grader("report", "--result", "r.json", "-o", "r")
    browser.open(tmp_path / "r/index.html")
    assert "does not compile" in browser.run("return document.body.textContent")
    assert "<b>expected</b>" in browser.run("return document.querySelector('pre').textContent")
    assert browser.messages() == []


def test_what_failed_in_a_class_is_replayed_for_its_heap(tmp_path: Path, grader, browser: Browser) -> None:
    """The real driver in its sandbox: grade two submissions, one broken, and look at the broken one's heap."""
    root = Path(__file__).resolve().parents[2]
    assert (root / "mdriver").exists(), "build mdriver first: make"
    for name, source in (("ann", root / "mm.c"), ("bob", root / "tests/broken/free-clears-neighbour.c")):
        (tmp_path / "in" / name).mkdir(parents=True)
        (tmp_path / "in" / name / "mm.c").write_bytes(source.read_bytes())
    (tmp_path / "traces").mkdir()
    (tmp_path / "traces/steps.rep").write_bytes((root / "traces/short-steps.rep").read_bytes())
    (tmp_path / "traces/corners.rep").write_bytes((root / "traces/short-corners.rep").read_bytes())
    grader("grade", "in", "-o", "out", "-t", "traces", "--timing-seconds", "0.05")
    grader("report", "--batch", "out", "--heaps", "-o", "report")
    browser.open(tmp_path / "report/index.html")
    browser.click("#everybody tbody tr.bad a")
    browser.wait(READY)
    assert "fails (" in browser.run("return document.querySelector('.failure img').alt")
    browser.click("#v-fail")
    assert "Here the next request fails" in browser.wait(WORDS)
    assert browser.messages() == []
    done = grader("report", "--result", "x.json", "--heaps", "-o", "r", expect=2)
    assert done.stderr


def test_terabytes_are_drawn_and_stepped_through(tmp_path: Path, grader, browser: Browser) -> None:
    heap = FirstFit()
    for name in range(4):
        heap.request("malloc", name, 1 << 40)
    heap.request("free", 1)
    heap.request("malloc", 9, 24)
    heap.write(tmp_path / "e.tsv")
    write_result(tmp_path / "r.json", result("giant", [heap.trace("g.rep")]))
    grader("report", "--result", "r.json", "--events", "e.tsv", "-o", ".")
    browser.open(tmp_path / "index.html")
    browser.wait(READY)
    browser.type("#viewer", "end")
    at(browser, 6)
    assert state(browser) == ("3.00 TiB in use", "4 blocks", "heap 4.00 TiB")
    assert len(browser.run("return [...document.images].map(i => i.alt)")) >= 6
    assert browser.messages() == []
