"""Decoding of untrusted image files: out comes a picture or one `ImageError`.

Pillow answers to damaged files with a dozen kinds of exception, with warnings, and with lines that
libtiff writes to stderr by itself. Here, and only here, all of that becomes one sentence which
names the file and the cause.
"""

from __future__ import annotations

import io
import os
import re
import stat
import threading
import warnings
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import BinaryIO

# Registered by name, so that Pillow need not import its forty other plugins to find these.
from PIL import (  # noqa: F401
    AvifImagePlugin,
    BmpImagePlugin,
    GifImagePlugin,
    Image,
    ImageFile,
    JpegImagePlugin,
    MpoImagePlugin,
    PngImagePlugin,
    TiffImagePlugin,
    UnidentifiedImageError,
    WebPImagePlugin,
)

from belamy.errors import (
    BelamyError,
    ImageError,
    OptionError,
    PictureWarning,
)
from belamy.errors import (
    describe_error as describe_error,
)
from belamy.files import missing_file, printable
from belamy.pixels.formats import avif, bmp, jpeg, png, tiff

FORMATS = ("JPEG", "PNG", "WEBP", "GIF", "TIFF", "BMP", "AVIF")
READABLE_SUFFIXES = frozenset(
    (
        *(".jpg", ".jpeg", ".jpe", ".jfif", ".pjpeg", ".pjp", ".mpo", ".png", ".apng", ".webp"),
        *(".gif", ".tif", ".tiff", ".bmp", ".dib", ".avif", ".avifs"),
    )
)
"""Of the files that count as pictures in a folder or a zip; one named by itself may have any."""
MAX_MEGAPIXELS = 100.0
# Encoders write about 10 scans; a small file can ask for thousands, each a pass over all pixels.
MAX_SCANS = 200

_CHUNK = 1 << 20
_HEAD = 64  # bytes: enough for every magic number and for the canvas of a WEBP
_TILE_WIDTH, _TILE_LENGTH = 322, 323  # TIFF tags
_START_OF_SCAN = b"\xff\xda"

# What people most often hand over instead: (offset, bytes there) → what to say.
_LOOKS_LIKE = (
    (4, b"ftyphei", "it is a HEIC photo; export it as JPEG"),
    (4, b"ftypmif", "it is a HEIF photo; export it as JPEG"),
    (4, b"ftypavi", "its header is damaged"),
    (4, b"ftypcrx", "it is a raw photo (CR3); develop it and export it as JPEG"),
    (4, b"ftyp", "it is a video; take a frame of it"),
    (4, b"JXL \r\n", "it is JPEG XL; export it as PNG"),
    (0, b"\xff\x0a", "it is JPEG XL; export it as PNG"),
    (4, b"jP  \r\n", "it is JPEG 2000; export it as PNG"),
    (0, b"\xff\x4f\xff\x51", "it is JPEG 2000; export it as PNG"),
    (0, b"8BPS", "it is a Photoshop document; export it as PNG"),
    (0, b"gimp xcf", "it is a GIMP document; export it as PNG"),
    (0, b"v/1\x01", "it is OpenEXR (HDR); export it as PNG, in sRGB"),
    (0, b"#?RADIANCE", "it is Radiance HDR; export it as PNG, in sRGB"),
    (0, b"FUJIFILMCCD-RAW", "it is a raw photo; develop it and export it as JPEG"),
    (0, b"IIRO", "it is a raw photo; develop it and export it as JPEG"),
    (0, b"IIU\x00", "it is a raw photo; develop it and export it as JPEG"),
    (0, b"\x00\x00\x01\x00", "it is an icon; export it as PNG"),
    (0, b"\x1aE\xdf\xa3", "it is a video; take a frame of it"),
    (8, b"AVI ", "it is a video; take a frame of it"),
    (8, b"WAVE", "it is sound"),
    (0, b"version https://git-lfs", "it is a pointer of Git LFS; run: git lfs pull"),
    (0, b"\x1f\x8b", "it is compressed by gzip; unpack it"),
    (0, b"%PDF", "it is a PDF; export the page as PNG"),
    (0, b"<svg", "it is an SVG drawing; export it as PNG"),
    (0, b"<?xml", "it is XML, perhaps an SVG drawing; export it as PNG"),
    (0, b"<!DOCTYPE", "it is a web page; download the picture itself"),
    (0, b"<html", "it is a web page; download the picture itself"),
    (0, b"PK\x03\x04", "it is a zip archive; unpack it"),
    (0, b"\x89PNG", "its header is damaged"),
    (0, b"\xff\xd8", "its header is damaged"),
    (0, b"RIFF", "its header is damaged"),
    (0, b"GIF8", "its header is damaged"),
    (0, b"II*\x00", "its header is damaged"),
    (0, b"MM\x00*", "its header is damaged"),
    (0, b"BM", "its header is damaged"),
)

