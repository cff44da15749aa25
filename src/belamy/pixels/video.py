"""Video files, written and read: GIF with Pillow alone, MP4 with the extra [video].

Frames pass through one at a time: a film is never in memory whole.
"""

from __future__ import annotations

import itertools
import os
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL import Image, ImageSequence
from torch import Tensor

from belamy.errors import ImageError, MissingExtra, OptionError
from belamy.files import atomic_path
from belamy.pixels import decode
from belamy.pixels.formats.frames import count_frames
from belamy.pixels.images import from_pil, to_pil
from belamy.pixels.mp4 import is_mp4
from belamy.pixels.recipe import Recipe, comment

__all__ = ["SUFFIXES", "Video", "check_video", "is_animated", "read_video", "save_video"]

FPS = 25.0
_FASTEST = {".gif": 50.0, ".mp4": 240.0}  # a GIF counts hundredths, and browsers slow down at one
# x264's own scale, where 18 is said to be as good as the original to the eye and 23 is its default;
# paintings are all fine texture.
_QUALITY = "18"
_PALETTE = 256
_FILMS = ("GIF", "WEBP", "PNG", "AVIF")  # formats of Pillow whose frames follow in time
_USUAL_GIF_DELAY = 0.1  # seconds that browsers show a frame which says nothing, or 0
_BT709, _LIMITED, _SRGB_TRANSFER = 1, 1, 13  # ITU-T H.273, tables 2 to 4


@dataclass(frozen=True)
class Video:
    """Frames out of a file.

    Args:
        fps: frames a second.
        frames: each (1, 3, H, W) in [0, 1], read as they are asked for, once.
    """

    fps: float
    frames: Iterator[Tensor]


def check_video(path: str | os.PathLike[str], fps: float = FPS) -> str:
    """The suffix of `path`, lower case; call it before the work.

    Raises:
        ImageError: it is none of `SUFFIXES`.
        OptionError: the format cannot have that many frames a second.
        MissingExtra: it is .mp4, and PyAV is not installed.
    """
    suffix = Path(path).suffix.lower()
    if suffix not in SUFFIXES:
        known = " ".join(SUFFIXES)
        raise ImageError(f"cannot save {path} as a film: unknown suffix {suffix!r}; use {known}")
    if not 0 < fps <= _FASTEST[suffix]:
        raise OptionError(f"fps is {fps:g}; a {suffix} takes more than 0, up to {_FASTEST[suffix]}")
    if suffix == ".mp4":
        _av()
    return suffix


def save_video(
    frames: Iterable[Tensor],
    path: str | os.PathLike[str],
    *,
    fps: float = FPS,
    recipe: Recipe | None = None,
) -> None:
    """Save a film, whole or not at all.

    Args:
        frames: each (1, 3, H, W), sRGB, clamped to [0, 1] and rounded to 8 bits; all of one size.
        path: `.gif`, which plays round and round, each frame with 256 colours of its own; or
            `.mp4`, H.264 that every player takes, where odd sides are repeated by a pixel.
        fps: frames a second; a GIF rounds each delay to hundredths, its mean stays.
        recipe: how it was made, carried in its metadata.

    Raises:
        ImageError: no frames, frames of several sizes, values that are no numbers, an unknown
            suffix, or a place that cannot be written. Nothing is written then.
        OptionError: more frames a second than the format has.
        MissingExtra: an .mp4, and PyAV is not installed.
    """
    write = SUFFIXES[check_video(path, fps)]
    pictures = _check_sizes(to_pil(frame) for frame in frames)
    first = next(pictures, None)
    if first is None:
        raise ImageError(f"cannot save {path}: there are no frames")
    with atomic_path(path) as temporary:
        write(itertools.chain([first], pictures), first.size, temporary, fps, recipe)


def _check_sizes(pictures: Iterator[Image.Image]) -> Iterator[Image.Image]:
    size = None
    for index, picture in enumerate(pictures):
        size = size or picture.size
        if picture.size != size:
            raise ImageError(
                f"frame {index + 1} is {picture.size}, the first {size}; take one size"
            )
        yield picture


def _write_gif(
    pictures: Iterator[Image.Image],
    size: tuple[int, int],
    path: Path,
    fps: float,
    recipe: Recipe | None,
) -> None:
    carried: dict[str, Any] = {} if recipe is None else {"comment": comment(recipe)}
    timed = _set_durations(map(_quantize, pictures), fps)
    next(timed).save(path, "GIF", save_all=True, append_images=timed, loop=0, **carried)


def _quantize(picture: Image.Image) -> Image.Image:
    """256 colours chosen by median cut, errors diffused."""
    palette = picture.quantize(_PALETTE, Image.Quantize.MEDIANCUT, dither=Image.Dither.NONE)
    return picture.quantize(palette=palette, dither=Image.Dither.FLOYDSTEINBERG)


def _set_durations(pictures: Iterator[Image.Image], fps: float) -> Iterator[Image.Image]:
    """Each with its delay in milliseconds, a multiple of 10, so that all together keep time."""
    for index, picture in enumerate(pictures):
        begin, end = (round(100 * moment / fps) for moment in (index, index + 1))
        picture.info = {"duration": 10 * (end - begin)}
        yield picture


