"""Folders and zips of pictures: what is found in them, what is decoded, what is kept."""

from __future__ import annotations

import io
import os
import time
import zipfile
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from belamy.errors import DataError, PictureWarning
from belamy.pixels.archive import open_tree
from belamy.training.pictures import (
    Bytes,
    Squares,
    decode_squares,
    load_squares,
    pictures_cache,
)

RED = (200, 30, 40)


def plain(size: tuple[int, int] = (12, 12)) -> Image.Image:
    return Image.new("RGB", size, RED)


def encoded(image: Image.Image, kind: str = "PNG", **options: object) -> bytes:
    file = io.BytesIO()
    image.save(file, kind, **options)  # type: ignore[arg-type]
    return file.getvalue()


def unpacked(folder: Path, files: dict[str, bytes]) -> Path:
    for name, data in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(data)
    return folder


def zipped(path: Path, files: dict[str, bytes]) -> Path:
    with zipfile.ZipFile(path, "w") as archive:
        for name, data in files.items():
            archive.writestr(name, data)
    return path


def read(path: Path, size: int = 8, cache: Path | None = None) -> Squares:
    with open_tree(path) as tree:
        return decode_squares(tree, tree.names, size, cache)


def decoded(folder: Path, data: bytes, size: int = 8) -> Bytes:
    """One picture, alone in a folder."""
    found = read(unpacked(folder, {"picture": data}), size)
    assert not found.broken
    return found.images[0]


def test_a_folder_and_a_zip_are_seen_the_same_way(tmp_path: Path) -> None:
    files = {"b/2.png": b"2", "a/1.png": b"1", "notes.txt": b"n"}
    for path in (unpacked(tmp_path / "set", files), zipped(tmp_path / "set.zip", files)):
        with open_tree(path) as tree:
            assert tree.names == ("a/1.png", "b/2.png", "notes.txt")
            assert tree.read("b/2.png") == b"2"


def test_hidden_files_are_not_seen(tmp_path: Path) -> None:
    files = {"a/1.png": b"", "__MACOSX/a/._1.png": b"", "a/.DS_Store": b"", ".git/x.png": b""}
    for path in (unpacked(tmp_path / "set", files), zipped(tmp_path / "set.zip", files)):
        with open_tree(path) as tree:
            assert tree.names == ("a/1.png",)


def test_links_are_followed_but_not_round_in_a_circle(tmp_path: Path) -> None:
    folder = unpacked(tmp_path / "set", {"a/1.png": b"1"})
    elsewhere = unpacked(tmp_path / "elsewhere", {"2.png": b"2"})
    (folder / "b").symlink_to(elsewhere)
    (folder / "a" / "up").symlink_to(folder)
    with open_tree(folder) as tree:
        assert tree.names == ("a/1.png", "b/2.png")


def test_what_is_no_zip_is_said(tmp_path: Path) -> None:
    (tmp_path / "set.zip").write_bytes(b"no zip at all")
    with (
        pytest.raises(DataError, match="neither a folder nor a readable zip"),
        open_tree(tmp_path / "set.zip"),
    ):
        pass
    with pytest.raises(DataError, match="no such folder or zip"), open_tree(tmp_path / "nowhere"):
        pass


def test_the_middle_is_cut_out(tmp_path: Path) -> None:
    image = plain((20, 8))
    image.paste((0, 0, 255), (0, 0, 6, 8))
    image.paste((0, 0, 255), (14, 0, 20, 8))
    found = decoded(tmp_path, encoded(image))
    assert found.shape == (8, 8, 3)
    assert (found == RED).all()


def test_a_picture_of_one_pixel_is_enlarged(tmp_path: Path) -> None:
    assert (decoded(tmp_path, encoded(plain((1, 1)))) == RED).all()


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP", "GIF", "TIFF", "BMP"])
def test_formats(tmp_path: Path, kind: str) -> None:
    found = decoded(tmp_path, encoded(plain(), kind))
    assert np.abs(found.astype(int) - RED).max() <= 4


def test_a_large_photo_is_scaled_down(tmp_path: Path) -> None:
    image = Image.linear_gradient("L").resize((640, 640)).convert("RGB")
    found = decoded(tmp_path, encoded(image, "JPEG", quality=95)).astype(int)
    wanted = np.asarray(image.resize((8, 8), Image.Resampling.LANCZOS)).astype(int)
    assert np.abs(found - wanted).max() <= 3


def test_grey_palette_and_sixteen_bits_become_rgb(tmp_path: Path) -> None:
    grey = Image.new("L", (9, 9), 77)
    assert (decoded(tmp_path / "grey", encoded(grey)) == 77).all()
    palette = plain().convert("P", palette=Image.Palette.ADAPTIVE)
    assert (decoded(tmp_path / "palette", encoded(palette)) == RED).all()
    deep = Image.fromarray(np.full((9, 9), 77 * 257, np.uint16))
    assert (decoded(tmp_path / "deep", encoded(deep)) == 77).all()


def test_what_is_transparent_is_white(tmp_path: Path) -> None:
    clear = Image.new("RGBA", (9, 9), (*RED, 0))
    clear.paste((*RED, 255), (0, 0, 9, 4))
    found = decoded(tmp_path, encoded(clear), size=9)
    assert (found[:4] == RED).all()
    assert (found[4:] == 255).all()


