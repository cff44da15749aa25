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
from belamy.learn.texts import TABLES, localise, texts

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


@pytest.mark.parametrize(
    ("text", "written"),
    [
        ("0.5·x₁ + 12.25 = 3", "0,5·x₁ + 12,25 = 3"),
        ("(lo farebbe --penalty 0.1), 0.2", "(lo farebbe --penalty 0.1), 0,2"),
        ("$w_1$ = 0.5 e $x < 0.25$", "$w_1$ = 0,5 e $x < 0{,}25$"),
        ("Novikoff, 1962. Poi v. foto.png", "Novikoff, 1962. Poi v. foto.png"),
    ],
)
def test_italian_has_a_decimal_comma(text: str, written: str) -> None:
    assert localise(text, "it") == written
    assert localise(text, "en") == text


def test_names_in_sentences_are_translated() -> None:
    assert texts("it").name("spirals") == "spirali"
    assert texts("en").name("spirals") == "spirals"
    assert texts("it").name("of a file") == "of a file"


def test_ticks_and_texts_of_a_drawing_have_it_too() -> None:
    pytest.importorskip("matplotlib")
    from belamy.learn.drawings.style import render, sheet

    kept = []

    def draw() -> object:
        figure, axes = sheet("Errore 0.5")
        axes["plot"].plot([0, 1], [0, 0.25])
        kept.append((figure, axes["plot"]))
        return figure

    render(draw, 300, "it")  # type: ignore[arg-type]
    ((figure, axes),) = kept
    labels = [label.get_text() for label in axes.get_yticklabels()]
    assert "0,10" in labels
    assert not any("." in label for label in labels)
    assert "Errore 0,5" in [
        text.get_text() for text in figure.findobj() if hasattr(text, "get_text")
    ]
