"""Generators of CycleGAN, pix2pix and CUT, against small modules with the authors' names."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn

import belamy
from belamy.devices import make_rng
from belamy.errors import WeightsError
from belamy.networks.image_to_image.load import load_image_net

Norm = Callable[[int], nn.Module]
State = Mapping[str, Tensor]


def instance(channels: int) -> nn.Module:
    return nn.InstanceNorm2d(channels)


def batch(channels: int) -> nn.Module:
    """Left in training mode by the authors' test: of one picture, its own statistics."""
    return nn.BatchNorm2d(channels)


class Shrink(nn.Module):
    """[1, 2, 1] both ways, then every second place."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        taps = torch.tensor((1.0, 2.0, 1.0))
        filt = torch.outer(taps, taps) / 16
        self.register_buffer("filt", filt.expand(channels, 1, 3, 3).clone())

    def forward(self, x: Tensor) -> Tensor:
        padded = F.pad(x, (1, 1, 1, 1), mode="reflect")
        return F.conv2d(padded, self.filt, stride=2, groups=x.shape[1])  # type: ignore[arg-type]


class Grow(nn.Module):
    """[1, 3, 3, 1] both ways between the places."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        taps = torch.tensor((1.0, 3.0, 3.0, 1.0))
        filt = 4 * torch.outer(taps, taps) / 64
        self.register_buffer("filt", filt.expand(channels, 1, 4, 4).clone())

    def forward(self, x: Tensor) -> Tensor:
        padded = F.pad(x, (1, 1, 1, 1), mode="replicate")
        filt: Any = self.filt
        grown = F.conv_transpose2d(padded, filt, stride=2, padding=2, groups=x.shape[1])
        return grown[:, :, 1:-1, 1:-1]


class Residual(nn.Module):
    def __init__(self, channels: int, norm: Norm, padding: str, *, dropout: bool) -> None:
        super().__init__()
        bias, own = norm is instance, int(padding == "zero")
        pads = [] if own else [nn.ReflectionPad2d(1)]
        parts: list[nn.Module] = [*pads, nn.Conv2d(channels, channels, 3, padding=own, bias=bias)]
        parts += [norm(channels), nn.ReLU(), *([nn.Dropout(0.5).eval()] if dropout else [])]
        parts += [*pads, nn.Conv2d(channels, channels, 3, padding=own, bias=bias), norm(channels)]
        self.conv_block = nn.Sequential(*parts)

    def forward(self, x: Tensor) -> Tensor:
        return x + self.conv_block(x)  # type: ignore[no-any-return]


