from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch
from safetensors import safe_open
from torch import Tensor, nn
from torch.utils.flop_counter import FlopCounterMode

from belamy.errors import UnknownName, WeightsError
from belamy.networks.files.tensors import write_tensors
from belamy.networks.gan.light import Brush
from belamy.networks.gan.registry import (
    ARCHITECTURES,
    Generator,
    Shape,
    build_discriminator,
    build_generator,
    levels_of_critic,
    load_generator,
    read_network,
    save_generator,
)

NARROW = 0.1
LABELS = [(), ("dark", "light")]


def shape(name: str, labels: tuple[str, ...] = (), size: int = 16) -> Shape:
    return Shape(size, ARCHITECTURES[name].latent, NARROW, labels)


def built(name: str, labels: tuple[str, ...] = (), size: int = 16) -> tuple[Generator, nn.Module]:
    torch.manual_seed(0)
    own = shape(name, labels, size)
    return build_generator(name, own), build_discriminator(name, own)


def latents(made: Generator, count: int = 4) -> tuple[Tensor, Tensor | None]:
    z = torch.randn(count, made.latent, generator=torch.Generator().manual_seed(1))
    return z, torch.arange(count) % 2 if made.labels else None


@pytest.mark.parametrize("name", ARCHITECTURES)
@pytest.mark.parametrize("labels", LABELS)
def test_shapes_and_ranges(name: str, labels: tuple[str, ...]) -> None:
    for size in (16, 32):
        made, critic = built(name, labels, size)
        z, label = latents(made)
        images = made(z, label)
        assert images.shape == (4, 3, size, size)
        assert critic(images, label).shape == (4, 1)
        images = made.eval()(z, label)
        assert 0 <= images.min() <= images.max() <= 1
        assert (made.size, made.labels) == (size, labels)


@pytest.mark.parametrize("name", ARCHITECTURES)
@pytest.mark.parametrize("labels", LABELS)
def test_files(name: str, labels: tuple[str, ...], tmp_path: Path) -> None:
    made, _ = built(name, labels)
    path = tmp_path / "network.safetensors"
    own = shape(name, labels)
    save_generator(path, made, network=name, shape=own, trained_on="faces", notes={"a": "b"})
    loaded = load_generator(path)
    assert not loaded.training
    assert not any(parameter.requires_grad for parameter in loaded.parameters())
    assert loaded.shape == own
    z, label = latents(made)
    torch.testing.assert_close(loaded(z, label), made.eval()(z, label), atol=0.01, rtol=0)
    with safe_open(path, framework="pt") as file:
        told = file.metadata()
    assert (told["network"], told["trained_on"], told["a"]) == (name, "faces", "b")


def test_a_file_to_go_on_from_can_be_painted_with(tmp_path: Path) -> None:
    made, critic = built("light")
    path = tmp_path / "network.safetensors"
    own = shape("light")
    words = {"network": "light", "shape": own, "trained_on": "faces"}
    save_generator(path, made, beside={"critic": critic}, **words)  # type: ignore[arg-type]
    z, _ = latents(made)
    torch.testing.assert_close(load_generator(path)(z), made.eval()(z))
    _, _, state, _ = read_network(path)
    for key, tensor in critic.state_dict().items():
        assert torch.equal(state[f"critic/{key}"], tensor)


def saved(path: Path, told: dict[str, str], tensors: dict[str, Tensor] | None = None) -> Path:
    write_tensors(path, tensors or {"x": torch.zeros(2)}, told)
    return path


ARGUMENTS = {"size": 16, "latent": 4, "width": 1.0, "labels": []}


@pytest.mark.parametrize(
    ("told", "said"),
    [
        ({"network": "transformer"}, "no generator of pictures: it is for 'transformer'"),
        ({}, "does not say what it is for"),
        ({"network": "light"}, "describes itself wrongly"),
        ({"network": "light", "arguments": "{"}, "describes itself wrongly"),
        ({"network": "light", "arguments": json.dumps({**ARGUMENTS, "size": 17})}, "17 pixels"),
        ({"network": "light", "arguments": json.dumps({**ARGUMENTS, "size": "x"})}, "wrongly"),
        ({"network": "light", "arguments": json.dumps({**ARGUMENTS, "width": -1})}, "lacks"),
        ({"network": "light", "arguments": json.dumps({**ARGUMENTS, "latent": None})}, "wrongly"),
        ({"network": "light", "arguments": json.dumps(ARGUMENTS)}, "does not fit light: lacks"),
    ],
)
def test_files_of_another_kind(tmp_path: Path, told: dict[str, str], said: str) -> None:
    with pytest.raises(WeightsError, match=said):
        load_generator(saved(tmp_path / "x.safetensors", told))


