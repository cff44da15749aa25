"""Folders and zips as strangers have them: what is seen in them, and what is not believed."""

from __future__ import annotations

import bz2
import io
import os
import struct
import tracemalloc
import zipfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from belamy.errors import DataError, ImageError
from belamy.pixels import archive
from belamy.pixels.archive import list_names, locate, open_tree
from belamy.pixels.images import load_image


def png(shade: int = 90, mode: str = "RGB") -> bytes:
    file = io.BytesIO()
    picture = Image.new("RGB", (24, 16), (shade, 20, 200))
    picture.convert(mode).save(file, "PNG")
    return file.getvalue()


def pack(path: Path, *members: tuple[str, bytes], method: int = zipfile.ZIP_STORED) -> Path:
    """A zip whose names are written as they are, duplicates and backslashes too."""
    with zipfile.ZipFile(path, "w", method) as file:
        for name, data in members:
            info = zipfile.ZipInfo("x")
            info.filename, info.compress_type = name, method
            file.writestr(info, data)
    return path


def patch(path: Path, local: int, central: int, value: bytes) -> Path:
    """The same bytes put into the header of each member and into its row of the directory."""
    data = bytearray(path.read_bytes())
    for magic, at in ((b"PK\3\4", local), (b"PK\1\2", central)):
        start = data.find(magic)
        while start >= 0:
            data[start + at : start + at + len(value)] = value
            start = data.find(magic, start + 1)
    path.write_bytes(data)
    return path


def encrypt(path: Path) -> Path:
    return patch(path, 6, 8, b"\x01")


def deflate64(path: Path) -> Path:
    return patch(path, 8, 10, b"\x09")


def break_checksum(path: Path) -> Path:
    return patch(path, 14, 16, b"\1\2\3\4")


def declare_much(path: Path) -> Path:
    return patch(path, 22, 24, struct.pack("<I", 3 << 30))


def declare_little(path: Path) -> Path:
    return patch(path, 22, 24, struct.pack("<I", 20))


def cut(path: Path) -> Path:
    """The first member's bytes are overwritten by nothing: its stream ends too soon."""
    data = bytearray(path.read_bytes())
    start = data.find(b"PK\3\4") + 31
    data[start : start + 20] = bytes(20)
    path.write_bytes(data)
    return path


@pytest.mark.parametrize(
    ("damage", "cause"),
    [
        (encrypt, "it is encrypted; unpack the zip with its password"),
        (deflate64, "it is packed by Deflate64; unpack the zip"),
        (break_checksum, "its checksum is wrong"),
        (declare_much, "it has 3,072 MiB unpacked, the limit is 512"),
        (declare_little, "damaged or cut short"),
        (cut, "damaged or cut short"),
    ],
)
def test_a_member_that_cannot_be_read_is_named_with_its_cause(
    tmp_path: Path, damage: Callable[[Path], Path], cause: str
) -> None:
    path = damage(pack(tmp_path / "set.zip", ("a.png", png()), method=zipfile.ZIP_DEFLATED))
    with open_tree(path) as tree, pytest.raises(ImageError, match=cause) as caught:
        tree.load_array("a.png")
    assert f"cannot read {path}/a.png: " in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    "method", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA]
)
def test_every_usual_method_gives_what_a_file_gives(tmp_path: Path, method: int) -> None:
    (tmp_path / "a.png").write_bytes(png(mode="RGBA"))
    path = pack(tmp_path / "set.zip", ("a.png", png(mode="RGBA")), method=method)
    with open_tree(path) as tree:
        assert (load_image(tree.load_array("a.png")) == load_image(tmp_path / "a.png")).all()
    with open_tree(break_checksum(path)) as tree, pytest.raises(ImageError, match="checksum"):
        tree.read("a.png")


