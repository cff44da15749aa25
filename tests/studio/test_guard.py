"""Nobody but the studio's own page and this user's scripts is let in."""

from __future__ import annotations

import asyncio
import secrets
from pathlib import Path
from typing import Any

import pytest

from belamy.studio.api.app import make_app
from belamy.studio.api.guard import HEADERS
from belamy.studio.api.sessions import Sessions, read_key
from belamy.studio.api.studio import Studio, make_studio
from belamy.studio.settings import StudioSettings

PORT = 7860
HOST = f"127.0.0.1:{PORT}"
OWN = f"http://{HOST}"
Pairs = list[tuple[str, str]]


@pytest.fixture(scope="module")
def here(tmp_path_factory: pytest.TempPathFactory) -> Studio:
    async def make() -> Studio:
        settings = StudioSettings(home=tmp_path_factory.mktemp("studio"), port=PORT, warm=False)
        return make_studio(settings)

    return asyncio.run(make())


@pytest.fixture(scope="module")
def cookie(here: Studio) -> str:
    name, value = here.sessions.open()
    return f"{name}={value}"


APPS: dict[int, Any] = {}  # studio → its application, built once


def ask(
    studio: Studio,
    headers: Pairs,
    path: str = "/api/status",
    method: str = "GET",
    query: str = "",
    kind: str = "http",
) -> tuple[int, dict[str, str], bytes]:
    """Status, headers and body of a request, through the whole application."""
    sent: list[dict[str, Any]] = []
    app = APPS.get(id(studio)) or APPS.setdefault(id(studio), make_app(studio))
    scope = {
        "type": kind,
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": method,
        "scheme": "http" if kind == "http" else "ws",
        "path": path,
        "raw_path": path.encode(),
        "query_string": query.encode(),
        "headers": [(name.lower().encode(), value.encode()) for name, value in headers],
        "client": ("127.0.0.1", 50_000),
        "server": ("127.0.0.1", PORT),
        "subprotocols": [],
    }
    first = "http.request" if kind == "http" else "websocket.connect"

    said = iter([{"type": first, "body": b"", "more_body": False}])

    async def receive() -> dict[str, Any]:
        return next(said, None) or await asyncio.Future()

    async def send(message: Any) -> None:
        sent.append(message)

    asyncio.run(app(scope, receive, send))
    if kind == "websocket":
        return (403 if sent[0]["type"] == "websocket.close" else 101), {}, b""
    lines = {name.decode(): value.decode() for name, value in sent[0]["headers"]}
    return sent[0]["status"], lines, b"".join(part.get("body", b"") for part in sent[1:])


FOREIGN_HOSTS = [
    "evil.example",
    "evil.example:7860",
    "127.0.0.1",
    "127.0.0.1:80",
    "127.0.0.1:7861",
    "127.0.0.1:07860",
    "127.0.0.1:7860.evil.example",
    "127.0.0.1:7860@evil.example",
    "evil.example@127.0.0.1:7860",
    "127.0.0.1.evil.example:7860",
    "localhost.evil.example:7860",
    "localhost",
    "localhost.:7860",
    "0.0.0.0:7860",
    "127.1:7860",
    "2130706433:7860",
    "0x7f000001:7860",
    "127.0.0.2:7860",
    "[::]:7860",
    "[::ffff:127.0.0.1]:7860",
    "::1:7860",
    "[::1]",
    "192.168.1.20:7860",
    "",
    " 127.0.0.1:7860",
    "127.0.0.1:7860 ",
]
FOREIGN_ORIGINS = [
    "null",
    "http://evil.example",
    "https://evil.example:7860",
    "http://127.0.0.1",
    "http://127.0.0.1:7861",
    "http://localhost",
    "http://localhost:3000",
    "http://127.0.0.1:7860.evil.example",
    "http://127.0.0.1:7860@evil.example",
    "http://evil.example/127.0.0.1:7860",
    "file://",
    "chrome-extension://127.0.0.1:7860",
    "ftp://127.0.0.1:7860",
    "127.0.0.1:7860",
    "http://",
    "http:///127.0.0.1:7860",
    "http://127.0.0.1:7860/",
    "http://[::]:7860",
    "http://0.0.0.0:7860",
    "//127.0.0.1:7860",
]
FOREIGN_SITES = ["cross-site", "same-site", "", "nonsense", "Cross-Site", "same-origin, cross-site"]


