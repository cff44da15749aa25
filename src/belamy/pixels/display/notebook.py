"""Where pictures and tables are shown below a cell: in Jupyter, if it runs.

IPython is not needed: it is looked for among the modules that are loaded, as it is in a notebook.
"""

from __future__ import annotations

import importlib
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

__all__ = ["display", "interrupted_in_a_line", "is_running", "replace"]


def is_running() -> bool:
    """Whether this is a notebook's kernel, not a plain or an IPython console."""
    module: Any = sys.modules.get("IPython")
    get_shell = getattr(module, "get_ipython", None)
    shell = None if get_shell is None else get_shell()
    return getattr(shell, "kernel", None) is not None


def display(value: object) -> None:
    """Show a value below the cell; only where `is_running`."""
    importlib.import_module("IPython.display").display(value)


def replace(value: object, caption: str) -> None:
    """Show a value and a line below the cell, in place of all that stood there; without flicker."""
    functions: Any = importlib.import_module("IPython.display")
    functions.clear_output(wait=True)
    functions.display(value)
    functions.display({"text/plain": caption}, raw=True)


@contextmanager
def interrupted_in_a_line(make_line: Callable[[], str]) -> Iterator[None]:
    """Let Jupyter show its stop button's interrupt as one line, which is what was asked for.

    Without it a page of the code that happened to run then stands below the picture. Outside of
    notebooks nothing changes: the exception goes on as it is.
    """
    try:
        yield
    except KeyboardInterrupt as error:
        line, shown = make_line(), error
        shown._render_traceback_ = lambda: [line]  # type: ignore[attr-defined]  # IPython asks
        raise
