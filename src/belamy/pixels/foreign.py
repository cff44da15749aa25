"""What other programs write into their pictures of how those were made; shown, never obeyed.

Read in bounds, as all that strangers wrote. Of each program the places that it documents are known:
texts of a PNG, or EXIF in formats that have none.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from PIL import Image

from belamy.errors import ImageError
from belamy.pixels import decode
from belamy.pixels.metadata import LONGEST, credits_of, png_texts

__all__ = ["Foreign", "read_foreign"]

_MAKE, _MODEL = 0x010F, 0x0110  # EXIF: where ComfyUI's WEBPs have its two texts
_MOST_ROWS = 80
_HEADER_MEGAPIXELS = 1000.0
_NEGATIVE = "Negative prompt:"
# `Steps: 20, Model: "a, b"`: a value with a comma in it is quoted as JSON is
_SETTING = re.compile(r'\s*(\w[\w \-/]{0,80}):\s*("(?:\\.|[^\\"]){0,4000}"|[^,]{0,4000})(?:,|$)')


@dataclass(frozen=True)
class Foreign:
    """How another program says that it made a picture.

    Args:
        program: which.
        values: name → what stands there.
    """

    program: str
    values: Mapping[str, Any]

    def rows(self) -> list[tuple[str, str]]:
        """Names and texts for a table; those without end are cut off."""
        head = [("made with", f"{self.program}; belamy can show how, not make it again")]
        found = [(name, _say(value)) for name, value in self.values.items()]
        more = len(found) - _MOST_ROWS
        return head + found[:_MOST_ROWS] + ([("…", f"{more} more")] if more > 0 else [])

    def to_json(self) -> str:
        """All of it, as JSON."""
        return json.dumps({"program": self.program, "values": dict(self.values)}, indent=2)


def read_foreign(path: str | os.PathLike[str]) -> Foreign | None:
    """What another program wrote into the picture at `path`; None where it is none that is known.

    Raises:
        ImageError: it is no picture that can be read.
    """
    texts: dict[str, str] = {}
    with suppress(OSError, ValueError):
        texts.update(png_texts(path))
    try:
        with decode.open_picture(path, max_megapixels=_HEADER_MEGAPIXELS) as picture:
            texts = {**_texts_of(picture), **texts}
            parameters = texts.get("parameters") or credits_of(picture, path).get("parameters", "")
    except ImageError:  # a film, or frames in a folder
        return None
    short = {name: text for name, text in texts.items() if len(text) <= LONGEST}
    for read in (_read_invoke, _read_comfy):
        if (found := read(short)) is not None:
            return found
    return _read_parameters(parameters)


def _texts_of(picture: Image.Image) -> dict[str, str]:
    """Pillow's texts, and those that ComfyUI puts into the EXIF of a WEBP, as `prompt:{…}`."""
    found = {str(name): text for name, text in picture.info.items() if isinstance(text, str)}
    with suppress(Exception):  # damaged EXIF raises almost anything
        block = picture.getexif()
        for tag in (_MAKE, _MODEL):
            name, mark, text = str(block.get(tag, "")).partition(":")
            if mark and name in ("prompt", "workflow"):
                found[name] = text
    return found


def _load(text: str | None) -> dict[str, Any]:
    """A JSON object; {} where there is none."""
    try:
        # Python writes and reads NaN, as ComfyUI has it in graphs; JSON has no such number
        found = json.loads(text or "", parse_constant=str)
    except (ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}


def _read_invoke(texts: Mapping[str, str]) -> Foreign | None:
    found = _load(texts.get("invokeai_metadata"))
    if found:
        return Foreign(_with_version("InvokeAI", found.get("app_version")), found)
    older = _load(texts.get("sd-metadata"))
    if not older:
        return None
    image = older.pop("image", {})
    values = {**older, **(image if isinstance(image, dict) else {})}
    return Foreign(_with_version("InvokeAI", older.get("app_version")), values)


def _with_version(name: str, version: object) -> str:
    return f"{name} {version}" if isinstance(version, str) and len(version) < 40 else name


def _read_comfy(texts: Mapping[str, str]) -> Foreign | None:
    """The graph: a row for each node, with what it was set to."""
    nodes = {
        key: node
        for key, node in _load(texts.get("prompt")).items()
        if isinstance(node, dict) and isinstance(node.get("class_type"), str)
    }
    if nodes:
        ordered = sorted(nodes.items(), key=lambda one: (len(one[0]), one[0]))
        values = {f"{key} {node['class_type']}": _settings(node) for key, node in ordered}
        return Foreign(f"ComfyUI, {_count(len(nodes))}", values)
    drawn = _load(texts.get("workflow")).get("nodes")
    if not isinstance(drawn, list):
        return None
    rows = [node for node in drawn if isinstance(node, dict) and isinstance(node.get("type"), str)]
    values = {f"{one.get('id')} {one['type']}": one.get("widgets_values", []) for one in rows}
    return Foreign(f"ComfyUI, {_count(len(rows))}", values) if rows else None


def _count(number: int) -> str:
    return f"a graph of {number} node{'s' if number != 1 else ''}"


def _settings(node: Mapping[str, Any]) -> dict[str, Any]:
    """What a node was set to, without what it takes from other nodes, `["4", 0]`."""
    given = node.get("inputs")
    pairs = given.items() if isinstance(given, dict) else ()
    return {name: value for name, value in pairs if not isinstance(value, list)}


def _read_parameters(text: str) -> Foreign | None:
    """AUTOMATIC1111's text (and that of who writes like it); Fooocus may write JSON there."""
    if not text or len(text) > LONGEST:
        return None
    if found := _load(text):
        return Foreign(_with_version("Fooocus", found.get("version")), found)
    *lines, last = text.strip().splitlines()
    settings = dict(_split_settings(last))
    if "Steps" not in settings:
        lines, settings = [*lines, last], {}
    prompt, mark, negative = "\n".join(lines).partition(_NEGATIVE)
    if not mark and not settings:
        return None
    values = {"prompt": prompt.strip(), "negative prompt": negative.strip(), **settings}
    version = settings.get("Version")
    program = _with_version("Stable Diffusion web UI (AUTOMATIC1111)", version)
    return Foreign(program, {name: value for name, value in values.items() if value})


def _split_settings(line: str) -> Iterator[tuple[str, str]]:
    for match in _SETTING.finditer(line):
        value = match[2].strip()
        if value.startswith('"'):
            with suppress(ValueError):
                value = str(json.loads(value))
        yield match[1].strip(), value


def _say(value: object) -> str:
    """A value for a row: what has parts as `name value, name value`."""
    if isinstance(value, dict):
        return ", ".join(f"{name} {_say(one)}" for name, one in list(value.items())[:_MOST_ROWS])
    if isinstance(value, list):
        return ", ".join(_say(one) for one in value[:_MOST_ROWS])
    return "" if value is None else value if isinstance(value, str) else json.dumps(value)
