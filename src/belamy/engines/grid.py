"""A sheet of what one option, or two, make of a picture: columns and rows, each labelled."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import product
from typing import TYPE_CHECKING, Any

from belamy.checks import flag_of, require
from belamy.errors import OptionError
from belamy.steps import Step

if TYPE_CHECKING:
    from torch import Tensor

    from belamy.pixels.images import Picture
    from belamy.pixels.recipe import JSON, Recipe

__all__ = ["Axes", "axes_of", "grid", "grid_steps"]

Axes = Sequence[tuple[str, Sequence[Any]]]
"""Option → its values: those of the columns, then those of the rows."""

_MOST_CELLS = 144
_SMALLEST_CELL, _LARGEST_CELL = 160, 384  # pixels, by eye


@dataclass(frozen=True)
class _Cell:
    """One picture of the sheet.

    Args:
        changed: what is set otherwise than in the others.
        steps: the work.
    """

    changed: Mapping[str, Any]
    steps: Iterator[Step]

    @property
    def caption(self) -> str:
        return ", ".join(f"{flag_of(name)[2:]} {_say(one)}" for name, one in self.changed.items())


def grid(
    steps: Callable[..., Iterator[Step]], axes: Mapping[str, Sequence[Any]], /, **options: Any
) -> Picture:
    """A labelled sheet of what one option, or two, make of a picture.

        belamy.grid(belamy.dream_steps, {"strength": [0.3, 0.6]}, image="photo.jpg")

    Args:
        steps: of the engine, such as `belamy.dream_steps`.
        axes: option → its values; the first one's are the columns, the second's the rows.
        options: the others, and the picture, by their names.

    Returns:
        the sheet, a `Picture` with its recipe.

    Raises:
        OptionError: more than two options, none, or too many values; or what the engine refuses.
    """
    *_, last = grid_steps(steps, tuple(axes.items()), options)
    return last.picture


def grid_steps(
    function: Callable[..., Iterator[Step]], axes: Axes, options: Mapping[str, Any]
) -> Iterator[Step]:
    """The same, with the sheet so far after each of its pictures; all options are checked first.

    Args:
        function: the engine's.
        axes: see `Axes`.
        options: what all the pictures share, the files among them.

    Raises:
        OptionError: more than two options, none, or too many values; or what the engine refuses.
    """
    _check(axes)
    columns, rows = axes[0], axes[1] if len(axes) > 1 else ("", (None,))
    cells = []
    for down, across in product(rows[1], columns[1]):
        changed = {columns[0]: across, **({rows[0]: down} if rows[0] else {})}
        cells.append(_Cell(changed, function(**{**options, **changed})))
    return _draw(cells, len(columns[1]), axes, options)


def _check(axes: Axes) -> None:
    from belamy.pixels.recipe import MOST_VALUES

    require(1 <= len(axes) <= 2, "grid", len(axes), "one option or two")
    names = [name for name, _ in axes]
    require(len(set(names)) == len(names), "grid", names[0], "two different options")
    for name, values in axes:
        count = f"1 to {MOST_VALUES} values"
        require(1 <= len(values) <= MOST_VALUES, name, f"{len(values)} values", count)
    total = len(axes[0][1]) * (len(axes[1][1]) if len(axes) > 1 else 1)
    if total > _MOST_CELLS:
        raise OptionError(f"the grid has {total} pictures; {_MOST_CELLS} are the most")


def _draw(
    cells: Sequence[_Cell], columns: int, axes: Axes, options: Mapping[str, Any]
) -> Iterator[Step]:
    images: list[Tensor] = []
    recipes: list[Recipe] = []
    captions = [one.caption for one in cells]
    for number, cell in enumerate(cells, start=1):
        last = None
        for step in cell.steps:
            last = step
        assert last is not None, "an engine yields at least one step"
        images.append(_on_paper(last))
        if last.recipe is not None:
            recipes.append(last.recipe)
        recipe = None
        if number == len(cells) and recipes:
            recipe = _recipe_of(recipes, axes, options, number)
        sheet = _sheet(images, captions[:number], columns)
        yield Step(number, len(cells), sheet, {}, recipe=recipe, note=last.note)


def _on_paper(step: Step) -> Tensor:
    """Where it is transparent the paper shows."""
    from belamy.pixels.contact_sheet import PAPER
    from belamy.pixels.images import compose

    return compose(step.picture, PAPER).cpu()


def _sheet(images: Sequence[Tensor], captions: Sequence[str], columns: int) -> Tensor:
    """The sheet so far; what is missing is as large as the first, and empty."""
    from PIL import Image

    from belamy.pixels.contact_sheet import PAPER
    from belamy.pixels.images import contact_sheet, from_pil

    longest = max(max(image.shape[-2:]) for image in images)
    cell = min(_LARGEST_CELL, max(_SMALLEST_CELL, longest))
    rest = -len(images) % columns
    empty = from_pil(Image.new("RGB", (images[0].shape[-1], images[0].shape[-2]), PAPER)).image
    texts = [*captions, *[""] * rest]
    return contact_sheet([*images, *[empty] * rest], columns=columns, captions=texts, cell=cell)


def _recipe_of(
    recipes: Sequence[Recipe], axes: Axes, options: Mapping[str, Any], number: int
) -> Recipe:
    """The first picture's recipe, with what differs; options that the engine filled in otherwise
    for each picture are left open again."""
    first = recipes[0]
    weights = {name: digest for one in recipes for name, digest in one.weights.items()}
    shared = {
        name: value
        for name, value in first.options.items()
        if name in options or all(one.options.get(name) == value for one in recipes)
    }
    for name, values in axes:
        shared[name] = axes_of([(name, values)])[0][1][0]
    autos = [set(one.auto or ()) for one in recipes]
    auto = tuple(name for name in first.auto or () if all(name in one for one in autos))
    derived = tuple(
        name
        for name in first.derived
        if name in shared and name not in dict(axes) and all(name in one.derived for one in recipes)
    )
    return replace(
        first,
        options=shared,
        weights=weights,
        step=number,
        auto=auto,
        derived=derived,
        grid=axes_of(axes),
    )


def axes_of(axes: Axes) -> tuple[tuple[str, tuple[JSON, ...]], ...]:
    """The axes as a recipe has them."""
    return tuple((name, tuple(_plain(one) for one in values)) for name, values in axes)


def _plain(value: Any) -> JSON:
    if isinstance(value, (list, tuple)):
        return [_plain(one) for one in value]
    return value if value is None or isinstance(value, (bool, int, float)) else str(value)


def _say(value: Any) -> str:
    if isinstance(value, (list, tuple)):
        return " + ".join(map(_say, value))
    return f"{value:g}" if isinstance(value, float) else str(value)