def _write_mp4(
    pictures: Iterator[Image.Image],
    size: tuple[int, int],
    path: Path,
    fps: float,
    recipe: Recipe | None,
) -> None:
    av = _av()
    # faststart: the index comes first, so that a browser need not have the whole film to begin
    with av.open(str(path), "w", format="mp4", options={"movflags": "faststart"}) as film:
        if recipe is not None:
            film.metadata["comment"] = comment(recipe).decode("ascii")
        rate = Fraction(fps).limit_denominator(1001)
        stream = film.add_stream(_encoder(av), rate=rate, options={"crf": _QUALITY})
        stream.width, stream.height = (side + side % 2 for side in size)
        stream.pix_fmt = "yuv420p"  # the only form of H.264 that every player takes; sides are even
        for name, value in _COLOURS.items():
            setattr(stream.codec_context, name, value)
        for picture in pictures:
            film.mux(stream.encode(_frame(av, picture)))
        film.mux(stream.encode(None))


# Said in the file; what is not said is guessed by each player from the size.
_COLOURS = {
    "colorspace": _BT709,
    "color_primaries": _BT709,
    "color_trc": _SRGB_TRANSFER,
    "color_range": _LIMITED,
}


def _encoder(av: Any) -> str:
    """The best of H.264's encoders that this build of ffmpeg has."""
    known = ("libx264", "libopenh264", "h264_videotoolbox", "h264_mf", "h264_nvenc")
    found = next((name for name in known if name in av.codecs_available), None)
    if found is None:
        raise ImageError("this PyAV has no encoder for H.264; save a .gif, or reinstall av")
    return found


def _frame(av: Any, picture: Image.Image) -> Any:
    """In limited-range BT.709, an odd side repeated by a pixel."""
    pixels = np.asarray(picture.convert("RGB"))
    odd = [(0, side % 2) for side in pixels.shape[:2]]
    frame = av.VideoFrame.from_ndarray(np.pad(pixels, [*odd, (0, 0)], mode="edge"), format="rgb24")
    return frame.reformat(
        format="yuv420p", dst_colorspace=_BT709, dst_color_range=_LIMITED, interpolation="LANCZOS"
    )


def _av() -> Any:
    try:
        import av
    except ImportError as error:
        raise MissingExtra("av", "video") from error
    return av


_Writer = Callable[[Iterator[Image.Image], tuple[int, int], Path, float, "Recipe | None"], None]

SUFFIXES: dict[str, _Writer] = {".gif": _write_gif, ".mp4": _write_mp4}
"""Suffix → how such a film is written."""


def is_animated(path: str | os.PathLike[str]) -> bool:
    """Whether there is a film at `path`: an MP4, or a picture with more frames than one.

    Raises:
        ImageError: it is neither, or damaged.
    """
    if is_mp4(path):
        return True
    with decode.open_picture(path, max_megapixels=decode.MAX_MEGAPIXELS) as picture:
        return picture.format in _FILMS and count_frames(picture) > 1


@contextmanager
def read_video(path: str | os.PathLike[str]) -> Iterator[Video]:
    """The frames of a film: a GIF, WEBP or PNG that moves, or what ffmpeg reads.

    Raises:
        ImageError: it is not there, damaged, or no film.
        MissingExtra: it needs PyAV, which is not installed.
    """
    name = decode.printable(path)
    if Path(path).suffix.lower() in (".gif", ".webp", ".png"):
        yield _pillow_video(path, name)
        return
    if not Path(path).is_file():
        raise ImageError(f"cannot read {name}: there is no such film; check the path")
    av = _av()
    try:
        with av.open(os.fspath(path)) as film:
            if not film.streams.video:
                raise ImageError(f"cannot read {name}: there is no moving picture in it")
            stream = film.streams.video[0]
            stream.thread_type = "AUTO"
            rate = stream.average_rate or stream.guessed_rate or FPS
            yield Video(float(rate), map(_pixels, film.decode(stream)))
    except av.FFmpegError as error:
        raise ImageError(f"cannot read {name}: {decode.describe_error(error)}") from error


def _pixels(frame: Any) -> Tensor:
    pixels = torch.from_numpy(frame.to_ndarray(format="rgb24"))
    return pixels.permute(2, 0, 1)[None].float().div_(255)  # (1, 3, H, W)


def _pillow_video(path: str | os.PathLike[str], name: str) -> Video:
    """Decoded at once, at 8 bits: such films are short."""
    with decode.open_picture(path) as opened:
        frames, seconds = [], 0.0
        for frame in ImageSequence.Iterator(opened):
            seconds += frame.info.get("duration", 0) / 1000 or _USUAL_GIF_DELAY
            frames.append(frame.convert("RGBA" if frame.has_transparency_data else "RGB"))
    if len(frames) < 2:
        raise ImageError(f"{name} does not move; give a film")
    return Video(len(frames) / seconds, (from_pil(frame).image for frame in frames))
