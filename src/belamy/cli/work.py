"""How much work a recipe asks for, beside what its picture can have been."""

from __future__ import annotations

import inspect
import json
import math
import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from belamy.checks import show_value
from belamy.cli.replay import NETWORKS, Call
from belamy.cli.replay_files import TRUST, Found
from belamy.errors import BelamyError, RecipeError

__all__ = ["describe", "picture_size", "require_modest"]

# A picture may have been made smaller since it was made, but not by much.
_SMALLER = 2
_MOST_STEPS = 10_000  # eight times what the finest of the presets takes
_MOST_PIXEL_STEPS = 1e10  # of 12 megapixels, 800 steps
_LARGEST_STYLE = 2048  # pixels that styles may have beside any picture
_SMALLEST_PAINTING = 16  # pixels, of generators whose file does not say
_MOST_PAINTED = 10_000
_USUAL_STEPS = {"atlas": 128, "dream": 256}  # at most, where a recipe leaves them open
_LEARNING = ("count", "discriminator_steps", "epochs", "pictures", "steps", "sweeps")
_FILM = 1024  # pixels of a film's side, where no decoder is there to say it
_SHRUNK = ("film-dream", "film-style")  # films that are smaller than what they are made of
_WORKED_ON = ("image", "content")
_MOST_SHOWN = 3  # paths of one kind


@dataclass(frozen=True)
class _Size:
    width: int
    height: int
    is_known: bool = True

    @property
    def side(self) -> int:
        return max(self.width, self.height)

    @property
    def pixels(self) -> int:
        return self.width * self.height


def picture_size(path: Path) -> _Size:
    """Width and height of a picture or of a film's frames, read from its header.

    Raises:
        ImageError: it cannot be read.
    """
    from belamy.pixels import decode
    from belamy.pixels.film.kinds import kind_of

    if kind_of(path) in ("container", "frames"):
        from belamy.pixels.film.reader import open_film

        try:
            with open_film(path) as film:
                height, width = film.size
        except BelamyError:  # a film of which no more than its recipe can be read
            return _Size(_FILM, _FILM, is_known=False)
        return _Size(width, height)
    with decode.open_picture(path) as picture:
        return _Size(*picture.size)


def describe(call: Call, size: _Size) -> str:
    """Engine, size, steps and paths of a recipe, on one line."""
    found = call.recipe
    shown = [found.engine + _say_size(call, size)]
    steps = {**_steps_of(call), **({"made": found.step} if found.step is not None else {})}
    shown += [f"{name} {show_value(number)}" for name, number in steps.items()]
    shown += [
        f"{name} {show_value(call.options[name])}" for name in NETWORKS if name in call.options
    ]
    paths = [f"{show_value(one.role)[1:-1]} {show_value(one.path)}" for one in found.inputs]
    if "data" in call.options:
        paths.append(f"data {show_value(call.options['data'])}")
    more = len(paths) - _MOST_SHOWN
    shown += paths[:_MOST_SHOWN] + ([f"and {more} more"] if more > 0 else [])
    return "replaying " + ", ".join(shown)


def _say_size(call: Call, size: _Size) -> str:
    given = call.options.get("size")
    if given is not None:
        return f" at size {show_value(given)}"
    return f" at {size.width} × {size.height}" if size.is_known else ""


def require_modest(call: Call, files: Found, size: _Size, name: str) -> None:
    """Raise `RecipeError` where a recipe asks for more than its picture can have been.

    Args:
        files: what goes into it.
        size: of the picture that carries the recipe.
        name: of that picture.
    """
    for reason in _excesses(call, files, size):
        raise RecipeError(
            f"the recipe in {name} asks for {reason}, beyond what this picture can have been; "
            f"{TRUST}"
        )


def _excesses(call: Call, files: Found, size: _Size) -> Iterator[str]:
    if call.recipe.engine.startswith("learn-"):
        yield from _much_learning(call)
        return
    yield from _large_sides(call, size)
    yield from _many_steps(call, size)
    yield from _many_paintings(call, files, size)
    yield from _large_inputs(call, files, size)


def _options(call: Call) -> dict[str, Any]:
    """With the defaults of those that the recipe leaves out."""
    parameters = inspect.signature(call.function).parameters.values()
    usual = {one.name: one.default for one in parameters if one.default is not one.empty}
    return {**usual, **call.options}


