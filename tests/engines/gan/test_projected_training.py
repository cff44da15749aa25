"""Training against features of a frozen network, from a painter without its discriminator."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from accelerate import Accelerator

from belamy.engines.gan.config import GanConfig
from belamy.engines.gan.networks import build_networks, save_generator
from belamy.engines.gan.train import load_setup, train
from belamy.errors import OptionError, UnknownName
from belamy.networks.backbone import Backbone
from belamy.networks.load import load_network
from belamy.pixels.images import save_image


@pytest.fixture
def data(tmp_path: Path) -> Path:
    folder = tmp_path / "data"
    folder.mkdir()
    rng = torch.Generator().manual_seed(0)
    for number in range(8):
        save_image(torch.rand(1, 3, 32, 32, generator=rng), folder / f"{number}.png")
    return folder


def config(data: Path, **options: object) -> GanConfig:
    usual = {"size": 32, "width": 0.1, "batch": 2, "steps": 2, "precision": "float32"}
    return GanConfig(data=str(data), **{**usual, **options})  # type: ignore[arg-type]


def test_a_killed_run_goes_on_to_the_same_weights(data: Path, tmp_path: Path) -> None:
    own = config(data, projected="iris", penalty_every=1, noise=True)
    for name in ("once", "twice"):
        list(train(own, tmp_path / name, "cpu"))
    files = [tmp_path / name / "network-training.safetensors" for name in ("once", "twice")]
    assert files[0].read_bytes() == files[1].read_bytes()
    generator = load_network(tmp_path / "once", "generator").network
    assert generator.arguments.noise


def test_the_discriminator_warms_up_alone(data: Path, tmp_path: Path) -> None:
    setup = load_setup(config(data, warm_up=1))
    task = setup.make_task(tmp_path, Accelerator(cpu=True))
    before = {k: v.clone() for k, v in setup.networks.generator.state_dict().items()}
    task.step(0, lambda loss: loss.backward())
    after = setup.networks.generator.state_dict()
    assert all(torch.equal(before[name], after[name]) for name in before)
    task.step(1, lambda loss: loss.backward())
    assert not all(torch.equal(before[name], after[name]) for name in before)


def test_noise_is_added_to_a_painter_that_has_none(data: Path, tmp_path: Path) -> None:
    old = build_networks(config(data, seed=5), ()).generator
    save_generator(tmp_path / "old.safetensors", config(data), old, {})
    start = str(tmp_path / "old.safetensors")
    setup = load_setup(config(data, start=start, noise=True))
    state, own = setup.networks.generator.state_dict(), old.state_dict()
    assert all(torch.allclose(state[name], own[name], atol=2e-3, rtol=1e-3) for name in own)
    strengths = [x for name, x in state.items() if name.endswith("strength")]
    assert len(strengths) == 2
    assert not any(x.any() for x in strengths)


def test_what_a_start_has_of_noise_and_smoothing_is_kept(data: Path, tmp_path: Path) -> None:
    asked = config(data, noise=True, smoothing=0.5, seed=5)
    old = build_networks(asked, ()).generator
    save_generator(tmp_path / "old.safetensors", asked, old, {})
    plain = config(data, start=str(tmp_path / "old.safetensors"))
    assert (plain.noise, plain.smoothing) == (False, 0.0)
    list(train(plain, tmp_path / "run", "cpu"))
    kept = load_network(tmp_path / "run", "generator").network.arguments
    assert (kept.noise, kept.smoothing) == (True, 0.5)
    list(train(plain, tmp_path / "run", "cpu"))  # the same again: it has ended
    bent = load_setup(config(data, start=plain.start, smoothing=0.25))
    assert bent.networks.arguments.smoothing == 0.25
    state, own = bent.networks.generator.state_dict(), old.state_dict()
    assert all(torch.allclose(state[name], own[name], atol=2e-3, rtol=1e-3) for name in own)


@pytest.mark.parametrize("first", [None, "iris"])
def test_the_discriminator_of_pixels_is_carried_over(
    data: Path, tmp_path: Path, first: str | None
) -> None:
    run = tmp_path / "run"
    list(train(config(data, projected=first), run, "cpu"))
    other = "iris" if first is None else None
    start = str(run)
    made = load_setup(config(data, start=start, projected=other)).networks.discriminator
    again = load_setup(config(data, start=start, projected=first)).networks.discriminator
    old, new = (getattr(each, "pixels", each).state_dict() for each in (again, made))
    assert all(torch.equal(old[name], new[name]) for name in old)


def test_what_cannot_look_is_refused(data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(UnknownName, match="no-such-eye"):
        load_setup(config(data, projected="no-such-eye"))
    monkeypatch.setattr(Backbone, "smallest", lambda *_: 64)
    with pytest.raises(OptionError, match="iris needs 64 px"):
        load_setup(config(data, projected="iris"))


def test_noise_is_light_s(data: Path) -> None:
    with pytest.raises(OptionError, match="noise"):
        config(data, noise=True, architecture="dcgan")