# Warning filters and file descriptor 2 belong to the whole process: one reader at a time, or those
# who share the filters; of TIFF one reader in any case. Taken in this order.
_one_at_a_time = threading.RLock()
_one_tiff_at_a_time = threading.RLock()


@contextmanager
def open_picture(
    source: str | os.PathLike[str] | BinaryIO,
    *,
    name: str = "",
    max_megapixels: float = MAX_MEGAPIXELS,
    shared: bool = False,
) -> Iterator[Image.Image]:
    """The picture in `source`, its header read and its size checked, its pixels not yet decoded.

    Decode and convert it inside the block, where every failure of Pillow becomes an `ImageError`.

    Args:
        source: a path or an open, seekable stream such as `io.BytesIO`, which stays open; in one
            of `FORMATS`; the content decides, not the suffix.
        name: what to call it in messages, such as `photos.zip/a.png`; else its path.
        max_megapixels: the largest width × height, in millions, that may be decoded.
        shared: other threads may read at the same time, within `reading_together`.

    Raises:
        ImageError: missing, a folder, empty, of another kind, damaged, cut short, or too large.
        OptionError: `max_megapixels` is not positive.
    """
    check_limit(max_megapixels)
    with _open_source(source, name) as (stream, name):
        head = stream.read(_HEAD)
        stream.seek(0)
        with translate_errors(name, head, shared=shared):
            _check_webp_canvas(head, name, max_megapixels)
            parts = png.chunks(stream) if head.startswith(png.SIGNATURE) else []
            with _read_header(stream, name, head, parts, max_megapixels) as picture:
                check_pixels(name, *_largest(picture), max_megapixels)
                _check_scans(name, picture, stream)
                png.add_metadata(picture, stream, parts, name)
                avif.add_code(picture, stream)
                bmp.add_profile(picture, stream)
                yield picture


@contextmanager
def translate_errors(name: str, head: bytes = b"", *, shared: bool = False) -> Iterator[None]:
    """Turn whatever Pillow raises in this block into an `ImageError` about `name`; keep it quiet.

    A `PictureWarning` given inside the block comes out at its end, if it ends without an error.

    Args:
        name: what to call the picture in the message.
        head: the file's first bytes, which tell a better cause and whether libtiff is at work.
        shared: as in `open_picture`; a TIFF is read alone all the same.
    """
    caught: list[warnings.WarningMessage] = []
    with ExitStack() as quiet:
        if not shared:
            caught = quiet.enter_context(reading_together())
        if head.startswith(tiff.MAGIC):
            quiet.enter_context(_silence_stderr())
        try:
            yield
        except BelamyError:
            raise
        except UnidentifiedImageError as error:
            raise ImageError(f"cannot read {name}: {_describe_head(head)}") from error
        except MemoryError as error:
            raise ImageError(f"cannot read {name}: it needs more memory than there is") from error
        except Exception as error:  # damaged files raise almost anything, AssertionError included
            raise ImageError(
                f"cannot read {name}: it is damaged or cut short ({describe_error(error)})"
            ) from error
    for warning in caught:
        warnings.warn(warning.message, stacklevel=2)


