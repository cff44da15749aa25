"""Links that open once, the cookies that they are exchanged for, and the key of scripts."""

from __future__ import annotations

import hashlib
import hmac
import os
import secrets
import time
from contextlib import suppress
from http.cookies import CookieError, SimpleCookie
from pathlib import Path
from typing import ClassVar

from belamy.studio.store.database import Database

__all__ = ["Sessions", "read_key"]

_MOST_LINKS = 64  # that are not used yet


class Sessions:
    """Who may come in.

    Args:
        database: where digests of cookies are kept, so that a page outlives a restart.
        port: in the cookie's name, since cookies of all ports of a host are sent to each.
        key: a file that only this user can read.
    """

    LIFE: ClassVar[int] = 30 * 86_400  # seconds that a cookie counts

    def __init__(self, database: Database, port: int, key: Path) -> None:
        self._database = database
        self._name = f"belamy_{port}"
        self._key = read_key(key)
        self._links: dict[str, None] = {}
        self._digests = database.sessions(time.time() - self.LIFE)

    def make_link(self) -> str:
        """A token that opens once."""
        while len(self._links) >= _MOST_LINKS:
            del self._links[next(iter(self._links))]
        token = secrets.token_urlsafe(24)
        self._links[token] = None
        return token

    def use_link(self, token: str) -> bool:
        """Whether it opens; afterwards it does no more."""
        found = [one for one in self._links if hmac.compare_digest(one.encode(), token.encode())]
        for one in found:
            del self._links[one]
        return bool(found)

    def open(self) -> tuple[str, str]:
        """Name and value of a new cookie."""
        value = secrets.token_urlsafe(32)
        digest = _digest(value)
        self._digests.add(digest)
        self._database.save_session(digest, time.time())
        return self._name, value

    def knows_cookie(self, header: str) -> bool:
        """Whether a Cookie header holds one of ours."""
        if not header or len(header) > 16_384:
            return False
        jar = SimpleCookie()
        with suppress(CookieError):
            jar.load(header)
        return self._name in jar and _digest(jar[self._name].value) in self._digests

    def knows_key(self, header: str) -> bool:
        """Whether an Authorization header holds the key."""
        scheme, _, value = header.partition(" ")
        return scheme.lower() == "bearer" and hmac.compare_digest(
            value.strip().encode(), self._key.encode()
        )


def read_key(path: Path) -> str:
    """The key of a studio's folder, made if there is none; only this user can read its file."""
    with suppress(OSError):
        found = path.read_text("ascii").strip()
        if len(found) >= 32:
            return found
    key = secrets.token_urlsafe(32)
    path.unlink(missing_ok=True)
    file = os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600)
    with os.fdopen(file, "w", encoding="ascii") as stream:
        stream.write(key + "\n")
    return key


def _digest(value: str) -> str:
    return hashlib.sha256(value.encode()).hexdigest()
