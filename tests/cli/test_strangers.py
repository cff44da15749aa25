"""Folders and zips as strangers have them, given to commands: every good picture is made, every
other one is named with its cause on one line, and nothing shows a traceback."""

from __future__ import annotations

import io
import json
import os
import zipfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import typer
from PIL import Image
from typer.testing import CliRunner, Result

from belamy.cli.commands import classify, defog, fog, gan_train, translate
from belamy.cli.groups import RootGroup
from belamy.cli.inputs import read_source
from belamy.pixels import archive

root = typer.Typer(cls=RootGroup, pretty_exceptions_enable=False)
for module in (classify, defog, fog, gan_train, translate):
    root.add_typer(module.app)

PLAIN = ("--depth", "even")
GAN = ("--size", "32", "--steps", "1", "--batch", "2", "--width", "0.25", "--device", "cpu")
SMALL = ("--size", "64", "--steps", "1", "--blocks", "1", "--generator-channels", "4")
PIX2PIX = (*SMALL, "--discriminator-channels", "4", "--method", "pix2pix", "--device", "cpu")

Build = Callable[[Path], None]


@pytest.fixture(autouse=True)
def workplace(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("BELAMY_HOME", str(tmp_path / "home"))
    return tmp_path


def run(*arguments: str | Path) -> Result:
    result = CliRunner().invoke(root, list(map(str, arguments)))
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
    return result


def words(result: Result) -> str:
    return " ".join(result.output.split())


def png(shade: int = 90, size: tuple[int, int] = (32, 24)) -> bytes:
    file = io.BytesIO()
    Image.linear_gradient("L").resize(size).point(lambda v: (v + shade) % 256).save(file, "PNG")
    return file.getvalue()


def write(files: dict[str, bytes]) -> None:
    for name, data in files.items():
        path = Path(name)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)


def pack(name: str, files: dict[str, bytes], method: int = zipfile.ZIP_STORED) -> None:
    with zipfile.ZipFile(name, "w", method) as archive:
        for member, data in files.items():
            info = zipfile.ZipInfo("x")
            info.filename, info.compress_type = member, method
            archive.writestr(info, data)


def patch(name: str, local: int, central: int, value: int, member: str = "") -> None:
    """One byte of the headers of all members, or of one."""
    data = bytearray(Path(name).read_bytes())
    for magic, at, length in ((b"PK\3\4", local, 30), (b"PK\1\2", central, 46)):
        start = data.find(magic)
        while start >= 0:
            if data[start + length :].startswith(member.encode()):
                data[start + at] = value
            start = data.find(magic, start + 1)
    Path(name).write_bytes(data)


def made(folder: str = "out") -> set[str]:
    found = Path(folder).rglob("*")
    return {path.relative_to(folder).as_posix() for path in found if path.is_file()}


TWO = {"a.png": png(10), "b.png": png(20)}


@pytest.mark.parametrize(
    ("local", "central", "value", "cause"),
    [
        (6, 8, 1, "set.zip/a.png: it is encrypted"),
        (8, 10, 9, "set.zip/a.png: it is packed by Deflate64"),
        (14, 16, 7, "set.zip/a.png: it is damaged or cut short (its checksum is wrong)"),
        (25, 27, 0x70, "set.zip/a.png: it has 1,792 MiB unpacked"),
    ],
)
def test_a_bad_member_does_not_hold_up_the_others(
    local: int, central: int, value: int, cause: str
) -> None:
    pack("set.zip", TWO, zipfile.ZIP_DEFLATED)
    patch("set.zip", local, central, value, "a.png")
    result = run("fog", "set.zip", "-o", "out/", *PLAIN)
    assert result.exit_code == 1
    assert f"cannot read {cause}" in words(result)
    assert made() == {"b.png"}


