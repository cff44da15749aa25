"""What the lessons say, in every language: one table for each language, the same keys in all.

    say = texts("it")
    say("neuron.title")
    say("mlp.loss", loss=0.31)

A key is `lesson.what`; values go into the places in braces, as `str.format` has it. To add texts,
write them into the module of each language that `TABLES` names, or add a module to each.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from belamy.errors import UnknownName
from belamy.learn.texts import en, it, networks_en, networks_it

__all__ = ["TABLES", "Texts", "texts"]

TABLES: dict[str, tuple[Mapping[str, str], ...]] = {
    "en": (en.TEXTS, networks_en.TEXTS),
    "it": (it.TEXTS, networks_it.TEXTS),
}
"""Language → its tables, each with keys of its own."""

_BETWEEN_THOUSANDS = {"en": ",", "it": "\N{NARROW NO-BREAK SPACE}"}


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

    def grouped(self, number: int) -> str:
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
