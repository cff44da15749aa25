"""The tour's texts: the same stops in every language, each with its formula, year and source."""

from __future__ import annotations

import re
import shlex
from pathlib import Path
from typing import Any

import pytest
import typer

from belamy.cli import app
from belamy.errors import UnknownName
from belamy.tour.page import LANGUAGES, Visit, make_page, read_texts
from belamy.tour.stops import STOPS

DOCS = Path(__file__).parents[2] / "docs" / "tour"
LINES = [line for stop in STOPS for line in stop.lines]


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_stop_is_told(language: str) -> None:
    told = read_texts(language)
    assert list(told) == ["", *(stop.key for stop in STOPS)]
    assert told[""].startswith("# ")


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("stop", STOPS, ids=lambda stop: stop.key)
def test_a_stop_has_a_title_a_formula_and_a_source_with_its_year(stop: Any, language: str) -> None:
    told = read_texts(language)[stop.key]
    assert told.startswith("## ")
    assert "\n> " in told, "a formula"
    source = told.strip().splitlines()[-1]
    assert source.startswith("*"), "the source, in italics"
    assert re.search(r"\b(1[89]|20)\d\d\b", source), "its year"


def test_formulas_and_years_are_the_same_in_both_languages() -> None:
    english, italian = read_texts("en"), read_texts("it")
    for stop in STOPS:
        years = [
            set(re.findall(r"\b(?:1[89]|20)\d\d\b", told[stop.key])) for told in (english, italian)
        ]
        assert years[0] == years[1], stop.key


def test_an_unknown_language_is_named() -> None:
    with pytest.raises(UnknownName, match="it"):
        read_texts("latin")


@pytest.mark.parametrize("line", LINES, ids=lambda line: line.command)
@pytest.mark.parametrize("quick", [False, True])
def test_every_command_and_option_is_there(line: Any, quick: bool) -> None:
    command: Any = typer.main.get_command(app)
    words = shlex.split(line.write("en", quick=quick))[1:]
    while words and words[0] in getattr(command, "commands", {}):
        command = command.commands[words.pop(0)]
    if hasattr(command, "commands"):
        command = next(iter(command.commands.values()))
    known = {typed for parameter in command.params for typed in parameter.opts}
    assert {word for word in words if word.startswith("-")} <= known


def test_the_page_holds_all_it_needs() -> None:
    visits = [Visit(STOPS[0], ("belamy gan paint",), "said <so>", (), 1.0)]
    made = make_page("it", visits)
    assert "said &lt;so&gt;" in made
    assert 'lang="it"' in made
    assert not re.search(r'(src|href)="(?!data:|#)', made)


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_tour_in_docs_is_this_one(language: str) -> None:
    shown, told = (DOCS / f"{language}.md").read_text("utf-8"), read_texts(language)
    for stop in STOPS:
        assert told[stop.key] in shown
        assert all(line.write(language, quick=False) in shown for line in stop.lines)
        assert all((DOCS / language / f"{Path(name).stem}.jpg").exists() for name in stop.pictures)