def test_formats_that_are_refused_as_files_are_refused_in_zips() -> None:
    file = io.BytesIO()
    Image.new("RGB", (8, 8)).save(file, "PCX")
    pack("set.zip", {"a.png": file.getvalue(), "b.png": png(), "c.png": b""})
    result = run("fog", "set.zip", "-o", "out/", *PLAIN)
    assert result.exit_code == 1
    assert "cannot read set.zip/a.png: it is not a picture in JPEG" in words(result)
    assert "cannot read set.zip/c.png: it is empty" in words(result)
    assert made() == {"b.png"}


def test_names_that_would_lead_elsewhere_do_not() -> None:
    names = ("../../up.png", "/abs/a.png", "C:\\x\\b.png", "cat\\1.png")
    pack("set.zip", {name: png() for name in names})
    assert run("fog", "set.zip", "-o", "deep/out/", *PLAIN).exit_code == 0
    assert made("deep") == {
        f"out/{name}" for name in ("up.png", "abs/a.png", "x/b.png", "cat/1.png")
    }


def test_a_zip_is_opened_twice_for_all_of_its_pictures(monkeypatch: pytest.MonkeyPatch) -> None:
    """Once for the names, once for the pictures; a zip that has changed is opened again."""
    opened: list[str] = []
    usual = zipfile.ZipFile

    def count(place: Path, *given: str) -> zipfile.ZipFile:
        opened.append(str(place))
        return usual(place, *given)  # type: ignore[call-overload, no-any-return]

    pack("set.zip", {f"{number}.png": png(number) for number in range(5)})
    monkeypatch.setattr(archive.zipfile, "ZipFile", count)
    assert run("fog", "set.zip", "-o", "out/").exit_code == 0
    assert opened == ["set.zip"] * 2
    monkeypatch.setattr(archive.zipfile, "ZipFile", usual)
    pack("set.zip", {"0.png": png(200, (40, 20))})
    read = read_source(Path("set.zip/0.png"))
    assert isinstance(read, np.ndarray)
    assert read.shape[:2] == (20, 40)


def test_one_member_or_folder_of_a_zip_may_be_named() -> None:
    pack("set.zip", {"sea/1.png": png(), "sky/2.png": png()})
    assert run("fog", "set.zip/sea", "-o", "out/", *PLAIN).exit_code == 0
    assert made() == {"sea/1.png"}
    assert run("fog", "set.zip/sea/1.png", "-o", "one.png", *PLAIN).exit_code == 0
    assert Path("one.png").is_file()
    result = run("fog", "set.zip/sea/3.png", "-o", "no.png", *PLAIN)
    assert result.exit_code == 2
    assert "cannot read set.zip/sea/3.png: there is no such file in the zip" in words(result)
    assert "set.zip/lake has no pictures in it" in words(run("fog", "set.zip/lake", "-o", "no/"))


def test_folders_are_read_whole_and_mirrored() -> None:
    write({f"in/{name}": png() for name in ("a.JPG", "b.jfif", "x/a.png", "x/y/a.PNG")})
    write({"in/._a.jpg": b"\0\5\26\7", "in/x/@eaDir/a.png/t.jpg": b"", "in/Thumbs.db": b""})
    write({"in/.hidden/z.png": b"", "in/__MACOSX/._z.png": b"", "in/inner.zip": b"PK"})
    Path("in/x/up").symlink_to("..")
    result = run("fog", "in", "-o", "out/", *PLAIN)
    assert result.exit_code == 0
    assert made() == {"a.png", "b.png", "x/a.png", "x/y/a.png"}
    assert "in: inner.zip passed over; unpack archives first" in words(result)


def test_pictures_of_one_name_become_two() -> None:
    write({"in/a.png": png(), "in/a.JPG": png(), "in/b.png": png()})
    assert run("fog", "in", "-o", "out/", *PLAIN).exit_code == 0
    assert made() == {"a-png.png", "a-jpg.png", "b.png"}


def test_what_was_made_is_no_input_the_next_time() -> None:
    write({"in/a.png": png()})
    for _ in range(2):
        assert run("fog", "in", "-o", "in/fogged", *PLAIN).exit_code == 0
    assert made("in") == {"a.png", "fogged/a.png"}


