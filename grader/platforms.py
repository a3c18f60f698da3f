"""One result of mdriver as the platforms want it. Used by `export`, and on the platforms by the bundles.

Each converter takes the result (None when the grader failed, with the reason) and returns the text of a file that
the platform always accepts: a failure of ours too must reach the staff, and never as a zero that looks earned.
"""

import json
import re
import shlex
from collections.abc import Mapping
from datetime import datetime, timezone
from pathlib import Path

from grader.errors import Problem
from grader.sandbox import ROOT
from grader.store import Row
from grader.text import plain

OURS = "The grader failed, which is not your fault. Your instructor has been told; there is nothing for you to do."
SKIPPED = "skipped"  # mdriver's verdict for a trace that no file could serve
MAX_OUTPUT = 20_000  # characters of compiler or allocator output that go to a platform


def headline(result: dict) -> str:
    """'87.25 of 100 points; utilization 91.2 %, 12,345 Kops; 10 of 11 traces valid'."""
    score = result.get("score") or {}
    words = f"{score.get('index') or 0:.2f}" + (f" of {score['max_index']:g}" if score.get("max_index") else "") \
        + " points"
    if result["verdict"] == "build":
        return f"{words}; {plain(result.get('message') or 'the file does not compile', 300)}"
    if score.get("utilization") is not None:
        words += f"; utilization {score['utilization'] * 100:.1f} %"
    if score.get("kops"):
        words += f", {score['kops']:,.0f} Kops"
    words += f"; {tally(result, 'traces')}"
    return words + ("; graded without a sandbox" if result.get("sandbox") == "none" else "")


def failed(trace: dict) -> bool:
    """Whether TRACE counts against the allocator; one that no file could serve does not."""
    return trace["verdict"] not in ("ok", SKIPPED)


def judged(result: dict) -> list[dict]:
    """The traces that say something about the allocator."""
    return [trace for trace in result["traces"] if trace["verdict"] != SKIPPED]


def tally(result: dict, noun: str = "") -> str:
    """'10 of 11 NOUN valid, 1 skipped (ld.rep)'."""
    traces = judged(result)
    skipped = [trace["name"] for trace in result["traces"] if trace["verdict"] == SKIPPED]
    valid = sum(trace["verdict"] == "ok" for trace in traces)
    words = f"{valid} of {len(traces)} {noun} valid" if noun else f"{valid} of {len(traces)} valid"
    return words + (f", {len(skipped)} skipped ({plain(', '.join(skipped))})" if skipped else "")


def explain(trace: dict) -> str:
    """What went wrong in a trace, and what to do next."""
    why, command = advice(trace)
    hint = f"{why}: {command}" if command else why
    return "\n".join(filter(None, (trace.get("message"), hint))) or trace["verdict"]


def advice(trace: dict) -> tuple[str, str]:
    """mdriver's hint as a reason and a command that works where the student is: no folders of this machine in it."""
    hint = trace.get("hint") or ""
    found = re.fullmatch(r"(.*): (\./mdriver .*)", hint, re.S)
    try:
        words = shlex.split(found[2]) if found else []
    except ValueError:  # cut in the middle of a quoted name
        words = []
    if not found or not words:
        return (hint if not found else found[1]), ""
    for place, word in enumerate(words[1:], start=1):
        if not word.startswith("/"):
            continue
        if words[place - 1] == "-f" and Path(word).is_relative_to(ROOT / "traces"):
            words[place] = f"traces/{Path(word).name}"
        else:
            words[place] = Path(word).name
    return found[1], shlex.join(words)


def parts(result: dict) -> list[tuple[str, float, float]]:
    """The parts of the score: name, points, maximum."""
    score = result.get("score") or {}
    found = [(p["name"], float(p["points"] or 0), float(p["max"] or 0)) for p in score.get("parts") or []]
    return found or [("score", float(score.get("index") or 0), float(score.get("max_index") or 0))]


def board(result: dict) -> tuple[float, float, int]:
    """Score, utilization (%) and Kops for a scoreboard; who fails a trace is first in nothing."""
    score = result.get("score") or {}
    sound = score if result["verdict"] == "ok" else {}
    return (round(float(score.get("index") or 0), 2), round(float(sound.get("utilization") or 0) * 100, 1),
            round(float(sound.get("kops") or 0)))


