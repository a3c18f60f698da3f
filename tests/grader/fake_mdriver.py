#!/usr/bin/python3
"""A fast double of mdriver for fault injection: what it does is written in the submission.

    // fake: ok 87.5        a score            // fake: crash       verdict crash, exit 4
    // fake: wrong          verdict overlap    // fake: build       verdict build, exit 3
    // fake: fault          exit 5, always     // fake: fault-once  exit 5 the first time, then ok
    // fake: signal         killed             // fake: no-json     exit 0 and no file
    // fake: bad-json       half a file        // fake: grader      JSON that reports our own failure
    // fake: sleep 0.5      takes that long
"""

import hashlib
import json
import os
import re
import signal
import sys
import time


def result(verdict: str, index: float, source: bytes, timed: bool) -> dict:
    """The JSON of docs/JSON.md, filled with figures that follow from the file."""
    traces = []
    for number, name in enumerate(("short1.rep", "realloc2.rep")):
        bad = verdict != "ok" and number == 1
        traces.append({
            "name": name, "path": f"traces/{name}", "weight": "both", "verdict": verdict if bad else "ok",
            "message": f"{name}:42: request 38 (realloc 7 512): it went wrong" if bad else "",
            "hint": "run: ./mdriver -D" if bad else "", "line": 42 if bad else 0, "request": 38 if bad else 0,
            "requests": 100, "peak_payload": 4096, "heap": 8192, "outside": 0, "utilization": 0.5, "ceiling": 0.9,
            "header_ceiling": 0.8, "seconds": 0.001 if timed else None, "kops": 100.0 if timed else None,
            "relative": 1.1 if timed else None, "relative_error": 0.02 if timed else None, "repetitions": [0.001],
            "reference_repetitions": [0.0011], "latency": {}, "output": ""})
    if verdict == "build":
        traces = []
    valid = sum(trace["verdict"] == "ok" for trace in traces)
    return {
        "schema": 1, "tool": "mdriver fake", "course": "fake", "clock": "cpu", "sandbox": "full",
        "submission": {"name": "mm.c", "path": "mm.c", "sha256": hashlib.sha256(source).hexdigest(), "bits": 64,
                       "static_bytes": 0, "flags": "", "build_log": "mm.c:1: error" if verdict == "build" else ""},
        "verdict": verdict, "reference": "explicit", "traces": traces,
        "score": {"utilization": 0.5, "kops": 100.0, "relative": 1.1, "index": index if verdict == "ok" else 0,
                  "max_index": 100, "valid": valid, "scored": 2,
                  "parts": [{"name": "utilization", "points": index * 0.6, "max": 60},
                            {"name": "throughput", "points": index * 0.4, "max": 40}]},
        "findings": []}


def main() -> int:
    """Does what the submission says."""
    args = sys.argv[1:]
    if "-c" in args and args[args.index("-c") + 1] == "nowhere":
        print("mdriver: nowhere: no such course", file=sys.stderr)
        return 2
    if args == ["doctor"]:
        print("This machine is fake.")
        return 0
    if "--course-json" in args:
        print('{"bits": 64}')
        return 0
    source = open(args[-1], "rb").read()
    order = re.search(rb"// fake: (\S+) ?([0-9.]*)", source)
    log = os.environ.get("FAKE_LOG")
    if log:
        with open(log, "a") as handle:
            kind = "sample" if order is None else "check" if "--check-only" in args else "time"
            handle.write(f"{hashlib.sha256(source).hexdigest()} {kind}\n")
    word, number = (order[1].decode(), float(order[2] or 50)) if order else ("ok", 50.0)
    if word == "sleep":
        time.sleep(number)
        word, number = "ok", 50.0
    if word == "fault" or (word == "fault-once" and first_time(source)):
        print("mdriver: something of ours broke", file=sys.stderr)
        return 5
    if word == "signal":
        os.kill(os.getpid(), signal.SIGSEGV)
    if word == "no-json":
        return 0
    verdict, status = {"crash": ("crash", 4), "wrong": ("overlap", 1), "build": ("build", 3),
                       "grader": ("grader", 5 - 5)}.get(word, ("ok", 0))
    text = json.dumps(result(verdict, number, source, "--check-only" not in args))
    with open(args[args.index("--json") + 1], "w") as handle:
        handle.write(text[:50] if word == "bad-json" else text)
    return status


def first_time(source: bytes) -> bool:
    """Whether this file is seen for the first time (outside a sandbox only)."""
    mark = os.path.join(os.environ["FAKE_STATE"], hashlib.sha256(source).hexdigest())
    try:
        os.close(os.open(mark, os.O_CREAT | os.O_EXCL))
        return True
    except FileExistsError:
        return False


if __name__ == "__main__":
    sys.exit(main())
