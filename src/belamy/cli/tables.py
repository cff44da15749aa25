"""What a classifier says of pictures: as text, as JSON, and as a table."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from belamy.cli.outputs import require_folder
from belamy.errors import OptionError

if TYPE_CHECKING:
    from belamy.engines.classify.options import Guess

__all__ = ["Answer", "require_table", "write_table"]

_SUFFIXES = (".csv", ".json")


@dataclass(frozen=True)
class Answer:
    """What a network sees in one picture, the likeliest first."""

    image: str
    guesses: Sequence[Guess]

    def as_text(self) -> str:
        """The picture's name, and a line for each guess."""
        lines = [f"  {guess.probability:6.1%}  {guess.name}" for guess in self.guesses]
        return "\n".join([self.image, *lines])

    def as_json(self) -> str:
        """One JSON object, on one line."""
        rows = [{"name": one.name, "probability": one.probability} for one in self.guesses]
        return json.dumps({"image": self.image, "guesses": rows}, ensure_ascii=False)


def require_table(path: Path) -> None:
    """Check that a table can be written to `path`.

    Raises:
        OptionError: it is neither .csv nor .json, a folder, or cannot be written.
    """
    if path.suffix.lower() not in _SUFFIXES or path.is_dir():
        raise OptionError(f"{path} is no table; name a file that ends in {' or '.join(_SUFFIXES)}")
    require_folder(path.parent)


def write_table(path: Path, answers: Sequence[Answer]) -> None:
    """Write a row for each guess as CSV, or an object for each picture as JSON."""
    from belamy.files import write_text

    if path.suffix.lower() == ".json":
        rows = ",\n".join(answer.as_json() for answer in answers)
        write_text(path, f"[\n{rows}\n]\n")
        return
    table = io.StringIO()
    writer = csv.writer(table, lineterminator="\n")
    writer.writerow(["image", "rank", "class", "probability"])
    for answer in answers:
        for rank, guess in enumerate(answer.guesses, start=1):
            writer.writerow([answer.image, rank, guess.name, f"{guess.probability:.6f}"])
    write_text(path, table.getvalue())
