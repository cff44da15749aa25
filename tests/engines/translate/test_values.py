"""Translation held to its formulas: signs, weights, pairs, directions, measures."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import torch
import torch.nn.functional as F
from accelerate import Accelerator
from torch import Tensor, nn

from belamy.devices import make_rng
from belamy.engines.translate import evaluate, methods
from belamy.engines.translate.api import TranslateConfig, evaluate_translation, translate
from belamy.engines.translate.methods import GENERATOR_LOSSES, Batch, nce_layers
from belamy.engines.translate.task import TranslateTask
from belamy.networks.gan.patch_mlp import PatchSampleMLP
from belamy.networks.gan.patchgan import initialise
from belamy.networks.image_to_image.load import load_image_net, save_image_net
from belamy.networks.image_to_image.network import build_translation_net
from belamy.pixels.images import save_image
from belamy.training.distribution_metrics import extract_features, kernel_distance
from belamy.training.domains import DomainPair, load_domains
from belamy.training.metrics import psnr, ssim

ARGUMENTS: dict[str, Any] = {"shape": "resnet", "channels": 4, "blocks": 1, "sampling": "resize"}


class Affine(nn.Module):
    """A generator whose results are known."""

    geometry = SimpleNamespace(stride=4)

    def __init__(self, scale: float, shift: float | Tensor) -> None:
        super().__init__()
        self.scale, self.shift = scale, shift

    def forward(self, image: Tensor) -> Tensor:
        return image * self.scale + self.shift


class MeanLogits(nn.Module):
    """A discriminator that takes light pictures for real; it keeps what it was shown."""

    def __init__(self) -> None:
        super().__init__()
        self.gain = nn.Parameter(torch.ones(()))
        self.shown: list[Tensor] = []

    def forward(self, image: Tensor) -> Tensor:
        self.shown.append(image.detach())
        return self.gain * image.mean((1, 2, 3))


def plain(value: float) -> Tensor:
    return torch.full((2, 3, 8, 8), value)


def batch(
    networks: dict[str, nn.Module],
    adversarial: Callable[[str, Tensor], Tensor],
    a: Tensor,
    b: Tensor,
    **options: Any,
) -> Batch:
    config = TranslateConfig("a", "b", **options)
    return Batch(config, networks, a, b, adversarial, make_rng(0, "test"))


def by_domain(domain: str, fake: Tensor) -> Tensor:
    return torch.tensor({"a": 0.7, "b": 0.3}[domain])


@pytest.mark.parametrize("identity", [0.5, 0.0])
def test_cyclegan_is_adversarial_cycle_and_identity(identity: float) -> None:
    networks: dict[str, nn.Module] = {"a-to-b": Affine(1, 0.1), "b-to-a": Affine(0.5, 0.0)}
    made = batch(
        networks, by_domain, plain(0.2), plain(0.6), cycle_weight=4.0, identity_weight=identity
    )
    onward, back = GENERATOR_LOSSES["cyclegan"](made)
    # a → 0.3 → 0.15, against 0.2; G(b) = 0.7, against 0.6; distances are of [−1, 1]
    cycle, same = 2 * 0.05, 2 * 0.1
    assert float(onward.total) == pytest.approx(0.3 + 4 * cycle + 4 * identity * same)
    assert float(onward.losses["cycle"]) == pytest.approx(cycle)
    assert ("identity" in onward.losses) == (identity > 0)
    torch.testing.assert_close(onward.fakes, {"b": plain(0.3)})
    # b → 0.3 → 0.4, against 0.6; F(a) = 0.1, against 0.2
    cycle, same = 2 * 0.2, 2 * 0.1
    assert float(back.total) == pytest.approx(0.7 + 4 * cycle + 4 * identity * same)
    torch.testing.assert_close(back.fakes, {"a": plain(0.3)})


def test_cut_weighs_half_of_both_contrasts(monkeypatch: pytest.MonkeyPatch) -> None:
    pairs: list[tuple[float, float]] = []

    def contrast(batch: Batch, fake: Tensor, picture: Tensor) -> Tensor:
        pairs.append((float(fake.mean()), float(picture.mean())))
        return torch.tensor(0.4 if len(pairs) == 1 else 0.9)

    monkeypatch.setattr(methods, "_patch_nce", contrast)
    options = {"method": "cut", "contrast_weight": 2.0, "identity_weight": 0.3}
    made = batch({"a-to-b": Affine(1, 0.1)}, by_domain, plain(0.2), plain(0.6), **options)
    (part,) = GENERATOR_LOSSES["cut"](made)
    assert pairs == [pytest.approx((0.3, 0.2)), pytest.approx((0.7, 0.6))]
    assert float(part.total) == pytest.approx(0.3 + 2 * (0.4 + 0.3 * 0.9) / 2)


def test_fastcut_compares_in_the_mirror_what_was_translated_in_the_mirror(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    ramp = torch.linspace(0, 0.4, 8)
    a = torch.rand((1, 3, 8, 8), generator=make_rng(1))
    seen: list[tuple[Tensor, Tensor]] = []

    def contrast(batch: Batch, fake: Tensor, picture: Tensor) -> Tensor:
        seen.append((fake, picture))
        return torch.tensor(0.4)

    monkeypatch.setattr(methods, "_patch_nce", contrast)
    made = batch({"a-to-b": Affine(1, ramp)}, by_domain, a, a, method="fastcut", contrast_weight=5)
    for _ in range(12):
        (part,) = GENERATOR_LOSSES["fastcut"](made)
        assert float(part.total) == pytest.approx(0.3 + 5 * 0.4)
    assert all(torch.equal(picture, a) for _, picture in seen)
    mirrored = [torch.allclose(fake, a + ramp.flip(-1)) for fake, _ in seen]
    assert 0 < sum(mirrored) < 12
    straight = [torch.allclose(fake, a + ramp) for fake, _ in seen]
    assert all(one != other for one, other in zip(mirrored, straight, strict=True))


def test_pix2pix_is_conditional(monkeypatch: pytest.MonkeyPatch) -> None:
    shown: list[Tensor] = []

    def adversarial(domain: str, fake: Tensor) -> Tensor:
        shown.append(fake)
        return torch.tensor(0.3)

    networks: dict[str, nn.Module] = {"a-to-b": Affine(1, 0.1)}
    options = {"method": "pix2pix", "pair_weight": 50.0}
    (part,) = GENERATOR_LOSSES["pix2pix"](
        batch(networks, adversarial, plain(0.2), plain(0.6), **options)
    )
    torch.testing.assert_close(shown[0], torch.cat([plain(0.2), plain(0.3)], dim=1))
    torch.testing.assert_close(part.fakes["b"], shown[0])
    assert float(part.total) == pytest.approx(0.3 + 50 * 2 * 0.3)


def test_patch_nce_is_the_cross_entropy_of_each_patch_and_its_own_place() -> None:
    """Park et al. 2020, equation 3, written out; only the translation's side is learned."""
    generator = build_translation_net("resnet", 4, 1)
    initialise(generator, make_rng(0))
    layers, channels = nce_layers(generator)
    mlp = PatchSampleMLP(channels)
    mlp.initialise(make_rng(1))
    fake, picture = (
        torch.rand((1, 3, 16, 16), generator=make_rng(number)).requires_grad_() for number in (2, 3)
    )
    made = batch({"a-to-b": generator, "patch-mlp": mlp}, by_domain, picture, picture, method="cut")
    loss = methods._patch_nce(made, fake, picture)
    loss.backward()  # type: ignore[no-untyped-call]
    assert fake.grad is not None
    assert picture.grad is None
    rng, values = make_rng(0, "test"), []
    queries, keys = (generator.activations(x, layers) for x in (fake, picture))
    for head, query, key in zip(mlp.heads, queries, keys, strict=True):
        places = torch.randperm(query.shape[-1] * query.shape[-2], generator=rng)[:256]
        own, other = (F.normalize(head(x.flatten(2)[0, :, places].T), dim=-1) for x in (query, key))
        values.append(-(own @ other.T / 0.07).log_softmax(1).diag().mean())
    torch.testing.assert_close(loss, torch.stack(values).mean(), rtol=1e-4, atol=1e-5)


