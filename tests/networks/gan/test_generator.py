from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path

import pytest
import torch
from safetensors import safe_open
from torch import Tensor, nn
from torch.utils.flop_counter import FlopCounterMode

from belamy.errors import UnknownName, WeightsError
from belamy.networks.files.network_file import join_states, open_network_file, save_network_file
from belamy.networks.files.tensors import write_tensors
from belamy.networks.gan.generator import (
    Generator,
    GeneratorArguments,
    discriminator_layers,
    find_label,
)
from belamy.networks.gan.layers import ToRGB
from belamy.networks.load import load_network
from belamy.networks.registry import build_discriminator, build_generator, find_gan, names_of

GANS = names_of("generator")
NARROW = 0.1
LABELS = [(), ("dark", "light")]


def arguments(name: str, labels: tuple[str, ...] = (), size: int = 16) -> GeneratorArguments:
    return GeneratorArguments(size, find_gan(name).latent, NARROW, labels)


def built(name: str, labels: tuple[str, ...] = (), size: int = 16) -> tuple[Generator, nn.Module]:
    torch.manual_seed(0)
    own = arguments(name, labels, size)
    return build_generator(name, own), build_discriminator(name, own)


def save(path: Path, made: Generator, name: str, notes: dict[str, str] | None = None) -> None:
    save_network_file(
        path,
        made.state_dict(),
        network=name,
        arguments=asdict(made.arguments),
        trained_on="faces",
        metadata=notes,
        half=True,
    )


def latents(made: Generator, count: int = 4) -> tuple[Tensor, Tensor | None]:
    z = torch.randn(count, made.latent, generator=torch.Generator().manual_seed(1))
    return z, torch.arange(count) % 2 if made.labels else None


@pytest.mark.parametrize("name", GANS)
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


@pytest.mark.parametrize("name", GANS)
@pytest.mark.parametrize("labels", LABELS)
def test_files(name: str, labels: tuple[str, ...], tmp_path: Path) -> None:
    made, _ = built(name, labels)
    path = tmp_path / "network.safetensors"
    own = arguments(name, labels)
    save(path, made, name, {"a": "b"})
    loaded = load_network(path, "generator").network
    assert not loaded.training
    assert not any(parameter.requires_grad for parameter in loaded.parameters())
    assert loaded.arguments == own
    z, label = latents(made)
    torch.testing.assert_close(loaded(z, label), made.eval()(z, label), atol=0.01, rtol=0)
    with safe_open(path, framework="pt") as file:
        told = file.metadata()
    assert (told["network"], told["trained_on"], told["a"]) == (name, "faces", "b")


def test_a_file_to_go_on_from_can_be_painted_with(tmp_path: Path) -> None:
    made, critic = built("light")
    path = tmp_path / "network.safetensors"
    tensors = {**made.state_dict(), **join_states({"critic": critic})}
    own = asdict(made.arguments)
    save_network_file(path, tensors, network="light", arguments=own, trained_on="faces")
    z, _ = latents(made)
    torch.testing.assert_close(load_network(path, "generator").network(z), made.eval()(z))
    with open_network_file(path) as file:
        state = file.state("critic")
    for key, tensor in critic.state_dict().items():
        assert torch.equal(state[key], tensor)


def saved(path: Path, told: dict[str, str], tensors: dict[str, Tensor] | None = None) -> Path:
    write_tensors(path, tensors or {"x": torch.zeros(2)}, told)
    return path


ARGUMENTS = {"size": 16, "latent": 4, "width": 1.0, "labels": []}


@pytest.mark.parametrize(
    ("told", "said"),
    [
        ({"network": "transformer"}, "is an image-to-image network, not a generator of pictures"),
        ({}, "does not say which network it is for"),
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
        load_network(saved(tmp_path / "x.safetensors", told), "generator")


def test_a_file_cut_short(tmp_path: Path) -> None:
    path = tmp_path / "network.safetensors"
    made, _ = built("vanilla")
    save(path, made, "vanilla")
    path.write_bytes(path.read_bytes()[:-100])
    with pytest.raises(WeightsError, match="damaged"):
        load_network(path, "generator")


def test_no_such_architecture() -> None:
    with pytest.raises(UnknownName, match="lihgt"):
        build_generator("lihgt", arguments("light"))


@pytest.mark.parametrize("name", GANS)
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
    assert made.resolutions == 4
    for part in made.modules():  # brushes begin at nothing
        if isinstance(part, ToRGB):
            nn.init.normal_(part.colours.weight)
    one, other = made.styles(latents(made)[0])[:2]
    whole = one.expand(1, made.resolutions, -1)
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
    own = GeneratorArguments(64, 128)
    with torch.device("meta"):
        made, critic = build_generator("light", own), build_discriminator("light", own)
        with FlopCounterMode(display=False) as counter:
            critic(made(torch.zeros(1, 128)))
    assert counter.get_total_flops() / 2 < 0.35e9


@pytest.mark.parametrize("size", [16, 48, 96, 128, 768, 1024])
def test_light_paints_large_and_small(size: int) -> None:
    own = GeneratorArguments(size, 128)
    with torch.device("meta"):
        made, critic = build_generator("light", own), build_discriminator("light", own)
        images = made(torch.zeros(2, 128))
        assert images.shape == (2, 3, size, size)
        assert critic(images).shape == (2, 1)


def test_between_powers_of_two_the_last_styles_are_shared() -> None:
    """Latents that were saved with the painter of 32 px fit the one of 48."""
    (made, _), (grown, _) = built("light", size=32), built("light", size=48)
    assert made.resolutions == grown.resolutions == 4
    styles = grown.eval().styles(latents(grown)[0])
    whole = styles[:, None].expand(-1, 4, -1)
    torch.testing.assert_close(grown.draw(whole), grown.draw(styles))


def test_the_critic_sees_copies() -> None:
    """A batch of one picture again and again is told from a batch of different ones."""
    _, critic = built("light")
    pictures = torch.rand(4, 3, 16, 16, generator=torch.Generator().manual_seed(2))
    alone = critic(pictures[:1].expand(4, -1, -1, -1))
    assert not torch.allclose(alone[0], critic(pictures)[0])


@pytest.mark.parametrize("name", GANS)
def test_labels_are_judged(name: str) -> None:
    _, critic = built(name, ("dark", "light"))
    critic.eval()
    picture = torch.rand(1, 3, 16, 16)
    logits = [critic(picture, torch.tensor([label])) for label in (0, 1)]
    assert not torch.equal(*logits)


@pytest.mark.parametrize("name", GANS)
def test_levels_of_the_critic(name: str) -> None:
    """From the finest on, they hold all weights, each once."""
    _, critic = built(name)
    held = [
        id(parameter) for level in discriminator_layers(critic) for parameter in level.parameters()
    ]
    assert sorted(held) == sorted(id(parameter) for parameter in critic.parameters())
    assert len(discriminator_layers(critic)) >= 4


def test_labels_by_name() -> None:
    with_labels, without = (built("light", labels)[0] for labels in (("dark", "light"), ()))
    assert find_label(with_labels, "light") == 1
    assert find_label(with_labels, None) is None
    with pytest.raises(UnknownName, match="there are: dark, light"):
        find_label(with_labels, "x")
    with pytest.raises(UnknownName, match="there are none"):
        find_label(without, "dark")
