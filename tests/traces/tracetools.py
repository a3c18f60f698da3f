"""What the tests of traces share: where the tools are, and how they are run."""

import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
TOOLS = ROOT / "traces" / "tools"
sys.path.insert(0, str(TOOLS))


def needed(program: str, package: str) -> str:
    """The path of a program that a test cannot do without."""
    path = shutil.which(program)
    assert path, f"{program}: not found; install the package {package}"
    return path


def tool(name: str, *arguments: object, **options: Any) -> subprocess.CompletedProcess[str]:
    """Runs a script of traces/tools."""
    return subprocess.run([str(TOOLS / name), *map(str, arguments)], capture_output=True, text=True, check=False,
                          timeout=60, **options)
