"""Every option that an engine has is called and explained, in both languages."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from belamy.studio.catalog.engines import ENGINES
from belamy.studio.catalog.fields import fields_of

WORDS = Path(__file__).parents[2] / "src" / "belamy" / "studio" / "page" / "words"
LANGUAGES = ("en", "it")
UNSEEN = {"language", "paused", "sheet"}  # the page sets them by itself
TRAINED = {name for name, row in ENGINES.items() if row.kind == "training"}  # in their own dialog
SHOWN = [(name, row) for name, row in ENGINES.items() if name not in TRAINED]


def read(language: str) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for part in ("", ".options", ".rooms"):
        found |= json.loads((WORDS / f"{language}{part}.json").read_text("utf-8"))
    return found


TABLES = {language: read(language) for language in LANGUAGES}


def words_of(language: str, engine: str, option: str) -> dict[str, str]:
    """As the page finds them."""
    options = TABLES[language]["options"]
    tables = (
        options.get(engine, {}),
        options.get(engine.removesuffix("_film"), {}),
        options["all"],
    )
    return dict(next((table[option] for table in tables if option in table), {}))


def word_of(language: str, engine: str, option: str, choice: object) -> str | None:
    tables = TABLES[language]["choices"]
    text = {True: "true", False: "false", None: "null"}.get(choice, str(choice))  # type: ignore[call-overload]
    for table in (f"{engine}_{option}", f"{engine.removesuffix('_film')}_{option}", option, "all"):
        if text in tables.get(table, {}):
            return str(tables[table][text])
    return None


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_option_has_words(language: str) -> None:
    lacking = [
        f"{name}.{option}"
        for name, engine in SHOWN
        for option in fields_of(engine)
        if option not in UNSEEN
        and not all(words_of(language, name, option).get(part) for part in ("label", "help"))
    ]
    assert lacking == []


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_choice_has_a_word(language: str) -> None:
    """But for names that are the same everywhere: of networks, of what is typed."""
    lacking = [
        f"{name}.{option}: {choice}"
        for name, engine in SHOWN
        for option, field in fields_of(engine).items()
        if option not in UNSEEN and option not in ("model", "network")
        for choice in field.choices
        if word_of(language, name, option, choice) is None
    ]
    assert lacking == []
