#!/usr/bin/python3
"""Writes the tables of traces/README.md: what each trace is, how it came about, and what its best utilization is.

  traces/tools/index.py            rewrites them
  traces/tools/index.py --check    status 1 when they are not what the files say
"""

import argparse
import json
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))
# pylint: disable=wrong-import-position
from families import CORPUS  # noqa: E402
from repfile import WEIGHT_WORDS, Problem, Trace, aligned, find, most_live, peak, read  # noqa: E402

TRACES = Path(__file__).resolve().parent.parent
BEGIN, END = "<!-- {}: begin -->", "<!-- {}: end -->"
FIGURES = "requests | peak live bytes | live blocks | weight | aligned | headers"
RULER = "--- | --: | --: | --: | --- | --: | --: | ---"


def figures(trace: Trace) -> str:
    """The columns that every trace has."""
    payload = peak(trace.requests)
    ceilings = [payload / peak(trace.requests, bytes_of) for bytes_of in (aligned(16), aligned(16, 8, 32))]
    return " | ".join([f"{len(trace.requests):,}", f"{payload:,}", f"{most_live(trace.requests):,}",
                       WEIGHT_WORDS[trace.weight], *(f"{100 * ceiling:.1f} %" for ceiling in ceilings)])


def tables(folder: Path) -> dict[str, str]:
    """The recorded and the generated table, in Markdown."""
    recorded = json.loads((folder / "recorded.json").read_text(encoding="utf-8"))
    generated = {made.name: made for made in CORPUS}
    rows: dict[str, list[str]] = {"recorded": [], "generated": []}
    total = size = 0
    for path in find(folder):
        trace = read(path)
        total += len(trace.requests)
        size += path.stat().st_size
        name = path.name.partition(".")[0]
        if path.name in generated:
            made = generated[path.name]
            about = f"`{made.how}`: {made.family.__doc__.rstrip('.')}"
            rows["generated"].append(f"| {name} | {figures(trace)} | {about} |")
        elif name in recorded:
            of = recorded[name]
            rows["recorded"].append(f"| {name} | {figures(trace)} | {of['says']}: `{of['command'].replace('|', chr(92) + '|')}`"
                                    f" ({of['packages']}) |")
        else:
            raise Problem(f"{path}: neither generated (families.py) nor recorded (recorded.json); where is it from?")
    head = {kind: f"| {kind} | {FIGURES} | {how} |\n| {RULER} |\n"
            for kind, how in (("recorded", "program: command (packages)"), ("generated", "family and parameters"))}
    out = {kind: head[kind] + "\n".join(lines) for kind, lines in rows.items()}
    out["total"] = (f"{len(rows['recorded'])} recorded and {len(rows['generated'])} generated traces, {total:,} requests, "
                    f"{size / 1e6:.1f} MB.")
    return out


def rewritten(text: str, parts: dict[str, str]) -> str:
    """TEXT with each part between its marks."""
    for name, part in parts.items():
        begin, end = BEGIN.format(name), END.format(name)
        if begin not in text or end not in text:
            raise Problem(f"README.md: expected the marks {begin} and {end}")
        before, _, rest = text.partition(begin)
        text = f"{before}{begin}\n{part}\n{end}{rest.partition(end)[2]}"
    return text


def main() -> int:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--check", action="store_true", help="write nothing; status 1 when something would change")
    args = parser.parse_args()
    readme = TRACES / "README.md"
    try:
        old = readme.read_text(encoding="utf-8")
        new = rewritten(old, tables(TRACES))
    except Problem as problem:
        print(f"index.py: {problem}", file=sys.stderr)
        return 2
    if args.check:
        if new != old:
            print("index.py: traces/README.md is not what the traces say; run traces/tools/index.py", file=sys.stderr)
        return int(new != old)
    readme.write_text(new, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
