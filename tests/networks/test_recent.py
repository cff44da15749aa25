"""A network that was read lately is not read again, and what one call does to it no other sees."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
import torch
from torch import Tensor, nn

import belamy
from belamy.engines.gan.sampler import Sampler
from belamy.engines.style.network import set_pooling_and_padding
from belamy.networks import recent
from belamy.networks.backbone import load_backbone
from belamy.networks.files import network_file
from belamy.networks.files.cache import embedded_path
from belamy.networks.recent import share, share_backbone


@pytest.fixture(autouse=True)
def forgotten() -> Iterator[None]:
    recent.forget()
    yield
    recent.forget()


@pytest.fixture
def loads(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The files whose weights are read, as they are."""
    names: list[str] = []
    real = network_file.verify_sha256

    def verify(path: Path) -> str:
        names.append(path.name)
        return real(path)

    monkeypatch.setattr(network_file, "verify_sha256", verify)
    return names


@pytest.fixture
def iris(tmp_path: Path) -> Path:
    return Path(shutil.copy(embedded_path("iris"), tmp_path / "iris.safetensors"))


QUICK = {"octaves": 1, "steps": 1, "size": 48}


@pytest.mark.parametrize(
    ("call", "files"),
    [
        (lambda photo: belamy.classify(photo, model="iris"), ["iris"]),
        (lambda photo: belamy.dream(photo, model="iris", **QUICK).image, ["iris"]),
        (
            lambda photo: belamy.style(photo, photo, size=32, min_size=32, iterations=1).image,
            ["iris"],
        ),
        (lambda photo: belamy.any_style(photo, photo, size=48).image, ["anystyle", "iris"]),
        (
            lambda photo: belamy.apply_style(photo, network="starry-night", size=64).image,
            ["starry-night"],
        ),
        (
            lambda photo: belamy.translate(photo, network="impressionism", size=64).image,
            ["impressionism"],
        ),
        (lambda photo: belamy.defog(photo).image, ["defog"]),
        (lambda photo: belamy.gan_paint(upscale=1).image, ["faces", "iris", "portraits"]),
    ],
    ids=["classify", "dream", "style", "any_style", "apply_style", "translate", "defog", "gan"],
)
def test_a_function_called_twice_loads_once(
    call: object, files: list[str], photo: Tensor, loads: list[str]
) -> None:
    assert callable(call)
    first = call(photo)
    assert sorted(set(loads)) == [f"{name}.safetensors" for name in files]
    loads.clear()
    again = call(photo)
    assert loads == []
    same = torch.equal(first, again) if isinstance(first, Tensor) else first == again
    assert same


def test_what_a_style_does_to_a_network_no_other_sees(iris: Path, photo: Tensor) -> None:
    before = load_backbone(iris, layers=["mixed3a"])(photo, ["mixed3a"])["mixed3a"]
    changed = share_backbone(iris, layers=["mixed3a"])
    set_pooling_and_padding(changed, None, "bfloat16")
    changed.chain[0].register_forward_hook(lambda *_: torch.zeros(1))
    after = share_backbone(iris, layers=["mixed3a"])
    assert {x.dtype for x in after.parameters()} == {torch.float32}
    assert torch.equal(after(photo, ["mixed3a"])["mixed3a"], before)
    assert not after.training
    assert not any(x.requires_grad for x in after.parameters())


def test_the_numbers_are_there_once(iris: Path) -> None:
    first, second = share_backbone(iris), share_backbone(iris)
    pairs = list(zip(first.parameters(), second.parameters(), strict=True))
    assert all(a.data_ptr() == b.data_ptr() and a is not b for a, b in pairs)
    assert pairs[0][0].is_contiguous(memory_format=torch.channels_last)


def test_a_file_that_changed_is_read_again(iris: Path, loads: list[str]) -> None:
    share_backbone(iris)
    share_backbone(iris, layers=["conv1"])
    os.utime(iris, ns=(1, 1))
    share_backbone(iris)
    share_backbone(iris)
    assert len(loads) == 3


def test_gradients_go_through_what_was_read_for_none(iris: Path, photo: Tensor) -> None:
    with torch.inference_mode():
        share_backbone(iris, layers=["conv1"])
    image = photo.clone().requires_grad_(True)
    share_backbone(iris, layers=["conv1"])(image, ["conv1"])["conv1"].sum().backward()
    assert image.grad is not None


def test_few_are_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    paths = [tmp_path / str(number) for number in range(6)]
    for path in paths:
        path.write_text("x")
        share(path, None, lambda: nn.Linear(10, 10), lambda one: one)
    assert len(recent._kept) == 4
    monkeypatch.setattr(recent, "_MOST_BYTES", 3 * 440)
    share(paths[0], None, lambda: nn.Linear(10, 10), lambda one: one)
    assert len(recent._kept) == 3
    share(paths[1], None, lambda: nn.Linear(30, 30), lambda one: one)
    assert len(recent._kept) == 0  # it alone is too large


def test_a_sampler_has_a_generator_of_its_own() -> None:
    first, second = Sampler(), Sampler()
    first.generator.half()
    assert next(second.generator.parameters()).dtype == torch.float32
