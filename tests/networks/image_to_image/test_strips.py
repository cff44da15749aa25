"""A network over a picture in strips: what one pass gives, in less memory."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from belamy.devices import make_rng
from belamy.networks.image_to_image import strips
from belamy.networks.image_to_image.network import (
    ImageTransformNet,
    build_johnson_net,
    build_translation_net,
    initialise,
)
from belamy.networks.image_to_image.strips import Place, fix_norms

ROWS: list[dict[str, Any]] = [
    {"layer": "pad", "mode": "reflect", "left": 4, "right": 4, "top": 4, "bottom": 4},
    {"layer": "conv", "inputs": 3, "outputs": 5, "kernel": [3, 3], "stride": [2, 2]},
    {"layer": "instance", "channels": 5},
]


def uneven(height: int, width: int) -> Tensor:
    """Light at its right and dark at its upper end, so that no strip is like the others."""
    image = torch.rand((1, 3, height, width), generator=make_rng(1))
    return image * torch.linspace(0.1, 1, width) * torch.linspace(0.2, 1, height)[:, None]


def made(network: ImageTransformNet) -> ImageTransformNet:
    initialise(network, make_rng(2))
    return network.eval().requires_grad_(False)


@pytest.fixture(params=["all is kept", "the smallest is kept"])
def _kept(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    if request.param == "the smallest is kept":
        monkeypatch.setattr(strips, "_KEPT", 0)


SHAPES = {
    "johnson": lambda: build_johnson_net((4, 8, 16), 2),
    **{
        f"{shape}, {sampling}": lambda shape=shape, sampling=sampling: build_translation_net(
            shape, 2, 1, sampling
        )
        for shape, sampling in [
            ("resnet", "antialiased"),
            ("resnet", "transposed"),
            ("residual", "resize"),
            ("unet", "antialiased"),
            ("unet", "transposed"),
            ("coarse", "antialiased"),
        ]
    },
}


@pytest.mark.usefixtures("_kept")
@pytest.mark.parametrize("layout", [torch.contiguous_format, torch.channels_last])
@pytest.mark.parametrize("shape", SHAPES)
def test_strips_paint_what_one_pass_paints(shape: str, layout: torch.memory_format) -> None:
    network = made(SHAPES[shape]()).to(memory_format=layout)  # type: ignore[call-overload]
    image = uneven(320, 64)
    with torch.inference_mode():
        whole, painted = network(image), network.paint_in_strips(image, 1 << 12)
        fixed = network.fix_statistics(image, 1 << 12)(image)
    assert (painted - whole).abs().max() < 2e-5
    assert (fixed - whole).abs().max() < 2e-5
    assert painted.is_contiguous()


def test_the_picture_is_left_as_it_was() -> None:
    network, image = made(build_translation_net("residual", 2, 1)), uneven(128, 64)
    before = image.clone()
    with torch.inference_mode():
        network.paint_in_strips(image, 1 << 12)
    assert torch.equal(image, before)


def test_statistics_from_strips_are_those_of_the_whole() -> None:
    network, image = made(ImageTransformNet(ROWS)), uneven(96, 128)
    whole, found = (network.fix_statistics(image, most).body[-1] for most in (1 << 30, 1 << 12))
    torch.testing.assert_close(found.state_dict(), whole.state_dict())
    normal = network.fix_statistics(image).body(network._encode(image))
    torch.testing.assert_close(normal.mean(dim=(0, 2, 3)), torch.zeros(5), atol=1e-5, rtol=0)


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_statistics_of_large_numbers_are_exact(dtype: torch.dtype) -> None:
    norm = {"layer": "instance", "channels": 2, "eps": 0.0}
    x = (100 + torch.rand((1, 2, 300, 400), generator=make_rng(3))).to(dtype)
    network, _ = fix_norms([norm], ImageTransformNet([norm]).body, Place(x, 1 << 14))
    scale = network[0].weight
    assert scale.dtype == torch.float32
    exact = x.double().std((0, 2, 3), correction=0)
    torch.testing.assert_close(1 / scale.double(), exact, rtol=1e-4, atol=0)


def test_what_a_strip_holds_does_not_grow_with_the_picture() -> None:
    """The largest of what layers get, at twice the height."""
    network = made(build_johnson_net((4, 8, 16), 2))

    def largest(height: int) -> int:
        sizes: list[int] = []
        hooks = [
            part.register_forward_pre_hook(lambda _, given: sizes.append(given[0].numel()))
            for part in network.modules()
            if isinstance(part, nn.Conv2d)
        ]
        with torch.inference_mode():
            network.paint_in_strips(uneven(height, 64), 1 << 18)
        for hook in hooks:
            hook.remove()
        return max(sizes)

    assert largest(1024) < 1.05 * largest(512)
    assert largest(512) < 3 * (1 << 18) / 4


def test_two_activations_are_kept_at_the_most(monkeypatch: pytest.MonkeyPatch) -> None:
    """In a residual block the second convolution is written over the first's place."""
    monkeypatch.setattr(strips, "_KEPT", 0)
    network, new = made(build_johnson_net((4, 8, 16), 3)), []
    begin: Callable[[Any, Tensor, int], Tensor] = strips.Result._begin

    def count(self: Any, last: Tensor, height: int) -> Tensor:
        whole = begin(self, last, height)
        new.append(whole is not self._place.kept)
        return whole

    monkeypatch.setattr(strips.Result, "_begin", count)
    with torch.inference_mode():
        network.paint_in_strips(uneven(256, 64), 1 << 12)
    # after the third norm, one for each block, and the result; else in the same place
    assert sum(new) == 1 + 3 + 1
    assert len(new) > sum(new) + 3