def cut(text: str | None) -> str:
    """TEXT, not too long for a platform."""
    text = text or ""
    return text if len(text) <= MAX_OUTPUT else text[:MAX_OUTPUT] + f"\n... {len(text) - MAX_OUTPUT} more characters"


def build_log(result: dict) -> str:
    """What the compiler said."""
    return cut((result.get("submission") or {}).get("build_log"))


def build_words(result: dict) -> str:
    """Why there is no program to run: mdriver's sentence, then the compiler's words."""
    return "\n".join(filter(None, (plain(result.get("message") or "", 300), build_log(result)))) or "does not compile"


def dumps(value: object) -> str:
    """JSON without NaN, which no platform's parser takes, and without raw non-ASCII, which some mangle."""
    return json.dumps(value, allow_nan=False)


def gradescope(result: dict | None, fault: str | None = None, row: Row | None = None, title: str = "") -> str:
    """results.json. Gradescope refuses a file without a score, so our own fault has 0; its one test is hidden, and with
    a hidden test students see no total: the zero shows to the staff only, beside the reason."""
    if result is None:
        return dumps({"score": 0, "output": OURS, "visibility": "visible", "stdout_visibility": "hidden",
                      "extra_data": {"grader_fault": fault or "no result"},
                      "tests": [{"name": "grader", "status": "failed", "visibility": "hidden",
                                 "output": f"Staff: {fault or 'no result'}. Re-run the autograder.",
                                 "tags": ["grader-fault"]}]})
    score = result.get("score") or {}
    tests = []
    for number, (name, points, most) in enumerate(parts(result), start=1):
        test = {"name": name, "number": f"1.{number}", "score": round(points, 2), "visibility": "visible"}
        tests.append(test | ({"max_score": most} if most else {}))
    for number, trace in enumerate(judged(result), start=1):
        ok = trace["verdict"] == "ok"
        words = (f"utilization {(trace.get('utilization') or 0) * 100:.1f} %, {trace.get('kops') or 0:,.0f} Kops"
                 if ok else explain(trace))
        tests.append({"name": trace["name"], "number": f"2.{number}", "status": "passed" if ok else "failed",
                      "output": cut(words), "output_format": "text", "visibility": "visible",
                      "tags": [trace["verdict"]]})
    output = headline(result)
    if result["verdict"] == "build":
        output += "\n\n" + build_log(result)
    for finding in result.get("findings") or []:
        output += f"\n{finding['sentence']}"
    return dumps({
        "score": round(float(score.get("index") or 0), 2), "output": output, "output_format": "text",
        "visibility": "visible", "stdout_visibility": "hidden", "tests": tests,
        "leaderboard": [{"name": name, "value": value}
                        for name, value in zip(("Score", "Utilization (%)", "Kops"), board(result))],
        "extra_data": {"relative": score.get("relative"), "verdict": result["verdict"],
                       "sandbox": result.get("sandbox")}})


def check_problem(name: str) -> None:
    """Refuses a problem's name that Autolab cannot read: it puts quotes around every word before a colon."""
    if re.search(r"[A-Za-z0-9]:", name) or not name.strip():
        raise Problem(f"--title '{plain(name)}': Autolab cannot read a problem's name that is empty or has a colon "
                      "after a letter or digit; rename the problem there")


def autolab(result: dict | None, fault: str | None = None, row: Row | None = None, title: str = "Malloc Lab") -> str:
    """What autograde prints: a headline, the formatted feedback, and the autoresult as the last line.

    TITLE is the problem as set up on the site; the scoreboard's columns are score, utilization (%) and Kops. Our own
    fault is an autoresult with no scores: a last line that does not parse would be a zero in every problem.
    """
    if result is None:
        hint = f"{OURS} Staff: {plain(fault or 'no result', 300)}"
        feedback = {"_presentation": "semantic", "stages": ["Grader"],
                    "Grader": {"grading": {"passed": False, "hint": hint}}}
        return f"{OURS}\n{dumps(feedback)}\n" + dumps({"scores": {}}) + "\n"
    built = result["verdict"] != "build"
    feedback = {"_presentation": "semantic", "stages": ["Build", "Test", "Score"],
                "Build": {"compile": {"passed": built} | ({} if built else {"hint": build_words(result)})},
                "Test": {}, "Score": {}}
    for trace in judged(result):
        ok = trace["verdict"] == "ok"
        feedback["Test"][trace["name"]] = {"passed": ok} | ({} if ok else {"hint": cut(explain(trace))})
    for name, points, most in parts(result):
        feedback["Score"][f"{name} (of {most:g})" if most else name] = round(points, 2)
    index, *figures = board(result)
    autoresult = {"scores": {title: index}, "scoreboard": [index, *figures]}
    return f"{headline(result)}\n{dumps(feedback)}\n{dumps(autoresult)}\n"


