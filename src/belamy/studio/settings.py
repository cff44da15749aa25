"""What a studio is started with, and the limits that it keeps."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

__all__ = ["MEGABYTE", "Limits", "Places", "StudioSettings"]

MEGABYTE = 1 << 20


@dataclass(frozen=True)
class Limits:
    """How much of everything the studio takes.

    Args:
        upload_bytes: of one picture.
        film_bytes: of one film.
        stored_bytes: of all that was dropped in together.
        spare_bytes: that stay free on the disk.
        upload_seconds: in which one picture must have come.
        upload_pause: seconds that a sender may fall silent.
        uploads: that may come at the same time.
        megapixels: of one picture.
        header_seconds: in which a request's headers must have come.
        body_bytes: of a request that is JSON.
        body_seconds: in which it must have come.
        waiting: jobs that may wait.
        jobs_burst: jobs that may be sent at once.
        jobs_per_second: that may be sent after those.
        connections: at the same time.
        tabs: open WebSockets.
        listed: jobs or results in one answer.
        presets: of one's own.
        raw_results: unblended results that are kept, so that their strength can be changed.
    """

    upload_bytes: int = 64 * MEGABYTE
    film_bytes: int = 512 * MEGABYTE
    stored_bytes: int = 8192 * MEGABYTE
    spare_bytes: int = 256 * MEGABYTE
    upload_seconds: float = 60.0
    upload_pause: float = 15.0
    uploads: int = 8
    megapixels: float = 64.0  # as cameras of phones have them
    header_seconds: float = 15.0
    body_bytes: int = MEGABYTE
    body_seconds: float = 20.0
    waiting: int = 100
    jobs_burst: int = 120
    jobs_per_second: float = 4.0
    connections: int = 120
    tabs: int = 24
    listed: int = 200
    presets: int = 500
    raw_results: int = 12


@dataclass(frozen=True)
class Places:
    """The folders of a studio, all below the one that the user can open."""

    home: Path

    @property
    def results(self) -> Path:
        """What was made, named readably."""
        return self.home / "results"

    @property
    def bin(self) -> Path:
        """Results that were deleted."""
        return self.home / "bin"

    @property
    def pictures(self) -> Path:
        """What was dropped in."""
        return self.home / "pictures"

    @property
    def folders(self) -> Path:
        """Folders for trainings, made of what was dropped in."""
        return self.home / "folders"

    @property
    def runs(self) -> Path:
        """Trainings."""
        return self.home / "runs"

    @property
    def thumbs(self) -> Path:
        """Small copies, by id."""
        return self.home / ".studio" / "thumbs"

    @property
    def layers(self) -> Path:
        """Pictures of layers, by network."""
        return self.home / ".studio" / "layers"

    @property
    def raw(self) -> Path:
        """Results before they were blended, and latents, by id."""
        return self.home / ".studio" / "raw"

    @property
    def database(self) -> Path:
        """Jobs, results, presets, settings."""
        return self.home / ".studio" / "studio.sqlite"

    @property
    def key(self) -> Path:
        """What scripts of this user show the server."""
        return self.home / ".studio" / "key"

    @property
    def lock(self) -> Path:
        """Held by the studio that uses the folder; says where it listens."""
        return self.home / ".studio" / "running.json"

    def make(self) -> None:
        """Make what is not there."""
        kept = (self.results, self.bin, self.pictures, self.folders, self.runs)
        for folder in (*kept, self.thumbs, self.raw):
            folder.mkdir(parents=True, exist_ok=True)


@dataclass(frozen=True)
class StudioSettings:
    """What a studio is started with.

    Args:
        home: the folder in which everything is kept.
        host: the address that is listened on.
        port: its port; 0 for a free one.
        roots: folders below which trainings may read.
        names: what else the server may be called in a browser's address, as a host name.
        warm: whether the worker is started before it has anything to do.
        language: of the page, where its reader has not chosen one; "" for the browser's own.
        limits: of everything.
    """

    home: Path
    host: str = "127.0.0.1"
    port: int = 7860
    roots: tuple[Path, ...] = ()
    names: tuple[str, ...] = ()
    warm: bool = True
    language: str = ""
    limits: Limits = field(default_factory=Limits)

    @property
    def places(self) -> Places:
        """Its folders."""
        return Places(self.home)
