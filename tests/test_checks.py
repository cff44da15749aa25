"""What an option may be: types, choices, ranges; one dialect of refusals, and nothing endless."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import KW_ONLY, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import pydantic
import pytest

from belamy.checks import (
    Between,
    check_options,
    explain_refusal,
    picture_fields,
    read_processes,
    show_value,
)
from belamy.errors import OptionError, UnknownName
from belamy.steps import with_options

if TYPE_CHECKING:
    from belamy.pixels.images import Source


@dataclass(frozen=True, eq=False)
class Options:
    """What is asked for.

    Args:
        image: what to work on.
        layer: where.
        steps: how many.
        scale: how far.
        tile: how large.
        smooth: in which way.
        keep: whether to.
    """

    image: Source | None = None
    _: KW_ONLY
    layer: str | Sequence[str] = ()
    steps: Annotated[int | None, Between(1, 100)] = None
    scale: Annotated[float, Between(0, 1, above=True)] = 0.5
    tile: Literal["auto", "none"] | Annotated[int, Between(64, unit="pixels")] = "auto"
    smooth: Literal["laplacian", "none"] = "none"
    keep: bool = False

    def __post_init__(self) -> None:
        check_options(self)


@with_options(Options)
def work_steps(options: Options) -> Iterator[Options]:
    """Work.

    Yields:
        the options.
    """
    yield options


@pytest.mark.parametrize(
    "given",
    [
        {"layer": "a"},
        {"layer": ["a", "b"]},
        {"steps": 100},
        {"scale": 1},
        {"tile": 64},
        {"tile": "none"},
        {"image": Path("x.png")},
        {"keep": True},
    ],
)
def test_what_is_annotated_passes(given: dict[str, Any]) -> None:
    assert all(getattr(Options(**given), name) == value for name, value in given.items())


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"steps": 0}, "steps is 0; it must be from 1 to 100"),
        ({"steps": 2.0}, "steps is 2.0; it must be a whole number from 1 to 100"),
        ({"steps": True}, "steps is True; it must be a whole number"),
        ({"steps": "many"}, "steps is 'many'"),
        ({"scale": 0}, "scale is 0; it must be above 0, up to 1"),
        ({"scale": float("nan")}, "scale is nan"),
        ({"scale": 10**400}, "scale is 1000"),
        ({"tile": 3}, "tile is 3; it must be auto or none or a whole number 64 pixels or more"),
        ({"tile": "small"}, "tile is 'small'"),
        ({"layer": 7}, "layer is 7"),
        ({"layer": [7]}, "layer is"),
        ({"keep": 1}, "keep is 1; it must be true or false"),
        ({"image": True}, "image is True; it must be a picture"),
    ],
    ids=str,
)
def test_what_is_not_is_refused_in_one_line(given: dict[str, Any], words: str) -> None:
    with pytest.raises(OptionError) as caught:
        Options(**given)
    assert words in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_choice_that_there_is_not_suggests_the_nearest() -> None:
    with pytest.raises(UnknownName, match="laplacian"):
        Options(smooth="laplace")  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "value", ["x" * 10_000, 10**5000, list(range(9999))], ids=["text", "number", "list"]
)
def test_nothing_endless_is_echoed(value: object) -> None:
    assert len(show_value(value)) <= 201


def test_pictures_are_known_without_torch() -> None:
    assert picture_fields(Options) == ("image",)


def test_a_function_of_options_takes_them_by_name() -> None:
    assert next(work_steps("x.png", steps=3)).steps == 3
    assert "steps: how many." in (work_steps.__doc__ or "")
    with pytest.raises(TypeError, match=r"work\(\) has no argument 'step'; did you mean steps\?"):
        work_steps(step=3)  # type: ignore[call-arg]


@pytest.mark.parametrize(
    ("environment", "said"),
    [
        ({"RANK": "x"}, "RANK is 'x' in the environment"),
        ({"WORLD_SIZE": "abc"}, "WORLD_SIZE is 'abc'"),
        ({"WORLD_SIZE": "0"}, "whole number of 1 or more"),
        ({"LOCAL_RANK": "-7"}, "LOCAL_RANK is '-7'"),
        ({"RANK": "9" * 5000}, "…"),
        ({"RANK": "3"}, "RANK is 3 and WORLD_SIZE 1"),
    ],
)
def test_an_environment_that_torchrun_did_not_make(
    environment: dict[str, str], said: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("RANK", "WORLD_SIZE", "LOCAL_RANK", "LOCAL_WORLD_SIZE"):
        monkeypatch.delenv(name, raising=False)
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    with pytest.raises(OptionError, match=said) as caught:
        read_processes()
    assert len(str(caught.value)) < 400


def test_the_environment_of_torchrun(monkeypatch: pytest.MonkeyPatch) -> None:
    assert read_processes() == (0, 1)
    monkeypatch.setenv("RANK", "1")
    monkeypatch.setenv("WORLD_SIZE", "2")
    assert read_processes() == (1, 2)


class Form(pydantic.BaseModel):
    """One field of each kind that is refused somewhere."""

    model_config = {"extra": "forbid"}

    whole: int = 1
    number: Annotated[float, pydantic.Field(ge=0, lt=2, allow_inf_nan=False)] = 1.0
    word: Literal["one", "two"] = "one"
    text: Annotated[str, pydantic.Field(max_length=3)] = ""
    several: list[int] = []
    own: Annotated[str, pydantic.AfterValidator(lambda text: refuse(text))] = "x"


def refuse(text: str) -> str:
    raise ValueError(f"No {text}.")


@pytest.mark.parametrize(
    ("field", "value", "said"),
    [
        ("whole", "x", "is 'x'; it must be a whole number"),
        ("whole", 1.5, "is 1.5; it must be a whole number"),
        ("whole", None, "is None; it must be a whole number"),
        ("number", "x", "is 'x'; it must be a number"),
        ("number", -1, "is -1; it must be 0 or more"),
        ("number", 2, "is 2; it must be below 2"),
        ("number", math.inf, "is inf; it must be a finite number"),
        ("number", math.nan, "is nan; it must be a finite number"),
        ("word", "three", "is 'three'; it must be one or two"),
        ("text", "long", "is 'long'; it must be a text of 3 characters at most"),
        ("text", 5, "is 5; it must be a text"),
        ("several", 5, "is 5; it must be a list"),
        ("own", "way", "is 'way': no way"),
        ("other", 1, "is not known here"),
    ],
)
def test_what_pydantic_refuses_is_said_in_our_words(field: str, value: object, said: str) -> None:
    with pytest.raises(pydantic.ValidationError) as caught:
        Form.model_validate({field: value})
    words = explain_refusal(caught.value.errors()[0])
    assert words == said
    assert "Input should" not in words
    assert "Value error" not in words
