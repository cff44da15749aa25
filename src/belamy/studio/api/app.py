"""The studio's application: routes behind a guard."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from fastapi import FastAPI
from starlette.types import ASGIApp

from belamy import __version__
from belamy.studio.api import (
    catalog,
    copies,
    docs_page,
    jobs,
    layers,
    links,
    pages,
    pictures,
    results,
    socket,
)
from belamy.studio.api.errors import answer_errors
from belamy.studio.api.guard import Guard, allowed_hosts
from belamy.studio.api.shapes import ErrorAnswer
from belamy.studio.api.studio import Studio

__all__ = ["make_app"]

_ERRORS = (400, 403, 404, 405, 408, 409, 413, 415, 422, 429, 503, 507)
_TELEMETRY: Any = {
    "tracing": False,
    "metrics": False,
    "logs": False,
    "operation_spans": False,
    "auto_configure": False,
}


def make_app(studio: Studio) -> ASGIApp:
    """The application of a studio; it opens the studio when it starts, and closes it at its end."""

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        await studio.open()
        yield
        await studio.close()

    app = FastAPI(
        title="belamy studio",
        version=__version__,
        lifespan=lifespan,
        docs_url=None,
        redoc_url=None,
        openapi_url=None,
        redirect_slashes=False,
        # else an environment variable would have requests reported to another machine
        telemetry=_TELEMETRY,
        responses={code: {"model": ErrorAnswer} for code in _ERRORS},
    )
    app.state.studio = studio
    answer_errors(app)
    for module in (catalog, copies, jobs, layers, links, pictures, results, socket, docs_page):
        app.include_router(module.router)
    app.include_router(pages.router)  # last: it takes every address
    hosts = allowed_hosts(studio.settings.port, studio.settings.names)
    return Guard(app, hosts, studio.sessions)