class ResNet(nn.Module):
    """Twice down, blocks, twice up."""

    def __init__(
        self,
        norm: Norm = instance,
        *,
        width: int = 4,
        blocks: int = 2,
        padding: str = "reflect",
        dropout: bool = False,
        antialias: bool = False,
    ) -> None:
        super().__init__()
        bias = norm is instance
        parts: list[nn.Module] = [nn.ReflectionPad2d(3), nn.Conv2d(3, width, 7, bias=bias)]
        parts += [norm(width), nn.ReLU()]
        for n in (width, 2 * width):
            stride = 1 if antialias else 2
            parts += [nn.Conv2d(n, 2 * n, 3, stride, 1, bias=bias), norm(2 * n), nn.ReLU()]
            parts += [Shrink(2 * n)] if antialias else []
        n = 4 * width
        parts += [Residual(n, norm, padding, dropout=dropout) for _ in range(blocks)]
        for n in (4 * width, 2 * width):
            if antialias:
                parts += [Grow(n), nn.Conv2d(n, n // 2, 3, 1, 1, bias=bias)]
            else:
                parts.append(nn.ConvTranspose2d(n, n // 2, 3, 2, 1, 1, bias=bias))
            parts += [norm(n // 2), nn.ReLU()]
        parts += [nn.ReflectionPad2d(3), nn.Conv2d(width, 3, 7), nn.Tanh()]
        self.model = nn.Sequential(*parts)

    def forward(self, x: Tensor) -> Tensor:
        return self.model(x)  # type: ignore[no-any-return]


class Skip(nn.Module):
    """A step down and up; `inside` is what lies between."""

    def __init__(
        self, outer: int, inner: int, norm: Norm, inside: nn.Module | None, *, outermost: bool
    ) -> None:
        super().__init__()
        self.outermost, bias = outermost, norm is instance
        source = 3 if outermost else outer
        down = nn.Conv2d(source, inner, 4, 2, 1, bias=bias)
        leaky, relu = nn.LeakyReLU(0.2, inplace=True), nn.ReLU(inplace=True)
        width = 2 * inner if inside is not None else inner
        up = nn.ConvTranspose2d(width, outer, 4, 2, 1, bias=bias or outermost)
        if outermost:
            assert inside is not None
            parts = [down, inside, relu, up, nn.Tanh()]
        elif inside is None:
            parts = [leaky, down, relu, up, norm(outer)]
        else:
            parts = [
                leaky,
                down,
                norm(inner),
                inside,
                relu,
                up,
                norm(outer),
                nn.Dropout(0.5).eval(),
            ]
        self.model = nn.Sequential(*parts)

    def forward(self, x: Tensor) -> Tensor:
        return self.model(x) if self.outermost else torch.cat([x, self.model(x)], dim=1)  # type: ignore[no-any-return]


class UNet(nn.Module):
    def __init__(self, norm: Norm = batch, downs: int = 7, width: int = 3) -> None:
        super().__init__()
        block = Skip(8 * width, 8 * width, norm, None, outermost=False)
        for _ in range(downs - 5):
            block = Skip(8 * width, 8 * width, norm, block, outermost=False)
        for n in (4 * width, 2 * width, width):
            block = Skip(n, 2 * n, norm, block, outermost=False)
        self.model = Skip(3, width, norm, block, outermost=True)

    def forward(self, x: Tensor) -> Tensor:
        return self.model(x)  # type: ignore[no-any-return]


def seeded(network: nn.Module) -> nn.Module:
    with torch.no_grad():
        for name, weight in network.named_parameters():
            noise = torch.randn(weight.shape, generator=make_rng(0, name))
            weight.copy_(noise * (0.3 if weight.dim() == 1 else (weight[0].numel()) ** -0.5))
    return network


def saved(network: nn.Module, folder: Path, change: Callable[[State], State] = dict) -> Path:
    path = folder / "latest_net_G.pth"
    torch.save(dict(change(network.state_dict())), path)
    return path


KINDS: dict[str, Callable[[], nn.Module]] = {
    "cyclegan": ResNet,
    "nine blocks": lambda: ResNet(blocks=9, width=2),
    "batch norm": lambda: ResNet(batch),
    "dropout": lambda: ResNet(dropout=True),
    "zero padding": lambda: ResNet(padding="zero"),
    "cut": lambda: ResNet(antialias=True),
    "cut with batch norm": lambda: ResNet(batch, antialias=True, blocks=3),
    "unet_128": UNet,
    "unet_256 with instance norm": lambda: UNet(instance, downs=8),
}


@pytest.mark.parametrize("kind", KINDS)
def test_it_paints_what_its_authors_code_paints(kind: str, tmp_path: Path) -> None:
    theirs = seeded(KINDS[kind]())
    path = saved(theirs, tmp_path)
    own = load_image_net(path)
    side = max(64, own.geometry.stride)
    image = torch.rand(1, 3, side, side, generator=make_rng(1))
    with torch.no_grad():
        expected = theirs(2 * image - 1) / 2 + 0.5
        torch.testing.assert_close(own(image), expected, rtol=1e-4, atol=2e-5)
    assert own.colours == "signed"
    assert expected.std() > 0.01


def old_instance_norms(state: State) -> State:
    """As before torch 0.4: with running statistics that nobody used."""
    more = {
        f"model.{n}.{key}": torch.ones(4) for n in (2, 5) for key in ("running_mean", "running_var")
    }
    return {**state, **more}


@pytest.mark.parametrize(
    "change",
    [
        lambda state: {f"module.{name}": x for name, x in state.items()},
        lambda state: {"state_dict": dict(state), "epoch": torch.tensor(3)},
        old_instance_norms,
    ],
    ids=["DataParallel", "nested", "old instance norms"],
)
def test_wrappings(change: Callable[[State], State], tmp_path: Path) -> None:
    theirs = seeded(ResNet())
    own = load_image_net(saved(theirs, tmp_path, change))
    image = torch.rand(1, 3, 64, 64, generator=make_rng(1))
    with torch.no_grad():
        torch.testing.assert_close(
            own(image), theirs(2 * image - 1) / 2 + 0.5, rtol=1e-4, atol=2e-5
        )


def test_translate_takes_it(photo: Tensor, tmp_path: Path) -> None:
    path = saved(seeded(ResNet()), tmp_path)
    translated = belamy.translate(photo, network=path, device="cpu")
    assert translated.image.shape == photo.shape
    assert float((translated.image - photo).abs().mean()) > 0.01
    assert translated.recipe is not None
    assert translated.recipe.options["network"] == str(path)
    with pytest.raises(WeightsError, match="has no direction 'b-to-a'"):
        belamy.translate(photo, network=path, direction="b-to-a", device="cpu")


def test_half_a_generator_is_refused(tmp_path: Path) -> None:
    def cut_off(state: State) -> State:
        return {name: x for name, x in state.items() if "conv_block.5" not in name}

    def with_more(state: State) -> State:
        return {**state, "model.99.thing": torch.zeros(3)}

    for change in (cut_off, with_more):
        with pytest.raises(WeightsError, match="looks like a generator of CycleGAN, pix2pix or"):
            load_image_net(saved(seeded(ResNet()), tmp_path, change))


def test_one_for_other_pictures_is_refused(tmp_path: Path) -> None:
    theirs = seeded(ResNet())
    theirs.model[1] = nn.Conv2d(1, 4, 7)  # type: ignore[operator, union-attr, index]
    with pytest.raises(WeightsError, match="do not fit together"):
        load_image_net(saved(theirs, tmp_path))
