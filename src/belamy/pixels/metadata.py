"""What stands beside the pixels of a file: texts, comments, who made it, and that a machine did.

Files are strangers': what is read here is read in bounds, and nothing of it is executed or asked
for over a network. A place (GPS) is never among what is carried on.
"""

from __future__ import annotations

import html
import os
import re
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

from PIL import Image

from belamy.pixels.formats import png

__all__ = [
    "ARTIST",
    "COPYRIGHT",
    "CREDITS",
    "EXIF_FOLDER",
    "IMAGE_DESCRIPTION",
    "LONGEST",
    "USER_COMMENT",
    "XMP",
    "credits_of",
    "jpeg_comments",
    "png_texts",
    "xmp_packet",
]

LONGEST = 1 << 24
"""Bytes of a text that are read, packed or unpacked."""

IMAGE_DESCRIPTION, ARTIST, COPYRIGHT, XMP = 0x010E, 0x013B, 0x8298, 0x02BC
EXIF_FOLDER, USER_COMMENT = 0x8769, 0x9286

CREDITS = {"artist": 500, "copyright": 1000, "parameters": 32_000}
"""What of an input is carried on → the characters of it at most; longer ones are not its kind."""

_COMMENT, _SCAN, _END = 0xFE, 0xDA, 0xD9  # second bytes of JPEG's markers
_WITHOUT_LENGTH = {0x01, *range(0xD0, 0xD9)}  # those without a length
_PNG_NAMES = {"artist": ("Author", "Artist"), "copyright": ("Copyright",), "parameters": ()}
_LONGEST_XMP = 1 << 20
_XMP_FIELDS = {
    "artist": "dc:creator",
    "copyright": "dc:rights",
    "parameters": "exif:UserComment",
}
_SOURCE_TYPES = "http://cv.iptc.org/newscodes/digitalsourcetype/"


def png_texts(path: str | os.PathLike[str]) -> dict[str, str]:
    """Keyword → text of a PNG, before its pixels and after them; {} for what is no PNG.

    Raises:
        OSError: it cannot be read.
    """
    with Path(path).open("rb") as stream:
        if stream.read(len(png.SIGNATURE)) != png.SIGNATURE:
            return {}
        return png.read_text(stream)


def jpeg_comments(path: str | os.PathLike[str]) -> list[bytes]:
    """The comments before the first scan of a JPEG, in order; [] for what is no JPEG.

    Raises:
        OSError: it cannot be read.
    """
    found: list[bytes] = []
    with Path(path).open("rb") as stream:
        if stream.read(2) != b"\xff\xd8":
            return []
        while sum(map(len, found)) <= LONGEST:
            head = stream.read(2)
            while head == b"\xff\xff":  # padding
                head = head[1:] + stream.read(1)
            if len(head) < 2 or head[0] != 0xFF or head[1] in (_SCAN, _END):
                break
            if head[1] in _WITHOUT_LENGTH:
                continue
            length = int.from_bytes(stream.read(2), "big") - 2
            if length < 0:
                break
            if head[1] == _COMMENT:
                found.append(stream.read(length))
            else:
                stream.seek(length, os.SEEK_CUR)
    return found


def credits_of(picture: Image.Image, path: str | os.PathLike[str] | None = None) -> dict[str, str]:
    """Who made a picture, and by what prompt: its artist, copyright and `parameters`.

    Args:
        picture: opened by Pillow; it need not be decoded.
        path: its file, where texts after the pixels are looked for too.
    """
    texts: dict[object, str] = {}
    with suppress(OSError, ValueError):
        texts.update(png_texts(path) if path is not None else {})
    texts.update({name: text for name, text in picture.info.items() if isinstance(text, str)})
    packet = _xmp_of(picture)
    exif = _exif_of(picture)
    found = {}
    for name, longest in CREDITS.items():
        candidates = (
            exif.get(name),
            *(texts.get(key) for key in (*_PNG_NAMES[name], name)),
            _xmp_field(packet, _XMP_FIELDS[name]),
        )
        clean = (_clean(text, name == "parameters") for text in candidates if text)
        kept = next((text for text in clean if 0 < len(text) <= longest), None)
        if kept is not None:
            found[name] = kept
    return found