def task(tmp_path: Path, **options: Any) -> TranslateTask:
    small = {"size": 64, "generator_channels": 4, "blocks": 1, "discriminator_channels": 4}
    usual = {**small, "discriminator_layers": 1, "precision": "float32", "augment": "never"}
    config = TranslateConfig("a", "b", **{**usual, **options})  # type: ignore[arg-type]
    images = torch.randint(0, 255, (2, 6, 72, 72, 3), generator=make_rng(5)).to(torch.uint8)
    domains = DomainPair(images[0], images[1], paired=config.paired)
    return TranslateTask(config, domains, tmp_path, Accelerator(cpu=True))


@pytest.mark.parametrize(
    ("loss", "expected"),
    [
        ("least-squares", (0.2 - 1) ** 2),  # without the ½, as in CycleGAN's code
        ("non-saturating", float(F.softplus(torch.tensor(-0.2)))),
        ("hinge", -0.2),
    ],
)
def test_the_generators_adversarial_loss(loss: str, expected: float, tmp_path: Path) -> None:
    value = task(tmp_path, loss=loss)._adversarial_loss(
        {"discriminator-b": MeanLogits()}, 0, "b", plain(0.2)
    )
    assert float(value.detach()) == pytest.approx(expected)


def test_the_discriminators_loss_is_the_sum_over_the_domains(tmp_path: Path) -> None:
    made = task(tmp_path, pool=0)
    networks: dict[str, nn.Module] = {f"discriminator-{name}": MeanLogits() for name in "ab"}
    made._update = lambda *rest: None  # type: ignore[method-assign,assignment]
    fakes, real = {"a": plain(0.2), "b": plain(0.4)}, {"a": plain(0.9), "b": plain(0.5)}
    loss = made._discriminator_step(networks, 0, fakes, real, lambda loss: None)
    expected = (0.1**2 + 0.2**2) / 2 + (0.5**2 + 0.4**2) / 2
    assert float(loss.detach()) == pytest.approx(expected)


