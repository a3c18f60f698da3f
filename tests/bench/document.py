#!/usr/bin/python3
"""Runs the benchmarks and writes their output into docs/TIMING.md, between its two markers.

    document.py [--times N] [driver] [allocators] [repeatability]

Without a name, all three.
"""
from __future__ import annotations

import argparse
import platform
import subprocess
import sys
from pathlib import Path

from driver_json import ROOT
from page import write_part

HERE = Path(__file__).resolve().parent


def machine() -> str:
    """The processor, the cores and the kernel, in one line."""
    model = next((line.split(":", 1)[1].strip() for line in Path("/proc/cpuinfo").read_text().splitlines()
                  if line.startswith("model name")), platform.machine())
    cores = sum(line.startswith("processor") for line in Path("/proc/cpuinfo").read_text().splitlines())
    return f"{model}, {cores} cores, Linux {platform.release()}, {platform.python_compiler()}"


def output(*command: str) -> str:
    """What a benchmark prints; ends the program when it fails."""
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    if done.returncode:
        sys.exit(f"{' '.join(command)}: exit status {done.returncode}\n{done.stderr}")
    return done.stdout.rstrip()


def main() -> None:
    """Measures, then replaces what stands between the markers."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--times", type=int, default=20)
    parser.add_argument("parts", nargs="*", metavar="PART")
    options = parser.parse_args()
    commands = {
        "driver": ["build/bench/micro", "build/bench/runner"],
        "allocators": ["/usr/bin/python3", str(HERE / "allocators.py")],
        "repeatability": ["/usr/bin/python3", str(HERE / "repeatability.py"), "--times", str(options.times)],
    }
    for part in options.parts:
        if part not in commands:
            parser.error(f"no part is called '{part}'; there are: {', '.join(commands)}")
    parts = [output(*command) for name, command in commands.items() if not options.parts or name in options.parts]
    blocks = "\n\n".join("    " + part.replace("\n", "\n    ") for part in parts)
    write_part(ROOT / "docs" / "TIMING.md", "measured", f"{machine()}:\n\n{blocks}")


if __name__ == "__main__":
    main()