@pytest.mark.parametrize("method", [zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_a_member_is_unpacked_no_further_than_it_declares(tmp_path: Path, method: int) -> None:
    path = pack(tmp_path / "bomb.zip", ("a.bmp", bytes(40 << 20)), method=method)
    declare_little(path)
    tracemalloc.start()
    with open_tree(path) as tree, pytest.raises(ImageError, match=r"damaged|not what the zip says"):
        tree.read("a.bmp")
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 20 << 20


def test_a_bomb_of_bzip2_is_unpacked_a_little_at_a_time(tmp_path: Path) -> None:
    """A hundred bytes of it hold 60 MB: zipfile itself would unpack them at once."""
    packed = bz2.compress(bytes(60 << 20), 9)
    path = pack(tmp_path / "bomb.zip", ("a.bmp", packed))
    patch(path, 8, 10, b"\x0c")
    patch(path, 22, 24, struct.pack("<I", 1000))
    tracemalloc.start()
    with open_tree(path) as tree, pytest.raises(ImageError):
        tree.read("a.bmp")
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 20 << 20


def test_what_is_packed_too_well_is_refused_unread(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(archive, "_SMALL", 1 << 20)
    path = pack(tmp_path / "set.zip", ("a.bmp", bytes(4 << 20)), method=zipfile.ZIP_DEFLATED)
    with open_tree(path) as tree, pytest.raises(ImageError, match="unpacks to 4 MiB, 1,0"):
        tree.read("a.bmp")


def test_large_members_do_not_lie_in_memory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(archive, "_IN_MEMORY", 10)
    path = pack(tmp_path / "set.zip", ("a.png", png()))
    with open_tree(path) as tree, tree.open("a.png") as stream:
        assert not isinstance(stream, io.BytesIO)
        assert stream.read() == png()


def test_names_lead_nowhere_else(tmp_path: Path) -> None:
    names = ("/abs/a.png", "../../up.png", "C:\\x\\b.png", "cat\\1.png", "./c.png", "dir\\")
    with open_tree(pack(tmp_path / "set.zip", *((name, png()) for name in names))) as tree:
        assert tree.names == ("abs/a.png", "c.png", "cat/1.png", "up.png", "x/b.png")
        assert tree.load_array("cat/1.png").shape == (16, 24, 3)


@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_of_members_with_one_name_the_last_is_taken_and_said(tmp_path: Path) -> None:
    path = pack(tmp_path / "set.zip", ("a.png", png(1)), ("a.png", png(2)), ("d\\b.png", png()))
    with open_tree(path) as tree:
        assert tree.names == ("a.png", "d/b.png")
        assert tree.load_array("a.png")[0, 0, 0] == 2
        assert tree.messages == (f"{path} has a.png twice; the last is taken",)


def test_what_is_passed_over_is_said(tmp_path: Path) -> None:
    members = [(f"{n}.zip", b"") for n in range(5)] + [("a.png", png()), ("b.HEIC", b"")]
    path = pack(tmp_path / "set.zip", *members)
    with open_tree(path) as tree:
        assert tree.pictures == ("a.png",)
        archives, photos = tree.messages
    assert "0.zip, 1.zip, 2.zip and 2 more passed over; unpack archives first" in archives
    assert "b.HEIC passed over; export them as JPEG" in photos


def test_a_zip_with_something_before_it_and_names_of_old(tmp_path: Path) -> None:
    path = pack(tmp_path / "set.zip", ("a.png", png()))
    path.write_bytes(b"#!/bin/sh\n" + path.read_bytes())
    with open_tree(path) as tree:
        assert tree.load_array("a.png").shape == (16, 24, 3)
    old = pack(tmp_path / "old.zip", ("a.png", png()))
    old.write_bytes(old.read_bytes().replace(b"a.png", b"\x82.png"))  # é in code page 437
    with open_tree(old) as tree:
        assert tree.names == ("é.png",)
        assert tree.load_array("é.png").shape == (16, 24, 3)


def test_names_that_are_not_what_they_are_marked_as(tmp_path: Path) -> None:
    path = pack(tmp_path / "set.zip", ("ä.png", png()))
    path.write_bytes(path.read_bytes().replace("ä".encode(), b"\xe4\xe4"))
    with pytest.raises(DataError, match="names that are not UTF-8"), open_tree(path):
        pass


LITTER = (
    *("._a.jpg", "@eaDir/a.jpg/SYNOPHOTO_THUMB_M.jpg", ".DS_Store", "Thumbs.db", "desktop.ini"),
    *("__MACOSX/._a.jpg", ".hidden/a.jpg", "#recycle/a.jpg", "$RECYCLE.BIN/a.jpg"),
)


def test_what_systems_leave_is_not_seen(tmp_path: Path) -> None:
    kept = ("a.JPG", "b.jfif", "sub/c.JPEG", "sub/d.Png")
    for name in (*kept, *LITTER):
        (tmp_path / "set" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "set" / name).write_bytes(png())
    path = pack(tmp_path / "set.zip", *((name, png()) for name in (*kept, *LITTER)))
    for place in (tmp_path / "set", path):
        with open_tree(place) as tree:
            assert tree.names == tree.pictures == kept
            assert tree.messages == ()


def test_names_of_any_bytes_are_printable(tmp_path: Path) -> None:
    names = [os.fsdecode(b"\xe9.png"), "two\nlines.png", "\x1b[31mred.png"]
    for name in names:
        (tmp_path / name).write_bytes(b"no picture")
    with open_tree(tmp_path) as tree:
        assert set(tree.pictures) == set(names)
        for name in names:
            with pytest.raises(ImageError) as caught, tree.open_picture(name):
                pass
            assert str(caught.value).isprintable()
    assert list_names(names).isprintable()


def test_a_file_that_goes_away_is_one_error(tmp_path: Path) -> None:
    (tmp_path / "a.png").write_bytes(png())
    with open_tree(tmp_path) as tree:
        (tmp_path / "a.png").unlink()
        with pytest.raises(ImageError, match=r"cannot read .*a\.png: No such file"):
            tree.load_array("a.png")


def test_a_device_is_no_zip(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.zip")
    with pytest.raises(DataError, match="device or a pipe"), open_tree(tmp_path / "pipe.zip"):
        pass


def test_deep_grey_keeps_its_depth(tmp_path: Path) -> None:
    file = io.BytesIO()
    Image.fromarray(np.full((4, 4), 12345, np.uint16)).save(file, "PNG")
    (tmp_path / "deep.png").write_bytes(file.getvalue())
    with open_tree(pack(tmp_path / "set.zip", ("deep.png", file.getvalue()))) as tree:
        found = load_image(tree.load_array("deep.png"))
    assert (found == load_image(tmp_path / "deep.png")).all()


def test_folders_without_files_are_known(tmp_path: Path) -> None:
    (tmp_path / "set" / "full").mkdir(parents=True)
    (tmp_path / "set" / "empty").mkdir()
    (tmp_path / "set" / "full" / "a.png").write_bytes(png())
    path = pack(tmp_path / "set.zip", ("full/a.png", png()), ("empty/", b""))
    for place in (tmp_path / "set", path):
        with open_tree(place) as tree:
            assert tree.empty == ("empty",)


def test_a_folder_in_a_zip_is_located(tmp_path: Path) -> None:
    path = pack(tmp_path / "set.zip", ("sea/a.png", png()))
    assert locate(path / "sea") == (path, "sea")
    assert locate(tmp_path) == (tmp_path, "")
