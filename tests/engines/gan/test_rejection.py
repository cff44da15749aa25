"""Pictures without a face are drawn again, the same ones in every command."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from torch import Tensor

from belamy.engines.gan import rejection
from belamy.engines.gan.rejection import ATTEMPTS, LEAST_LOGIT, FaceRejection
from belamy.engines.gan.sample_api import gan_edit, gan_mix, gan_paint, gan_paint_steps
from belamy.engines.gan.sampler import Sampler
from belamy.networks.face_detector import FaceDetector, load_detector, portrait_logits
from belamy.networks.gan.latents import draw, draw_styles
from belamy.renamed import current_options

Painters = Callable[..., Path]


@pytest.fixture
def painter(painters: Painters) -> str:
    return str(painters())


@pytest.fixture
def judged(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """A judge to whom about half of all pictures are faces; and what it said."""
    said: list[float] = []

    def judge(images: Tensor, detector: FaceDetector) -> Tensor:
        digits = round(float(images.double().mean()) * 1e6)
        said.append(LEAST_LOGIT + 1 if digits % 2 else LEAST_LOGIT - 1 - digits % 1000 / 1000)
        return torch.tensor([said[-1]], dtype=torch.float64)

    monkeypatch.setattr(rejection, "portrait_logits", judge)
    return said


def test_the_next_latents_of_a_number_take_the_place_of_rejected_ones(
    painter: str, judged: list[float]
) -> None:
    sampler = Sampler(painter, rejection="face", device="cpu")
    styles = sampler.sample(range(1, 13), 3)
    attempts = iter(judged)
    counts = []
    for number, own in enumerate(styles, start=1):
        count = 1
        while next(attempts) < LEAST_LOGIT:
            count += 1
        first = draw_styles(sampler.generator, [number], seed=3, truncation=0.8, attempt=count - 1)
        assert torch.equal(own, first[0])
        counts.append(count)
    assert min(counts) == 1 < max(counts)


def test_a_picture_is_the_same_whatever_is_drawn_with_it(painter: str, judged: list[float]) -> None:
    sampler = Sampler(painter, rejection="face", device="cpu")
    many = sampler.sample(range(1, 9), 0)
    assert torch.equal(many[4:5], sampler.sample([5], 0))
    assert torch.equal(many[4:5], sampler.sample_one("0:5"))


def test_where_all_are_rejected_the_best_is_kept(
    painter: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    logits = [-float(abs(attempt - 6)) for attempt in range(ATTEMPTS)]
    said = iter(logits)
    monkeypatch.setattr(rejection, "portrait_logits", lambda *_: torch.tensor([next(said)]))
    sampler = Sampler(painter, rejection="face", device="cpu")
    kept = sampler.sample([1], 0)
    best = draw_styles(sampler.generator, [1], truncation=0.8, attempt=6)
    assert torch.equal(kept, best)
    assert next(said, None) is None  # none was left out


def test_unlikely_portraits_have_a_face() -> None:
    """At a truncation of 1.4 many of the painter's latents have none; drawn again, hardly any."""
    found = {}
    for choice in ("none", "face"):
        sampler = Sampler("portraits", truncation=1.4, rejection=choice, device="cpu")
        styles = sampler.sample(range(1, 13), 1)
        with torch.inference_mode():
            found[choice] = portrait_logits(draw(sampler.generator, styles), load_detector())
    assert int((found["none"] < LEAST_LOGIT).sum()) >= 2
    assert int((found["face"] < LEAST_LOGIT - 0.01).sum()) == 0
    had = found["none"] > LEAST_LOGIT + 0.01
    torch.testing.assert_close(found["face"][had], found["none"][had])  # those stay


def test_portraits_are_judged_at_the_detectors_size() -> None:
    painted = Sampler("portraits", device="cpu")([2])
    detector = load_detector()
    with torch.inference_mode():
        own = portrait_logits(painted, detector)
        large = torch.nn.functional.interpolate(painted, size=(256, 256), mode="bicubic")
        grey = portrait_logits(torch.full((2, 3, 64, 64), 0.5), detector)
        assert float((portrait_logits(large, detector) - own).abs()) < 1.5
    assert float(own) > LEAST_LOGIT
    assert grey.shape == (2,)
    assert float(grey.max()) < 0


def test_only_the_painter_inside_the_package_is_judged_by_itself(painter: str) -> None:
    assert Sampler("portraits", rejection="auto", device="cpu").rejection == "face"
    assert Sampler(painter, rejection="auto", device="cpu").rejection == "none"
    step = gan_paint(count=1)
    assert step.recipe is not None
    assert step.recipe.options["rejection"] == "face"
    assert set(step.recipe.weights) == {"portraits.safetensors", "faces", "iris"}
    step = gan_paint(painter, count=1)
    assert step.recipe is not None
    assert step.recipe.options["rejection"] == "none"
    assert len(step.recipe.weights) == 1


def test_other_commands_take_the_same_picture(painter: str, judged: list[float]) -> None:
    singles = gan_paint_steps(painter, count=6, seed=3, sheet=False, rejection="face")
    painted = {number: step.image for number, step in enumerate(singles, start=1)}
    plain = gan_paint_steps(painter, count=6, seed=3, sheet=False)
    moved = [
        number
        for number, step in enumerate(plain, start=1)
        if not torch.allclose(step.image, painted[number], atol=1e-3)
    ]
    assert moved
    name = f"3:{moved[0]}"
    edited = gan_edit(name, network=painter, direction=1, amount=0, rejection="face")
    mixed = gan_mix(name, name, network=painter, by="latents", count=1, rejection="face")
    assert torch.allclose(mixed.image, edited.image, atol=1e-4)
    assert torch.allclose(edited.image, painted[moved[0]], atol=1e-4)


@pytest.mark.parametrize("engine", ["gan-paint", "gan-walk", "gan-mix", "gan-edit"])
def test_older_pictures_had_no_judge(engine: str) -> None:
    assert current_options(engine, {"network": "portraits"})["rejection"] == "none"


def test_the_recipe_names_the_judge(painter: str) -> None:
    generator = Sampler(painter, device="cpu").generator
    weights = FaceRejection(generator).weights
    assert set(weights) == {"faces", "iris"}
    assert all(len(digest) == 64 for digest in weights.values())
