"""To add something touches as many files as docs/architecture.md says: each is added and used.

Everything happens in a copy of the package, in a process of its own, so that what is added stands
in real files, and the house's rules can be asked about the copy.
"""

from __future__ import annotations

import filecmp
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor

from belamy.devices import make_rng
from belamy.pixels.images import load_image, save_image

ROOT = Path(__file__).parent.parent
LIBRARY = ROOT / "src" / "belamy"


class Copy:
    """A copy of the package's code, with its weights.

    Args:
        folder: that holds it.
    """

    def __init__(self, folder: Path) -> None:
        self.folder, self.package = folder, folder / "belamy"
        code = shutil.ignore_patterns("weights", "__pycache__")
        shutil.copytree(LIBRARY, self.package, ignore=code)
        (self.package / "weights").symlink_to(LIBRARY / "weights")

    def add_file(self, name: str, text: str) -> None:
        path = self.package / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(text, "utf-8")

    def add_row(self, name: str, table: str, row: str) -> None:
        """A row at the top of a table."""
        path = self.package / name
        before, begin, after = path.read_text("utf-8").partition(f"\n{table}")
        head, brace, rows = after.partition("{\n")
        assert begin, f"{name} has no {table}"
        assert brace, f"{table} is no table"
        path.write_text(f"{before}{begin}{head}{brace}{row}{rows}", "utf-8")

    def touched(self) -> set[str]:
        """The files that are new here, or others than they were; those in a new folder as one."""
        found = set()
        for path in self.package.rglob("*.py"):
            name = path.relative_to(self.package)
            if name.parts[0] == "weights":
                continue
            original = LIBRARY / name
            if not original.parent.is_dir():
                found.add(f"{name.parent}/")
            elif not original.exists() or not filecmp.cmp(path, original, shallow=False):
                found.add(str(name))
        return found

    def run(self, *command: str) -> str:
        """A Python command that takes its belamy from here."""
        done = subprocess.run(
            [sys.executable, *command],
            cwd=self.folder,
            capture_output=True,
            text=True,
            env=os.environ | {"PYTHONPATH": str(self.folder), "BELAMY_HOME": str(self.folder)},
            check=False,
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    def ask(self, code: str) -> Any:
        """What a program says of itself, by `tell(…)`, as JSON."""
        begin = "import json, belamy\ntell = lambda value: print('told', json.dumps(value))\n"
        where = "assert belamy.__file__.startswith('" + str(self.folder) + "')\n"
        lines = self.run("-c", begin + where + code).splitlines()
        return json.loads(next(line[5:] for line in lines if line.startswith("told ")))


@pytest.fixture
def copy(tmp_path: Path) -> Copy:
    return Copy(tmp_path / "copy")


@pytest.fixture
def image(copy: Copy, photo: Tensor) -> Path:
    path = copy.folder / "photo.png"
    save_image(photo, path)
    return path


@pytest.mark.usefixtures("image")
def test_an_objective_is_one_function_in_one_file(copy: Copy) -> None:
    copy.add_file(
        "objectives/spread.py",
        '''"""How far a layer's activations lie apart."""

from __future__ import annotations

from torch import Tensor

from belamy.objectives.objective import objective


@objective("mixed3a")
def spread(features: Tensor) -> Tensor:
    """Their standard deviation; to be made larger."""
    return -features.std()
''',
    )
    before, after, recipe = copy.ask("""
from belamy.objectives.spread import spread
from belamy.networks.backbone import load_backbone
from belamy.pixels.images import load_image
picture = belamy.dream("photo.png", model="iris", layer=spread, octaves=1, steps=6)
iris = load_backbone("iris", layers=["mixed3a"])
values = [float(spread(iris(x, ["mixed3a"]))) for x in (load_image("photo.png"), picture.image)]
tell([*values, picture.recipe.options["layer"]])
""")
    assert copy.touched() == {"objectives/spread.py"}
    assert after < 1.1 * before < 0  # the deviation has grown
    assert recipe == ["objective spread"]


def test_a_gan_loss_is_one_row(copy: Copy) -> None:
    copy.add_row(
        "objectives/adversarial.py",
        "LOSSES: ",
        '    "absolute": AdversarialLoss(\n'
        "        lambda real, fake: (1 - real).abs().mean() + fake.abs().mean(),\n"
        "        lambda real, fake: (1 - fake).abs().mean(),\n"
        "    ),\n",
    )
    for number in range(8):
        picture = torch.rand(1, 3, 16, 16, generator=make_rng(number, "picture"))
        save_image(picture, copy.folder / "data" / f"{number}.png")
    losses = copy.ask("""
from pathlib import Path
config = belamy.GanConfig("data", architecture="vanilla", size=16, loss="absolute", width=0.1,
                          steps=2, batch=4)
*_, last = belamy.train_gan(config, Path("run"), device="cpu")
tell(last.losses)
""")
    assert copy.touched() == {"objectives/adversarial.py"}
    assert losses["discriminator"] > 0
    assert losses["generator"] > 0
    assert "absolute" in copy.run("-m", "belamy", "learn", "gan", "--loss", "absolute", "--steps=2")


@pytest.mark.usefixtures("image")
def test_a_network_is_one_file_and_one_row(copy: Copy) -> None:
    copy.add_file(
        "networks/backbones/tiny.py",
        '''"""A network of two convolutions."""

from __future__ import annotations

from torch import Tensor, nn

from belamy.networks.sequential import Stages, follow


class Tiny(nn.Module):
    """Two convolutions and a mean."""

    def __init__(self, classes: int = 2) -> None:
        super().__init__()
        self.first = nn.Sequential(nn.Conv2d(3, 8, 3, padding=1), nn.ReLU())
        self.second = nn.Sequential(nn.Conv2d(8, 16, 3, padding=1), nn.ReLU())
        self.logits = nn.Sequential(
            nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(16, classes)
        )

    def stages(self) -> Stages:
        return [(name, self.get_submodule(name)) for name in ("first", "second", "logits")]

    def forward(self, x: Tensor) -> Tensor:
        return follow(self.stages(), x)
''',
    )
    copy.add_row(
        "networks/registry.py",
        "NETWORKS: ",
        '    "tiny": Architecture("backbone", Builder("backbones.tiny:Tiny"),\n'
        '                         layers=LayerDefaults(dream=("second",))),\n',
    )
    layer, guesses = copy.ask("""
import torch
from belamy.networks.backbones.tiny import Tiny
from belamy.networks.files.weights import save_weights
torch.manual_seed(0)
from pathlib import Path
save_weights(Path("tiny.safetensors"), Tiny().state_dict(), network="tiny", arguments={},
             mean=(0.5,) * 3, std=(0.5,) * 3, classes=("cat", "dog"))
picture = belamy.dream("photo.png", model="tiny.safetensors", octaves=1, steps=1)
guesses = belamy.classify("photo.png", model="tiny.safetensors")
tell([picture.recipe.options["layer"], [guess.name for guess in guesses]])
""")
    assert copy.touched() == {"networks/backbones/tiny.py", "networks/registry.py"}
    assert layer == ["second"]
    assert sorted(guesses) == ["cat", "dog"]
    assert "tiny" in copy.run("-m", "belamy", "models", "list")


NEGATIVE = {
    "__init__.py": "",
    "options.py": '''"""What a negative is asked for."""

from __future__ import annotations

from dataclasses import KW_ONLY, dataclass
from typing import TYPE_CHECKING, Annotated

from belamy.checks import Between, check_options

if TYPE_CHECKING:
    from belamy.pixels.images import Source


@dataclass(frozen=True, eq=False)
class NegativeOptions:
    """What a negative is asked for.

    Args:
        image: a picture.
        strength: how much of the negative is taken.
    """

    image: Source
    _: KW_ONLY
    strength: Annotated[float, Between(0, 1)] = 1.0

    def __post_init__(self) -> None:
        check_options(self)
''',
    "api.py": '''"""Negatives: dark for light."""

from __future__ import annotations

from collections.abc import Iterator

from belamy.engines.negative.options import NegativeOptions
from belamy.steps import Step, run_to_end, with_options


@with_options(NegativeOptions)
def negative_steps(options: NegativeOptions) -> Iterator[Step]:
    """A picture's negative.

    Yields:
        a `Step`, with the negative.
    """
    from belamy.engines.negative.render import render

    yield from render(options)


negative = run_to_end(negative_steps)
''',
    "render.py": '''"""The work of a negative."""

from __future__ import annotations

from collections.abc import Iterator

from belamy.engines.negative.options import NegativeOptions
from belamy.engines.recipes import recipe_of
from belamy.pixels.images import load_picture
from belamy.steps import Step


def render(options: NegativeOptions) -> Iterator[Step]:
    """Light x becomes 1 − x, by as much as is asked for."""
    picture = load_picture(options.image)
    image = picture.image + options.strength * (1 - 2 * picture.image)
    yield Step(1, 1, image, {}, picture.alpha, recipe_of("negative", options, {}, step=1))
''',
}


def test_an_engine_is_its_folder_and_one_row(copy: Copy, image: Path) -> None:
    for name, text in NEGATIVE.items():
        copy.add_file(f"engines/negative/{name}", text)
    row = '    "negative": "belamy.engines.negative.api:negative_steps",\n'
    copy.add_row("engines/__init__.py", "ENGINES ", row)
    options = copy.ask("""
from belamy.engines.negative.api import negative
picture = negative("photo.png", strength=0.75)
belamy.save_image(picture.image, "negative.png", recipe=picture.recipe)
tell(picture.recipe.options)
""")
    assert copy.touched() == {"engines/negative/", "engines/__init__.py"}
    assert options == {"strength": 0.75}
    copy.run("-m", "belamy", "replay", "negative.png", "-o", "again.png")
    first, again = (copy.folder / name for name in ("negative.png", "again.png"))
    assert first.read_bytes() == again.read_bytes()
    assert torch.allclose(load_image(first), 0.75 - 0.5 * load_image(image), atol=0.005)
    assert counted(copy, copy.package) == counted(copy, LIBRARY)


def counted(copy: Copy, package: Path) -> list[str]:
    """How often the house's rules are broken."""
    said = copy.run(str(ROOT / "scripts" / "architecture"), "--source", str(package)).splitlines()
    return [line for line in said if line.startswith(("imports upwards", "circles", "functions"))]
