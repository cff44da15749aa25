"""The network that paints in any manner: shapes, manners, reach, files."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch
from torch import Tensor

from belamy.devices import make_rng
from belamy.errors import WeightsError
from belamy.networks.files.network_file import save_network_file
from belamy.networks.files.tensors import write_tensors
from belamy.networks.image_to_image.arbitrary_style import (
    IMAGE,
    LAYERS,
    REACH,
    ArbitraryStyleNet,
    encode_style,
    initialise,
    soften,
)
from belamy.networks.load import load_network

CHANNELS = (6, 5)
TOLD = 2 * (3 + sum(CHANNELS))


def painter(seed: int = 0) -> ArbitraryStyleNet:
    """With manners and strokes that show, as after a training."""
    made = ArbitraryStyleNet(CHANNELS, widths=(8, 6, 4, 4), code=7)
    initialise(made, make_rng(seed, "weights"))
    for name, weight in made.named_parameters():
        if "manner" in name or "colour" in name:
            torch.nn.init.normal_(weight, std=0.1, generator=make_rng(seed, name))
    return made.eval()


def seen(height: int, width: int, seed: int = 0) -> dict[str, Tensor]:
    chance = make_rng(seed, "features")
    found = {IMAGE: torch.rand(1, 3, height, width, generator=chance)}
    for level, channels, stride in zip(LAYERS, CHANNELS, (8, 4), strict=True):
        size = (1, channels, height // stride, width // stride)
        found[level] = torch.rand(size, generator=chance)
    return found


def manner(seed: int) -> Tensor:
    return torch.randn(1, TOLD, generator=make_rng(seed, "manner"))


@pytest.mark.parametrize("size", [(8, 8), (64, 24), (40, 96)])
def test_a_picture_has_the_size_of_the_picture(size: tuple[int, int]) -> None:
    assert painter()(seen(*size), [(manner(0), None)]).shape == (1, 3, *size)


def test_manners_show() -> None:
    made, found = painter(), seen(32, 32)
    first, second = (made(found, [(manner(seed), None)]) for seed in (0, 1))
    assert (first - second).abs().mean() > 0.01


def test_shares_divide_the_picture() -> None:
    made, found = painter(), seen(64, 256)
    left = torch.zeros(1, 1, 64, 256)
    left[..., :128] = 1
    both = made(found, [(manner(0), left), (manner(1), 1 - left)])
    for seed, far in ((0, slice(0, 128 - REACH)), (1, slice(128 + REACH, 256))):
        alone = made(found, [(manner(seed), None)])
        torch.testing.assert_close(both[..., far], alone[..., far])


def test_nothing_beyond_its_reach_counts() -> None:
    made, found = painter(), {k: v.requires_grad_(True) for k, v in seen(240, 240).items()}
    made(found, [(manner(0), None)])[0, :, 120, 120].sum().backward()
    for level, features in found.items():
        assert features.grad is not None
        stride = 240 // features.shape[-1]
        touched = features.grad.abs().sum(dim=(0, 1)).nonzero() * stride
        assert int((120 - touched).amax()) <= REACH, level
        assert int((touched + stride - 1 - 120).amax()) <= REACH, level


def test_at_the_start_it_draws_soft_colours() -> None:
    made = ArbitraryStyleNet(CHANNELS, widths=(8, 6, 4, 4), code=7)
    initialise(made, make_rng(0, "weights"))
    found = seen(32, 32)
    far = (made(found, [(manner(0), None)]) - soften(found[IMAGE])).abs().mean()
    assert far < 0.2


def test_a_style_is_written_in_bounded_numbers() -> None:
    wild = {
        level: torch.full((2, n), 1e6) for level, n in zip((IMAGE, *LAYERS), (3, 6, 5), strict=True)
    }
    flat = {level: torch.zeros(2, x.shape[1]) for level, x in wild.items()}
    for told in (encode_style(wild, flat), encode_style(flat, wild)):
        assert told.shape == (2, TOLD)
        assert told.abs().max() <= 5


def save(path: Path, network: ArbitraryStyleNet) -> None:
    save_network_file(
        path,
        network.state_dict(),
        network="anystyle",
        arguments=network.arguments,
        trained_on="nothing",
        metadata={"encoder": "iris"},
        half=True,
    )


def test_files(tmp_path: Path) -> None:
    path, made = tmp_path / "any.safetensors", painter()
    save(path, made)
    loaded = load_network(path, "arbitrary-style")
    assert loaded.metadata["encoder"] == "iris"
    assert (tmp_path / "any.safetensors.sha256").read_text().split()[0] == loaded.sha256
    found = seen(16, 16)
    target = made(found, [(manner(0), None)])
    actual = loaded.network(found, [(manner(0), None)])
    torch.testing.assert_close(actual, target, atol=5e-3, rtol=0)
    assert not any(weight.requires_grad for weight in loaded.network.parameters())


def test_other_files_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "any.safetensors"
    good = {"network": "anystyle", "arguments": json.dumps({"channels": [1, 2]})}
    for metadata, reason in (
        ({"network": "iris"}, "is a backbone .*not an arbitrary-style network"),
        ({**good, "arguments": "[]"}, "describes itself wrongly"),
        ({**good, "arguments": '{"channels": [1, 2, 3]}'}, "describes itself wrongly"),
        ({**good, "arguments": '{"channels": 3}'}, "describes itself wrongly"),
        (good, "lacks"),
    ):
        write_tensors(path, {"x": torch.zeros(1)}, metadata)
        with pytest.raises(WeightsError, match=reason):
            load_network(path, "arbitrary-style")
