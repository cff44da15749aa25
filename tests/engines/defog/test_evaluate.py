"""Pairs are found by their names; measures are those of the pictures, beside the untouched ones."""

from __future__ import annotations

import zipfile
from pathlib import Path

import pytest
import torch
from torch import Tensor

from belamy.devices import make_rng
from belamy.engines.defog.api import defog, evaluate_defog
from belamy.engines.defog.evaluate import pair_names
from belamy.errors import DataError, PictureWarning
from belamy.networks.dehaze import DehazeNet, initialise
from belamy.networks.files.network_file import save_network_file, without_counters
from belamy.pixels.fog.model import apply_fog
from belamy.pixels.images import load_image, save_image
from belamy.training.metrics import psnr, ssim


@pytest.fixture(scope="module")
def network(tmp_path_factory: pytest.TempPathFactory) -> str:
    eye = DehazeNet((4, 4, 6, 6, 8), (1, 1, 1, 1, 1))
    initialise(eye, make_rng(3, "weights"))
    path = tmp_path_factory.mktemp("defog") / "eye.safetensors"
    save_network_file(
        path,
        without_counters(eye.state_dict()),
        network="dehaze",
        arguments=eye.arguments,
        trained_on="nothing",
        half=True,
    )
    return str(path)


def scene(seed: int) -> Tensor:
    rough = torch.rand((1, 3, 12, 16), generator=make_rng(seed, "test")) ** 2
    return rough.repeat_interleave(4, 2).repeat_interleave(4, 3)


@pytest.fixture
def pairs(tmp_path: Path) -> Path:
    for number in range(2):
        clear = scene(number)
        hazy = apply_fog(clear, torch.tensor(0.4), torch.full((1, 3, 1, 1), 0.85))
        save_image(clear, tmp_path / "clear" / f"{number:02}_GT.png")
        save_image(hazy, tmp_path / "hazy" / f"{number:02}_hazy.png")
    return tmp_path


def test_rows_are_means_over_the_pictures(pairs: Path, network: str) -> None:
    found = evaluate_defog(str(pairs / "hazy"), str(pairs / "clear"), network=network)
    assert found.pictures == 2
    assert list(found.values) == ["untouched", "dcp", "network"]
    read = [
        (
            load_image(pairs / "hazy" / f"0{n}_hazy.png"),
            load_image(pairs / "clear" / f"0{n}_GT.png"),
        )
        for n in range(2)
    ]
    for name, make in (
        ("untouched", lambda seen: seen),
        ("dcp", lambda seen: defog(seen, method="dcp").image),
    ):
        made = [(make(seen), clear) for seen, clear in read]
        row = found.values[name]
        assert row["psnr"] == pytest.approx(sum(psnr(*pair) for pair in made) / 2)
        assert row["ssim"] == pytest.approx(sum(ssim(*pair) for pair in made) / 2)
    assert found.values["dcp"]["psnr"] > found.values["untouched"]["psnr"]


def test_zips_and_single_pictures_are_the_same(pairs: Path, network: str) -> None:
    for side in ("hazy", "clear"):
        with zipfile.ZipFile(pairs / f"{side}.zip", "w") as archive:
            for path in sorted((pairs / side).iterdir()):
                archive.write(path, path.name)
    whole = evaluate_defog(str(pairs / "hazy.zip"), str(pairs / "clear.zip"), network=network)
    assert whole == evaluate_defog(str(pairs / "hazy"), str(pairs / "clear"), network=network)
    one = evaluate_defog(
        str(pairs / "hazy" / "00_hazy.png"), str(pairs / "clear" / "00_GT.png"), network=network
    )
    assert one.pictures == 1


def test_equal_pictures_count_a_hundred_decibels(pairs: Path, network: str) -> None:
    found = evaluate_defog(str(pairs / "clear"), str(pairs / "clear"), network=network)
    assert found.values["untouched"]["psnr"] == 100


def test_an_even_border_of_the_clear_picture_is_left_out(pairs: Path, network: str) -> None:
    clear = scene(0)
    save_image(torch.nn.functional.pad(clear, (10, 10, 10, 10)), pairs / "large" / "00.png")
    found = evaluate_defog(
        str(pairs / "clear" / "00_GT.png"), str(pairs / "large" / "00.png"), network=network
    )
    assert found.values["untouched"]["psnr"] == 100


def test_names_of_the_public_sets() -> None:
    sots = pair_names(["1400_1.png", "1400_10.png", "1401_2.png"], ["1400.png", "1401.png"])
    assert sots == {
        "1400_1.png": "1400.png",
        "1400_10.png": "1400.png",
        "1401_2.png": "1401.png",
    }
    outdoor = pair_names(["hazy/0001_0.8_0.2.jpg"], ["clear/0001.png"])
    assert outdoor == {"hazy/0001_0.8_0.2.jpg": "clear/0001.png"}
    o_haze = pair_names(["01_outdoor_hazy.jpg"], ["01_outdoor_GT.jpg", "02_outdoor_GT.jpg"])
    assert o_haze == {"01_outdoor_hazy.jpg": "01_outdoor_GT.jpg"}
    assert pair_names(["hazy.png"], ["hazy.jpg"]) == {"hazy.png": "hazy.jpg"}


def test_of_several_pictures_with_one_name_none_is_taken() -> None:
    with pytest.warns(PictureWarning, match=r"have their name: 0\.bmp, 0\.jpg"):
        assert pair_names(["0.bmp", "0.jpg", "1.png"], ["0.jpg", "1.png"]) == {"1.png": "1.png"}
    with pytest.warns(PictureWarning, match=r"have their name: 0_1\.png"):
        assert pair_names(["0_1.png", "1.png"], ["0.jpg", "0.png", "1.png"]) == {"1.png": "1.png"}
    with pytest.raises(DataError, match="none is left"):
        pair_names(["0.png"], ["0.jpg", "0.png"])


def test_of_equal_names_that_in_the_same_folder_is_meant() -> None:
    found = pair_names(["a/1.png", "b/1_hazy.png"], ["a/1.png", "b/1_GT.png"])
    assert found == {"a/1.png": "a/1.png", "b/1_hazy.png": "b/1_GT.png"}


def test_what_cannot_be_compared_is_said(pairs: Path, network: str) -> None:
    hazy, clear = str(pairs / "hazy"), str(pairs / "clear")
    save_image(scene(5), pairs / "hazy" / "lonely.png")
    with pytest.raises(DataError, match=r"no clear picture for lonely\.png"):
        evaluate_defog(hazy, clear, network=network)
    (pairs / "hazy" / "lonely.png").unlink()
    save_image(scene(0)[..., :40], pairs / "clear" / "00_GT.png")
    with pytest.warns(PictureWarning, match=r"64×48, its clear picture 40×48"):
        evaluate_defog(hazy, clear, network=network)
    (pairs / "clear" / "00_GT.png").write_bytes(b"no picture")
    with pytest.warns(PictureWarning, match=r"1 of 2 pairs are left out: 00_hazy\.png .*00_GT"):
        found = evaluate_defog(hazy, clear, network=network)
    assert found.pictures == 1
    (pairs / "clear" / "01_GT.png").write_bytes(b"no picture")
    with pytest.raises(DataError, match="none of the 2 pairs can be compared"):
        evaluate_defog(hazy, clear, network=network)
    (pairs / "empty").mkdir()
    with pytest.raises(DataError, match="has no pictures"):
        evaluate_defog(str(pairs / "empty"), clear, network=network)
