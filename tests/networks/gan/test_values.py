"""What generators and discriminators compute, in numbers, with weights that are a formula."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor, nn

from belamy.networks.gan.generator import GeneratorArguments
from belamy.networks.gan.light import _minibatch_deviation
from belamy.networks.gan.patchgan import PatchDiscriminator
from belamy.networks.registry import build_discriminator, build_generator, names_of

ARGUMENTS = GeneratorArguments(32, 6, 0.1, ("dark", "light"))
LABELS = torch.tensor([0, 1, 1, 0])


def waves(*shape: int) -> Tensor:
    """Numbers from −1 to 1 that repeat nowhere."""
    count = torch.Size(shape).numel()
    return (torch.arange(1, count + 1, dtype=torch.float64) ** 1.5).sin().float().reshape(shape)


def fill(network: nn.Module) -> nn.Module:
    """Weights of about the size at which what passes keeps its own."""
    with torch.no_grad():
        for number, (name, weight) in enumerate(sorted(network.named_parameters())):
            fan = weight[0].numel() if weight.ndim > 1 else 16
            equalized = weight.ndim > 1 and "embedding" not in name and hasattr(network, "dense")
            scale = 1.5 if equalized else (2 / fan) ** 0.5
            weight.copy_(waves(*weight.shape) * scale * (1 + number % 3) / 2)
    return network.eval()


# Of the labels, then of the others.
LOGITS: dict[str, tuple[float, ...]] = {
    "light": (2.6429, 2.6105, 2.5323, 2.8849, 2.584, 2.6669, 2.5865, 2.8273),
    "dcgan": (-0.2621, -0.329, -0.3269, -0.2669, -0.3276, -0.2635, -0.2614, -0.3324),
    "art-dcgan": (0.2487, 0.1865, 0.1857, 0.2461, 0.1879, 0.2473, 0.2464, 0.1852),
    "vanilla": (5.1712, 7.1867, 6.4789, 3.144, 5.1826, 7.2307, 6.5353, 3.1792),
}
# Mean, standard deviation, and every fifth of the numbers.
IMAGES: dict[str, tuple[float, ...]] = {
    "light": (0.5982, 0.4313, 1.0, 0.0, 0.7907, 0.8013, 1.0),
    "dcgan": (0.5151, 0.0766, 0.558, 0.3999, 0.6444, 0.5722, 0.5348),
    "art-dcgan": (0.5004, 0.0878, 0.4924, 0.3594, 0.5361, 0.5975, 0.4702),
    "vanilla": (0.4959, 0.2711, 1.0, 0.4838, 0.6254, 0.2733, 0.7871),
}
PATCHES: tuple[float, ...] = (0.6965, 0.6984, 0.2575, 1.9283, 0.5674, 2.0177)


@pytest.mark.parametrize("name", names_of("generator"))
def test_discriminators(name: str) -> None:
    network = fill(build_discriminator(name, ARGUMENTS))
    with torch.no_grad():
        logits = network(waves(4, 3, 32, 32) / 2 + 0.5, LABELS).flatten()
        other = network(waves(4, 3, 32, 32) / 2 + 0.5, 1 - LABELS).flatten()
    actual = [*logits.tolist(), *other.tolist()]
    assert actual == pytest.approx(LOGITS[name], abs=1e-3, rel=1e-3)


@pytest.mark.parametrize("name", names_of("generator"))
def test_generators(name: str) -> None:
    network = fill(build_generator(name, ARGUMENTS))
    with torch.no_grad():
        images = network(waves(4, 6) * 2, LABELS).flatten()
    actual = [float(images.mean()), float(images.std()), *images[:: len(images) // 5][:5].tolist()]
    assert actual == pytest.approx(IMAGES[name], abs=1e-3)


def test_minibatch_deviation_is_that_of_each_group() -> None:
    """Over groups of four, pictures i and i + N/4 …: its mean over all features, as one map."""
    x = waves(8, 3, 2, 2)
    groups = x.reshape(4, 2, 12)
    deviation = groups.std(dim=0, correction=0).mean(dim=1)  # (2,)
    expected = deviation.repeat(4)[:, None, None, None].expand(8, 1, 2, 2)
    torch.testing.assert_close(_minibatch_deviation(x), expected)
    assert float(_minibatch_deviation(x[:1].expand(4, -1, -1, -1)).max()) < 2e-4


def test_patchgan() -> None:
    network = fill(PatchDiscriminator(4, 2))
    with torch.no_grad():
        logits = network(waves(1, 3, 32, 32) / 2 + 0.5)
    assert logits.shape == (1, 1, 6, 6)
    picked = [float(logits.mean()), float(logits.std()), *logits.flatten()[::9].tolist()]
    assert picked == pytest.approx(PATCHES, abs=1e-3)
