"""The lessons speak every language completely."""

from __future__ import annotations

import ast
import string
from collections import Counter
from pathlib import Path
from typing import get_args

import pytest

import belamy.basics
from belamy.errors import UnknownName
from belamy.learn.lessons import Language
from belamy.learn.texts import TABLES, texts

LIBRARY = Path(belamy.basics.__file__ or "").parent.parent
KEYS = sorted({key for tables in TABLES.values() for table in tables for key in table})


def table(language: str) -> dict[str, str]:
    return {key: text for part in TABLES[language] for key, text in part.items()}


def places(text: str) -> Counter[str]:
    """The names in braces, with how they are to be written."""
    found = string.Formatter().parse(text)
    return Counter(f"{name}:{spec}" for _, name, spec, _ in found if name is not None)


def test_languages_are_those_that_the_option_names() -> None:
    assert tuple(TABLES) == get_args(Language)


@pytest.mark.parametrize("language", TABLES)
def test_no_key_stands_twice(language: str) -> None:
    counts = Counter(key for part in TABLES[language] for key in part)
    assert [key for key, count in counts.items() if count > 1] == []


@pytest.mark.parametrize("language", TABLES)
def test_every_key_is_in_every_language(language: str) -> None:
    assert sorted(table(language)) == KEYS


@pytest.mark.parametrize("key", KEYS)
def test_every_language_has_room_for_the_same_values(key: str) -> None:
    rooms = {language: places(table(language)[key]) for language in TABLES}
    assert len({tuple(sorted(room.items())) for room in rooms.values()}) == 1, rooms


@pytest.mark.parametrize("key", KEYS)
def test_formulas_are_whole(key: str) -> None:
    for language in TABLES:
        assert table(language)[key].count("$") % 2 == 0


def test_every_key_is_said_somewhere() -> None:
    """As a literal, or as a literal with one part filled in."""
    said = set()
    for path in LIBRARY.rglob("*.py"):
        if path.parent.name == "texts":
            continue
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.Constant) and isinstance(node.value, str):
                said.add(node.value)
            elif isinstance(node, ast.JoinedStr):
                start = node.values[0]
                said.add(start.value if isinstance(start, ast.Constant) else "")
    prefixes = tuple(text for text in said if isinstance(text, str) and text.endswith("_"))
    assert [key for key in KEYS if key not in said and not key.startswith(prefixes)] == []


def test_an_unknown_language_is_named() -> None:
    with pytest.raises(UnknownName, match="unknown language 'de'"):
        texts("de")
