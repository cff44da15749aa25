"""`belamy gan toy`: a GAN small enough to be watched; the same as `belamy learn gan`."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from belamy.cli.commands.gan import app
from belamy.cli.commands.learn import Output, present
from belamy.cli.options import takes
from belamy.learn.lessons.gan import gan_toy

__all__ = ["app"]


@app.command()
@takes(gan_toy)
def toy(output: Output = Path("gan.png"), **options: Any) -> None:
    """Watch a GAN learn eight clouds of points: both networks' view, while they fight."""
    present(gan_toy, output, options)
