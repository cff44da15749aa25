"""What other programs do to a picture's texts, and what of an input is carried on."""

from __future__ import annotations

import struct
import zlib
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from PIL import Image, PngImagePlugin

from belamy.errors import RecipeError
from belamy.pixels.carriers import split_text
from belamy.pixels.encode import SUFFIXES, source_type
from belamy.pixels.formats import png
from belamy.pixels.images import save_image
from belamy.pixels.metadata import credits_of, jpeg_comments, png_texts
from belamy.pixels.recipe import Input, Recipe, hiding_paths, json_line, read_recipe

DIGEST = "0123456789abcdef" * 4
RECIPE = Recipe(
    engine="dream",
    options={"layer": ["mixed4c"], "model": "/home/anna/nets/eye.safetensors", "size": 8},
    inputs=(Input("image", "C:\\Users\\anna\\città.jpg", DIGEST),),
    weights={"eye": DIGEST},
    seed=3,
    belamy="0.1.0",
    torch="2.13.0",
    threads=2,
    credits={"artist": "Zoë Ωmega", "copyright": "© 2024 <Zoë>", "parameters": "cat\nSteps: 20"},
)
WITH_XMP = (".png", ".jpg", ".webp", ".tif", ".avif")
PNG = b"\x89PNG\r\n\x1a\n"


def saved(path: Path, recipe: Recipe | None = RECIPE) -> Path:
    save_image(torch.full((1, 3, 8, 8), 0.5), path, recipe=recipe)
    return path


def chunk(name: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))


def chunks_of(path: Path) -> list[tuple[bytes, bytes]]:
    raw, at, found = path.read_bytes(), len(PNG), []
    while at < len(raw):
        (length,) = struct.unpack(">I", raw[at : at + 4])
        found.append((raw[at + 4 : at + 8], raw[at + 8 : at + 8 + length]))
        at += length + 12
    return found


def write(path: Path, chunks: list[tuple[bytes, bytes]]) -> Path:
    path.write_bytes(PNG + b"".join(chunk(*one) for one in chunks))
    return path


def test_the_recipe_survives_what_drops_itxt(tmp_path: Path) -> None:
    """ImageMagick, from PNG to PNG: tEXt and zTXt stay, after the pixels; iTXt goes."""
    chunks = chunks_of(saved(tmp_path / "x.png"))
    kept = [one for one in chunks if one[0] not in (b"tEXt", b"iTXt", b"IEND")]
    texts = [one for one in chunks if one[0] == b"tEXt"]
    path = write(tmp_path / "y.png", [*kept, *texts, (b"IEND", b"")])
    assert read_recipe(path) == RECIPE


@pytest.mark.parametrize("after", [False, True])
@pytest.mark.parametrize(
    "text",
    [
        (b"tEXt", b"belamy\0" + json_line(RECIPE)),
        (b"zTXt", b"belamy\0\0" + zlib.compress(json_line(RECIPE))),
        (b"iTXt", b"belamy\0\1\0\0\0" + zlib.compress(RECIPE.to_json().encode())),
        (b"iTXt", b"belamy\0\0\0it\0ricetta\0" + RECIPE.to_json().encode()),
    ],
)
def test_every_kind_of_text_is_found(
    tmp_path: Path, text: tuple[bytes, bytes], after: bool
) -> None:
    """iTXt is what belamy 0.1.0 wrote."""
    chunks = chunks_of(saved(tmp_path / "x.png", None))
    at = len(chunks) - 1 if after else 1
    assert read_recipe(write(tmp_path / "y.png", [*chunks[:at], text, *chunks[at:]])) == RECIPE


def test_texts_are_unpacked_in_bounds(tmp_path: Path) -> None:
    bomb = (b"zTXt", b"belamy\0\0" + zlib.compress(bytes(png.LONGEST_TEXT + 1)))
    broken = (b"zTXt", b"a\0\0nonsense")
    chunks = chunks_of(saved(tmp_path / "x.png", None))
    path = write(tmp_path / "y.png", [*chunks[:-1], bomb, broken, (b"tEXt", b"b\0c"), chunks[-1]])
    assert png_texts(path) == {"b": "c"}
    path.write_bytes(path.read_bytes()[:-40] + b"\xff\xff\xff\xf0tEXtbelamy")
    png_texts(path)
    assert png_texts(Path(__file__)) == {}


def test_a_part_of_a_long_recipe_that_is_missing(tmp_path: Path) -> None:
    path = saved(tmp_path / "x.jpg", replace(RECIPE, options={"note": "x" * 200_000}))
    comments = jpeg_comments(path)
    assert len(comments) == 4
    path.write_bytes(path.read_bytes().replace(b"belamy 2/4:", b"another 2/4"))
    with pytest.raises(RecipeError, match="no recipe"):
        read_recipe(path)
    assert (
        b"".join(part.partition(b":")[2] for part in split_text(b"y" * 150_000)) == b"y" * 150_000
    )


