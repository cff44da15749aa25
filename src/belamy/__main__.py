"""The command `belamy`, and `python -m belamy`.

How a process takes its memory is read once, when it starts: so a command that computes starts its
process anew with the settings of `belamy.memory`.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

from belamy.memory import memory_settings

__all__ = ["main"]

# What computes; all others would only begin later.
_COMPUTING = frozenset(
    {"classify", "defog", "demo", "dream", "fog", "gan", "replay", "style", "tour", "translate"}
)
# What repaints pictures in one pass; and `style apply`.
_REPAINTING = frozenset({"defog", "fog", "translate"})
_HELP = frozenset({"-h", "--help"})


def main() -> None:
    """Run the command line, in a process whose memory is set up for large pictures."""
    arguments = sys.argv[1:]
    if computes(arguments):
        settings = memory_settings(strips=_works_in_strips(arguments))
        own = {name: value for name, value in settings.items() if name not in os.environ}
        if own:
            _start_again(own)
    if sys.argv[1:2] == ["studio"]:
        from belamy.studio.command import start_quickly

        if start_quickly(sys.argv[2:]):
            return
    from belamy.cli import main as run

    run()


def computes(arguments: list[str]) -> bool:
    """Whether the command is one that computes, and not asked for its help."""
    return bool(arguments) and arguments[0] in _COMPUTING and not _HELP & set(arguments)


def _works_in_strips(arguments: list[str]) -> bool:
    return arguments[0] in _REPAINTING or arguments[:2] == ["style", "apply"]


def _start_again(settings: dict[str, str]) -> None:
    """Replace this process, which keeps its number, by the same one with the settings.

    Only where Python itself runs it: a program that has Python inside could not be called so.
    """
    name = Path(sys.orig_argv[0]).name if sys.orig_argv else ""
    if not (name.startswith("python") and sys.executable):
        return
    try:
        os.execve(sys.executable, [sys.executable, *sys.orig_argv[1:]], {**os.environ, **settings})
    except OSError:  # it may not be allowed here: then it works as it is
        return


if __name__ == "__main__":
    main()
