"""Recipes of every engine, as they are and altered, from the engines' own tables of options."""

from __future__ import annotations

import inspect
import json
import os
import struct
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import Any

from PIL import Image

from belamy.checks import picture_fields
from belamy.engines import ENGINES, engine
from belamy.networks.find import find_network
from belamy.pixels.recipe import digest_of

# Little work, so that a recipe that stays good is made at once.
SMALL: dict[str, dict[str, Any]] = {
    "anystyle": {"size": 32},
    "atlas": {"model": "iris", "layer": "mixed3a", "channels": 1, "size": 32, "steps": 1},
    "defog": {"method": "dcp"},
    "dream": {"model": "iris", "layer": ["mixed3a"], "octaves": 1, "steps": 1},
    "dream-walk": {
        "model": "iris",
        "layers": ["mixed3a", "mixed4a"],
        "octaves": 1,
        "steps": 1,
        "seconds": 0.2,
        "fps": 10.0,
    },
    "dream-zoom": {
        "model": "iris",
        "layers": ["mixed3a"],
        "octaves": 1,
        "steps": 1,
        "seconds": 0.2,
        "fps": 10.0,
    },
    "faststyle": {"network": "starry-night", "size": 32},
    "film-faststyle": {"network": "starry-night"},
    "film-translate": {"network": "impressionism"},
    "fog": {},
    "gan-edit": {"direction": 1, "count": 1},
    "gan-evaluate": {"data": "data", "count": 50},
    "gan-mix": {"by": "latents", "count": 1},
    "gan-paint": {"count": 1, "rejection": "none"},  # of which a recipe names no detector
    "gan-project": {"steps": 1},
    "gan-walk": {"stops": 2, "seconds": 1.0, "fps": 2.0},
    "learn-approximation": {"widths": "2"},
    "learn-classifier": {"data": "data", "pictures": 8, "epochs": 1},
    "learn-cnn": {"count": 1000, "epochs": 1},
    "learn-complexity": {"networks": ["iris"]},
    "learn-gan_toy": {"steps": 1},
    "learn-mlp": {"epochs": 1, "count": 8},
    "learn-perceptron": {"count": 4, "sweeps": 1},
    "style": {"size": 32, "iterations": "1,1"},
    "translate": {"network": "impressionism", "size": 32},
}
NAMES = {"anystyle": "anystyle", "portraits": "portraits", "model": "iris"}
SIDE = 96
JUNK: tuple[Any, ...] = (
    *(None, True, False, -1, 0, 1, 3, 1.5, -0.0, 1e308, -1e308, 10**6, 10**9, 10**30, 10**400),
    *("", " ", "x", "auto", "none", "cpu", "meta", "512+", "9" * 30, "1,1", "é\0", "\ud800"),
    *("a" * 5000, "\x1b[31m", "%s{0}", "mixed3a:99999", "mixed3a*nan", "*", ":", "iris"),
    *([], {}, [[]], [None], [1, "a"], ["x"] * 500, {"a": {"b": []}}, [0.5, 0.5], ["mixed3a", 7]),
    json.loads("[" * 30 + "]" * 30),
)
PATHS = (
    *("/etc/passwd", "/etc", "//host/share/a.png", "\\\\host\\share\\a.png", "../secret.png"),
    *("/dev/zero", "/dev/stdin", "pipe", "link.png", "data", "", ".", "..", "/", "a\0b", "\ud800"),
    *("n" * 5000, "~root/a.png", "~nobody9/a.png", "/proc/kmsg", "/proc/self/mem", "missing.png"),
    *("file:///etc/passwd", "https://host/a.png", "C:\\a.png", "photo.png/a", "huge.png", "-o"),
)


@dataclass(frozen=True)
class Altered:
    """A recipe's text, and whether it is to be replayed with `--trust`."""

    text: bytes
    trust: bool


