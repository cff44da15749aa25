"""Measures of how real pictures look: against their formulas, and against what a person expects."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor

from belamy.devices import make_rng
from belamy.errors import (
    BelamyError,
    DataError,
    MissingExtra,
    OptionError,
    UnknownName,
    WeightsError,
)
from belamy.training import distribution_metrics, feature_extractors
from belamy.training.distribution_metrics import (
    extract_features,
    features_name,
    frechet_distance,
    kernel_distance,
    kernel_distances,
    precision_recall,
)


def cloud(count: int, *, mean: float = 0.0, spread: float = 1.0, seed: int = 0) -> Tensor:
    noise = torch.randn(count, 6, generator=make_rng(seed, "cloud"), dtype=torch.float64)
    return noise * spread + mean


def whitened(points: Tensor) -> Tensor:
    """With mean 0 and covariance 1 exactly, so that formulas can be computed by hand."""
    centred = points - points.mean(0)
    values, vectors = torch.linalg.eigh(torch.cov(centred.mT))
    return centred @ vectors @ torch.diag(values.rsqrt()) @ vectors.mT


def test_frechet_of_gaussians_that_are_known() -> None:
    points = whitened(cloud(400))
    spreads = torch.tensor([0.5, 1, 2, 3, 1, 1], dtype=torch.float64)
    moved = points.flip(0) * spreads + 0.5
    wanted = 6 * 0.25 + float((spreads - 1).square().sum())
    assert frechet_distance(points, moved) == pytest.approx(wanted, rel=1e-9)


def test_frechet_agrees_with_the_root_of_the_product() -> None:
    sqrtm = pytest.importorskip("scipy.linalg").sqrtm
    mixing = torch.randn(6, 6, generator=make_rng(1, "mixing"), dtype=torch.float64)
    a, b = cloud(300) @ mixing, cloud(200, mean=0.3, seed=1)
    covariances = torch.cov(a.mT), torch.cov(b.mT)
    root = torch.from_numpy(sqrtm((covariances[0] @ covariances[1]).numpy()).real)
    gap = (a.mean(0) - b.mean(0)).square().sum()
    wanted = gap + covariances[0].trace() + covariances[1].trace() - 2 * root.trace()
    assert frechet_distance(a, b) == pytest.approx(float(wanted), rel=1e-8)


def test_frechet_is_nothing_between_equals_even_when_a_feature_is_dead() -> None:
    points = cloud(200)
    points[:, 2] = 0  # a singular covariance, where roots of products fail
    assert frechet_distance(points, points) == pytest.approx(0, abs=1e-9)
    assert frechet_distance(points, points + 2) == pytest.approx(6 * 4, rel=1e-9)


def test_frechet_does_not_depend_on_the_order_of_the_two_or_of_pictures() -> None:
    a, b = cloud(200), cloud(150, mean=1, spread=2, seed=1)
    shuffled = a[torch.randperm(200, generator=make_rng(0, "order"))]
    assert frechet_distance(a, b) == pytest.approx(frechet_distance(b, shuffled), rel=1e-9)


def test_kernel_distance_is_its_formula_on_the_whole_sets() -> None:
    a, b = cloud(60), cloud(60, mean=0.5, seed=1)

    def kernel(x: Tensor, y: Tensor) -> float:
        return float((x @ y / 6 + 1) ** 3)

    within = sum(kernel(x[i], x[j]) for x in (a, b) for i in range(60) for j in range(60) if i != j)
    across = sum(kernel(x, y) for x in a for y in b)
    wanted = within / (60 * 59) - 2 * across / 3600
    assert kernel_distance(a, b, subsets=1) == pytest.approx(wanted, rel=1e-9)


def test_kernel_distance_has_no_bias() -> None:
    """Two draws from one distribution: small sets give values around 0, some of them below."""
    found = torch.stack(
        [
            kernel_distances(cloud(60, seed=seed), cloud(60, seed=seed + 100), subsets=1)[0]
            for seed in range(40)
        ]
    )
    assert float(found.min()) < 0 < float(found.max())
    assert abs(float(found.mean())) < 2 * float(found.std()) / 40**0.5


def test_subsets_are_no_larger_than_the_sets_and_seeded() -> None:
    a, b = cloud(80), cloud(50, mean=1, seed=1)
    found = kernel_distances(a, b, subsets=5, subset=1000)
    assert found.shape == (5,)
    assert torch.equal(found, kernel_distances(a, b, subsets=5, subset=1000))
    assert not torch.equal(found, kernel_distances(a, b, subsets=5, subset=1000, seed=1))


def test_precision_and_recall_of_what_is_known() -> None:
    real = cloud(300)
    assert precision_recall(real, real) == (1, 1)
    assert precision_recall(real, real + 100) == (0, 0)
    narrow = real[:60] * 0.3  # believable, but always the same
    precision, recall = precision_recall(real, narrow)
    assert precision > 0.9
    assert recall < 0.3
    half = torch.cat([real[:150], cloud(150, mean=50, seed=2)])  # half of it nonsense
    assert precision_recall(real, half)[0] == pytest.approx(0.5, abs=0.01)


@pytest.mark.parametrize("measure", [kernel_distance, precision_recall])
def test_too_few_pictures_are_refused(measure: Any) -> None:
    with pytest.raises(DataError, match="means nothing for 49 real and 100 made"):
        measure(cloud(49), cloud(100))


def test_a_singular_covariance_is_refused_with_the_reason() -> None:
    with pytest.raises(DataError, match=r"6 features, means nothing .* at least 7"):
        frechet_distance(cloud(100), cloud(6))


def test_misuse_is_said() -> None:
    with pytest.raises(DataError, match=r"\(N, D\)"):
        frechet_distance(cloud(100), cloud(100)[:, :3])
    with pytest.raises(DataError, match="no numbers"):
        precision_recall(cloud(100), cloud(100) * float("nan"))
    with pytest.raises(OptionError):
        kernel_distance(cloud(100), cloud(100), subsets=0)
    with pytest.raises(OptionError):
        precision_recall(cloud(100), cloud(100), neighbour=100)


def pictures(count: int, seed: int, smooth: bool) -> Tensor:
    rough = torch.rand(count, 3, 6, 6, generator=make_rng(seed, "pictures"))
    mode = "bicubic" if smooth else "nearest"
    return torch.nn.functional.interpolate(rough, (32, 32), mode=mode).clamp(0, 1)


def test_the_embedded_eye_tells_kinds_of_pictures_apart() -> None:
    features = {
        name: extract_features(pictures(60, seed, smooth))
        for name, seed, smooth in (("a", 0, True), ("alike", 1, True), ("other", 2, False))
    }
    assert features["a"].shape == (60, 704)
    assert features_name() == "iris mixed5b"
    near = kernel_distance(features["a"], features["alike"], subsets=1)
    far = kernel_distance(features["a"], features["other"], subsets=1)
    assert far > 10 * abs(near)


def test_batches_of_an_iterator_are_those_of_a_tensor(eye: Path) -> None:
    images = pictures(10, 0, True)
    whole = extract_features(images, str(eye))
    parts = extract_features(iter(images.split(4)), str(eye))
    assert torch.allclose(whole, parts, atol=1e-5)


def test_large_pictures_are_looked_at_small(eye: Path) -> None:
    large = torch.nn.functional.interpolate(pictures(2, 0, True), (300, 200), mode="bilinear")
    small = torch.nn.functional.interpolate(large, (128, 128), mode="bicubic", antialias=True)
    found = extract_features(large, str(eye))
    assert torch.allclose(found, extract_features(small.clamp(0, 1), str(eye)), atol=1e-6)


def test_eyes_that_are_not_there(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    with pytest.raises(UnknownName):
        extract_features(pictures(1, 0, True), "nobody")
    with pytest.raises(DataError, match="no pictures"):
        extract_features(iter([]))
    monkeypatch.setenv("BELAMY_HOME", str(tmp_path))
    whats_to_do = r"belamy\[metrics\]|put weights-inception|torchvision that is made for torch"
    with pytest.raises(BelamyError, match=whats_to_do):
        features_name("inception")


def test_inception_is_handed_what_was_looked_through(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """A stand-in for torch-fidelity: weights that are more than numbers never get to it."""
    import sys
    import types

    class Extractor(torch.nn.Module):
        def __init__(self, name: str, layers: list[str], **settings: str) -> None:
            super().__init__()
            assert layers == ["2048"]
            assert (
                Path(settings["feature_extractor_weights_path"]).name
                == feature_extractors.INCEPTION
            )

        def forward(self, levels: Tensor) -> tuple[Tensor]:
            assert levels.dtype == torch.uint8
            return (levels.float().mean(dim=(2, 3)),)

    module = types.ModuleType("torch_fidelity.feature_extractor_inceptionv3")
    module.FeatureExtractorInceptionV3 = Extractor  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "torch_fidelity", types.ModuleType("torch_fidelity"))
    monkeypatch.setitem(sys.modules, module.__name__, module)
    monkeypatch.setenv("BELAMY_HOME", str(tmp_path))
    (tmp_path / feature_extractors.INCEPTION).write_bytes(b"\x80\x04cos\nsystem\n.")
    with pytest.raises(BelamyError, match="not only weights"):
        features_name("inception")
    torch.save({"weight": torch.ones(2)}, tmp_path / feature_extractors.INCEPTION)
    assert features_name("inception") == "inception pool3"
    found = extract_features(torch.full((2, 3, 8, 8), 0.5), "inception")
    assert torch.equal(found, torch.full((2, 3), 128.0))


def test_a_missing_package_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    import sys

    monkeypatch.setitem(sys.modules, "torch_fidelity.feature_extractor_inceptionv3", None)
    with pytest.raises(MissingExtra, match=r"pip install 'belamy\[metrics\]'"):
        features_name("inception")


def test_a_torchvision_of_another_build_is_named(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    import sys

    for name in [name for name in sys.modules if name.split(".")[0] == "torch_fidelity"]:
        monkeypatch.delitem(sys.modules, name)
    (tmp_path / "torch_fidelity.py").write_text("raise RuntimeError('operator torchvision::nms')")
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setattr(torch, "__version__", "2.13.0+cpu")
    with pytest.raises(WeightsError, match=r"made for torch 2.13.0\+cpu: pip install .*/whl/cpu$"):
        features_name("inception")


def test_the_fewest_are_those_of_the_documentation() -> None:
    assert distribution_metrics.FEWEST == 50
