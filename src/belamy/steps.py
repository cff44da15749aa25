"""The stream that every engine yields, and how it is run to its end.

A progress bar, a live view, a notebook and "stop" all read this one stream; there are no
callbacks. This module imports no torch, so that faces can name its types.
"""

from __future__ import annotations

import difflib
import functools
import inspect
import re
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ParamSpec, TypeVar

if TYPE_CHECKING:
    from torch import Tensor

    from belamy.pixels.images import Picture
    from belamy.pixels.recipe import Recipe

__all__ = ["Step", "run_to_end", "with_options"]

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

    @property
    def picture(self) -> Picture:
        """The picture as it is by then, with its transparency and its recipe."""
        from belamy.pixels.images import Picture

        return Picture(self.image, self.alpha, self.recipe)

    def show(self) -> None:
        """In a Jupyter notebook, show the picture in place of the one before; elsewhere nothing.

            for step in belamy.dream_steps("photo.jpg"):
                step.show()

        Jupyter's stop button ends the loop; the last `step` is then still there to be saved.
        """
        from belamy.pixels.display import notebook

        if notebook.is_running():
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
            signature.bind_known(kwargs)
            return work(form(*args, **kwargs))

        signature = _Signature(work.__name__.removesuffix("_steps"), form)
        given: Any = run
        given.__signature__ = signature.of(inspect.signature(work).return_annotation)
        given.__doc__ = _with_arguments(inspect.getdoc(work) or "", inspect.getdoc(form) or "")
        given.__options__ = form
        del given.__wrapped__
        return run

    return decorate


@dataclass(frozen=True)
class _Signature:
    name: str
    form: Callable[..., Any]

    def of(self, result: Any) -> inspect.Signature:
        return inspect.signature(self.form).replace(return_annotation=result)

    def bind_known(self, given: dict[str, Any]) -> None:
        known = inspect.signature(self.form).parameters
        for name in given:
            if name not in known:
                near = difflib.get_close_matches(name, known, n=1)
                hint = f"; did you mean {near[0]}?" if near else ""
                raise TypeError(f"{self.name}() has no argument {name!r}{hint}")


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

    @functools.wraps(steps)
    def run(*args: P.args, **kwargs: P.kwargs) -> Picture:
        (last,) = deque(steps(*args, **kwargs), maxlen=1)
        return last.picture

    run.__name__ = run.__qualname__ = steps.__name__.removesuffix("_steps")
    given: Any = run
    given.__signature__ = inspect.signature(steps).replace(return_annotation="Picture")
    given.__doc__ = _returning_picture(steps.__doc__ or "")
    return run


def _returning_picture(documentation: str) -> str:
    """The "Yields:" of a stream of steps becomes the "Returns:" of what runs it to its end."""
    yields = re.compile(r"^( *)Yields:\n(?:\1 +\S.*\n?)+", re.MULTILINE)
    returns = r"\1Returns:\n\1    the finished `Picture`, with its recipe.\n"
    return yields.sub(returns, documentation)