def make_folder(folder: Path) -> None:
    """The pictures' folder, with what recipes name, and a secret beside it."""
    folder.mkdir()
    for name in ("photo.png", "other.png"):
        noise = bytes(Random(name).randbytes(SIDE * 72 * 3))
        Image.frombytes("RGB", (SIDE, 72), noise).save(folder / name)
    Image.new("RGB", (SIDE, 72), "red").save(folder.parent / "secret.png")
    (folder / "link.png").symlink_to(folder.parent / "secret.png")
    os.mkfifo(folder / "pipe")
    with (folder / "huge.png").open("wb") as file:
        file.truncate(1 << 43)  # with nothing in it: 8 TiB
    (folder / "data").mkdir()
    for number in range(3):
        Image.new("RGB", (16, 16), (number * 80,) * 3).save(folder / "data" / f"{number}.png")


def base_recipe(name: str, folder: Path) -> dict[str, Any]:
    """The recipe of a small picture of an engine, as JSON."""
    function = engine(name)
    signature = inspect.signature(function).parameters
    form = getattr(function, "__options__", None)
    pictures = picture_fields(form) if form is not None else ()
    options = {
        one.name: list(one.default) if isinstance(one.default, tuple) else one.default
        for one in signature.values()
        if one.name not in (*pictures, "latents", "seed") and one.default is not one.empty
    }
    options |= SMALL.get(name, {}) | ({"device": "cpu"} if "device" in signature else {})
    if "init" in signature:
        options["init"] = "content"
    roles = [role for role in ("image", "content", "style") if role in pictures]
    files = {"style": "other.png"}
    inputs = []
    for role in roles:
        path = files.get(role, "photo.png")
        inputs.append({"role": role, "path": path, "sha256": digest_of(folder / path)})
    networks = {options.get(key) for key in ("network", "model")} - {None, "auto"}
    if name == "anystyle":
        networks.add("iris")
    weights = (
        {}
        if options.get("method") == "dcp"
        else {one: digest_of(find_network(one)) for one in networks if one in _KNOWN}
    )
    return {
        "engine": name, "options": options, "inputs": inputs, "weights": weights, "seed": 1,
        "belamy": "0.1.0", "torch": "2.0", "step": 1, "threads": 1, "credits": {},
    }  # fmt: skip


_KNOWN = ("anystyle", "defog", "impressionism", "iris", "portraits", "starry-night")


def alter(random: Random, bases: dict[str, dict[str, Any]]) -> Altered:
    """One recipe of any engine with one or two things altered."""
    name = random.choice(sorted(bases))
    data = json.loads(json.dumps(bases[name]))
    ways = random.choices(_WAYS, k=random.choice((1, 1, 2)))
    for way in ways:
        way(random, data, bases)
    # with trust, a recipe may ask for any work; what it is given here is files alone
    trust = {*ways} <= {_paths, _roles, _weights} and random.random() < 0.3
    _make_lessons_short(data)
    text = json.dumps(data, sort_keys=True).encode("ascii")
    return Altered(_text(random, text) if random.random() < 0.1 else text, trust)


def _make_lessons_short(data: dict[str, Any]) -> None:
    """A lesson whose work the recipe leaves open runs as long as by itself, a minute: no hang."""
    name, options = data.get("engine"), data.get("options")
    if isinstance(name, str) and name.startswith("learn-") and isinstance(options, dict):
        data["options"] = {**SMALL.get(name, {}), **options}


Way = Callable[[Random, dict[str, Any], dict[str, dict[str, Any]]], None]


def _types(random: Random, data: dict[str, Any], bases: Any) -> None:
    if isinstance(data.get("options"), dict) and data["options"]:
        data["options"][random.choice(sorted(data["options"]))] = random.choice(JUNK)


def _work(random: Random, data: dict[str, Any], bases: Any) -> None:
    names = (
        *("size", "steps", "count", "upscale", "iterations", "octaves", "channels", "epochs"),
        *("seconds", "fps", "stops", "pictures", "style_size", "style_scale", "widths", "hidden"),
    )
    options = data.get("options")
    if isinstance(options, dict):
        here = [one for one in names if one in options] or ["size"]
        options[random.choice(here)] = random.choice(
            (8000, 10**5, 10**6, 10**12, "8000", "8000+", "1000000,1", 32_768, 1e300, 64, -5)
        )


