"""Making names written by strangers safe to show, to file and to open in a spreadsheet."""

import hashlib
import re
import unicodedata

RUN = tuple("=+-@\t\r\n\uff1d\uff0b\uff0d\uff20")  # what a spreadsheet takes for the start of a formula


def plain(text: str, limit: int = 80) -> str:
    """TEXT on one line: control and direction marks shown as escapes, long text cut in the middle."""
    shown = "".join(
        c if unicodedata.category(c) not in ("Cc", "Cf", "Cs", "Co", "Zl", "Zp") else f"\\u{{{ord(c):x}}}"
        for c in text)
    if len(shown) > limit:
        head = limit * 2 // 3
        shown = shown[:head] + "…" + shown[len(shown) - (limit - head - 1):]
    return shown


def fit(text: str, width: int) -> str:
    """TEXT in exactly WIDTH columns of a terminal, where some characters take two and some none."""
    def columns(char: str) -> int:
        return 0 if unicodedata.combining(char) else 2 if unicodedata.east_asian_width(char) in "WF" else 1

    shown, used = plain(text), 0
    for place, char in enumerate(shown):
        if used + columns(char) > width - (place < len(shown) - 1):
            return shown[:place] + "…" + " " * (width - used - 1)
        used += columns(char)
    return shown + " " * (width - used)


def slug(text: str) -> str:
    """A file name for TEXT: readable, at most 60 bytes of ASCII, distinct for distinct texts."""
    safe = re.sub(r"[^A-Za-z0-9._@-]+", "-", text).strip("-.")[:48]
    digest = hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:8]
    return safe if safe == text and safe else f"{safe or 'person'}-{digest}"


def cell(value: object) -> str:
    """VALUE for a spreadsheet: text that a spreadsheet would run as a formula gets an apostrophe in front."""
    if value is None:
        return ""
    if isinstance(value, float):
        return f"{value:.2f}"
    if isinstance(value, int):
        return str(value)
    text = str(value)
    return "'" + text if text[:1] in RUN else text


def folded(name: str) -> str:
    """NAME for comparison: no case, accents, punctuation or spaces."""
    bare = unicodedata.normalize("NFKD", name)
    return "".join(c for c in bare.casefold() if c.isalnum())


def count(number: int, noun: str, plural: str | None = None) -> str:
    """'1 file', '2 files'."""
    return f"{number:,} {noun if number == 1 else plural or noun + 's'}"