@pytest.mark.parametrize("name", ["two\nlines", "\x1b[31mred", os.fsdecode(b"\xe9"), "Łódź"])
def test_names_of_any_bytes_are_made_and_printed_on_a_line(name: str) -> None:
    write({f"in/{name}.png": png(), f"in/{name}-bad.png": b"no", "in/zz.png": png()})
    result = run("fog", "in", "-o", "out/", *PLAIN)
    assert result.exit_code == 1
    assert made() == {f"{name}.png", "zz.png"}
    assert all(line.isprintable() for line in result.output.splitlines())
    assert sum("cannot read" in line for line in result.output.splitlines()) == 1


@pytest.mark.parametrize("name", ["two\nlines", "\x1b[31mred", os.fsdecode(b"\xe9")])
def test_a_training_leaves_out_what_it_cannot_read_whatever_its_name(name: str) -> None:
    write({f"in/{n}.png": png(5 * n, (40, 40)) for n in range(9)} | {f"in/{name}.jpg": b"no"})
    result = run("gan", "train", "in", *GAN, "--run", "run")
    assert result.exit_code == 0, result.output
    assert "left out: 1 broken" in words(result)
    assert Path("run/left-out.txt").read_text("utf-8").startswith("broken\t")
    assert json.loads(Path("run/log.jsonl").read_text("utf-8").splitlines()[0])["step"] == 1


def encrypted(name: str) -> None:
    pack(name, {f"train/{c}/{n}.png": png(n) for c in ("cat", "dog") for n in range(4)})
    patch(name, 6, 8, 1)


@pytest.mark.parametrize(
    "line",
    [
        ("classify", "train", "set.zip", "--stages", "8:1"),
        ("classify", "evaluate", "set.zip"),
        ("gan", "train", "set.zip", *GAN),
        ("translate", "train", "set.zip", "set.zip", *SMALL),
        ("translate", "train", "set.zip", *PIX2PIX),
        ("defog", "train", "set.zip", "--steps", "1"),
        ("defog", "evaluate", "set.zip", "set.zip"),
    ],
)
def test_an_encrypted_set_is_one_line(line: tuple[str, ...]) -> None:
    encrypted("set.zip")
    result = run(*line)
    assert result.exit_code == 1
    assert result.output == (
        "belamy: set.zip is encrypted; unpack it with its password, and give the folder\n"
    )


def layout(*names: str) -> Build:
    def build(place: Path) -> None:
        write({name: png(7 * index) for index, name in enumerate(names)})

    return build


def classes(*splits: str, count: int = 5) -> list[str]:
    return [
        f"set/{split}{c}/{n}.png" for split in splits for c in ("cat", "dog") for n in range(count)
    ]


def backslashes(place: Path) -> None:
    pack(
        "set",
        {
            name[4:].replace("/", "\\"): png(len(name) + ord(name[-5]))
            for name in classes("train/", "test/")
        },
    )


@pytest.mark.parametrize(
    ("build", "numbers", "said"),
    [
        (layout(*classes("")), (8, 2), "no test/ or val/: 2 of 10 pictures held out"),
        (layout(*classes("train/")), (8, 2), "no test/ or val/: 2 of 10 pictures held out"),
        (layout(*classes("photos/")), (8, 2), "2 of 10 pictures held out"),
        (layout(*classes("train/", "val/")), (10, 10), ""),
        (layout(*classes("train/", "valid/")), (10, 10), ""),
        (layout(*classes("Train/", "Validation/")), (10, 10), ""),
        (layout(*classes("train/", "test/")), (10, 10), ""),
        (layout(*classes(""), "set/loose.png"), (8, 2), "loose.png left out, in no folder"),
        (layout(*classes(""), "set/bird/readme.txt"), (8, 2), "bird: a folder without pictures"),
        (backslashes, (10, 10), ""),
    ],
)
def test_layouts_of_classes(
    build: Build, numbers: tuple[int, int], said: str, tmp_path: Path
) -> None:
    build(tmp_path)
    line = ("--stages", "8:1", "--batch", "4", "--device", "cpu", "--run", "run")
    result = run("classify", "train", "set", *line)
    assert result.exit_code == 0, result.output
    learned, measured = numbers
    assert f"{learned} pictures of 2 classes to learn from; {measured} to measure on" in words(
        result
    )
    assert said in words(result)