def _names(random: Random, data: dict[str, Any], bases: dict[str, dict[str, Any]]) -> None:
    if isinstance(data.get("options"), dict):
        other = bases[random.choice(sorted(bases))]["options"]
        junk = {"sharpness": 2, "__class__": "x", "self": 1, "options": {}, "image": "photo.png"}
        source = other if other and random.random() < 0.5 else junk
        key = random.choice(sorted(source))
        data["options"][key] = source[key]


def _missing(random: Random, data: dict[str, Any], bases: Any) -> None:
    part = data["options"] if random.random() < 0.5 and data.get("options") else data
    if isinstance(part, dict):
        del part[random.choice(sorted(part))]


def _engines(random: Random, data: dict[str, Any], bases: Any) -> None:
    data["engine"] = random.choice((*ENGINES, "sculpt", "", "os:system", "dream ", 7, None))


def _roles(random: Random, data: dict[str, Any], bases: Any) -> None:
    roles = ("image", "content", "style", "mask", "guide", "init", "latents", "seed", "device", "")
    inputs = data.get("inputs")
    if isinstance(inputs, list) and inputs and isinstance(inputs[0], dict):
        first = dict(inputs[0])
        changed = {**first, "role": random.choice((*roles, 7, None))}
        data["inputs"] = random.choice(([changed], [*inputs, changed], inputs * 300, [], [7]))
    else:
        digest = "0" * 64
        data["inputs"] = [{"role": random.choice(roles), "path": "photo.png", "sha256": digest}]


def _paths(random: Random, data: dict[str, Any], bases: Any) -> None:
    path = random.choice(PATHS)
    inputs, options = data.get("inputs"), data.get("options")
    if isinstance(inputs, list) and inputs and random.random() < 0.6:
        if isinstance(one := random.choice(inputs), dict):
            one["path"] = path
            if random.random() < 0.3:
                one["sha256"] = random.choice(("0" * 64, "x", None))
    elif isinstance(options, dict):
        names = ("network", "model", "data", "image", "networks", "latents", "init", "mask")
        if here := [one for one in names if one in options]:
            options[random.choice(here)] = path


def _weights(random: Random, data: dict[str, Any], bases: Any) -> None:
    digest = "ab" * 32
    data["weights"] = random.choice(
        ({}, {"iris": digest}, {"/etc/passwd": digest}, [], 7, {"iris": "x"}, {"": digest},
         {str(number): digest for number in range(1000)})
    )  # fmt: skip


def _fields(random: Random, data: dict[str, Any], bases: Any) -> None:
    names = ("seed", "step", "threads", "credits", "belamy", "torch", "inputs", "options", "extra")
    data[random.choice(names)] = random.choice(JUNK)


_WAYS: tuple[Way, ...] = (
    _types, _types, _types, _work, _work, _names, _missing, _engines, _roles, _paths, _paths,
    _weights, _fields,
)  # fmt: skip


def _text(random: Random, text: bytes) -> bytes:
    """What is no JSON of ours any more."""
    cut = random.randrange(len(text))
    return random.choice(
        (
            text[:cut],
            text[:cut] + b"\xff" + text[cut:],
            text.replace(b'"seed": 1', b'"seed": 1, "seed": 2'),
            text.replace(b'"seed": 1', b'"seed": NaN'),
            text.replace(b'"seed": 1', b'"seed": ' + b"9" * random.choice((400, 5000))),
            text.replace(b'"seed": 1', b'"seed": 1e999'),
            b"[" * 100_000,
            b'{"a":' * 50_000,
            b"[" + text + b"]",
            b'"' + b"x" * 3_000_000 + b'"',
            text[:-1] + b',"options": {}}',
        )
    )


def write_picture(path: Path, text: bytes) -> None:
    """A PNG with a recipe of any bytes."""
    size = (SIDE, 72)
    rows = b"".join(b"\0" + bytes(size[0]) for _ in range(size[1]))
    chunks = (
        (b"IHDR", struct.pack(">IIBBBBB", *size, 8, 0, 0, 0, 0)),
        (b"tEXt", b"belamy\0" + text),
        (b"IDAT", zlib.compress(rows)),
        (b"IEND", b""),
    )
    path.write_bytes(
        b"\x89PNG\r\n\x1a\n"
        + b"".join(
            struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))
            for name, data in chunks
        )
    )
