"""What tests share: a small seeded network in a file, and pictures to try things on."""

from __future__ import annotations

import os
import signal
import tempfile
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path

import pytest
import torch
from torch import Tensor

from belamy.devices import make_rng
from belamy.networks.backbones.iris import Iris, initialise
from belamy.networks.files.network_file import save_network_file
from belamy.networks.files.weights import save_weights
from belamy.networks.gan.generator import GeneratorArguments
from belamy.networks.registry import build_generator

# What runs the tests in the background has Ctrl-C ignored, nohup the end of the terminal; both are
# inherited, and tests send them.
if signal.getsignal(signal.SIGINT) == signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)
if signal.getsignal(signal.SIGHUP) == signal.SIG_IGN:
    signal.signal(signal.SIGHUP, signal.SIG_DFL)


# The settings of whoever runs the tests are nobody's here.
os.environ["XDG_CONFIG_HOME"] = str(Path(tempfile.gettempdir(), f"belamy-{os.getpid()}"))


@pytest.fixture(scope="session")
def eye(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A file of weights: iris with ten classes, as seeded, never trained."""
    network = Iris(10)
    initialise(network, make_rng(0, "weights"))
    path = tmp_path_factory.mktemp("weights") / "eye.safetensors"
    save_weights(
        path,
        {name: tensor.half() for name, tensor in network.state_dict().items()},
        network="iris",
        arguments={"classes": 10},
        mean=(0.485, 0.456, 0.406),
        std=(0.229, 0.224, 0.225),
        classes=[f"thing {number}" for number in range(10)],
        trained_on="nothing",
    )
    return path


def _smooth(height: int, width: int, seed: int) -> Tensor:
    rough = torch.rand((1, 3, 5, 7), generator=make_rng(seed, "picture"))
    image = torch.nn.functional.interpolate(rough, (height, width), mode="bicubic")
    return image.clamp(0, 1)


@pytest.fixture
def photo() -> Tensor:
    """(1, 3, 61, 83): soft colours, odd sides."""
    return _smooth(61, 83, 0)


@pytest.fixture(scope="session")
def painters(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Path]:
    """Makes a generator's file, 16 px: seeded, never trained, but its pictures differ."""

    def make(network: str = "light", labels: tuple[str, ...] = (), size: int = 16) -> Path:
        path = folder / f"{network}-{size}-{len(labels)}.safetensors"
        if not path.exists():
            with torch.random.fork_rng():
                torch.manual_seed(0)
                arguments = GeneratorArguments(size, 24, 0.1, labels)
                made = build_generator(network, arguments)
                for name, weight in made.named_parameters():
                    if "brush.colours.weight" in name:  # which begin at 0
                        torch.nn.init.normal_(weight, std=0.6)
            save_network_file(
                path,
                made.state_dict(),
                network=network,
                arguments=asdict(arguments),
                trained_on="nothing",
                half=True,
            )
        return path

    folder = tmp_path_factory.mktemp("painters")
    return make