@pytest.mark.parametrize(
    ("names", "said"),
    [
        (["set/cat/1.png", "set/cat/2.png"], "has one class ('cat'); give two or more"),
        (["set/train/cat/1.png"], "has one class under train/ ('cat'); give two or more"),
        (["set/1.png"], "set has no pictures under train/; lay them out as train/CLASS/PICTURE"),
        (["set/cat/1.png", "set/dog/1.png"], "set has one picture of cat, dog; give two"),
        (["set/a.txt"], "set has no pictures under train/"),
    ],
)
def test_sets_without_classes_are_one_line(names: list[str], said: str, tmp_path: Path) -> None:
    layout(*names)(tmp_path)
    result = run("classify", "train", "set", "--stages", "8:1", "--run", "run")
    assert result.exit_code == 1
    assert said in words(result)
    assert result.output.count("\n") == 1


def halves(*names: str, size: tuple[int, int] = (128, 64)) -> Build:
    def build(place: Path) -> None:
        for name in names:
            Path(name).parent.mkdir(parents=True, exist_ok=True)
            picture = Image.new("RGB", size, "red")
            picture.paste((0, 0, 255), (size[0] // 2, 0, *size))
            picture.save(name)

    return build


@pytest.mark.parametrize(
    ("build", "line", "said"),
    [
        (halves("p/1.png", "p/2.png"), ("p",), "p left → p right by pix2pix: 2 and 2"),
        (halves("p/train/1.png", "p/val/2.png"), ("p",), "by pix2pix: 1 and 1 pictures"),
        (halves("p/1.png", "p/2.png"), ("p", "p"), "2 pairs side by side, A in the left half"),
        (
            halves("p/1.png", "p/2.png"),
            ("p", "--direction", "BtoA"),
            "p right → p left by pix2pix: 2 and 2",
        ),
        (layout("p/A/1.png", "p/B/1.png"), ("p",), "A → B by pix2pix: 1 and 1"),
        (
            layout("p/A/1.png", "p/B/1.png"),
            ("p/A", "p/B", "--direction", "BtoA"),
            "B → A by pix2pix: 1 and 1",
        ),
    ],
)
def test_pairs_as_pix2pix_has_them(
    build: Build, line: tuple[str, ...], said: str, tmp_path: Path
) -> None:
    build(tmp_path)
    result = run("translate", "train", *line, *PIX2PIX, "--run", "run")
    assert result.exit_code == 0, result.output
    assert said in words(result)


@pytest.mark.parametrize(
    ("line", "code", "said"),
    [
        (("p", *PIX2PIX), 1, "the pictures are not two side by side (1.png, 2.png"),
        (("p", *SMALL), 2, "name the two domains, A and B: 'p' alone has no trainA/ and trainB/"),
    ],
)
def test_one_folder_that_holds_no_two_domains(
    line: tuple[str, ...], code: int, said: str, tmp_path: Path
) -> None:
    layout("p/1.png", "p/2.png")(tmp_path)
    result = run("translate", "train", *line, "--run", "run")
    assert result.exit_code == code
    assert said in words(result)


def test_both_domains_in_one_folder_as_cyclegan_has_them(tmp_path: Path) -> None:
    layout("h2z/trainA/1.png", "h2z/trainA/2.png", "h2z/trainB/1.png", "h2z/trainB/2.png")(tmp_path)
    line = (*SMALL, "--discriminator-channels", "4", "--device", "cpu", "--run", "run")
    result = run("translate", "train", "h2z", *line)
    assert result.exit_code == 0, result.output
    assert "trainA ⇄ trainB by cyclegan: 2 and 2 pictures" in words(result)