@contextmanager
def reading_together() -> Iterator[list[warnings.WarningMessage]]:
    """Keep Pillow's warnings quiet in this block; gives the list that each `PictureWarning` joins.

    Threads that `open_picture` with `shared` inside it may read at the same time.
    """
    with _one_at_a_time, warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("ignore")
        warnings.simplefilter("always", PictureWarning)
        yield caught


def check_limit(max_megapixels: float) -> None:
    """Refuse a limit that is not a positive number."""
    if not max_megapixels > 0:
        raise OptionError(f"max_megapixels {max_megapixels} is not a positive number")


def check_pixels(name: str, width: int, height: int, max_megapixels: float) -> None:
    """Refuse a picture of more pixels than the limit.

    Raises:
        ImageError: width × height passes `max_megapixels`.
    """
    megapixels = width * height / 1e6
    if megapixels > max_megapixels:
        raise ImageError(
            f"{name} has {megapixels:.1f} megapixels ({width} × {height}), the limit is "
            f"{max_megapixels:g}; make it smaller or raise max_megapixels"
        )


@contextmanager
def _open_source(
    source: str | os.PathLike[str] | BinaryIO, name: str
) -> Iterator[tuple[BinaryIO, str]]:
    """The stream of `source` at its beginning, and its name as printable text."""
    if isinstance(source, (str, os.PathLike)):
        name = printable(name or source)
        with _open_file(Path(source), name) as stream:
            yield stream, name
        return
    name = printable(name or "the picture")
    if source.seek(0, os.SEEK_END) == 0:
        raise ImageError(f"cannot read {name}: it is empty (0 bytes)")
    source.seek(0)
    yield source, name


def _open_file(path: Path, name: str) -> BinaryIO:
    """The file opened for reading, once it is known to be a file (a pipe would wait for ever)."""
    try:
        status = path.stat()
        if stat.S_ISDIR(status.st_mode):
            raise ImageError(f"cannot read {name}: it is a folder; name a picture in it")
        if not stat.S_ISREG(status.st_mode):
            raise ImageError(f"cannot read {name}: it is a device or a pipe, not a file")
        if status.st_size == 0:
            raise ImageError(f"cannot read {name}: the file is empty (0 bytes)")
        return path.open("rb")
    except FileNotFoundError as error:
        raise missing_file(ImageError, name) from error
    except (OSError, ValueError) as error:  # ValueError: a zero byte in the name
        raise ImageError(f"cannot read {name}: {getattr(error, 'strerror', error)}") from error


def _read_header(
    stream: BinaryIO, name: str, head: bytes, parts: Sequence[png.Chunk], max_megapixels: float
) -> Image.Image:
    """Read the header: of what we decode ourselves, or as Pillow does."""
    if not head.startswith(tiff.MAGIC):
        try:
            return _open_with_pillow(png.without_metadata(stream, parts), name, max_megapixels)
        except UnidentifiedImageError as error:
            if (cause := jpeg.explain(stream)) is None:
                raise
            raise ImageError(f"cannot read {name}: {cause}") from error
    if tiff.is_preview(stream):
        raise ImageError(
            f"cannot read {name}: it is a raw photo, and begins with a small copy of it; develop "
            "it and export it as JPEG"
        )
    found = tiff.open_deep(stream)
    if found is not None:
        return found
    cause = tiff.explain(stream)
    if tiff.is_misread(stream):
        raise ImageError(f"cannot read {name}: {cause}")
    stream.seek(0)
    try:
        picture = _open_with_pillow(stream, name, max_megapixels)
        tiff.mend_planes(picture)
        return picture
    except (UnidentifiedImageError, KeyError) as error:  # KeyError: an unknown compression
        if cause is None:
            raise
        raise ImageError(f"cannot read {name}: {cause}") from error


