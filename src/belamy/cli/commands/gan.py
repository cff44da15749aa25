"""`belamy gan`: networks that learned to paint from nothing, and what can be done with them.

`gan_paint`, `gan_train` and `gan_toy` add their commands to this group.
"""

from __future__ import annotations

import typer

from belamy.cli.groups import PlainGroup

__all__ = ["app"]

app = typer.Typer(
    name="gan",
    cls=PlainGroup,
    no_args_is_help=True,
    help="Paint pictures that nobody sat for; train networks that do.",
)