def prairielearn(result: dict | None, fault: str | None = None, row: Row | None = None, title: str = "") -> str:
    """results.json: the score from 0 to 1; a file that does not compile costs no attempt, our fault neither."""
    if result is None:
        return dumps({"gradable": False, "format_errors": [OURS], "message": OURS,
                      "output": f"Staff: {fault or 'no result'}"})
    if result["verdict"] == "build":
        why = plain(result.get("message") or "mm.c does not compile", 300)
        return dumps({"gradable": False, "format_errors": [why], "output": build_log(result)})
    score = result.get("score") or {}
    most = float(score.get("max_index") or 0)
    tests = [{"name": name, "points": round(points, 2), "max_points": maximum} for name, points, maximum
             in parts(result)]
    for trace in judged(result):
        ok = trace["verdict"] == "ok"
        tests.append({"name": trace["name"], "points": 0, "max_points": 0,
                      "message": "valid" if ok else cut(explain(trace))})
    share = float(score.get("index") or 0) / most if most else 0.0
    return dumps({"gradable": True, "score": min(1.0, max(0.0, share)), "message": headline(result), "tests": tests})


def classroom50(result: dict | None, fault: str | None = None, row: Row | None = None, title: str = "malloc-lab",
                environment: Mapping[str, str] | None = None) -> str:
    """result.json of schema classroom50/result/v1: whole points only, and never more than there are.

    In a workflow ENVIRONMENT names the submission; elsewhere the links, which may not be empty, are the file's hash.
    """
    score = (result or {}).get("score") or {}
    get = (environment or {}).get
    tests: list[dict] = []
    if result is None:
        tests.append({"test-name": "grader", "passed": False, "score": 0, "max-score": 0,
                      "message": f"{OURS} ({fault or 'no result'})"})
    else:
        for trace in judged(result):
            tests.append({"test-name": trace["name"] or "trace", "passed": trace["verdict"] == "ok", "score": 0,
                          "max-score": 0, "message": "" if trace["verdict"] == "ok" else cut(explain(trace))})
        for name, points, most in parts(result):
            tests.append({"test-name": name, "passed": points >= most, **_whole(points, most)})
    now = datetime.now(timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")
    when = (row.graded_at if row else "") or now
    owner = (row.person.github or row.person.key) if row else get("GITHUB_REPOSITORY_OWNER") or "unknown"
    sha = row.sha256 if row else ((result or {}).get("submission") or {}).get("sha256")
    link = get("COMMIT_URL") or f"urn:sha256:{sha or 'unknown'}"
    return dumps({
        "schema": "classroom50/result/v1", "classroom": get("CLASSROOM") or "classroom",
        "assignment": get("ASSIGNMENT") or title, "assignment_type": "individual", "owner": plain(owner),
        "submission": get("SUBMISSION_TAG") or f"submit/{row.attempt if row and row.attempt else 0}",
        "commit": link, "release": get("RELEASE_URL") or link, "review": get("REVIEW_URL") or link,
        "datetime": when, "graded_at": when, **_whole(score.get("index"), score.get("max_index")), "tests": tests})


def _whole(points: float | None, most: float | None) -> dict[str, int]:
    """Points as the schema takes them: integers, from 0 to the maximum. An unbounded score is its own maximum."""
    value = max(0, round(float(points or 0)))
    top = round(float(most or 0)) or value
    return {"score": min(value, top), "max-score": top}


def junit_cases(result: dict) -> list[tuple[str, float, str, str]]:
    """The traces as test cases: name, seconds, verdict, message; a failed build is one case."""
    if not result["traces"]:
        return [("build", 0.0, result["verdict"], build_words(result))]
    return [(t["name"], float(t.get("seconds") or 0), t["verdict"], "" if t["verdict"] == "ok" else explain(t))
            for t in result["traces"]]