def _large_sides(call: Call, size: _Size) -> Iterator[str]:
    options = _options(call)
    side = _number(options.get("size"))
    if side is not None and side > _SMALLER * size.side:
        yield f"{side:g} px, and is {size.side} px itself"
    style = _number(options.get("style_size"))
    if style is not None and style > max(_LARGEST_STYLE, _SMALLER * size.side):
        yield f"styles of {style:g} px"
    scale = _number(options.get("style_scale"))
    if scale is not None and scale * size.side > max(_LARGEST_STYLE, _SMALLER * size.side):
        yield f"styles {scale:g} times as large"


def _number(value: object) -> float | None:
    """A number, or one with a plus after it as in `512+`; None of anything else."""
    try:
        if isinstance(value, str):
            return float(int(value.rstrip("+")[:20]))
        return float(value) if isinstance(value, (int, float)) else None
    except ValueError:  # a word, such as the size `full`
        return None
    except OverflowError:
        return math.inf


def _steps_of(call: Call) -> dict[str, object]:
    """What stands in the options about steps."""
    names = (
        "steps",
        "iterations",
        "octaves",
        "passes",
        "channels",
        "epochs",
        "count",
        "stops",
        "seconds",
        "fps",
    )
    options = call.options
    return {
        name: options[name] for name in names if isinstance(options.get(name), (int, float, str))
    }


def _many_steps(call: Call, size: _Size) -> Iterator[str]:
    options, engine = _options(call), call.recipe.engine
    steps = _number(options.get("steps")) or _USUAL_STEPS.get(engine, 1)
    steps *= _number(options.get("octaves")) or 1 if engine == "dream" else 1
    steps *= (
        _number(options.get("channels")) or 1 if engine == "atlas" and options.get("layer") else 1
    )
    iterations = options.get("iterations")
    if isinstance(iterations, (int, str)):
        parts = str(iterations).split(",")
        scales = 1 + max(0.0, 2 * math.log2(max(1, size.side / 8)))
        steps = sum((_number(part.strip()) or 0) for part in parts[:1])
        steps += (_number(parts[-1].strip()) or 0) * scales
    if engine == "gan-walk":
        steps = (_number(options.get("seconds")) or 1) * (_number(options.get("fps")) or 1)
    steps = max(steps, call.recipe.step or 1) if engine != "gan-paint" else 1
    steps *= math.prod(len(values) for _, values in call.recipe.grid)
    if steps > _MOST_STEPS:
        yield f"{steps:g} steps"
    elif steps * size.pixels > _MOST_PIXEL_STEPS and engine != "gan-walk":
        yield f"{steps:g} steps at {size.width} × {size.height}"


def _many_paintings(call: Call, files: Found, size: _Size) -> Iterator[str]:
    if not call.recipe.engine.startswith("gan-"):
        return
    options = _options(call)
    count = _number(options.get("count")) or 1
    if count > _MOST_PAINTED or (call.recipe.step or 1) > _MOST_PAINTED:
        yield f"{count:g} pictures"
    if call.recipe.engine == "gan-evaluate":
        return
    alone = call.recipe.engine == "gan-paint" and not options.get("sheet", True)
    upscale = _number(options.get("upscale")) or 1
    side = _painting_side(call, files)
    pixels = (1 if alone else count) * (side * upscale) ** 2
    if pixels > _SMALLER**2 * size.pixels:
        yield f"{pixels / 1e6:.3g} megapixels"


def _painting_side(call: Call, files: Found) -> int:
    from belamy.networks.files.header import read_metadata
    from belamy.networks.find import find_network

    network = _options(call)["network"]
    try:
        path = find_network(files.options.get(network, network))
        said = json.loads(read_metadata(path).get("arguments", "{}"))
        return int(said["size"])
    except (BelamyError, ValueError, TypeError, KeyError):
        return _SMALLEST_PAINTING


def _large_inputs(call: Call, files: Found, size: _Size) -> Iterator[str]:
    """Where no size is named, the picture is as large as what it was made of."""
    if _number(_options(call).get("size")) is not None or call.recipe.engine == "gan-project":
        return
    if call.recipe.engine in _SHRUNK:
        return
    for one, path in zip(call.recipe.inputs, files.inputs, strict=True):
        if one.role in _WORKED_ON:
            large = picture_size(Path(os.fspath(path)))
            if large.side > _SMALLER * size.side:
                yield f"the size of its input, {large.width} × {large.height}"


def _much_learning(call: Call) -> Iterator[str]:
    """More than the lesson does by itself, which is a minute of work."""
    usual, much = 1.0, 1.0
    parameters: Mapping[str, Any] = inspect.signature(call.function).parameters
    for name in _LEARNING:
        if name in parameters and (value := _number(_options(call).get(name))) is not None:
            much *= max(1.0, value)
            usual *= max(1, parameters[name].default or 1)
    if much > usual:
        yield f"{much / usual:.3g} times the work of the lesson"
