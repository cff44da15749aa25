"""Every failure is answered in one form: {"error": "one line"}."""

from __future__ import annotations

from typing import Any

from fastapi import FastAPI, HTTPException, Request
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException as AnyHTTPException
from starlette.responses import JSONResponse, Response

from belamy.checks import explain_refusal
from belamy.errors import BelamyError, UnknownName
from belamy.studio.catalog.check import Complaint
from belamy.studio.work.queue import Full

__all__ = ["Problem", "Refusal", "answer_errors"]

_WORDS = {404: "there is nothing here", 405: "this cannot be done here"}


class Problem(HTTPException):
    """A request that cannot be met, in a line for a person."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(status, message)


class Refusal(Exception):
    """What a job asks for cannot be: a complaint for each field."""

    def __init__(self, complaints: list[Complaint]) -> None:
        self.complaints = complaints
        super().__init__("; ".join(one.message for one in complaints))


def answer_errors(app: FastAPI) -> None:
    """Let an app answer so."""

    @app.exception_handler(AnyHTTPException)
    async def explain_status(request: Request, error: AnyHTTPException) -> Response:
        usual = not isinstance(error, Problem)
        text = _WORDS.get(error.status_code, error.detail) if usual else error.detail
        return _line(error.status_code, str(text))

    @app.exception_handler(RequestValidationError)
    async def explain_shape(request: Request, error: RequestValidationError) -> Response:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first.get("loc", ())[1:])
        status = 404 if first.get("loc", ("",))[0] == "path" else 422
        if first["type"] == "json_invalid":
            return _line(status, "the request is no JSON")
        return _line(status, f"{where or 'the request'} {explain_refusal(first)}")

    @app.exception_handler(Refusal)
    async def explain_fields(request: Request, error: Refusal) -> Response:
        fields = [{"field": one.field, "message": one.message} for one in error.complaints]
        return JSONResponse({"error": str(error), "fields": fields}, 422)

    @app.exception_handler(BelamyError)
    async def explain_failure(request: Request, error: BelamyError) -> Response:
        status = 429 if isinstance(error, Full) else 404 if isinstance(error, UnknownName) else 409
        return _line(status, str(error))


def _line(status: int, message: str, **more: Any) -> Response:
    return JSONResponse({"error": " ".join(message.split())[:600], **more}, status)