@pytest.mark.parametrize("kind", ["http", "websocket"])
@pytest.mark.parametrize("host", FOREIGN_HOSTS)
def test_no_other_host(here: Studio, cookie: str, host: str, kind: str) -> None:
    """A stranger's page can point its own name here (DNS rebinding)."""
    headers = [("host", host), ("cookie", cookie), ("origin", OWN)]
    path = "/api/status" if kind == "http" else "/api/live"
    assert ask(here, headers, path, kind=kind)[0] == 403


@pytest.mark.parametrize("kind", ["http", "websocket"])
@pytest.mark.parametrize("origin", FOREIGN_ORIGINS)
def test_no_other_origin(here: Studio, cookie: str, origin: str, kind: str) -> None:
    headers = [("host", HOST), ("cookie", cookie), ("origin", origin)]
    path = "/api/jobs" if kind == "http" else "/api/live"
    method = "POST" if kind == "http" else "GET"
    assert ask(here, headers, path, method, kind=kind)[0] == 403


@pytest.mark.parametrize("site", [one for one in FOREIGN_SITES if one])
def test_no_other_site(here: Studio, cookie: str, site: str) -> None:
    headers = [("host", HOST), ("cookie", cookie), ("sec-fetch-site", site)]
    assert ask(here, headers)[0] == 403


@pytest.mark.parametrize(
    "headers",
    [
        [("host", HOST)],
        [("host", HOST), ("cookie", "")],
        [("host", HOST), ("cookie", f"belamy_{PORT}=")],
        [("host", HOST), ("cookie", f"belamy_{PORT}={secrets.token_urlsafe(32)}")],
        [("host", HOST), ("cookie", f"belamy_{PORT}=" + "a" * 20_000)],
        [("host", HOST), ("authorization", "Bearer ")],
        [("host", HOST), ("authorization", "Bearer nonsense")],
        [("host", HOST), ("authorization", "Basic nonsense")],
        [("host", HOST), ("authorization", "Bearer \xff\xfe")],
        [("host", HOST), ("host", HOST), ("authorization", "KEY")],
        [("host", HOST), ("host", "evil.example"), ("authorization", "KEY")],
        [("host", HOST), ("origin", OWN), ("origin", "http://evil.example"), ("cookie", "OURS")],
        [("authorization", "KEY")],
    ],
)
@pytest.mark.parametrize("kind", ["http", "websocket"])
def test_no_entry_without_a_cookie_or_the_key(
    here: Studio, cookie: str, headers: Pairs, kind: str
) -> None:
    key = f"Bearer {read_key(here.settings.places.key)}"
    meant = {"KEY": key, "OURS": cookie}
    given = [(name, meant.get(value, value)) for name, value in headers]
    path = "/api/status" if kind == "http" else "/api/live"
    assert ask(here, given, path, kind=kind)[0] == 403


@pytest.mark.parametrize("path", ["/api/jobs", "/api/settings", "/api/links", "/api/pictures"])
def test_what_changes_something_says_where_it_comes_from(
    here: Studio, cookie: str, path: str
) -> None:
    """A cookie alone, which any page could send along, changes nothing."""
    headers = [("host", HOST), ("cookie", cookie)]
    assert ask(here, headers, path, "POST")[0] == 403
    assert ask(here, [*headers, ("origin", OWN)], path, "POST")[0] != 403


def test_a_socket_says_where_it_comes_from(here: Studio, cookie: str) -> None:
    assert ask(here, [("host", HOST), ("cookie", cookie)], "/api/live", kind="websocket")[0] == 403


