from __future__ import annotations

import pytest
import torch

from belamy.networks.backbone import load_backbone
from belamy.networks.gan.generator import GeneratorArguments
from belamy.networks.gan.projected import ProjectedDiscriminator, choose_feature_layers
from belamy.networks.registry import build_discriminator

SIDE = 64


@pytest.fixture(scope="module")
def discriminator() -> ProjectedDiscriminator:
    torch.manual_seed(0)
    pixels = build_discriminator("light", GeneratorArguments(SIDE, 8, 0.1))
    backbone = load_backbone("iris")
    return ProjectedDiscriminator(pixels, backbone, choose_feature_layers(backbone), SIDE)


def test_one_logit_of_the_pixels_and_as_many_as_said_of_each_level(
    discriminator: ProjectedDiscriminator,
) -> None:
    assert discriminator.layers == ("mixed3b", "mixed4c", "mixed5b")
    logits = discriminator(torch.rand(2, 3, SIDE, SIDE))
    assert discriminator.counts == (1, 16, 16, 16)
    assert logits.shape == (2, sum(discriminator.counts))
    assert logits.dtype == torch.float32


def test_the_frozen_network_is_no_part_of_it(discriminator: ProjectedDiscriminator) -> None:
    words = {name.split(".")[0] for name in discriminator.state_dict()}
    assert words == {"pixels", "across", "down", "heads"}
    learned = {n.split(".")[0] for n, p in discriminator.named_parameters() if p.requires_grad}
    assert learned == {"pixels", "heads"}


def test_gradients_reach_a_generator_through_the_features(
    discriminator: ProjectedDiscriminator,
) -> None:
    image = torch.rand(2, 3, SIDE, SIDE, requires_grad=True)
    logits = discriminator(image * 1.0)
    (through,) = torch.autograd.grad(logits[:, 1:].sum(), image)
    assert through.abs().sum() > 0


def test_a_penalty_s_pictures_reach_the_pixels_alone(
    discriminator: ProjectedDiscriminator,
) -> None:
    leaf = torch.rand(2, 3, SIDE, SIDE, requires_grad=True)
    logits = discriminator(leaf)
    (pixels,) = torch.autograd.grad(logits[:, 0].sum(), leaf, retain_graph=True)
    assert pixels.abs().sum() > 0
    (features,) = torch.autograd.grad(logits[:, 1:].sum(), leaf)
    assert not features.any()


def test_no_discriminator_is_steeper_than_one(discriminator: ProjectedDiscriminator) -> None:
    discriminator.train()
    for _ in range(20):  # power iterations
        discriminator(torch.rand(2, 3, SIDE, SIDE))
    for head in discriminator.heads:
        for layer in head.layers:
            if hasattr(layer, "weight"):
                weight = layer.weight.detach().flatten(1)
                assert float(torch.linalg.matrix_norm(weight, 2)) < 1.1
