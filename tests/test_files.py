from __future__ import annotations

import errno
import hashlib
import os
import stat
import sys
import threading
from pathlib import Path

import pytest

from belamy import files
from belamy.cli.settings.presets import borrow_from_preset
from belamy.engines.dream.views import read_view
from belamy.errors import BelamyError, DataError, ImageError
from belamy.files import atomic_path, missing_file, sha256, write_bytes, write_text
from belamy.networks.files.containers import tell_format
from belamy.networks.files.header import read_metadata
from belamy.networks.files.network_file import open_network_file
from belamy.networks.files.torch7 import read_torch7
from belamy.networks.find import find_network
from belamy.networks.gan.latents import load_styles
from belamy.pixels.archive import open_tree
from belamy.pixels.film.reader import open_film
from belamy.pixels.images import load_image
from belamy.pixels.recipe import digest_of

posix = pytest.mark.skipif(sys.platform == "win32", reason="permissions, links and devices")


def names(folder):
    return sorted(path.name for path in folder.iterdir())


def test_what_is_written_can_be_read_and_nothing_else_is_left(tmp_path):
    write_bytes(tmp_path / "a.bin", b"\x00\xff")
    write_text(str(tmp_path / "b.txt"), "perché\n")
    assert (tmp_path / "a.bin").read_bytes() == b"\x00\xff"
    assert (tmp_path / "b.txt").read_text(encoding="utf-8") == "perché\n"
    assert names(tmp_path) == ["a.bin", "b.txt"]


def test_missing_folders_are_made(tmp_path):
    write_text(tmp_path / "a" / "b" / "c.txt", "x")
    assert (tmp_path / "a" / "b" / "c.txt").read_text() == "x"


def test_the_temporary_path_is_beside_the_target_with_its_suffix(tmp_path):
    with atomic_path(tmp_path / "x.safetensors") as temporary:
        assert temporary.parent == tmp_path
        assert temporary.suffix == ".safetensors"
        assert not (tmp_path / "x.safetensors").exists()


def write_half(target, error):
    with atomic_path(target) as temporary:
        temporary.write_text("half")
        raise error


@pytest.mark.parametrize("error", [ZeroDivisionError, KeyboardInterrupt])
def test_a_failing_block_leaves_the_old_file(tmp_path, error):
    target = tmp_path / "x.txt"
    target.write_text("old")
    with pytest.raises(error):
        write_half(target, error)
    assert target.read_text() == "old"
    assert names(tmp_path) == ["x.txt"]


def test_a_full_disk_is_one_sentence(tmp_path):
    with (
        pytest.raises(BelamyError, match=r"cannot write .*x\.txt.*No space left"),
        atomic_path(tmp_path / "x.txt"),
    ):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
    assert names(tmp_path) == []


def test_a_block_that_removes_its_file_is_an_error(tmp_path):
    with pytest.raises(BelamyError, match="cannot write"), atomic_path(tmp_path / "x") as temporary:
        temporary.unlink()


def test_a_folder_in_the_way(tmp_path):
    (tmp_path / "x").mkdir()
    with pytest.raises(BelamyError, match="is a folder"):
        write_text(tmp_path / "x", "text")
    assert names(tmp_path) == ["x"]


def test_a_file_where_a_folder_should_be(tmp_path):
    (tmp_path / "x").write_text("file")
    with pytest.raises(BelamyError, match="cannot write"):
        write_text(tmp_path / "x" / "y.txt", "text")
    assert (tmp_path / "x").read_text() == "file"


@pytest.mark.parametrize("name", ["a\0b", "n" * 300])
def test_impossible_names(tmp_path, name):
    with pytest.raises(BelamyError, match="cannot write"):
        write_text(tmp_path / name, "text")


def test_the_longest_name_that_the_system_allows(tmp_path):
    name = "n" * 251 + ".txt"
    write_text(tmp_path / name, "text")
    assert names(tmp_path) == [name]


@posix
def test_a_device_is_not_replaced_by_a_file():
    with pytest.raises(BelamyError, match="is a device"):
        write_text(os.devnull, "text")
    assert stat.S_ISCHR(Path(os.devnull).stat().st_mode)


@posix
def test_a_link_is_followed(tmp_path):
    (tmp_path / "real.txt").write_text("old")
    (tmp_path / "link.txt").symlink_to("real.txt")
    write_text(tmp_path / "link.txt", "new")
    assert (tmp_path / "link.txt").is_symlink()
    assert (tmp_path / "real.txt").read_text() == "new"


@posix
def test_permissions_follow_the_umask(tmp_path):
    old = os.umask(0o027)
    try:
        write_text(tmp_path / "x.txt", "text")
    finally:
        os.umask(old)
    assert stat.S_IMODE((tmp_path / "x.txt").stat().st_mode) == 0o640


