"""The server's life: a port, a lock on the folder, a link, and the end."""

from __future__ import annotations

import json
import os
import socket
import urllib.error
import urllib.request
import webbrowser
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

import uvicorn

from belamy.errors import BelamyError
from belamy.studio.api.app import make_app
from belamy.studio.api.sessions import read_key
from belamy.studio.api.studio import make_studio
from belamy.studio.patience import patient_protocol
from belamy.studio.settings import Places, StudioSettings

__all__ = ["fresh_link", "serve"]

_TRIED = 20  # ports, from the one asked for
_LARGEST_WORD = 64 << 10  # bytes of what a tab says


def serve(settings: StudioSettings, say: Callable[[str], None], *, browse: bool) -> None:
    """Run a studio until it is interrupted.

    Args:
        settings: of the studio.
        say: shows a line to whoever started it.
        browse: whether to open the browser.

    Raises:
        BelamyError: the port is taken, or the folder is in use or cannot be written.
    """
    settings.places.make()
    listener = _listen(settings)
    with listener, _lock(settings.places):
        settings = replace(settings, port=listener.getsockname()[1])
        studio = make_studio(settings)
        settings.places.lock.write_text(json.dumps({"pid": os.getpid(), "port": settings.port}))
        link = f"{_address(settings)}/?token={studio.sessions.make_link()}"
        say(link)
        if browse:
            webbrowser.open(link)
        uvicorn.Server(_config(make_app(studio), settings)).run([listener])
        settings.places.lock.write_text("{}")


def fresh_link(home: Path) -> str | None:
    """A link to the studio that runs on a folder; None where none does."""
    places = Places(home)
    try:
        said = json.loads(places.lock.read_text())
        base = f"http://127.0.0.1:{int(said['port'])}"
        key = read_key(places.key)
        headers = {"Authorization": f"Bearer {key}"}
        request = urllib.request.Request(f"{base}/api/links", method="POST", headers=headers)
        with urllib.request.urlopen(request, timeout=3) as answer:
            path = json.load(answer)["path"]
    except (OSError, ValueError, KeyError, TypeError, urllib.error.URLError):
        return None
    return f"{base}{path}"


def _config(app: Any, settings: StudioSettings) -> uvicorn.Config:
    return uvicorn.Config(
        app,
        http=patient_protocol(settings.limits.header_seconds),
        log_level="warning",
        access_log=False,
        ws="websockets-sansio",
        ws_per_message_deflate=False,  # JPEGs do not shrink; trying takes a hundredfold
        ws_max_size=_LARGEST_WORD,
        limit_concurrency=settings.limits.connections,
        timeout_keep_alive=20,
        timeout_graceful_shutdown=2,
        server_header=False,
        date_header=False,
        lifespan="on",
    )


def _address(settings: StudioSettings) -> str:
    host = settings.names[0] if settings.names else settings.host
    shown = f"[{host}]" if ":" in host and not host.startswith("[") else host
    return f"http://{'127.0.0.1' if shown in ('0.0.0.0', '[::]') else shown}:{settings.port}"


def _listen(settings: StudioSettings) -> socket.socket:
    """The socket: the port that was asked for, or the next that is free."""
    family = socket.AF_INET6 if ":" in settings.host else socket.AF_INET
    last: OSError | None = None
    for port in range(settings.port, settings.port + _TRIED) if settings.port else (0,):
        listener = socket.socket(family, socket.SOCK_STREAM)
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind((settings.host, port))
        except (OSError, OverflowError) as error:
            listener.close()
            last = error if isinstance(error, OSError) else OSError(str(error))
            continue
        return listener
    cause = getattr(last, "strerror", None) or last
    raise BelamyError(
        f"cannot listen on {settings.host}, port {settings.port} and the {_TRIED} after it: "
        f"{cause}; name another with --port"
    )


@contextmanager
def _lock(places: Places) -> Iterator[None]:
    """Keep two studios from one folder; given back even by `kill -9`.

    Raises:
        BelamyError: another studio has it.
    """
    with (places.lock.parent / "lock").open("w") as file:
        try:
            import fcntl

            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except ImportError:  # Windows
            pass
        except OSError as error:
            raise BelamyError(
                f"another studio is at work in {places.home}; name another --folder, or end it"
            ) from error
        yield
        with suppress(OSError):
            file.truncate()
