"""Tables as notebooks show them, and measures that show themselves as one."""

from __future__ import annotations

import html
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from belamy.pixels.images import Picture

__all__ = ["Measures", "format_value", "list_values", "make_table"]

Value = TypeVar("Value")

_BEFORE = "_before"
_LONGEST = 200  # characters of a cell


class Measures(dict[str, Value]):
    """Measures by name: a dict, which notebooks show as a table.

    `NAME_before` is NAME of what things were before.
    """

    def _repr_html_(self) -> str:
        return list_values(self)

    def plot(self) -> Picture:
        """A plot for each measure, of what was before too where that was measured.

        Raises:
            MissingExtra: matplotlib is not installed.
        """
        from belamy.pixels.display.plots import draw_bars  # which stands on pictures

        plots: dict[str, dict[str, float]] = {}
        for name, value in self.items():
            if name != "pictures" and isinstance(value, (int, float)):
                base = name.removesuffix(_BEFORE)
                plots.setdefault(base, {})["now" if name == base else "before"] = value
        return draw_bars(plots)


def list_values(values: Mapping[str, object]) -> str:
    """A table of two columns, names and values, in HTML."""
    return make_table(("", ""), values.items())


def make_table(header: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    """A table in HTML.

    Args:
        header: of the columns; all empty for none.
        rows: numbers with four digits that count, texts of `_LONGEST` characters at most.
    """
    head = _row(header, "th") if any(header) else ""
    return f"<table>{head}{''.join(_row(row, 'td') for row in rows)}</table>"


def format_value(value: object) -> str:
    """A cell's text: numbers with four digits that count, whole ones whole."""
    if isinstance(value, float):
        return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.4g}"
    text = "" if value is None else str(value)
    return text if len(text) <= _LONGEST else text[: _LONGEST - 1] + "…"


def _row(cells: Sequence[object], tag: str) -> str:
    texts = (html.escape(format_value(cell)) for cell in cells)
    return f"<tr>{''.join(f'<{tag}>{text}</{tag}>' for text in texts)}</tr>"