@posix
@pytest.mark.skipif(hasattr(os, "geteuid") and os.geteuid() == 0, reason="root may write anywhere")
def test_a_folder_that_may_not_be_written(tmp_path):
    tmp_path.chmod(0o500)
    with pytest.raises(BelamyError, match="Permission denied"):
        write_text(tmp_path / "x.txt", "text")


def test_many_writers_of_one_file_leave_one_whole_file(tmp_path):
    target = tmp_path / "x.txt"
    contents = [str(index) * 10_000 for index in range(8)]
    threads = [threading.Thread(target=write_text, args=(target, text)) for text in contents]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert target.read_text() in contents
    assert names(tmp_path) == ["x.txt"]


def test_a_folder_that_cannot_be_flushed_is_no_failure(tmp_path, monkeypatch):
    flush = os.fsync

    def fsync(descriptor):
        if stat.S_ISDIR(os.fstat(descriptor).st_mode):
            raise OSError(errno.EINVAL, "no flushing of folders here")
        flush(descriptor)

    monkeypatch.setattr(os, "fsync", fsync)
    write_text(tmp_path / "x.txt", "text")
    assert (tmp_path / "x.txt").read_text() == "text"


def test_sha256_is_that_of_hashlib_beyond_one_chunk(tmp_path):
    data = bytes(range(256)) * 5000
    (tmp_path / "x").write_bytes(data)
    assert sha256(tmp_path / "x") == hashlib.sha256(data).hexdigest()


@pytest.mark.parametrize("name", ["missing", ".", "a\0b"])
def test_sha256_of_what_cannot_be_read(tmp_path, name):
    with pytest.raises(BelamyError, match="cannot read"):
        sha256(str(tmp_path / name))


@pytest.mark.parametrize(
    ("variables", "folder"),
    [
        ({"BELAMY_HOME": "/one"}, "/one"),
        ({"BELAMY_HOME": "", "XDG_CACHE_HOME": "/two"}, "/two/belamy"),
        ({"BELAMY_HOME": "", "XDG_CACHE_HOME": "", "HOME": "/three"}, "/three/.cache/belamy"),
    ],
)
@posix
def test_the_cache_folder(monkeypatch, variables, folder):
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    assert files.cache_folder() == Path(folder)


def test_what_killed_processes_left_goes_after_a_day(tmp_path: Path) -> None:
    old = [tmp_path / ".0123456789abcdef.part.png", tmp_path / ".0123456789abcdef.part"]
    kept = [
        tmp_path / ".fedcba9876543210.part.png",  # young
        tmp_path / "photo.part.png",
        tmp_path / ".mine.part",
        tmp_path / ".0123456789abcdef.partly",
    ]
    for path in (*old, *kept):
        path.write_text("half")
        if path != kept[0]:
            os.utime(path, (1e9, 1e9))
    files.write_text(tmp_path / "new.txt", "whole")
    assert sorted(tmp_path.iterdir()) == sorted([*kept, tmp_path / "new.txt"])


def test_a_name_that_is_too_long_is_said(tmp_path: Path) -> None:
    with pytest.raises(BelamyError, match="File name too long; choose a shorter name"):
        files.write_text(tmp_path / ("x" * 300), "a")


READERS = {
    "a picture": load_image,
    "a film": open_film,
    "a network": find_network,
    "the words of a network": lambda path: read_metadata(Path(path)),
    "a network's tensors": lambda path: open_network_file(Path(path)).__enter__(),
    "weights of others": lambda path: tell_format(Path(path)),
    "a Torch7 file": read_torch7,
    "a file's digest": sha256,
    "a recipe's input": digest_of,
    "a direction": lambda path: read_view(f"direction:layer:{path}"),
    "latents": lambda path: load_styles(Path(path), None),
    "a preset": lambda path: borrow_from_preset(path, ()),
}
SUFFIXES = {"a film": ".mp4", "a network": ".safetensors", "a Torch7 file": ".t7"}


@pytest.mark.parametrize("reader", READERS)
def test_a_file_that_is_not_there_is_said_in_the_same_words(tmp_path, reader):
    path = str(tmp_path / f"none{SUFFIXES.get(reader, '.json')}")
    with pytest.raises(BelamyError) as caught:
        READERS[reader](path)
    assert str(caught.value) == f"cannot read {path}: there is no such file; check the path"
    assert caught.value.misuse


def test_a_data_set_that_is_not_there(tmp_path):
    with pytest.raises(DataError, match="there is no such folder or zip; check the path") as caught:
        open_tree(tmp_path / "none").__enter__()
    assert caught.value.misuse
    with pytest.raises(ImageError, match="there is no such") as caught_of_film:
        open_film(tmp_path / "none" / "%06d.png")
    assert caught_of_film.value.misuse


def test_a_missing_file_with_an_odd_name_is_one_line():
    assert str(missing_file(ImageError, "a\nb")) == (
        "cannot read 'a\\nb': there is no such file; check the path"
    )
