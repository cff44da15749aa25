"""`belamy tour`: the whole lecture, its commands run here, on one page."""

from __future__ import annotations

import shlex
import subprocess
import sys
import time
from pathlib import Path
from typing import Annotated

import typer

from belamy.cli.groups import complain
from belamy.cli.outputs import require_folder
from belamy.tour.page import LANGUAGES, Visit, make_page, read_texts
from belamy.tour.stops import STOPS, Stop

__all__ = ["app"]

app = typer.Typer()

# Long side of the scenes in pixels, and landscapes in each of CycleGAN's worlds.
_FULL, _QUICK = (512, 16), (96, 4)


@app.command()
def tour(
    output: Annotated[
        Path, typer.Option("--output", "-o", help="The folder to fill; made if it is not there.")
    ] = Path("tour"),
    language: Annotated[
        str, typer.Option(help=f"Of the texts and the pictures: {', '.join(LANGUAGES)}.")
    ] = "en",
    quick: Annotated[
        bool, typer.Option("--quick", help="Smaller pictures and shorter trainings.")
    ] = False,
) -> None:
    """Walk through the lecture: run the command of each stop, and write one page, index.html."""
    read_texts(language)
    require_folder(output)
    began = time.monotonic()
    from belamy.tour.scenes import draw_scenes

    draw_scenes(output, *(_QUICK if quick else _FULL))
    visits: list[Visit] = []
    try:
        for number, stop in enumerate(STOPS, 1):
            typer.echo(f"{number}/{len(STOPS)}  {stop.key}")
            visits.append(_visit(stop, output, language, quick))
    finally:
        if visits:
            _write(output, language, visits)
    typer.echo(f"{output / 'index.html'}  ({time.monotonic() - began:.0f} s)")
    failed = [visit.stop.key for visit in visits if visit.failed]
    if failed:
        complain(f"these stops failed: {', '.join(failed)}")
        raise typer.Exit(1)


def _visit(stop: Stop, folder: Path, language: str, quick: bool) -> Visit:
    """Run the stop's commands as a user would, each in a process of its own."""
    began = time.monotonic()
    lines = tuple(line.write(language, quick=quick) for line in stop.lines)
    said: list[str] = []
    failed = ""
    for line in lines:
        typer.echo(f"      {line}")
        done = subprocess.run(
            [sys.executable, "-m", *shlex.split(line)],
            cwd=folder,
            stdout=subprocess.PIPE,
            text=True,
            encoding="utf-8",
            check=False,
        )
        said.append(done.stdout)
        if done.returncode != 0:
            failed = f"{line}: exit code {done.returncode}"
            break
    pictures = tuple(path for name in stop.pictures if (path := folder / name).exists())
    seconds = time.monotonic() - began
    return Visit(stop, lines, "".join(said), pictures, seconds, failed)


def _write(folder: Path, language: str, visits: list[Visit]) -> None:
    from belamy.files import write_text

    write_text(folder / "index.html", make_page(language, visits))
