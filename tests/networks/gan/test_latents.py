"""Styles by number, on circles, along principal directions, and in files."""

from __future__ import annotations

import math
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from torch import Tensor

from belamy.errors import OptionError, WeightsError
from belamy.networks.files.tensors import write_tensors
from belamy.networks.gan.generator import Generator
from belamy.networks.gan.latents import (
    draw,
    draw_styles,
    load_styles,
    principal_directions,
    save_styles,
    slerp,
)
from belamy.networks.load import load_network

Painters = Callable[..., Path]


@pytest.fixture(params=["light", "dcgan"])
def painter(request: pytest.FixtureRequest, painters: Painters) -> Generator:
    return load_network(painters(request.param), "generator").network


def test_a_picture_depends_on_its_seed_and_number_alone(painter: Generator) -> None:
    many, one = draw_styles(painter, [1, 2, 3, 4], seed=5), draw_styles(painter, [3], seed=5)
    assert torch.allclose(many[2], one[0], atol=1e-5)
    assert not torch.allclose(many[0], many[1])
    assert not torch.allclose(draw_styles(painter, [3], seed=6), one)


def test_styles_draw_what_the_latents_would(painter: Generator) -> None:
    styles = draw_styles(painter, [1, 2])
    assert styles.shape[1] == painter.resolutions
    with torch.inference_mode():
        assert torch.allclose(draw(painter, styles), painter.draw(styles[:, 0]), atol=1e-5)


def test_truncation_moves_towards_the_most_ordinary_picture(painter: Generator) -> None:
    centre = painter.mean_style()
    own = draw_styles(painter, [1, 2, 3])[:, 0] - centre
    half = draw_styles(painter, [1, 2, 3], truncation=0.5)[:, 0] - centre
    assert torch.allclose(half, own / 2, atol=1e-5)
    assert float((draw_styles(painter, [1], truncation=0)[:, 0] - centre).abs().max()) < 1e-5


def test_labels_are_drawn_by_lot_or_as_asked(painters: Painters) -> None:
    painter = load_network(painters("light", ("dark", "light")), "generator").network
    first, second = (draw_styles(painter, [1, 2, 3, 4], label=label) for label in (0, 1))
    lots = draw_styles(painter, [1, 2, 3, 4])
    assert not torch.allclose(first, second)
    for index in range(4):
        near = [torch.allclose(lots[index], kind[index], atol=1e-5) for kind in (first, second)]
        assert sum(near) == 1


def test_slerp_keeps_its_distance_from_the_centre_and_its_pace() -> None:
    centre = torch.tensor([1.0, 2.0])
    first, second = centre + torch.tensor([3.0, 0.0]), centre + torch.tensor([0.0, 3.0])
    shares = torch.linspace(0, 1, 5)
    way = slerp(first.expand(5, 2), second.expand(5, 2), shares, centre) - centre
    assert torch.allclose(way.norm(dim=1), torch.full((5,), 3.0), atol=1e-5)
    angles = torch.atan2(way[:, 1], way[:, 0])
    assert torch.allclose(angles, shares * math.pi / 2, atol=1e-5)


@pytest.mark.parametrize("other", [(3.0, 0.0), (6.0, 0.0), (3.0, 1e-6), (-3.0, 0.0), (0.0, 0.0)])
def test_slerp_of_one_line_is_the_line_and_no_nan(other: tuple[float, float]) -> None:
    first, second = torch.tensor([3.0, 0.0]), torch.tensor(other)
    for share in (0.0, 0.3, 1.0):
        found = slerp(first, second, share, torch.zeros(2))
        assert bool(found.isfinite().all())
    if other[0] > 0:
        assert torch.allclose(slerp(first, second, 0.5, torch.zeros(2)), (first + second) / 2)
    assert torch.allclose(slerp(first, second, 1.0, torch.zeros(2)), second, atol=1e-5)


