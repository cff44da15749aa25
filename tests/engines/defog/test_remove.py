"""Fog taken out: any size, both methods, strength, skies, transparency, recipes, honest gates."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from torch import Tensor

from belamy.cli.options import arguments_of
from belamy.devices import make_rng
from belamy.engines.defog import look, remove
from belamy.engines.defog.api import DefogOptions, defog, defog_steps
from belamy.errors import OptionError, UnknownName, WeightsError
from belamy.networks.dehaze import DehazeNet, initialise
from belamy.networks.files.network_file import save_network_file, without_counters
from belamy.pixels.fog.model import Fog, apply_fog
from belamy.pixels.images import load_picture, save_image


@pytest.fixture(scope="module")
def network(tmp_path_factory: pytest.TempPathFactory) -> str:
    eye = DehazeNet((4, 4, 6, 6, 8), (1, 1, 1, 1, 1))
    initialise(eye, make_rng(3, "weights"))
    path = tmp_path_factory.mktemp("defog") / "eye.safetensors"
    save_network_file(
        path,
        without_counters(eye.state_dict()),
        network="dehaze",
        arguments=eye.arguments,
        trained_on="nothing",
        half=True,
    )
    return str(path)


def leaves(height: int = 60, width: int = 80) -> Tensor:
    """In every neighbourhood something is nearly black."""
    rough = torch.rand((1, 3, -(-height // 4), -(-width // 4)), generator=make_rng(0, "test")) ** 2
    return rough.repeat_interleave(4, 2).repeat_interleave(4, 3)[..., :height, :width]


def in_fog(image: Tensor, transmission: float = 0.4) -> Tensor:
    air = torch.tensor([0.8, 0.85, 0.9]).view(1, 3, 1, 1)
    return apply_fog(image, torch.tensor(transmission), air)


def estimator_of(transmission: Tensor | float, air: Tensor | float = 0.8) -> look.Estimator:
    """One that finds this fog everywhere."""

    def estimate(image: Tensor) -> Fog:
        whole = torch.as_tensor(transmission).expand(1, 1, *image.shape[-2:])
        return Fog(whole, torch.as_tensor(air).expand(1, 3, 1, 1))

    return estimate


@pytest.mark.parametrize("method", ["network", "dcp"])
@pytest.mark.parametrize("size", [(61, 83), (1, 1), (1, 90), (700, 9), (130, 3)])
def test_pictures_of_any_size_keep_it(method: str, size: tuple[int, int], network: str) -> None:
    options = {"network": network} if method == "network" else {}
    made = defog(leaves(*size), method=method, **options)  # type: ignore[arg-type]
    assert made.image.shape == (1, 3, *size)
    assert 0 <= float(made.image.min()) <= float(made.image.max()) <= 1


def test_fog_goes() -> None:
    image = leaves()
    seen = in_fog(image)
    made = defog(seen, method="dcp").image
    assert float((made - image).abs().mean()) < 0.5 * float((seen - image).abs().mean())


def test_the_first_step_shows_what_comes_through() -> None:
    first, last = defog_steps(in_fog(leaves()), method="dcp")
    assert (first.index, last.index, last.total) == (1, 2, 2)
    assert first.image.shape == last.image.shape
    assert torch.equal(first.image[:, 0], first.image[:, 1])
    assert 0.2 < float(first.image.mean()) < 0.6
    assert "fog: " in last.note


def test_strength_is_physics() -> None:
    image, fog = leaves(), Fog(torch.full((1, 1, 60, 80), 0.36), torch.full((1, 3, 1, 1), 0.8))
    seen = fog.on(image)
    assert torch.allclose(remove.dehaze(seen, fog, 0.0), seen, atol=1e-6)
    assert torch.allclose(remove.dehaze(seen, fog, 1.0), image, atol=0.01)
    half = Fog(torch.full((1, 1, 60, 80), 0.6), fog.air).on(image)  # √0.36: half the thickness
    assert torch.allclose(remove.dehaze(seen, fog, 0.5), half, atol=0.01)


def test_strength_has_an_effect_through_the_engine() -> None:
    seen = in_fog(leaves())
    half, whole = (defog(seen, method="dcp", strength=s).image for s in (0.5, 1.0))
    assert torch.equal(defog(seen, method="dcp", strength=0).image, seen)
    assert float((half - seen).abs().mean()) < float((whole - seen).abs().mean())


def test_where_hardly_any_fog_is_seen_nothing_changes() -> None:
    image = leaves()
    fog, level = remove.estimate_refined(estimator_of(0.9), image)
    assert level.amount == pytest.approx(0.1)
    assert level.fraction == 0
    assert torch.equal(remove.dehaze(image, fog), image)
    fog, level = remove.estimate_refined(estimator_of(0.76), image * 0.5 + 0.5)
    assert 0.78 < float(fog.transmission.mean()) < 0.95  # in part
    assert 0.2 < level.fraction < 0.8
    fog, level = remove.estimate_refined(estimator_of(0.58), image * 0.5 + 0.5)
    assert float(fog.transmission.mean()) == pytest.approx(0.58, abs=1e-3)
    assert level.fraction == 1


def test_a_thin_veil_with_a_colour_is_sky_but_dense_fog_may_have_one() -> None:
    blue = torch.tensor([0.6, 0.7, 0.8]).view(1, 3, 1, 1)
    image = leaves() * 0.5 + 0.4
    parts = [
        remove.estimate_refined(estimator_of(transmission, air), image)[1].fraction
        for transmission in (0.7, 0.4)
        for air in (blue.mean(), blue)
    ]
    assert parts[0] > 0.7
    assert parts[1] < 0.2
    assert parts[2:] == [1, 1]


def test_fog_that_is_dense_in_one_place_is_fog() -> None:
    transmission = torch.full((1, 1, 60, 80), 0.97).index_fill(3, torch.arange(12), 0.5)

    def estimate(image: Tensor) -> Fog:
        there = torch.nn.functional.interpolate(transmission, image.shape[-2:])
        return Fog(there, torch.full((1, 3, 1, 1), 0.8))

    fog, level = remove.estimate_refined(estimate, leaves() * 0.5 + 0.5)
    assert level.fraction == 1
    assert level.amount < 0.12
    assert float(fog.transmission[..., :8].mean()) == pytest.approx(0.5, abs=0.1)


@pytest.mark.parametrize(
    ("transmission", "said"),
    [(0.9, "it stays as it is"), (0.76, "of that is taken"), (0.5, "fog: 50% of the light")],
)
def test_how_much_fog_was_seen_is_said(
    transmission: float, said: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(remove.dark_channel, "estimate_fog", estimator_of(transmission))
    *_, last = defog_steps(leaves() * 0.5 + 0.5, method="dcp")
    assert said in last.note


def test_a_grey_picture_stays_grey(network: str) -> None:
    grey = in_fog(leaves()).mean(1, keepdim=True).expand(1, 3, -1, -1)
    for made in (defog(grey, method="dcp").image, defog(grey, network=network).image):
        assert float((made.amax(1) - made.amin(1)).max()) < 1e-4


def test_large_pictures_keep_their_detail() -> None:
    """Fog is looked for in a small picture, but every pixel of the large one is worked on."""
    image = (torch.arange(1400) % 2).float().expand(1, 3, 700, 1400) * 0.5 + 0.2
    fog, _ = remove.estimate_refined(estimator_of(0.5), in_fog(image, 0.5))
    air = torch.tensor([0.8, 0.85, 0.9]).view(1, 3, 1, 1)
    made = remove.dehaze(in_fog(image, 0.5), Fog(fog.transmission, air))
    assert float((made - image).abs().max()) < 0.01


def test_an_even_sky_does_not_break_into_bands() -> None:
    sky = torch.linspace(0.7, 0.72, 200).expand(1, 3, 120, 200)
    banded = (sky * 255).round() / 255  # six levels
    fog = Fog(torch.full((1, 1, 120, 200), 0.15), torch.full((1, 3, 1, 1), 0.72))
    made = remove.dehaze(banded, fog)
    step, plain = (x.diff(dim=-1).abs().max() for x in (made, fog.on(made) * 0 + banded))
    assert float(step) < 2.5 * float(plain)  # of up to 6.7 that the physics alone would make


def test_the_darker_quarter_is_no_night() -> None:
    image = torch.full((1, 3, 60, 80), 0.5)
    image[..., 30:] = 0.8
    fog, _ = remove.estimate_refined(estimator_of(0.3, air=0.85), image)
    assert float(fog.transmission.mean()) > 0.35
    assert float(remove.dehaze(image, fog).mean(1).quantile(0.25)) > 0.1  # of 0


def test_keep_sky_keeps_it() -> None:
    image = leaves(120, 160) * 0.6
    image[..., :50, :] = torch.tensor([0.6, 0.75, 0.95]).view(1, 3, 1, 1)
    seen = in_fog(image, 0.6)
    plain, kept = (defog(seen, method="dcp", keep_sky=keep).image for keep in (False, True))
    above, below = (slice(0, 35), slice(80, 120))
    assert torch.allclose(kept[..., above, :], seen[..., above, :], atol=0.02)
    assert torch.allclose(kept[..., below, :], plain[..., below, :], atol=0.05)


def test_compare_shows_before_and_after() -> None:
    seen = in_fog(leaves())
    made = defog(seen, method="dcp").image
    both = defog(seen, method="dcp", compare=True).image
    assert both.shape == (1, 3, 60, 80 + 2 + 80)
    assert torch.equal(both[..., :80], seen)
    assert torch.equal(both[..., 82:], made)
    assert float(both[..., 80:82].min()) == 1


@pytest.mark.parametrize("compare", [False, True])
def test_transparency_is_kept(compare: bool, tmp_path: Path) -> None:
    alpha = torch.zeros(1, 1, 60, 80)
    alpha[..., 40:] = 1
    path = tmp_path / "cut.png"
    save_image(in_fog(leaves()), path, alpha=alpha)
    made = defog(path, method="dcp", compare=compare)
    assert made.alpha is not None
    assert torch.equal(made.alpha[..., :80], alpha)
    assert made.alpha.shape[-1] == made.image.shape[-1]


def test_a_night_picture_stays_dark(network: str) -> None:
    night = leaves() * 0.08
    night[..., 20:24, 30:34] = 1  # a lamp
    assert float(defog(night, method="dcp").image.mean()) < 0.1
    assert float(defog(night, network=network).image.mean()) < 0.1


def test_the_recipe_makes_it_again(network: str, tmp_path: Path) -> None:
    source = tmp_path / "hazy.png"
    save_image(in_fog(leaves()), source)
    for step in defog_steps(source, network=network, strength=0.7):
        recipe = step.recipe
        assert recipe is not None
        assert recipe.step == step.index
        assert recipe.weights
        again = list(defog_steps(source, **recipe.options))  # type: ignore[arg-type]
        assert torch.equal(again[step.index - 1].image, step.image)


def test_a_defogger_is_the_same_and_loads_once(network: str, tmp_path: Path) -> None:
    defogger = remove.Defogger(DefogOptions(network=network))
    Path(network).rename(tmp_path / "elsewhere")
    seen = in_fog(leaves())
    try:
        first, second = (defogger(seen).image for _ in range(2))
    finally:
        (tmp_path / "elsewhere").rename(network)
    assert torch.equal(first, second)
    assert torch.equal(first, defog(seen, network=network).image)


def test_methods_are_those_of_the_table() -> None:
    assert arguments_of(defog_steps)["method"].choices == tuple(remove.METHODS)


@pytest.mark.parametrize(
    ("options", "error", "said"),
    [
        ({"strength": -0.1}, OptionError, "strength is -0.1"),
        ({"strength": 2.5}, OptionError, "from 0 to 2"),
        ({"method": "dpc"}, UnknownName, "did you mean 'dcp'"),
        ({"method": "dcp", "network": "mine.safetensors"}, OptionError, "uses no network"),
        ({"network": "defg"}, UnknownName, "did you mean 'defog'"),
        ({"network": "none/here.safetensors"}, WeightsError, "there is no such file"),
        ({"device": "abacus"}, OptionError, "abacus"),
    ],
)
def test_bad_options_are_said(options: dict[str, object], error: type, said: str) -> None:
    with pytest.raises(error, match=said):
        remove.Defogger(DefogOptions(**options))  # type: ignore[arg-type]


def test_the_embedded_network_takes_fog_out_and_leaves_clear_pictures(tmp_path: Path) -> None:
    image = leaves(96, 128)
    made = defog(in_fog(image, 0.5)).image
    assert float((made - image).abs().mean()) < 0.5 * float(
        (in_fog(image, 0.5) - image).abs().mean()
    )
    assert float((defog(image).image - image).abs().mean()) < 0.03
    assert load_picture(image).image.shape == image.shape


def test_what_is_lighter_than_the_air_takes_no_opposite_colour() -> None:
    cloud, air = torch.ones(1, 3, 20, 20), torch.tensor([0.85, 0.9, 1.0]).view(1, 3, 1, 1)
    fog = Fog(torch.full((1, 1, 20, 20), 0.6), air)
    made = remove.dehaze(cloud * 0.97, fog)
    assert float((made.amax(1) - made.amin(1)).max()) < 1e-4