@pytest.mark.parametrize("suffix", WITH_XMP)
def test_who_made_the_input_and_that_a_machine_made_this(tmp_path: Path, suffix: str) -> None:
    path = saved(tmp_path / f"x{suffix}")
    with Image.open(path) as picture:
        assert credits_of(picture, path) == RECIPE.credits
        packet = str(picture.info.get("xmp") or picture.info.get("XML:com.adobe.xmp"))
        tags = {} if suffix == ".png" else dict(picture.getexif())
    assert "digitalsourcetype/compositeWithTrainedAlgorithmicMedia<" in packet
    assert "&lt;Zo" in packet
    if tags:
        assert {0x013B, 0x8298} <= tags.keys()


def test_a_picture_without_a_recipe_says_nothing(tmp_path: Path) -> None:
    for suffix in SUFFIXES:
        with Image.open(saved(tmp_path / f"x{suffix}", None)) as picture:
            assert credits_of(picture) == {}
            assert "xmp" not in picture.info


@pytest.mark.parametrize(
    ("fields", "term"),
    [
        ({"engine": "gan-paint", "inputs": ()}, "trainedAlgorithmicMedia"),
        ({"engine": "gan-project"}, "trainedAlgorithmicMedia"),
        ({"inputs": ()}, "trainedAlgorithmicMedia"),
        ({"engine": "style"}, "compositeWithTrainedAlgorithmicMedia"),
        ({"engine": "gan-evaluate", "inputs": (), "options": {"data": "x"}}, "compositeWith"),
        ({"engine": "fog", "weights": {}}, "algorithmicallyEnhanced"),
        ({"engine": "learn-mlp", "weights": {}, "inputs": ()}, "algorithmicMedia"),
    ],
)
def test_how_much_a_machine_made(fields: dict, term: str) -> None:
    assert source_type(replace(RECIPE, **fields)).startswith(term)


def test_what_is_read_of_others_files(tmp_path: Path) -> None:
    exif = Image.Exif()
    exif[0x013B], exif[0x8298] = "Zoë".encode(), b"Photo: Z\0Editor: Y"
    exif.get_ifd(0x8769)[0x9286] = b"UNICODE\0" + "a cat\nSteps: 9".encode("utf-16-be")
    exif.get_ifd(0x8825)[1] = "N"
    exif.get_ifd(0x8825)[2] = (45.0, 30.0, 15.0)
    Image.new("RGB", (8, 8)).save(tmp_path / "x.jpg", exif=exif)
    with Image.open(tmp_path / "x.jpg") as picture:
        found = credits_of(picture)
    assert found == {
        "artist": "Zoë",
        "copyright": "Photo: Z; Editor: Y",
        "parameters": "a cat\nSteps: 9",
    }


def test_texts_that_are_no_credits(tmp_path: Path) -> None:
    """Too long, empty, a camera's comment, damaged EXIF."""
    texts = PngImagePlugin.PngInfo()
    texts.add_text("Author", "x" * 501)
    texts.add_text("Copyright", " \n")
    texts.add_text("parameters", "a\x1bb")
    Image.new("RGB", (8, 8)).save(tmp_path / "x.png", pnginfo=texts, exif=b"Exif\0\0nonsense")
    with Image.open(tmp_path / "x.png") as picture:
        assert credits_of(picture) == {"parameters": "ab"}
    exif = Image.Exif()
    exif.get_ifd(0x8769)[0x9286] = b"ASCII\0\0\0a holiday"
    Image.new("RGB", (8, 8)).save(tmp_path / "x.jpg", exif=exif)
    with Image.open(tmp_path / "x.jpg") as picture:
        assert credits_of(picture) == {}


@pytest.mark.parametrize("suffix", [name for name, kind in SUFFIXES.items() if kind.carry])
def test_folders_are_left_out(tmp_path: Path, suffix: str, monkeypatch: pytest.MonkeyPatch) -> None:
    with hiding_paths():
        found = read_recipe(saved(tmp_path / f"x{suffix}"))
    assert found.inputs[0].path == "città.jpg"
    assert found.options["model"] == "eye.safetensors"
    assert read_recipe(saved(tmp_path / f"y{suffix}")) == RECIPE
    monkeypatch.setenv("BELAMY_NO_PATHS", "1")
    assert b"anna" not in saved(tmp_path / f"x{suffix}").read_bytes()
    monkeypatch.setenv("BELAMY_NO_PATHS", "0")
    assert read_recipe(saved(tmp_path / f"x{suffix}")) == RECIPE
