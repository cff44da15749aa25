"""Pictures by networks of the package that have been replaced since are made again by the old."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from typer.testing import CliRunner

from belamy.cli import app
from belamy.devices import make_rng
from belamy.networks.files import cache
from belamy.networks.image_to_image.load import save_image_net
from belamy.networks.image_to_image.network import build_johnson_net, initialise
from belamy.pixels.recipe import digest_of, read_recipe


def save(path: Path, seed: int) -> None:
    network = build_johnson_net((2, 2, 2), 1)
    initialise(network, make_rng(seed, "weights"))
    arguments = {"widths": [2, 2, 2], "blocks": 1}
    path.parent.mkdir(exist_ok=True)
    save_image_net(
        path, network, network="johnson", arguments=arguments, style="x", trained_on="nothing"
    )


def run(*words: object) -> str:
    result = CliRunner().invoke(app, [str(word) for word in words])
    assert result.exit_code == 0, result.output
    return result.output


@pytest.mark.parametrize("kept", [True, False])
def test_a_picture_replays_by_the_weights_that_made_it(
    kept: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cache, "_EMBEDDED", tmp_path / "weights")
    monkeypatch.chdir(tmp_path)
    current = tmp_path / "weights" / "starry-night.safetensors"
    save(current, 0)
    photo = np.random.default_rng(0).integers(0, 255, (64, 64, 3), np.uint8)
    Image.fromarray(photo).save("photo.png")
    run("style", "apply", "starry-night", "photo.png", "-o", "old.png")
    if kept:
        digest = digest_of(current)
        older = tmp_path / "weights" / "older" / f"starry-night-{digest[:8]}.safetensors"
        save(older, 0)
        assert digest_of(older) == digest
    save(current, 1)
    run("style", "apply", "starry-night", "photo.png", "-o", "new.png")
    result = CliRunner().invoke(app, ["replay", "old.png", "-o", "again.png"])
    assert result.exit_code == (0 if kept else 1), result.output
    if not kept:
        assert "the weights here are others" in result.output
        return
    old, new, again = (
        np.asarray(Image.open(f"{name}.png"), np.int64) for name in ("old", "new", "again")
    )
    assert np.array_equal(old, again)
    assert np.abs(old - new).mean() > 3
    recipe = read_recipe(tmp_path / "again.png")
    assert recipe.options["network"] == "starry-night"


def test_only_a_whole_sha256_is_looked_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cache, "_EMBEDDED", tmp_path)
    save(tmp_path / "older" / "x-0123abcd.safetensors", 0)
    assert cache.find_older("x", {"0123abcd", "../../abc", ""}) is None
    assert cache.find_older("x", {"f" * 64, "0123abcd" + 56 * "0"}) is not None