def test_photos_are_turned_upright(tmp_path: Path) -> None:
    image = plain((8, 8))
    image.paste((0, 0, 255), (0, 0, 8, 2))
    exif = Image.Exif()
    exif[0x0112] = 3  # stored upside down
    found = decoded(tmp_path, encoded(image, "PNG", exif=exif))
    assert (found[6:] == (0, 0, 255)).all()
    assert (found[:6] == RED).all()


def test_broken_pictures_are_left_out_and_named(tmp_path: Path) -> None:
    whole = encoded(plain())
    files = {"1.png": whole, "2.png": whole[:50], "3.png": b"", "4.png": b"text", "5.png": whole}
    found = read(zipped(tmp_path / "set.zip", files))
    assert set(found.broken) == {"2.png", "3.png", "4.png"}
    assert found.images.shape == (2, 8, 8, 3)


def test_only_formats_of_pictures_are_opened(tmp_path: Path) -> None:
    """Pillow would start Ghostscript on this one."""
    found = read(
        unpacked(tmp_path, {"1.png": b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n"})
    )
    assert set(found.broken) == {"1.png"}


def test_a_bomb_is_left_out(tmp_path: Path) -> None:
    huge = Image.new("1", (30_000, 20_000))
    assert read(unpacked(tmp_path, {"1.png": encoded(huge)})).broken.keys() == {"1.png"}


def test_the_cache_gives_the_same(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(0)
    images = [Image.fromarray(rng.integers(0, 255, (9, 9, 3), np.uint8)) for _ in range(300)]
    files = {f"{number:03}.png": encoded(image) for number, image in enumerate(images)}
    files["broken.png"] = b"broken"
    path, cache = zipped(tmp_path / "set.zip", files), tmp_path / "cache"
    fresh, written = read(path), read(path, cache=cache)
    monkeypatch.setattr("belamy.training.pictures._decode_into", None)  # it must not be needed
    kept = read(path, cache=cache)
    for found in (written, kept):
        assert found.broken == fresh.broken
        assert set(found.broken) == {"broken.png"}
        assert (found.images == fresh.images).all()


def test_changed_files_are_decoded_again(tmp_path: Path) -> None:
    folder, cache = tmp_path / "set", tmp_path / "cache"
    before = read(unpacked(folder, {"1.png": encoded(plain())}), cache=cache)
    after = read(
        unpacked(folder, {"1.png": encoded(Image.new("RGB", (13, 12), (0, 0, 255)))}), cache=cache
    )
    assert (before.images == RED).all()
    assert (after.images == (0, 0, 255)).all()


def test_a_damaged_cache_is_made_again(tmp_path: Path) -> None:
    path, cache = zipped(tmp_path / "set.zip", {"1.png": encoded(plain())}), tmp_path / "cache"
    read(path, cache=cache)
    (kept,) = cache.glob("*.bytes")
    kept.write_bytes(b"short")
    assert (read(path, cache=cache).images == RED).all()


def test_a_cache_that_cannot_be_written_is_done_without(tmp_path: Path) -> None:
    path = zipped(tmp_path / "set.zip", {"1.png": encoded(plain())})
    (tmp_path / "cache").write_bytes(b"a file, no folder")
    assert (read(path, cache=tmp_path / "cache").images == RED).all()


def test_sets_not_used_for_long_make_room(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of four sets three may stay: the one that was used longest ago goes."""
    monkeypatch.setattr("belamy.training.pictures._CACHE_LIMIT", 3 * 192)
    cache = tmp_path / "cache"
    places = [
        zipped(tmp_path / f"{n}.zip", {"1.png": encoded(plain((n, n)))}) for n in (9, 10, 11, 12)
    ]
    kept = []
    for age, place in zip((3, 4, 2), places[:3], strict=True):  # days
        read(place, cache=cache)
        kept.append(next(path for path in cache.glob("*.bytes") if path not in kept))
        os.utime(kept[-1], (time.time() - 86_400 * age,) * 2)
    read(places[1], cache=cache)  # found, and so used today
    read(places[3], cache=cache)
    assert [path.exists() for path in kept] == [False, True, True]
    assert [path.with_suffix(".json").exists() for path in kept] == [False, True, True]


def test_parts_of_one_set_do_not_push_each_other_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("belamy.training.pictures._CACHE_LIMIT", 1)
    for number in (9, 10):
        place = zipped(tmp_path / f"{number}.zip", {"1.png": encoded(plain((number, number)))})
        read(place, cache=tmp_path / "cache")
    assert len(list((tmp_path / "cache").glob("*.bytes"))) == 2


def test_every_picture_of_a_folder_wherever_it_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("BELAMY_HOME", str(tmp_path / "home"))
    files = {"1.png": encoded(plain()), "deep/down/2.jpg": encoded(plain(), "JPEG")}
    folder = unpacked(tmp_path / "set", {**files, "3.png": b"broken", "notes.txt": b"none"})
    with pytest.warns(PictureWarning, match=r"1 of 3 pictures cannot be read.*: 3\.png"):
        assert load_squares(folder, 8).shape == (2, 8, 8, 3)
    assert list(pictures_cache().glob("*.bytes"))
    with pytest.raises(DataError, match="has no pictures"):
        load_squares(unpacked(tmp_path / "bare", {"notes.txt": b"none"}), 8)
    with pytest.raises(DataError, match="none of its 1"):
        load_squares(unpacked(tmp_path / "broken", {"3.png": b"broken"}), 8)