def test_a_file_cut_short(tmp_path: Path) -> None:
    path = tmp_path / "network.safetensors"
    made, _ = built("vanilla")
    save_generator(path, made, network="vanilla", shape=shape("vanilla"), trained_on="faces")
    path.write_bytes(path.read_bytes()[:-100])
    with pytest.raises(WeightsError, match="damaged"):
        load_generator(path)


def test_no_such_architecture() -> None:
    with pytest.raises(UnknownName, match="lihgt"):
        build_generator("lihgt", shape("light"))


@pytest.mark.parametrize("name", ARCHITECTURES)
@pytest.mark.parametrize("labels", LABELS)
def test_truncation(name: str, labels: tuple[str, ...]) -> None:
    made, _ = built(name, labels)
    z, label = latents(made.eval())
    styles = made.styles(z, label)
    torch.testing.assert_close(made.truncate(styles, 1.0, label), styles)
    ordinary = made.truncate(styles, 0.0, label)
    torch.testing.assert_close(ordinary[0], ordinary[2])  # of the same label
    nearer = made.truncate(styles, 0.5, label)
    torch.testing.assert_close(nearer, (styles + ordinary) / 2)
    mean = made.mean_style(None if label is None else 0)
    assert mean.shape == (1, styles.shape[1])
    torch.testing.assert_close(ordinary[:1], mean)


def test_light_can_be_crossed() -> None:
    """Styles may differ from level to level: the coarse of one, the fine of another."""
    made, _ = built("light", size=32)
    made = made.eval()
    assert made.levels == 4
    for part in made.modules():  # brushes begin at nothing
        if isinstance(part, Brush):
            nn.init.normal_(part.colours.weight)
    one, other = made.styles(latents(made)[0])[:2]
    whole = one.expand(1, made.levels, -1)
    torch.testing.assert_close(made.draw(whole), made.draw(one[None]))
    crossed = torch.stack([one, one, other, other])[None]
    assert not torch.equal(made.draw(crossed), made.draw(whole))


def test_the_same_style_is_the_same_picture() -> None:
    made, _ = built("light")
    z, _ = latents(made.eval())
    assert torch.equal(made(z), made(z))
    torch.testing.assert_close(made(z)[:1], made(z[:1]))


def test_light_is_cheap() -> None:
    """The bar is 1 GMAC for both at 64 px; lightweight-gan's generator alone takes 12.8."""
    own = Shape(64, 128)
    with torch.device("meta"):
        made, critic = build_generator("light", own), build_discriminator("light", own)
        with FlopCounterMode(display=False) as counter:
            critic(made(torch.zeros(1, 128)))
    assert counter.get_total_flops() / 2 < 0.35e9


@pytest.mark.parametrize("size", [16, 128, 1024])
def test_light_paints_large_and_small(size: int) -> None:
    own = Shape(size, 128)
    with torch.device("meta"):
        made, critic = build_generator("light", own), build_discriminator("light", own)
        images = made(torch.zeros(2, 128))
        assert images.shape == (2, 3, size, size)
        assert critic(images).shape == (2, 1)


def test_the_critic_sees_copies() -> None:
    """A batch of one picture again and again is told from a batch of different ones."""
    _, critic = built("light")
    pictures = torch.rand(4, 3, 16, 16, generator=torch.Generator().manual_seed(2))
    alone = critic(pictures[:1].expand(4, -1, -1, -1))
    assert not torch.allclose(alone[0], critic(pictures)[0])


@pytest.mark.parametrize("name", ARCHITECTURES)
def test_labels_are_judged(name: str) -> None:
    _, critic = built(name, ("dark", "light"))
    critic.eval()
    picture = torch.rand(1, 3, 16, 16)
    logits = [critic(picture, torch.tensor([label])) for label in (0, 1)]
    assert not torch.equal(*logits)


@pytest.mark.parametrize("name", ARCHITECTURES)
def test_levels_of_the_critic(name: str) -> None:
    """From the finest on, they hold all weights, each once."""
    _, critic = built(name)
    held = [id(parameter) for level in levels_of_critic(critic) for parameter in level.parameters()]
    assert sorted(held) == sorted(id(parameter) for parameter in critic.parameters())
    assert len(levels_of_critic(critic)) >= 4
