"""Patches that must be recognised."""

from __future__ import annotations

import math

import torch
from torch.nn.functional import normalize

from belamy.devices import make_rng
from belamy.networks.gan.patch_mlp import PatchSampleMLP
from belamy.objectives.patch_nce import patch_nce_loss


def directions(seed: int) -> torch.Tensor:
    return normalize(torch.randn((2, 6, 5), generator=make_rng(seed)).double(), dim=-1)


def test_by_its_formula() -> None:
    queries, keys = directions(0), directions(1)
    wanted = 0.0
    for q, k in zip(queries, keys, strict=True):
        for i in range(6):
            scores = [math.exp(float(q[i] @ k[j]) / 0.5) for j in range(6)]
            wanted -= math.log(scores[i] / sum(scores)) / 12
    assert math.isclose(float(patch_nce_loss(queries, keys, temperature=0.5)), wanted)


def test_slopes() -> None:
    queries, keys = directions(0).requires_grad_(), directions(1).requires_grad_()
    assert torch.autograd.gradcheck(
        lambda q, k: patch_nce_loss(q, k, temperature=0.5), (queries, keys)
    )


def test_it_is_least_where_every_patch_is_its_own() -> None:
    own = torch.eye(6, dtype=torch.float64).expand(2, 6, 6)
    assert patch_nce_loss(own, own) < 1e-5
    assert patch_nce_loss(own, own.flip(1)) > 10


def test_heads_give_directions_of_the_places_asked() -> None:
    heads = PatchSampleMLP([3, 8], width=16)
    heads.initialise(make_rng(0))
    layers = [torch.rand(2, 3, 6, 6), torch.rand(2, 8, 3, 3)]
    places = [torch.tensor([0, 7, 35]), torch.tensor([8])]
    first, second = heads(layers, places)
    assert first.shape == (2, 3, 16)
    assert second.shape == (2, 1, 16)
    torch.testing.assert_close(first.norm(dim=-1), torch.ones(2, 3))
    alone, _ = heads([layers[0][:, :, 1:2, 1:2], layers[1]], [torch.tensor([0]), places[1]])
    torch.testing.assert_close(alone[:, 0], first[:, 1])
