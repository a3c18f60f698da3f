"""Parts of pages that scripts write: what stands between the marks <!-- NAME: begin --> and <!-- NAME: end -->."""
from __future__ import annotations

import sys
from pathlib import Path


def write_part(page: Path, name: str, text: str) -> None:
    """Puts TEXT between the marks of the part NAME of PAGE; ends the program when they are not there."""
    begin, end = f"<!-- {name}: begin -->", f"<!-- {name}: end -->"
    before, mark, rest = page.read_text(encoding="utf-8").partition(begin)
    _, last, after = rest.partition(end)
    if not mark or not last:
        sys.exit(f"{page}: the marks {begin} and {end} are missing")
    page.write_text(f"{before}{begin}\n{text}\n{end}{after}", encoding="utf-8")
