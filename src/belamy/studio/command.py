"""`belamy studio`: everything by hand and eye, in the browser."""

from __future__ import annotations

import ipaddress
import sys
from pathlib import Path
from typing import Annotated

import typer

from belamy.errors import BelamyError, MissingExtra, OptionError
from belamy.studio.settings import StudioSettings

__all__ = ["app", "start_quickly"]

app = typer.Typer()

_LANGUAGES = ("en", "it")
_LOCAL = "127.0.0.1"


@app.command()
def studio(
    port: Annotated[int, typer.Option(help="Where it listens; the next free one if taken.")] = 7860,
    no_open: Annotated[bool, typer.Option("--no-open", help="Do not open the browser.")] = False,
    folder: Annotated[
        Path, typer.Option(help="Where results, pictures and history are kept.")
    ] = Path("~/belamy-studio"),
    root: Annotated[
        list[Path] | None,
        typer.Option(help="A folder below which trainings may read; may be given several times."),
    ] = None,
    listen: Annotated[
        str,
        typer.Option(
            metavar="ADDRESS",
            help="Let other machines in that have a link: an address of this machine.",
        ),
    ] = _LOCAL,
    language: Annotated[str, typer.Option(help="Of the page: en or it; else the browser's.")] = "",
) -> None:
    """Open the studio: dreams, styles, portraits and lessons by hand and eye, in the browser."""
    settings = _read_settings(port, folder, root or [], listen, language)
    try:
        from belamy.studio import serve
    except ImportError as error:
        raise MissingExtra(error.name or "fastapi", "studio") from error
    running = serve.fresh_link(settings.home)
    if running is not None:
        typer.echo(f"a studio is open on {settings.home} already:")
        _show(running, browse=not no_open)
        return
    if settings.names:
        typer.echo(
            f"listening on {listen}: every machine that reaches it and has the link can use this "
            f"studio, and read the folders {', '.join(map(str, settings.roots)) or '(none)'}; what "
            "is sent is not encrypted"
        )
    serve.serve(settings, typer.echo, browse=not no_open)


def start_quickly(words: list[str]) -> bool:
    """Run the command without importing all the others, since the page waits for this.

    Args:
        words: what stands after `belamy studio`.

    Returns:
        False where they are not understood: the whole command line then says so.
    """
    if {"-h", "--help"} & set(words):
        return False
    command = typer.main.get_command(app)
    try:
        context = command.make_context("studio", list(words))
    except Exception:  # click's, which typer keeps to itself
        return False
    try:
        with context:
            command.invoke(context)
    except BelamyError as error:
        from belamy.cli.groups import complain

        complain(str(error))
        sys.exit(1)
    return True


def _show(link: str, *, browse: bool) -> None:
    typer.echo(link)
    if browse:
        import webbrowser

        webbrowser.open(link)


def _read_settings(
    port: int, folder: Path, roots: list[Path], listen: str, language: str
) -> StudioSettings:
    """Raises:
    OptionError: a value out of its range, or a root that is no folder.
    """
    if not 0 <= port <= 65_535:
        raise OptionError(f"port is {port}; it must be from 0 to 65535")
    if language and language not in _LANGUAGES:
        raise OptionError(f"language is {language!r}; it must be en or it")
    for one in roots:
        if not one.expanduser().is_dir():
            raise OptionError(f"root is {str(one)!r}, which is no folder")
    try:
        local = ipaddress.ip_address(listen).is_loopback
    except ValueError as error:
        raise OptionError(
            f"listen is {listen!r}; write an address of this machine, such as 192.168.1.20"
        ) from error
    if ipaddress.ip_address(listen).is_unspecified:
        raise OptionError(
            f"listen is {listen}, which is every address; name the one that others are to use"
        )
    return StudioSettings(
        home=folder.expanduser().absolute(),
        host=listen,
        port=port,
        roots=tuple(one.expanduser() for one in roots),
        names=() if local else (listen,),
        language=language,
    )
