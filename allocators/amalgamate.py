#!/usr/bin/python3
"""Writes one allocator as a single file that can be handed in: its own includes are put in place.

usage: amalgamate.py SOURCE.c [-o FILE]
"""
import argparse
import re
import sys
from pathlib import Path

LOCAL_INCLUDE = re.compile(r'^\s*#\s*include\s+"([^"]+)"')
SYSTEM_INCLUDE = re.compile(r"^#include <\S+>$")
GIVEN = {"mm.h", "memlib.h"}  # what every submission may include


def without_guard(lines: list[str]) -> list[str]:
    """The lines of a header without its include guard; a file that has none as it is."""
    for i in range(len(lines) - 1):
        guard = re.match(r"#ifndef (\w+_H)\s*$", lines[i])
        if guard and lines[i + 1].strip() == f"#define {guard[1]}":
            end = max(n for n, line in enumerate(lines) if line.startswith("#endif"))
            return lines[:i] + lines[i + 2:end] + lines[end + 1:]
    return lines


def inlined(path: Path, seen: set[Path]) -> list[str]:
    """The lines of a file, with each local include replaced by that file, once."""
    seen.add(path.resolve())
    lines = without_guard(path.read_text(encoding="utf-8").splitlines())
    result: list[str] = []
    for number, line in enumerate(lines, 1):
        include = LOCAL_INCLUDE.match(line)
        if not include or include[1] in GIVEN:
            result.append(line)
            continue
        target = path.parent / include[1]
        if not target.is_file():
            sys.exit(f'amalgamate.py: {path}:{number}: cannot find "{include[1]}" beside this file; '
                     "an allocator may include mm.h, memlib.h and files under common/")
        if target.resolve() not in seen:
            result += inlined(target, seen)
    return result


def tidied(lines: list[str]) -> list[str]:
    """Without the system headers that an earlier line has, and without two empty lines in a row."""
    result: list[str] = []
    for line in lines:
        repeated = SYSTEM_INCLUDE.match(line) and line in result
        if not repeated and (line or (result and result[-1])):
            result.append(line)
    return result


def main() -> None:
    """Reads the arguments and writes the file."""
    parser = argparse.ArgumentParser(description="Write an allocator and what it includes as one mm.c.")
    parser.add_argument("source", type=Path, help="the allocator, such as allocators/tlsf.c")
    parser.add_argument("-o", "--output", type=Path, help="where to write (default: standard output)")
    args = parser.parse_args()
    if not args.source.is_file():
        sys.exit(f"amalgamate.py: {args.source}: no such file; the allocators are in {Path(__file__).parent}")
    text = "\n".join(tidied(inlined(args.source, set()))) + "\n"
    if args.output:
        args.output.write_text(text, encoding="utf-8")
    else:
        sys.stdout.write(text)


if __name__ == "__main__":
    main()