def test_discriminators_see_what_was_generated_earlier(tmp_path: Path) -> None:
    made, discriminator = task(tmp_path, pool=1), MeanLogits()
    networks: dict[str, nn.Module] = {"discriminator-b": discriminator}
    real = torch.ones((1, 3, 64, 64))
    for index in range(16):
        made._discriminator_loss(networks, index, "b", real, real * index / 16)
    seen = [round(float(both[1].mean()) * 16) for both in discriminator.shown]
    assert seen[0] == 0
    older = [index - one for index, one in enumerate(seen)]
    assert min(older) == 0
    assert 3 <= sum(age > 0 for age in older) <= 13  # half of them


def test_pix2pix_shows_its_discriminator_pictures_beside_their_pairs(tmp_path: Path) -> None:
    made, discriminator = task(tmp_path, method="pix2pix"), MeanLogits()
    made.networks["discriminator-b"] = discriminator
    made._update = lambda *rest: None  # type: ignore[method-assign,assignment]
    made.step(0, lambda loss: None)
    a, b = made._sample_batch(0)
    (_, both) = discriminator.shown
    assert torch.equal(both[:1], torch.cat([a, b], dim=1))
    assert torch.equal(both[1:, :3], a)


def test_first_weights_and_adam_are_the_papers(tmp_path: Path) -> None:
    for generator, spread in (("resnet", 0.02), ("residual", 0.002)):
        made = task(tmp_path, generator=generator, generator_channels=32)
        *_, last = (x for x in made.networks["a-to-b"].modules() if isinstance(x, nn.Conv2d))
        assert float(last.weight.detach().std()) == pytest.approx(spread, rel=0.1)
        for optimizer in made.optimizers.values():
            assert optimizer.param_groups[0]["betas"] == (0.5, 0.999)


def test_evaluation_while_training_measures_change_and_cycle(tmp_path: Path) -> None:
    made = task(tmp_path)
    networks: dict[str, nn.Module] = {"a-to-b": Affine(0.5, 0.1), "b-to-a": Affine(0.8, 0.0)}
    a, b = (made._samples_of(x) for x in (made.domains.a, made.domains.b))
    assert a.shape == (8, 3, 64, 64)
    assert torch.equal(a[-1], made.domains.a[-1, 4:68, 4:68].permute(2, 0, 1) / 255)
    metrics = made.evaluate(networks, made.total_steps)
    expected = {
        "change_a_to_b": (a * 0.5 + 0.1 - a).abs().mean(),
        "cycle_a": ((a * 0.5 + 0.1) * 0.8 - a).abs().mean(),
        "change_b_to_a": (b * 0.8 - b).abs().mean(),
        "cycle_b": (b * 0.8 * 0.5 + 0.1 - b).abs().mean(),
    }
    assert metrics == {name: pytest.approx(float(value)) for name, value in expected.items()}