def test_principal_directions_are_strongest_first_and_at_right_angles(painters: Painters) -> None:
    painter = load_network(painters("light"), "generator").network
    found = principal_directions(painter, 6)
    lengths = found.norm(dim=1)
    assert torch.equal(lengths, lengths.sort(descending=True).values)
    cosines = (found / lengths[:, None]) @ (found / lengths[:, None]).mT
    assert torch.allclose(cosines, torch.eye(6), atol=1e-3)
    styles = draw_styles(painter, range(1, 500))[:, 0]
    spread = (styles @ (found[0] / lengths[0])).std()
    assert float(spread) == pytest.approx(float(lengths[0]), rel=0.15)
    assert bool((found.gather(1, found.abs().argmax(1, keepdim=True)) > 0).all())


def test_directions_of_a_classic_painter_change_its_pictures_most(painters: Painters) -> None:
    painter = load_network(painters("dcgan"), "generator").network
    found = principal_directions(painter, 3)
    base = draw_styles(painter, range(1, 33))

    def change(way: Tensor) -> float:
        moved = base + 2 * way / way.norm()
        with torch.inference_mode():
            return float((draw(painter, moved) - draw(painter, base)).square().mean())

    chance = torch.Generator().manual_seed(0)
    usual = [change(torch.randn(found.shape[1], generator=chance)) for _ in range(8)]
    assert change(found[0]) > sum(usual) / len(usual)


def test_directions_that_are_not_there_are_refused(painter: Generator) -> None:
    with pytest.raises(OptionError, match="direction 999"):
        principal_directions(painter, 999)


def test_files_bring_back_what_was_saved(painter: Generator, tmp_path: Path) -> None:
    styles = draw_styles(painter, [1, 2, 3])
    path = tmp_path / "three.safetensors"
    save_styles(path, styles, network="x.safetensors", sha256="0" * 64)
    assert torch.equal(load_styles(path, painter), styles)


def test_plain_latents_are_mapped(painter: Generator, tmp_path: Path) -> None:
    z = torch.randn(2, painter.latent, generator=torch.Generator().manual_seed(0))
    path = tmp_path / "z.safetensors"
    write_tensors(path, {"latents": z}, {})
    with torch.inference_mode():
        wanted = painter.styles(z)
    assert torch.allclose(load_styles(path, painter)[:, 0], wanted)


def test_latents_of_another_kind_are_refused(painters: Painters, tmp_path: Path) -> None:
    painter, other = (
        load_network(painters("light"), "generator").network,
        load_network(painters("dcgan"), "generator").network,
    )
    path = tmp_path / "x.safetensors"
    save_styles(path, draw_styles(other, [1]), network="x", sha256="0" * 64)
    with pytest.raises(WeightsError, match=r"1×24 numbers each, this generator's have 3×256"):
        load_styles(path, painter)
    with pytest.raises(OptionError, match="label already"):
        load_styles(path, other, label=0)
    write_tensors(path, {"latents": torch.zeros(3, 5)}, {})
    with pytest.raises(WeightsError, match="5 numbers each, this generator's have 24"):
        load_styles(path, painter)
    write_tensors(path, {"latents": torch.zeros(0, 24)}, {})
    with pytest.raises(WeightsError, match="another generator's"):
        load_styles(path, painter)
    write_tensors(path, {"latents": torch.full((1, 24), float("nan"))}, {})
    with pytest.raises(WeightsError, match="no numbers"):
        load_styles(path, painter)
    write_tensors(path, {"weight": torch.zeros(3)}, {})
    with pytest.raises(WeightsError, match="holds no latents; name a file"):
        load_styles(path, painter)
    path.write_bytes(b"no safetensors at all, but long enough")
    for missing in (path, tmp_path / "none.safetensors"):
        with pytest.raises(WeightsError):
            load_styles(missing, painter)
    with pytest.raises(OptionError, match=r"saved as \.safetensors"):
        save_styles(tmp_path / "x.pt", draw_styles(painter, [1]), network="x", sha256="0" * 64)