@pytest.mark.parametrize("name", [HOST, f"localhost:{PORT}", f"LOCALHOST:{PORT}", f"[::1]:{PORT}"])
def test_the_own_page_is_let_in(here: Studio, cookie: str, name: str) -> None:
    headers = [("host", name), ("cookie", cookie), ("sec-fetch-site", "same-origin")]
    assert ask(here, headers)[0] == 200
    assert ask(here, [*headers, ("origin", f"http://{name.lower()}")])[0] == 200


def test_scripts_show_the_key(here: Studio) -> None:
    path = here.settings.places.key
    assert ask(here, [("host", HOST), ("authorization", f"Bearer {read_key(path)}")])[0] == 200
    assert path.stat().st_mode & 0o777 == 0o600


def test_a_link_opens_once(here: Studio) -> None:
    token = here.sessions.make_link()
    host = [("host", HOST)]
    status, headers, _ = ask(here, host, "/", query=f"token={token}")
    assert status == 303
    assert headers["location"] == "/"  # the token does not stay in the address
    set_cookie = headers["set-cookie"]
    assert "HttpOnly" in set_cookie
    assert "samesite=strict" in set_cookie.lower()
    own = [*host, ("cookie", set_cookie.partition(";")[0])]
    assert ask(here, own)[0] == 200
    assert ask(here, own, "/", query=f"token={token}")[0] == 303  # reloaded: it is in already
    status, _, body = ask(here, host, "/", query=f"token={token}")
    assert (status, b"once" in body) == (403, True)


@pytest.mark.parametrize(
    "query", ["token=", "token=nonsense", "token=a&token=b", "token=%ff", "token=%00", "t=1"]
)
def test_no_other_link_opens(here: Studio, query: str) -> None:
    assert ask(here, [("host", HOST)], "/", query=query)[0] == 403


def test_a_link_opens_nothing_but_the_page(here: Studio) -> None:
    token = here.sessions.make_link()
    assert ask(here, [("host", HOST)], "/api/status", query=f"token={token}")[0] == 403
    assert ask(here, [("host", HOST)], "/", "POST", query=f"token={token}")[0] == 403
    assert here.sessions.use_link(token)


def test_every_answer_has_the_safety_headers(here: Studio, cookie: str) -> None:
    headers = [("host", HOST), ("cookie", cookie)]
    for path in ("/", "/api/status", "/api/nothing", "/api/docs"):
        found = ask(here, headers, path)[1]
        assert {name.lower(): value for name, value in HEADERS.items()}.items() <= found.items()
    refused = ask(here, [("host", "evil.example")])[1]
    assert "default-src 'self'" in refused["content-security-policy"]
    assert "unsafe" not in refused["content-security-policy"]
    assert not [name for name in refused if name.startswith("access-control")]


def test_a_file_that_the_browser_has_is_not_sent_again(here: Studio, cookie: str) -> None:
    own = [("host", HOST), ("cookie", cookie)]
    status, headers, body = ask(here, own, "/css/dialogs.css")
    assert (status, headers["cache-control"]) == (200, "no-cache")
    for known in (headers["etag"], f'"other", W/{headers["etag"]}'):
        status, again, rest = ask(here, [*own, ("if-none-match", known)], "/css/dialogs.css")
        assert (status, rest, again["etag"]) == (304, b"", headers["etag"])
        assert again["content-security-policy"] == headers["content-security-policy"]
    status, _, whole = ask(here, [*own, ("if-none-match", '"other"')], "/css/dialogs.css")
    assert (status, whole) == (200, body)


def test_cookies_outlive_a_restart_and_age(here: Studio, tmp_path: Path) -> None:
    name, value = here.sessions.open()
    again = Sessions(here.database, PORT, here.settings.places.key)
    assert again.knows_cookie(f"other=1; {name}={value}")
    assert not again.knows_cookie(f"belamy_{PORT + 1}={value}")
    assert here.database.sessions(2e12) == set()
