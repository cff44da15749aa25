"""Who may ask: this machine's browser with the studio's own page, and this user's scripts.

Every request is held to the same rules before any route sees it: the Host that it names (a
stranger's page can point its own name at 127.0.0.1), the Origin that it comes from, what the
browser says of where it was started (Sec-Fetch-Site), and a cookie or a key.
"""

from __future__ import annotations

from collections.abc import Iterable
from urllib.parse import parse_qs

from starlette.responses import HTMLResponse, JSONResponse, RedirectResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from belamy.studio.api.sessions import Sessions

__all__ = ["HEADERS", "Guard", "allowed_hosts"]

HEADERS = {
    "Content-Security-Policy": (
        "default-src 'self'; img-src 'self' blob: data:; media-src 'self' blob:; "
        "object-src 'none'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "X-Frame-Options": "DENY",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), microphone=(), geolocation=()",
}
_SITES = frozenset({"same-origin", "none"})
_READING = frozenset({"GET", "HEAD"})
_NO_ENTRY = """<!doctype html><meta charset=utf-8><title>belamy studio</title>
<p>This studio opens with the link that <code>belamy studio</code> prints; each link opens once.
Run <code>belamy studio</code> again for a new one.</p>"""


def allowed_hosts(port: int, names: Iterable[str]) -> frozenset[str]:
    """What a browser may call the server."""
    hosts = {"127.0.0.1", "localhost", "[::1]", *names}
    return frozenset(f"{host.lower()}:{port}" for host in hosts)


class Guard:
    """Middleware that lets in who may ask, and puts the safety headers on every answer.

    Args:
        app: what is guarded.
        hosts: from `allowed_hosts`.
        sessions: cookies, links and the key.
    """

    def __init__(self, app: ASGIApp, hosts: frozenset[str], sessions: Sessions) -> None:
        self._app, self._hosts, self._sessions = app, hosts, sessions

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await self._app(scope, receive, send)
            return
        answer = self._judge(scope)
        if answer is None:
            await self._app(scope, receive, _with_headers(send))
        elif scope["type"] == "websocket":
            await receive()
            await send({"type": "websocket.close", "code": 1008})  # before accepting: HTTP 403
        else:
            await answer(scope, receive, _with_headers(send))

    def _judge(self, scope: Scope) -> Response | None:
        """None to let in; else what to answer."""
        headers = _Headers(scope)
        if headers.get("host") is None or headers.one("host").lower() not in self._hosts:
            return _refuse("this is not the address of this studio")
        origin = headers.one("origin")
        if headers.count("origin") > 1 or (origin and not self._is_own(origin)):
            return _refuse("requests from other pages are refused")
        site = headers.one("sec-fetch-site")
        if headers.count("sec-fetch-site") > 1 or (site and site not in _SITES):
            return _refuse("requests from other pages are refused")
        if self._sessions.knows_key(headers.one("authorization")):
            return None
        if not self._sessions.knows_cookie(headers.one("cookie")):
            return self._exchange(scope, headers)
        needs_origin = scope["type"] == "websocket" or scope["method"] not in _READING
        if needs_origin and not origin:
            return _refuse("a request that changes something must say where it comes from")
        if scope["type"] == "http" and "token" in parse_qs(scope["query_string"].decode("latin-1")):
            return RedirectResponse("/", 303) if scope["path"] == "/" else None
        return None

    def _is_own(self, origin: str) -> bool:
        scheme, _, host = origin.lower().partition("://")
        return scheme in ("http", "https") and host in self._hosts

    def _exchange(self, scope: Scope, headers: _Headers) -> Response:
        """A link's token for a cookie; anything else stays outside."""
        if scope["type"] == "http" and scope["path"] == "/" and scope["method"] == "GET":
            query = parse_qs(scope["query_string"].decode("latin-1"))
            if len(query.get("token", [])) == 1 and self._sessions.use_link(query["token"][0]):
                response = RedirectResponse("/", 303)
                name, value = self._sessions.open()
                response.set_cookie(
                    name, value, max_age=Sessions.LIFE, httponly=True, samesite="strict", path="/"
                )
                return response
            return HTMLResponse(_NO_ENTRY, 403)
        return _refuse("open the studio with the link that `belamy studio` prints")


class _Headers:
    """A request's headers; names in lower case."""

    def __init__(self, scope: Scope) -> None:
        self._pairs = [
            (name.decode("latin-1").lower(), value.decode("latin-1"))
            for name, value in scope["headers"]
        ]

    def count(self, name: str) -> int:
        return sum(key == name for key, _ in self._pairs)

    def get(self, name: str) -> str | None:
        """Its value if it stands there exactly once."""
        found = [value for key, value in self._pairs if key == name]
        return found[0] if len(found) == 1 else None

    def one(self, name: str) -> str:
        """The same; "" for none or several."""
        return self.get(name) or ""


def _refuse(reason: str) -> Response:
    return JSONResponse({"error": reason}, 403)


def _with_headers(send: Send) -> Send:
    """Put the safety headers on an answer that begins."""

    async def sending(message: Message) -> None:
        if message["type"] == "http.response.start":
            known = {name.lower() for name, _ in message.get("headers", [])}
            added = [
                (name.lower().encode(), value.encode())
                for name, value in HEADERS.items()
                if name.lower().encode() not in known
            ]
            message["headers"] = [*message.get("headers", []), *added]
        await send(message)

    return sending
