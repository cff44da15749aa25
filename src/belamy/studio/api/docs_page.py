"""The API, described: as OpenAPI for programs, and on a page for people, without any script."""

from __future__ import annotations

from html import escape
from typing import Any

from fastapi import APIRouter, FastAPI, Request
from fastapi.openapi.utils import get_openapi
from fastapi.responses import HTMLResponse

import belamy
from belamy.studio.catalog.engines import ENGINES
from belamy.studio.catalog.forms import form_of, inputs_form_of

__all__ = ["describe", "router"]

router = APIRouter(include_in_schema=False)

_METHODS = ("get", "post", "put", "delete")
_REFERENCE = "#/components/schemas/{model}"


def describe(app: FastAPI) -> dict[str, Any]:
    """The OpenAPI document, with the options of every engine; made once, when it is asked for."""
    if app.openapi_schema is None:
        app.openapi_schema = get_openapi(
            title="belamy studio",
            version=belamy.__version__,
            description="Everything that the studio's page does. Send the key in "
            "FOLDER/.studio/key as `Authorization: Bearer KEY`.",
            routes=app.routes,
        )
        _add_engines(app.openapi_schema)
    return app.openapi_schema


def _add_engines(document: dict[str, Any]) -> None:
    components = document.setdefault("components", {})
    schemas = components.setdefault("schemas", {})
    for engine in ENGINES.values():
        for form in (form_of(engine), inputs_form_of(engine)):
            schema = form.model_json_schema(ref_template=_REFERENCE)
            schemas.update(schema.pop("$defs", {}))
            schemas[form.__name__] = schema
    components["securitySchemes"] = {"key": {"type": "http", "scheme": "bearer"}}
    document["security"] = [{"key": []}]


@router.get("/api/openapi.json")
async def openapi(request: Request) -> dict[str, Any]:
    """The document."""
    return describe(request.app)


@router.get("/api/docs")
async def docs(request: Request) -> HTMLResponse:
    """The page."""
    document = describe(request.app)
    rows = [
        _operation(method, path, operation)
        for path, operations in document["paths"].items()
        for method, operation in operations.items()
        if method in _METHODS
    ]
    engines = [
        f"<h3>{escape(engine.name)}</h3>{_options(form_of(engine).model_json_schema())}"
        for engine in ENGINES.values()
    ]
    head = "<!doctype html><html lang=en><meta charset=utf-8><title>belamy studio: API</title>"
    words = f"<h1>belamy studio {escape(belamy.__version__)}</h1>"
    words += f"<p>{escape(document['info']['description'])} As a file for programs: "
    words += "<a href=/api/openapi.json>openapi.json</a>.</p>"
    body = "".join((words, *rows, "<h2>Options</h2>", *engines))
    return HTMLResponse(f"{head}<body>{body}</body></html>")


def _operation(method: str, path: str, operation: dict[str, Any]) -> str:
    words = escape(operation.get("description", ""))
    codes = ", ".join(sorted(operation.get("responses", {})))
    return (
        f"<h3><code>{method.upper()} {escape(path)}</code></h3><p>{words}</p>"
        f"<p>Answers: {escape(codes)}</p>"
    )


def _options(schema: dict[str, Any]) -> str:
    rows = [
        f"<dt><code>{escape(name)}</code> = {escape(repr(row.get('default', 'needed')))}</dt>"
        f"<dd>{escape(row.get('description', ''))}</dd>"
        for name, row in schema.get("properties", {}).items()
    ]
    return f"<dl>{''.join(rows)}</dl>"
