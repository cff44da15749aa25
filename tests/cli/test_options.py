"""Options out of signatures: names, defaults, texts, types; what has no form is said at once."""

from __future__ import annotations

import inspect
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import pytest
import typer
from typer.testing import CliRunner

from belamy.cli.options import REQUIRED, arguments_of, default, flag, option, takes
from belamy.engines import ENGINES, engine

if TYPE_CHECKING:
    from belamy.pixels.images import Source


def paint_steps(
    image: Source | None = None,
    *,
    subject: str,
    layer: str | Sequence[str] = (),
    class_: str | None = None,
    steps: int = 10,
    scale: float | None = None,
    smooth: Literal["laplacian", "none"] = "laplacian",
    keep_colors: bool = False,
    upright: bool = True,
    tile: Literal["auto", "none"] | int = "auto",
    size: tuple[int, int] | None = None,
) -> Iterator[int]:
    """Paint.

    Args:
        image: what to paint on.
        subject: of the picture; see
            the list, in [0, 1] or [a] way:

            - cats: yes.
        layer (str): what to excite.
        class_: a class.
        steps: how many.
        scale: of what; None decides.
        smooth: how smooth.
        keep_colors: keep them.
        upright: which way up.
        tile: how long.
        size: width and height.

    Yields:
        numbers: none of these is an argument.
    """
    yield 0


@dataclass(frozen=True)
class Plan:
    """A plan.

    Args:
        data: where.
        rate: how fast.
    """

    data: str
    rate: float = 0.2


def run(app: typer.Typer, *arguments: str) -> dict[str, Any]:
    """What the command was called with, or the message of its failure."""
    result = CliRunner().invoke(app, list(arguments), standalone_mode=False)
    if result.exception is not None:
        raise result.exception
    return result.return_value  # type: ignore[no-any-return]


@pytest.fixture
def app() -> typer.Typer:
    app = typer.Typer(rich_markup_mode=None)

    @app.command()
    @takes(paint_steps, without=["image", "size"], flags={"steps": ("--steps", "-n")})
    def paint(
        out: Annotated[Path, typer.Argument()],
        scale: Annotated[str, option(paint_steps, "scale")] = "one",
        **options: Any,
    ) -> dict[str, Any]:
        return {"out": out, "scale": scale, **options}

    return app


def test_arguments_have_name_default_help_choices_and_type() -> None:
    found = arguments_of(paint_steps)
    assert list(found) == list(inspect.signature(paint_steps).parameters)
    assert found["subject"].default is REQUIRED
    assert (
        found["subject"].help == "of the picture; see the list, in [0, 1] or [a] way: - cats: yes."
    )
    assert found["smooth"].choices == ("laplacian", "none")
    assert found["tile"].choices == ("auto", "none")
    assert found["steps"].type is int
    assert found["steps"].choices == ()


def test_pictures_are_paths_on_the_command_line() -> None:
    assert arguments_of(paint_steps)["image"].type == Path | None


def test_arguments_of_a_dataclass() -> None:
    found = arguments_of(Plan)
    assert found["data"].default is REQUIRED
    assert (found["rate"].default, found["rate"].help) == (0.2, "how fast.")


def test_an_undocumented_argument_is_refused() -> None:
    def short(seed: int = 0, *, other: int = 1) -> None:
        """Do.

        Args:
            seed: of it.
        """

    with pytest.raises(AssertionError, match="short: signature and Args differ in \\['other'\\]"):
        arguments_of(short)


@pytest.mark.parametrize(
    ("name", "typed"),
    [("steps", "--steps"), ("keep_colors", "--keep-colors"), ("class_", "--class")],
)
def test_flags_are_kebab_case(name: str, typed: str) -> None:
    assert flag(name) == typed


def test_defaults_are_those_of_the_function(app: typer.Typer) -> None:
    got = run(app, "x.png", "--subject", "sea")
    assert got.pop("out") == Path("x.png")
    assert got.pop("scale") == "one"  # the command's own
    assert got.pop("layer") == []  # an empty sequence, as typer gives it
    for name, value in got.items():
        expected = arguments_of(paint_steps)[name].default
        assert value == ("sea" if name == "subject" else expected), name
    assert default(paint_steps, "steps") == 10


def test_values_arrive_in_their_types(app: typer.Typer) -> None:
    typed = "x.png --subject sea --layer a --layer b*-1 --class cat -n 3 --scale two --smooth none"
    got = run(app, *typed.split(), "--keep-colors", "--no-upright", "--tile", "256")
    assert got == {
        "out": Path("x.png"),
        "scale": "two",
        "subject": "sea",
        "layer": ["a", "b*-1"],
        "class_": "cat",
        "steps": 3,
        "smooth": "none",
        "keep_colors": True,
        "upright": False,
        "tile": 256,
    }


@pytest.mark.parametrize(
    "wrong",
    [
        ["--smooth", "rough"],
        ["--tile", "large"],
        ["--steps", "many"],
        ["--unknown"],
        ["--image", "a.png"],
        ["--no-keep-colors"],
    ],
)
def test_a_wrong_value_is_a_usage_error(app: typer.Typer, wrong: list[str]) -> None:
    assert CliRunner().invoke(app, ["x.png", "--subject", "sea", *wrong]).exit_code == 2


def test_a_required_argument_is_a_required_option(app: typer.Typer) -> None:
    result = CliRunner().invoke(app, ["x.png"])
    assert result.exit_code == 2
    assert "--subject" in result.output


def test_help_shows_the_texts_as_they_are(app: typer.Typer) -> None:
    shown = " ".join(CliRunner().invoke(app, ["--help"], env={"COLUMNS": "200"}).output.split())
    assert "in [0, 1] or [a] way" in shown
    assert "of what; None decides." in shown
    assert "auto|none|INTEGER" in shown


def test_a_type_without_a_form_is_said_at_once() -> None:
    with pytest.raises(AssertionError, match=r"size: .* has no form on the command line"):

        @takes(paint_steps)
        def paint(**options: Any) -> None: ...


def test_names_that_are_no_arguments_are_refused() -> None:
    with pytest.raises(AssertionError, match="no such argument"):
        takes(paint_steps, without=["picture"])


@pytest.mark.parametrize("name", ENGINES)
def test_every_engine_is_documented_to_the_last_argument(name: str) -> None:
    assert all(argument.help for argument in arguments_of(engine(name)).values())
