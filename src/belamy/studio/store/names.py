"""Names of files that a person can read, out of words that anybody may have written."""

from __future__ import annotations

import time
import unicodedata
from pathlib import Path

__all__ = ["result_stem", "safe_name"]

_LONGEST = 60  # characters
_RESERVED = {"con", "prn", "aux", "nul", *(f"{n}{i}" for n in ("com", "lpt") for i in range(10))}
_PLAIN = " -_.,()'+=#"


def safe_name(text: str, usual: str = "picture") -> str:
    """Letters, digits and a few signs of a text: no path, no control, nothing hidden."""
    plain = unicodedata.normalize("NFC", text)
    kept = "".join(
        letter if letter.isalnum() or letter in _PLAIN else "-" if letter in ":;/\\|" else " "
        for letter in plain
        if letter.isprintable()
    )
    name = " ".join(kept.split()).strip(" .-")[:_LONGEST].rstrip(" .-")
    if not name or Path(name).stem.lower() in _RESERVED:
        return usual
    return name


def result_stem(title: str, name: str, when: float) -> str:
    """What a result is called: when, what, and an id that no other has."""
    stamp = time.strftime("%Y-%m-%d %H.%M", time.localtime(when))
    return f"{stamp} {safe_name(title, 'untitled')} {name[:6]}"
