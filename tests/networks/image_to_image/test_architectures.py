"""The shapes of networks that translate: sizes, weights, how far they look, tiles that fit."""

from __future__ import annotations

import pytest
import torch

from belamy.devices import make_rng
from belamy.networks.gan.patchgan import initialise
from belamy.networks.image_to_image.architectures import SAMPLINGS, SHAPES
from belamy.networks.image_to_image.network import ImageTransformNet, build_translation_net


def small(shape: str, sampling: str) -> ImageTransformNet:
    made = build_translation_net(shape, 4, 1, sampling)
    initialise(made, make_rng(0, "weights"))
    return made.eval()


every = pytest.mark.parametrize(
    ("shape", "sampling"), [(shape, sampling) for shape in SHAPES for sampling in SAMPLINGS]
)


@pytest.mark.parametrize("sampling", SAMPLINGS)
def test_the_default_has_as_many_weights_as_cyclegans(sampling: str) -> None:
    with torch.device("meta"):
        network = build_translation_net(sampling=sampling)
    assert sum(parameter.numel() for parameter in network.parameters()) == 11_378_179


@every
def test_the_size_is_kept(shape: str, sampling: str) -> None:
    network = small(shape, sampling)
    step = network.geometry.stride
    made = network(torch.rand((2, 3, 64, 64 + step), generator=make_rng(1)))
    assert made.shape == (2, 3, 64, 64 + step)
    assert made.isfinite().all()


@every
def test_the_margin_reaches_as_far_as_the_network_looks(shape: str, sampling: str) -> None:
    network = small(shape, sampling)
    side = 2 * (network.geometry.margin // 32 + 2) * 32
    fixed = network.fix_statistics(torch.rand((1, 3, 64, 64), generator=make_rng(1)))
    image = torch.rand((1, 3, side, side), generator=make_rng(2)).requires_grad_()
    fixed(image)[0, :, side // 2, side // 2].sum().backward()
    assert image.grad is not None
    rows, columns = image.grad[0].abs().sum(dim=0).nonzero().T
    reach = max(int((rows - side // 2).abs().max()), int((columns - side // 2).abs().max()))
    assert 5 < reach <= network.geometry.margin


@every
def test_pictures_of_a_batch_do_not_see_each_other(shape: str, sampling: str) -> None:
    network = small(shape, sampling)
    pair = torch.rand((2, 3, 64, 64), generator=make_rng(1))
    torch.testing.assert_close(
        network(pair), torch.cat([network(pair[:1]), network(pair[1:])]), atol=1e-5, rtol=1e-5
    )


@pytest.mark.parametrize(("sampling", "smooth"), [("antialiased", True), ("transposed", False)])
def test_what_is_filtered_leaves_no_checkerboard(sampling: str, smooth: bool) -> None:
    """On a flat picture, far from its edges, a network has nothing to tell one pixel from the next
    but its own grid."""
    network = small("resnet", sampling).requires_grad_(False)
    flat = network.fix_statistics(torch.rand((1, 3, 64, 64), generator=make_rng(1)))
    made = flat(torch.full((1, 3, 256, 256), 0.4))[..., 124:132, 124:132]
    spread = float(made.flatten(2).std(dim=2).max())
    assert (spread < 1e-6) == smooth


def test_tones_draw_nothing() -> None:
    """A plain picture stays plain; a pixel's own colour decides most of what it becomes."""
    network = build_translation_net("tones", 4, 1, norm="none")
    initialise(network, make_rng(0, "weights"))
    plain = torch.tensor([0.2, 0.5, 0.8]).view(1, 3, 1, 1).expand(1, 3, 64, 64)
    with torch.no_grad():
        made = network(plain)
        torch.testing.assert_close(made, made[..., :1, :1].expand_as(made), atol=1e-6, rtol=0)
        spotted = plain.clone()
        spotted[..., 32, 32] += 0.2
        change = (network(spotted) - made).abs().sum(1)[0]
    assert float(change[32, 32]) > 10 * float(change.flatten().topk(2).values[1])
