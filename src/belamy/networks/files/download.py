"""Published weights, fetched: a generator of progress, so that any face can draw it."""

from __future__ import annotations

import hashlib
import http.client
import tempfile
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from belamy import files
from belamy.errors import WeightsError
from belamy.networks.files.convert import import_weights
from belamy.networks.files.published import Published
from belamy.networks.files.well_known import network_of
from belamy.networks.registry import find_architecture

_CHUNK = 1 << 18  # bytes between two reports
_PATIENCE = 30.0  # seconds without an answer


@dataclass(frozen=True)
class Progress:
    """Bytes received, of how many; `total` is None where the server does not say."""

    received: int
    total: int | None


def download(name: str) -> Iterator[Progress]:
    """Fetch the published weights of `name` into the cache; done when the generator is.

    The file's SHA-256 is compared with the digits in its published name before a byte of it is
    interpreted; a generator that is closed early leaves nothing behind.

    Raises:
        UnknownName: no such network.
        WeightsError: nothing is published, no connection, or not the file that was published.
    """
    name = network_of(name)
    row, folder = find_architecture(name, "backbone").published, files.cache_folder()
    if row is None:
        raise WeightsError(f"no weights of {name} are published; train it, or give a file of yours")
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=".download-", dir=folder) as place:
            file = Path(place) / "weights.pth"
            yield from _fetch(name, row, file)
            import_weights(name, file, source=row.url)
    except OSError as error:
        raise WeightsError(
            f"cannot keep weights in {folder}: {error.strerror or error}; set BELAMY_HOME to a "
            "folder that can be written"
        ) from error


def _fetch(name: str, row: Published, file: Path) -> Iterator[Progress]:
    digest = hashlib.sha256()
    with file.open("wb") as output:
        for chunk, progress in _chunks(name, row.url):
            digest.update(chunk)
            output.write(chunk)
            yield progress
    if not digest.hexdigest().startswith(row.digits):
        raise WeightsError(
            f"{row.url} gave a file whose SHA-256 begins {digest.hexdigest()[:8]} rather than "
            f"{row.digits}; nothing was kept, try again"
        )


def _chunks(name: str, url: str) -> Iterator[tuple[bytes, Progress]]:
    try:
        with urllib.request.urlopen(url, timeout=_PATIENCE) as answer:
            length = answer.headers.get("Content-Length")
            total = int(length) if length else None
            received = 0
            while chunk := _read(answer):
                received += len(chunk)
                yield chunk, Progress(received, total)
    except (OSError, http.client.HTTPException, ValueError) as error:  # URLError is an OSError
        reason = getattr(error, "reason", None) or error
        raise WeightsError(
            f"cannot download {url}: {reason}; when you have the file, run: "
            f"belamy models import {name} FILE"
        ) from error


def _read(answer: BinaryIO) -> bytes:
    return answer.read(_CHUNK)
