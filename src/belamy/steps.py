"""The stream that every engine yields, and how it is run to its end.

A progress bar, a live view, a notebook and "stop" all read this one stream; there are no
callbacks. This module imports no torch, so that faces can name its types.
"""

from __future__ import annotations

import functools
import inspect
import re
from collections import deque
from collections.abc import Callable, Generator, Iterator
from contextlib import closing
from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING, Any, ParamSpec, TypeVar, cast

from belamy.checks import check_keywords

if TYPE_CHECKING:
    import PIL.Image
    from torch import Tensor

    from belamy.pixels.display.film import Film
    from belamy.pixels.images import Picture
    from belamy.pixels.recipe import Recipe

__all__ = ["Step", "run_to_end", "run_to_film", "with_options"]

P = ParamSpec("P")
Options = TypeVar("Options")
Result = TypeVar("Result")


@dataclass(frozen=True)
class Step:
    """One step of the work, with the picture as it is by then.

    Args:
        index: which step this was, from 1 to `total`.
        total: steps in all.
        image: float32 (1, 3, H, W), sRGB in [0, 1]; smaller than the result in early octaves.
        losses: what is minimised, by name.
        alpha: float32 (1, 1, H, W), the transparency carried through; None where there is none.
        recipe: how to make this very picture again.
        note: a line for the user, when there is something to say.
        latents: (N, layers, style), what the picture was drawn from, of generators that draw from
            latents.
        fraction: how much of the work is done, 0 to 1, where steps differ in what they cost; None:
            `index` of `total`.
        time: when the picture is seen, in seconds, where it is a frame of a film.
        duration: for how long, in seconds.
        whole: of a picture that is too large for floats, the picture itself, of 8 bits; `image` is
            a small copy then.
    """

    index: int
    total: int
    image: Tensor
    losses: dict[str, float]
    alpha: Tensor | None = None
    recipe: Recipe | None = None
    note: str = ""
    latents: Tensor | None = None
    fraction: float | None = None
    time: Fraction | None = None
    duration: Fraction | None = None
    whole: PIL.Image.Image | None = None

    @property
    def picture(self) -> Picture:
        """The picture as it is by then, with its transparency and its recipe."""
        from belamy.pixels.images import Picture

        return Picture(self.image, self.alpha, self.recipe)

    def show(self) -> None:
        """In a Jupyter notebook, show the picture in place of the one before; elsewhere nothing.

            for step in belamy.dream_steps("photo.jpg"):
                step.show()

        Jupyter's stop button ends the loop and its cell; the last `step` is then still there to
        be saved.
        """
        from belamy.pixels.display import notebook

        if notebook.is_running():
            with notebook.interrupted_in_a_line(lambda: _describe_stop(self)):
                notebook.replace(self, f"{self.index} of {self.total}")

    def __repr__(self) -> str:
        size = f"{self.image.shape[-1]} × {self.image.shape[-2]}"
        return f"Step({self.index} of {self.total}, {size})"

    def _repr_png_(self) -> bytes:
        """What Jupyter shows."""
        return self.picture._repr_png_()


def with_options(
    form: Callable[P, Options],
) -> Callable[[Callable[[Options], Result]], Callable[P, Result]]:
    """Let a function of one object of options be called with the options themselves.

    The dataclass is the one place of names, types, defaults, ranges and texts; the function's
    signature and its "Args:" are read from it, for people, type checkers and the command line.

    Args:
        form: a frozen dataclass that documents each field under "Args:".

    Raises:
        TypeError: (when called) an argument that is none of the fields; names the nearest.
    """

    def decorate(work: Callable[[Options], Result]) -> Callable[P, Result]:
        @functools.wraps(work)
        def run(*args: P.args, **kwargs: P.kwargs) -> Result:
            check_keywords(name, signature.parameters, kwargs)
            given: Any = work(form(*args, **kwargs))
            result: Any = _stoppable(given) if isinstance(given, Generator) else given
            return cast("Result", result)

        name, signature = work.__name__.removesuffix("_steps"), inspect.signature(form)
        made: Any = run
        kind = inspect.signature(work).return_annotation
        made.__signature__ = signature.replace(return_annotation=kind)
        made.__doc__ = _with_arguments(inspect.getdoc(work) or "", inspect.getdoc(form) or "")
        made.__options__ = form
        del made.__wrapped__
        return run

    return decorate


def _stoppable(steps: Generator[Step, None, None]) -> Iterator[Step]:
    """The same steps, whose interrupt notebooks show as one line."""
    from belamy.pixels.display import notebook

    latest: Step | None = None
    with closing(steps), notebook.interrupted_in_a_line(lambda: _describe_stop(latest)):
        for latest in steps:
            yield latest


def _describe_stop(step: Step | None) -> str:
    if step is None:
        return "Stopped before the first step."
    return f"Stopped at {step.index} of {step.total}."


def _with_arguments(documentation: str, of_form: str) -> str:
    """A function's documentation, with the "Args:" of its options after its first paragraph."""
    start = of_form.find("Args:\n")
    assert start >= 0, "a dataclass of options says under Args: what each of them is"
    arguments = [of_form[start:].splitlines()[0]]
    for line in of_form[start:].splitlines()[1:]:
        if line and not line.startswith(" "):
            break
        arguments.append(line)
    first, _, rest = documentation.partition("\n\n")
    return "\n\n".join(part for part in (first, "\n".join(arguments).rstrip(), rest) if part)


def run_to_end(steps: Callable[P, Iterator[Step]]) -> Callable[P, Picture]:
    """A function with the signature of `steps` that runs them all and returns the picture."""

    def run(*args: P.args, **kwargs: P.kwargs) -> Picture:
        (last,) = deque(steps(*args, **kwargs), maxlen=1)
        return last.picture

    return _in_place_of(steps, run, "Picture", "the finished `Picture`, with its recipe.")


def run_to_film(steps: Callable[P, Iterator[Step]]) -> Callable[P, Film]:
    """A function with the signature of `steps`, each of which is a frame, that returns the film.

    `steps` has an option `fps`. All frames are kept in memory.
    """
    signature = inspect.signature(steps)

    def run(*args: P.args, **kwargs: P.kwargs) -> Film:
        from belamy.pixels.display.film import Film

        frames = list(steps(*args, **kwargs))
        given = signature.bind(*args, **kwargs)
        given.apply_defaults()
        images = [step.image for step in frames]
        return Film(images, given.arguments["fps"], frames[-1].recipe if frames else None)

    returns = (
        "the `Film`, with its recipe. All frames are in memory; a long one is saved step by step."
    )
    return _in_place_of(steps, run, "Film", returns)


def _in_place_of(
    steps: Callable[P, Iterator[Step]], run: Callable[P, Result], kind: str, returns: str
) -> Callable[P, Result]:
    """`run` with the name, the signature and the documentation of `steps`."""
    functools.update_wrapper(run, steps)
    run.__name__ = run.__qualname__ = steps.__name__.removesuffix("_steps")
    given: Any = run
    given.__signature__ = inspect.signature(steps).replace(return_annotation=kind)
    given.__doc__ = _returning(returns, inspect.getdoc(steps) or "")
    return run


def _returning(returns: str, documentation: str) -> str:
    """The "Yields:" of a stream of steps becomes the "Returns:" of what runs it to its end."""
    yields = re.compile(r"^Yields:\n(?: +\S.*\n?)+", re.MULTILINE)
    section = f"Returns:\n    {returns}\n"
    if yields.search(documentation):
        return yields.sub(section, documentation)
    return f"{documentation}\n\n{section}"
