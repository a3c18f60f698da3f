"""The C parser as a program."""

import json
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from tracetools import ROOT, needed


@pytest.fixture(scope="session", name="parsed")
def c_parser(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., list[dict[str, Any]]]:
    """What the C parser says of trace files: one object each."""
    program = tmp_path_factory.mktemp("parser") / "show"
    sources = [ROOT / "driver" / name for name in ("trace.c", "trace_file.c", "trace_peak.c")]
    subprocess.run([needed("gcc", "gcc"), "-std=gnu11", "-O2", "-Wall", "-Werror", "-iquote", ROOT / "driver",
                    "-o", program, Path(__file__).with_name("show_trace.c"), *sources, "-lz"], check=True)

    def parse(*paths: Path) -> list[dict[str, Any]]:
        done = subprocess.run([program, *paths], capture_output=True, text=True, check=True)
        return [json.loads(line) for line in done.stdout.splitlines()]
    return parse
