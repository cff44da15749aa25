"""What the networks inside the package compute, in numbers, on small inputs that are formulas.

Whatever changes one of these has changed every picture that is made with that network.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from torch import Tensor

from belamy.networks.files import cache
from belamy.networks.image_to_image.arbitrary_style import IMAGE, LAYERS
from belamy.networks.load import load_network
from belamy.networks.registry import embedded_names


def image(height: int, width: int) -> Tensor:
    """(1, 3, H, W): two ramps and waves, none like another."""
    y, x = torch.meshgrid(torch.linspace(0, 1, height), torch.linspace(0, 1, width), indexing="ij")
    return torch.stack([y, x, (6 * x + 4 * y).sin() / 2 + 0.5])[None]


def waves(*shape: int) -> Tensor:
    """Numbers from −1 to 1 that repeat nowhere."""
    count = torch.Size(shape).numel()
    return (torch.arange(count, dtype=torch.float64) ** 1.5).sin().float().reshape(shape)


def backbone() -> Tensor:
    activations = load_network("iris", "backbone").network(image(64, 48), ["mixed4b", "logits"])
    return torch.cat([x.flatten() for x in activations.values()])


def painted(name: str, direction: str | None = None) -> Tensor:
    network: Callable[[Tensor], Tensor] = load_network(name, direction=direction).network
    return network(image(64, 64))


def any_style() -> Tensor:
    network = load_network("anystyle", "arbitrary-style").network
    features = {IMAGE: image(32, 48)}
    for layer, channels, stride in zip(LAYERS, (368, 272), (8, 4), strict=True):
        features[layer] = waves(1, channels, 32 // stride, 48 // stride).abs()
    styles = [waves(1, 2 * (3 + 368 + 272)), waves(1, 1286).flip(1)]
    left = torch.linspace(1, 0, 48).expand(1, 1, 32, 48)
    return network(features, [(styles[0], left), (styles[1], 1 - left)])  # type: ignore[no-any-return]


def generator() -> Tensor:
    network = load_network("portraits", "generator").network
    styles = network.truncate(network.styles(2 * waves(2, 128)), 0.7)
    return network.draw(styles)


def fog(name: str) -> Tensor:
    transmission, airlight = load_network(name, "dehaze").network(image(60, 80))
    return torch.cat([transmission.flatten(), airlight.flatten()])


# Mean, standard deviation, and every 1/7 of the numbers.
CASES: dict[str, tuple[Callable[[], Tensor], tuple[float, ...]]] = {
    "iris": (backbone, (0.3001, 0.6499, 0.0000, 0.4720, 0.0000, 0.0000, 0.8697, 0.0000, 4.3275)),
    "starry-night": (
        lambda: painted("starry-night"),
        (0.3845, 0.1524, 0.0378, 0.4166, 0.4482, 0.3043, 0.6533, 0.5031, 0.2284),
    ),
    "great-wave": (
        lambda: painted("great-wave"),
        (0.8958, 0.3681, 0.5806, 0.9399, 0.7656, 1.3650, 1.0490, 1.3653, 1.0405),
    ),
    "the-scream": (
        lambda: painted("the-scream"),
        (0.4407, 0.2214, -0.1226, 0.6271, 0.3429, 0.4869, 0.4431, 0.1574, 0.1705),
    ),
    "composition-vii": (
        lambda: painted("composition-vii"),
        (0.4438, 0.2550, 0.3268, 0.1840, 1.0448, 0.1493, 0.6862, 0.3350, 0.1374),
    ),
    "impressionism": (
        lambda: painted("impressionism", "a-to-b"),
        (0.5052, 0.3224, -0.0441, 0.4710, 0.9073, 0.2559, 0.7599, 0.8238, 0.1323),
    ),
    "impressionism back": (
        lambda: painted("impressionism", "b-to-a"),
        (0.4910, 0.3084, -0.0817, 0.3923, 0.7917, 0.2500, 0.6431, 1.0412, 0.2205),
    ),
    "old-photographs": (
        lambda: painted("old-photographs", "a-to-b"),
        (0.6087, 0.1588, 0.5721, 0.5951, 0.8939, 0.6109, 0.7756, 0.5827, 0.4354),
    ),
    "old-photographs back": (
        lambda: painted("old-photographs", "b-to-a"),
        (0.4298, 0.3810, -0.1522, 0.1565, 0.8451, 0.2001, 0.6785, 0.9496, 0.0025),
    ),
    "anystyle": (
        any_style,
        (0.3922, 0.3241, 0.0098, 0.3262, 0.8123, -0.2718, 0.8508, 0.3435, 0.1061),
    ),
    "portraits": (
        generator,
        (0.2835, 0.1932, 0.2226, 0.1404, 0.5692, 0.2492, 0.5999, 0.4442, 0.4410),
    ),
    "defog": (
        lambda: fog("defog"),
        (0.8592, 0.1073, 1.0000, 1.0000, 0.9302, 0.9034, 0.7614, 0.7619, 0.7485),
    ),
    "defog-1": (
        lambda: fog("defog-1"),
        (0.7633, 0.1817, 1.0000, 1.0000, 0.5146, 0.4728, 0.7815, 0.7746, 0.7878),
    ),
}


def test_each_is_looked_at() -> None:
    assert {name.split()[0] for name in CASES} == set(embedded_names())


@pytest.mark.parametrize("name", CASES)
def test_what_it_computes(name: str) -> None:
    compute, expected = CASES[name]
    with torch.inference_mode():
        numbers = compute().flatten()
    picked = numbers[:: len(numbers) // 7][:7]
    actual = [float(numbers.mean()), float(numbers.std()), *picked.tolist()]
    assert actual == pytest.approx(expected, abs=1e-3)


@pytest.mark.parametrize("name", ["starry-night", "great-wave", "the-scream", "composition-vii"])
def test_style_networks_of_before_still_paint_otherwise_than_today_s(name: str) -> None:
    older = sorted(Path(cache.embedded_path("older")).with_suffix("").glob(f"{name}-*.safetensors"))
    assert older
    with torch.inference_mode():
        today = painted(name)
        for path in older:
            before = painted(str(path))
            assert 0.02 < float((before - today).abs().mean()) < 0.5
            assert -1 < float(before.min()) < float(before.max()) < 2