def _exif_of(picture: Image.Image) -> dict[str, str]:
    """Pillow reads EXIF's texts as Latin-1, where most programs write UTF-8."""
    try:
        block = picture.getexif()
        note = block.get_ifd(EXIF_FOLDER).get(USER_COMMENT)
    except Exception:  # damaged EXIF raises almost anything, and is no reason to refuse a picture
        return {}
    found = {}
    for name, tag in (("artist", ARTIST), ("copyright", COPYRIGHT)):
        text = block.get(tag)
        if isinstance(text, str):
            with suppress(UnicodeError):
                text = text.encode("latin-1").decode("utf-8")
            found[name] = text
    comment = _decode_comment(note)
    # As Stable Diffusion's web UI writes them; other comments are a camera's, or our own recipe.
    if "Steps: " in comment and not comment.startswith("belamy:"):
        found["parameters"] = comment
    return found


def _decode_comment(note: object) -> str:
    if not isinstance(note, bytes):
        return ""
    code, text = note[:8], note[8:]
    if code.startswith(b"UNICODE"):
        return text.decode("utf-16-le" if text[1:2] == b"\0" else "utf-16-be", "replace")
    return text.decode("utf-8", "replace")


def _xmp_of(picture: Image.Image) -> str:
    packet = picture.info.get("xmp") or picture.info.get("XML:com.adobe.xmp") or b""
    raw = packet.encode("utf-8", "replace") if isinstance(packet, str) else packet
    return (
        raw.decode("utf-8", "replace") if isinstance(raw, bytes) and len(raw) < _LONGEST_XMP else ""
    )


def _xmp_field(packet: str, name: str) -> str | None:
    """The items of a field, read without a parser of XML, which strangers' files may wear out."""
    start = packet.find(f"<{name}>")
    end = packet.find(f"</{name}>", start)
    if start < 0 or end < 0:
        return None
    items = re.findall(r"<rdf:li(?:\s[^>]*)?>([^<]*)</rdf:li>", packet[start:end])
    return "; ".join(html.unescape(item).strip() for item in items)


def _clean(text: str, lines: bool) -> str:
    flat = (
        text.replace("\0", "; ").strip("; \n\r\t") if not lines else text.replace("\0", "").strip()
    )
    kept = "\n" if lines else ""
    return "".join(letter for letter in flat if letter.isprintable() or letter in kept)


def xmp_packet(credits: Mapping[str, str], source_type: str) -> bytes:
    """An XMP packet: who made what the picture was made of, and IPTC's type of digital source.

    Args:
        credits: as `credits_of` has them.
        source_type: a term of IPTC's vocabulary, such as `trainedAlgorithmicMedia`.
    """
    lists = {"artist": "Seq", "copyright": "Alt", "parameters": "Alt"}
    rows = [
        f"<{_XMP_FIELDS[name]}><rdf:{kind}><rdf:li{_LANGUAGE if kind == 'Alt' else ''}>"
        f"{html.escape(credits[name], quote=False)}</rdf:li></rdf:{kind}></{_XMP_FIELDS[name]}>"
        for name, kind in lists.items()
        if name in credits
    ]
    text = _PACKET.format(source=_SOURCE_TYPES + source_type, rows="".join(rows))
    return text.encode("utf-8", "replace")


_LANGUAGE = ' xml:lang="x-default"'
_PACKET = (
    '<?xpacket begin="\ufeff" id="W5M0MpCehiHzreSzNTczkc9d"?>'
    '<x:xmpmeta xmlns:x="adobe:ns:meta/">'
    '<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">'
    '<rdf:Description rdf:about="" xmlns:dc="http://purl.org/dc/elements/1.1/"'
    ' xmlns:exif="http://ns.adobe.com/exif/1.0/"'
    ' xmlns:Iptc4xmpExt="http://iptc.org/std/Iptc4xmpExt/2008-02-29/">'
    "<Iptc4xmpExt:DigitalSourceType>{source}</Iptc4xmpExt:DigitalSourceType>"
    "{rows}</rdf:Description></rdf:RDF></x:xmpmeta>"
    '<?xpacket end="w"?>'
)