def test_defaults_are_the_papers() -> None:
    made = {name: TranslateConfig("a", "b", method=name) for name in methods.GENERATOR_LOSSES}  # type: ignore[arg-type]
    assert made["cut"].contrast_weight == made["cut"].identity_weight == 1
    assert made["fastcut"].contrast_weight == 10
    assert (made["cut"].pool, made["fastcut"].pool, made["pix2pix"].pool) == (0, 0, None)
    assert made["pix2pix"].pair_weight == 100
    assert made["pix2pix"].loss == "non-saturating"
    assert [name for name, config in made.items() if config.paired] == ["pix2pix"]


@pytest.fixture
def network(tmp_path: Path) -> Path:
    path = tmp_path / "net.safetensors"
    both = {name: build_translation_net(**ARGUMENTS) for name in ("a-to-b", "b-to-a")}
    for name, one in both.items():
        initialise(one, make_rng(0, name))
        with torch.no_grad():
            for weight in one.parameters():
                weight.mul_(3)  # enough to be seen
    words = {"network": "translation", "style": "", "trained_on": ""}
    save_image_net(path, both, arguments=ARGUMENTS, **words)
    return path


@pytest.mark.parametrize("direction", ["a-to-b", "b-to-a"])
def test_a_translation_is_the_networks_own_blended_in(direction: Any, network: Path) -> None:
    image = torch.rand((1, 3, 64, 64), generator=make_rng(1))
    with torch.inference_mode():
        whole = load_image_net(network, direction)(image).clamp(0, 1)
    made = translate(image, network=network, direction=direction)
    torch.testing.assert_close(made.image, whole, atol=1e-5, rtol=0)
    third = translate(image, network=network, direction=direction, strength=0.3)
    torch.testing.assert_close(third.image, image + 0.3 * (whole - image), atol=1e-5, rtol=0)


@pytest.mark.parametrize("direction", ["a-to-b", "b-to-a"])
def test_metrics_are_between_translations_and_the_other_domain(
    direction: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("BELAMY_HOME", str(tmp_path / "home"))
    for number in range(50):
        for name, light in (("a", 1.0), ("b", 0.5)):
            rough = torch.rand((1, 3, 4, 4), generator=make_rng(number, name))
            image = F.interpolate(rough, (32, 32), mode="bicubic").clamp(0, 1) * light
            save_image(image, tmp_path / name / f"{number:02}.png")
    generators = {"a-to-b": Affine(0.6, 0.0), "b-to-a": Affine(1.5, 0.05)}
    monkeypatch.setattr(evaluate, "find_network", lambda path, kind: Path(path))
    monkeypatch.setattr(evaluate, "load_image_net", lambda path, way: generators[way])
    folders = str(tmp_path / "a"), str(tmp_path / "b")
    found = evaluate_translation("net", *folders, direction=direction, size=32, pairs=True)

    domains = load_domains(*folders, 32, paired=True)
    a, b = (x.permute(0, 3, 1, 2).float() / 255 for x in (domains.a, domains.b))
    own, other = (a, b) if direction == "a-to-b" else (b, a)
    back = "b-to-a" if direction == "a-to-b" else "a-to-b"
    fakes = generators[direction](own).clamp(0, 1)
    home = generators[back](fakes).clamp(0, 1)
    features = [extract_features(x, "iris") for x in (other, fakes, own)]
    pairs = list(zip(fakes.split(1), other.split(1), strict=True))
    expected = {
        "kid": kernel_distance(*features[:2]),
        "kid_before": kernel_distance(features[0], features[2]),
        "change": float((fakes - own).abs().mean()),
        "cycle": float((home - own).abs().mean()),
        "psnr": sum(psnr(*pair) for pair in pairs) / 50,
        "ssim": sum(ssim(*pair) for pair in pairs) / 50,
    }
    for name, value in expected.items():
        assert found[name] == pytest.approx(value, rel=1e-3), name