def read_what_pillow_does_not(picture: Image.Image) -> Image.Image:
    """A picture that others have opened with Pillow, as `open_picture` would have it.

    Call it inside `translate_errors`. What is loaded already, or has no file, is left as it is.
    """
    stream = getattr(picture, "fp", None)
    if stream is None or not getattr(picture, "tile", None) or picture.tell() != 0:
        return picture
    place = stream.tell()
    try:
        if picture.format == "TIFF":
            return tiff.open_deep(stream) or picture
        if picture.format == "PNG":
            png.add_code(picture, stream)
        avif.add_code(picture, stream)
        bmp.add_profile(picture, stream)
    finally:
        stream.seek(place)
    return picture


def _open_with_pillow(stream: BinaryIO, name: str, max_megapixels: float) -> ImageFile.ImageFile:
    """Read the header, with Pillow's own limit out of the way only if the user asked for more."""
    ceiling = Image.MAX_IMAGE_PIXELS
    # Pillow warns at its limit and refuses at twice that.
    if ceiling is None or max_megapixels * 1e6 <= 2 * ceiling:
        try:
            return Image.open(stream, formats=FORMATS)
        except Image.DecompressionBombError as error:
            raise ImageError(_too_large(name, error, max_megapixels)) from error
    try:
        Image.MAX_IMAGE_PIXELS = None
        return Image.open(stream, formats=FORMATS)
    finally:
        Image.MAX_IMAGE_PIXELS = ceiling


def _too_large(name: str, error: Exception, max_megapixels: float) -> str:
    found = re.search(r"\((\d+) pixels\)", str(error))
    size = f"{int(found[1]) / 1e6:.1f} megapixels" if found else "too many pixels"
    return (
        f"{name} has {size}, the limit is {max_megapixels:g}; "
        "make it smaller or raise max_megapixels"
    )


def _check_webp_canvas(head: bytes, name: str, max_megapixels: float) -> None:
    """Pillow's WEBP reader allocates the canvas of an extended file before it tells its size."""
    if len(head) >= 30 and head[:4] == b"RIFF" and head[8:16] == b"WEBPVP8X":
        width, height = (int.from_bytes(head[at : at + 3], "little") + 1 for at in (24, 27))
        check_pixels(name, width, height, max_megapixels)


def _largest(picture: Image.Image) -> tuple[int, int]:
    """(width, height) of the largest thing that decoding allocates: a TIFF tile may exceed all."""
    if isinstance(picture, tiff.DeepTiff):
        return picture.layout.largest
    width, height = picture.size
    if isinstance(picture, TiffImagePlugin.TiffImageFile):
        tile = [picture.tag_v2.get(tag, 0) for tag in (_TILE_WIDTH, _TILE_LENGTH)]
        if all(isinstance(side, int) for side in tile) and tile[0] * tile[1] > width * height:
            return tile[0], tile[1]
    return width, height


def _check_scans(name: str, picture: Image.Image, stream: BinaryIO) -> None:
    if not (isinstance(picture, JpegImagePlugin.JpegImageFile) and "progressive" in picture.info):
        return
    position = stream.tell()
    stream.seek(0)
    scans, tail = 0, b""
    while chunk := stream.read(_CHUNK):
        scans += (tail + chunk).count(_START_OF_SCAN)
        tail = chunk[-1:]
    stream.seek(position)
    if scans > MAX_SCANS:
        raise ImageError(f"cannot read {name}: it has {scans} scans, more than {MAX_SCANS}")


def _describe_head(head: bytes) -> str:
    for offset, magic, meaning in _LOOKS_LIKE:
        if head.startswith(magic, offset):
            return meaning
    return f"it is not a picture in {', '.join(FORMATS[:-1])} or {FORMATS[-1]}"


@contextmanager
def _silence_stderr() -> Iterator[None]:
    """Send file descriptor 2 to nowhere: libtiff reports damage there, past Python's reach."""
    with _one_tiff_at_a_time, ExitStack() as undo:
        with suppress(OSError, io.UnsupportedOperation):  # a process may have no descriptor 2
            kept = os.dup(2)
            undo.callback(os.close, kept)
            nowhere = os.open(os.devnull, os.O_WRONLY)
            undo.callback(os.close, nowhere)
            os.dup2(nowhere, 2)
            undo.callback(os.dup2, kept, 2)
        yield
