"""Everything that can go wrong because of what a user asked.

BelamyError
 ├─ OptionError    a value out of its range, or options that exclude each other
 ├─ UnknownName    a name that no table knows; suggests the nearest
 ├─ ImageError     a picture that cannot be read or written
 ├─ RecipeError    a picture without a recipe, or one that no longer applies
 ├─ WeightsError   weights missing, damaged, or of another network
 ├─ DataError      a data set that cannot be trained on
 ├─ RunError       a run folder that cannot be resumed
 ├─ Diverged       a loss or a picture that is no longer a number
 └─ MissingExtra   an optional package that is not installed

A message says what is wrong, the value, and what to do, on one line. Faces catch `BelamyError`
alone: any other exception is a bug of ours and shows its traceback.

A `PictureWarning` is none of these: the work goes on, otherwise than the user may think.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TypeVar

from belamy.spelling import nearest_names

E = TypeVar("E", bound="BelamyError")


class BelamyError(Exception):
    """The root: its text is one line, ready to be shown to a person."""

    misuse = False
    """Whether what was asked cannot be, so that no work was begun: commands then exit with 2."""

    def as_misuse(self: E) -> E:
        """The same error, of which what was asked is the cause."""
        self.misuse = True
        return self

    def as_kind(self, kind: type[E]) -> E:
        """The same words as an error of another kind."""
        error = kind(str(self))
        error.misuse = self.misuse
        return error


class PictureWarning(UserWarning):
    """The work goes on, otherwise than the user may think: one line, as of an error."""


class OptionError(BelamyError):
    """A value out of its range, or options that exclude each other."""

    misuse = True


class UnknownName(BelamyError):
    """A name that no table knows.

    Args:
        kind: of what, in words.
        name: what was given.
        known: what there is.
        near: what is nearest, where more is known than how it is spelt.
    """

    misuse = True

    def __init__(
        self, kind: str, name: str, known: Iterable[str], near: Iterable[str] = ()
    ) -> None:
        self.kind, self.name, self.known, self.near = kind, name, tuple(known), tuple(near)
        super().__init__(f"unknown {kind} {name!r}{self._hint()}")

    def _hint(self) -> str:
        close = self.near or nearest_names(self.name, self.known)
        if close:
            joint = " or " if len(close) < 4 else ", "
            return "; did you mean " + joint.join(repr(name) for name in close) + "?"
        shown = ", ".join(self.known[:12]) + (", …" if len(self.known) > 12 else "")
        return f"; there are: {shown}" if shown else "; there are none"


class ImageError(BelamyError):
    """A picture that cannot be read or written."""


class RecipeError(BelamyError):
    """A picture without a recipe, or a recipe that no longer applies."""


class WeightsError(BelamyError):
    """Weights that are missing, damaged, or belong to another network."""


class DataError(BelamyError):
    """A data set that cannot be trained on."""


class RunError(BelamyError):
    """A run folder that cannot be resumed."""


class Diverged(BelamyError):
    """A loss or a picture that is no longer a number; names the step."""


class MissingExtra(BelamyError):
    """An optional package that is not installed."""

    def __init__(self, package: str, extra: str) -> None:
        self.package, self.extra = package, extra
        super().__init__(f"{package} is not installed; run: pip install 'belamy[{extra}]'")


def describe_error(error: Exception) -> str:
    """The type and text of another program's exception as one short printable line."""
    text = " ".join(str(error).split())
    text = "".join(letter if letter.isprintable() else "?" for letter in text)
    return f"{type(error).__name__}: {text[:120]}" if text else type(error).__name__
