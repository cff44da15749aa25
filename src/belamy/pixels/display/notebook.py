"""Where pictures and tables are shown below a cell: in Jupyter, if it runs.

IPython is not needed: it is looked for among the modules that are loaded, as it is in a notebook.
"""

from __future__ import annotations

import importlib
import sys
from typing import Any

__all__ = ["display", "is_running", "replace"]


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
