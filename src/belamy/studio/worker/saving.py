"""What was made is saved once, by whoever comes first: the working thread, or a stop."""

from __future__ import annotations

import threading
from dataclasses import dataclass
from pathlib import Path

import torch
from PIL import Image
from safetensors.torch import save_file
from torch import Tensor

from belamy.files import atomic_path, sha256
from belamy.pixels.contact_sheet import take_off_paper
from belamy.pixels.images import to_pil
from belamy.steps import Step
from belamy.studio.store.records import new_id
from belamy.studio.worker.channel import Channel
from belamy.studio.worker.order import Order

__all__ = ["THUMB_SIDE", "Made", "Saver", "save_thumb", "send_result"]

THUMB_SIDE = 384  # pixels of the longer side
_THUMB_QUALITY = 82


@dataclass(frozen=True)
class Made:
    """A file that a job has made.

    Args:
        name: its id.
        path: of the file.
        size: width and height.
        state: done or stopped.
        latents, raw: whether what it was drawn from, and its unblended pixels, are kept.
        digest: SHA-256 of the file, where that carries no recipe.
    """

    name: str
    path: Path
    size: tuple[int, int]
    state: str
    latents: bool = False
    raw: bool = False
    digest: str = ""


class Saver:
    """Saves the results of one job, and says so.

    Args:
        channel: where to.
        order: the job.
    """

    def __init__(self, channel: Channel, order: Order) -> None:
        self._channel, self._order = channel, order
        self._lock = threading.Lock()
        self._count = 0
        self.over = False

    def finish(
        self, state: str, step: Step | None, raw: Tensor | None = None, message: str = ""
    ) -> bool:
        """Save a step as the result and end the job; whether that was still to be done.

        Args:
            state: done or stopped.
            step: None where there is nothing to save.
            raw: its pixels before they were blended.
            message: a line for the user.
        """
        with self._lock:
            if self.over:
                return False
            if step is not None:
                self.save(step, state, raw)
            self.over = True
            self._end(state, message)
            return True

    def fail(self, message: str) -> None:
        """End the job with what went wrong."""
        with self._lock:
            if not self.over:
                self.over = True
                self._end("failed", message)

    def _end(self, state: str, message: str) -> None:
        self._channel.send(
            {"type": "finished", "job": self._order.job, "state": state, "message": message}
        )

    def save(self, step: Step, state: str, raw: Tensor | None = None) -> str:
        """Save one picture; gives its id."""
        name = new_id()
        self._count += 1
        number = f" {self._count}" if self._count > 1 else ""
        path = self._order.results / f"{self._order.stem}{number}.png"
        step.picture.save(path)
        picture = to_pil(step.image, step.alpha)
        save_thumb(picture, self._order.thumbs / f"{name}.webp")
        if raw is not None:
            kept = {"image": raw.detach().cpu().contiguous()}
            if step.alpha is not None:
                kept["alpha"] = step.alpha.detach().cpu().contiguous()
            _save_tensors(kept, self._order.raw / f"{name}.safetensors")
        latents = self._save_latents(step, name)
        # what carries no recipe is known again by its bytes
        digest = sha256(path) if step.recipe is None else ""
        made = Made(name, path, picture.size, state, latents, raw is not None, digest)
        send_result(self._channel, self._order.job, made)
        return name

    def finish_film(self, state: str, path: Path, first: Step) -> bool:
        """As `finish`, of a film that is written already; one that was stopped is short.

        Args:
            state: done or stopped.
            path: of the film.
            first: its first frame.
        """
        with self._lock:
            if self.over:
                return False
            name = new_id()
            picture = to_pil(first.image, first.alpha)
            save_thumb(picture, self._order.thumbs / f"{name}.webp")
            send_result(self._channel, self._order.job, Made(name, path, picture.size, state))
            self.over = True
            self._end(state, "")
            return True

    def _save_latents(self, step: Step, name: str) -> bool:
        """What a generated picture was drawn from, to edit it by."""
        if step.latents is None or step.recipe is None or not step.recipe.weights:
            return False
        from belamy.networks.gan.latents import save_styles

        network, digest = next(iter(step.recipe.weights.items()))
        path = self._order.raw / f"{name}.latents.safetensors"
        save_styles(path, step.latents, network=network, sha256=digest)
        return True


def send_result(channel: Channel, job: str, made: Made) -> None:
    """Say that a job has made something."""
    channel.send(
        {
            "type": "result",
            "job": job,
            "id": made.name,
            "file": made.path.name,
            "width": made.size[0],
            "height": made.size[1],
            "state": made.state,
            "latents": made.latents,
            "raw": made.raw,
            "sha256": made.digest,
        }
    )


def save_thumb(picture: Image.Image, path: Path) -> None:
    """A small copy, for strips and walls; of a sheet its pictures, on whatever they hang."""
    shown = take_off_paper(picture)
    small = shown.convert("RGBA" if "A" in shown.getbands() else "RGB")
    small.thumbnail((THUMB_SIDE, THUMB_SIDE), Image.Resampling.LANCZOS, reducing_gap=3)
    with atomic_path(path) as temporary:
        small.save(temporary, "WEBP", quality=_THUMB_QUALITY, method=2)


def _save_tensors(tensors: dict[str, Tensor], path: Path) -> None:
    with atomic_path(path) as temporary:
        save_file({name: tensor.to(torch.float32) for name, tensor in tensors.items()}, temporary)
