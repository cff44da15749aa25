"""What the lessons say, in every language: one table for each language, the same keys in all.

    say = texts("it")
    say("neuron.title")
    say("mlp.loss", loss=0.31)

A key is `lesson.what`; values go into the places in braces, as `str.format` has it. To add texts,
write them into the module of each language that `TABLES` names, or add a module to each.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from belamy.errors import UnknownName
from belamy.learn.texts import en, it, networks_en, networks_it

__all__ = ["TABLES", "Texts", "localise", "texts"]

TABLES: dict[str, tuple[Mapping[str, str], ...]] = {
    "en": (en.TEXTS, networks_en.TEXTS),
    "it": (it.TEXTS, networks_it.TEXTS),
}
"""Language → its tables, each with keys of its own."""

_BETWEEN_THOUSANDS = {"en": ",", "it": "\N{NARROW NO-BREAK SPACE}"}

_DECIMALS_WITH_COMMA = ("it",)
# What is typed stays as it is typed: `--penalty 0.1`.
_POINT = re.compile(r"(?P<typed>--[\w-]+ \S+)|(?P<formula>\$[^$]*\$)|(?<=\d)\.(?=\d)")
_NAMES: dict[str, dict[str, str]] = {"it": it.NAMES}


@dataclass(frozen=True)
class Texts:
    """The texts of one language: call it with a key, and the values that its text has room for.

    Args:
        language: a key of `TABLES`.
    """

    language: str

    def __call__(self, key: str, **values: object) -> str:
        found = next(table[key] for table in TABLES[self.language] if key in table)
        return found.format(**values)

    def name(self, word: str) -> str:
        """What a choice of an option, such as `spirals`, is called; as it is typed in English."""
        return _NAMES.get(self.language, {}).get(word, word)

    def group_digits(self, number: int) -> str:
        """A large number with something between its thousands: a comma, in Italian a space."""
        return f"{number:,}".replace(",", _BETWEEN_THOUSANDS[self.language])


def texts(language: str) -> Texts:
    """The texts in `language`.

    Raises:
        UnknownName: belamy does not speak it.
    """
    if language not in TABLES:
        raise UnknownName("language", language, TABLES)
    return Texts(language)


def localise(text: str, language: str) -> str:
    """A text with its numbers as the language writes them: a decimal comma in Italian."""
    if language not in _DECIMALS_WITH_COMMA:
        return text

    def comma(found: re.Match[str]) -> str:
        if found["formula"]:  # where a comma by itself ends a number
            return re.sub(r"(?<=\d)\.(?=\d)", "{,}", found["formula"])
        return found["typed"] or ","

    return _POINT.sub(comma, text)
