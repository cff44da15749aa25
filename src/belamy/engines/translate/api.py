"""Translation between two worlds of pictures: every picture of one becomes one of the other.

This module imports no torch, so that the command line can read its signatures and defaults.
"""

from __future__ import annotations

import inspect
import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from belamy.errors import OptionError, UnknownName
from belamy.precision import Precision, check_precision
from belamy.steps import Step, run_to_end

if TYPE_CHECKING:
    from belamy.pixels.images import Source
    from belamy.training.trainer import Tick

__all__ = [
    "DIRECTIONS",
    "METHODS",
    "TranslateConfig",
    "evaluate_translation",
    "train_translation",
    "translate",
    "translate_steps",
    "translator",
]

DIRECTIONS = ("a-to-b", "b-to-a")

METHODS: dict[str, dict[str, Any]] = {
    "cyclegan": {"cycle_weight": 10.0, "identity_weight": 0.5, "pool": 50},
    "cut": {"contrast_weight": 1.0, "identity_weight": 1.0, "pool": 0},
    "fastcut": {"contrast_weight": 10.0, "pool": 0},
    "pix2pix": {"pair_weight": 100.0},
}
"""Method → the options that it has of those that not all have, and their defaults there."""

_OWN = ("cycle_weight", "identity_weight", "contrast_weight", "pair_weight", "pool")


def translate_steps(
    image: Source,
    *,
    network: str,
    direction: Literal["a-to-b", "b-to-a"] = "a-to-b",
    size: int | None = None,
    strength: float = 1.0,
    keep_colors: bool = False,
    tile: Literal["auto", "none"] | int = "auto",
    engine: Literal["auto", "torch", "onnxruntime", "openvino"] = "auto",
    device: str = "auto",
) -> Iterator[Step]:
    """Translate a picture from one world into another.

    Args:
        image: a file, PIL image, array or tensor; any size. Transparency is kept.
        network: a file that `belamy translate train` made, or impressionism, which is inside the
            package: landscapes as paintings, and back; it learned on small pictures, so that
            size 256 or 384 shows its brush.
        direction: from the world of A to that of B, or back; methods that learn one direction
            alone have a-to-b.
        size: long side of the result in pixels; a network changes things that are as large as
            they were when it learned. None: the image's own.
        strength: how much of the translation is blended into the image, 0 to 1.
        keep_colors: take only light and dark from the translation, and colours from the image.
        tile: longest side of the tiles that large pictures are worked on in; auto decides by the
            memory that is free, none never tiles.
        engine: what runs the network: torch; or onnxruntime or openvino, which are faster on
            processors and come with `pip install 'belamy[fast]'`. auto takes torch where it can.
        device: auto, cpu, cuda or mps.

    Yields:
        one `Step`, with the translation.

    Raises:
        ImageError: the picture cannot be read.
        WeightsError: the network is not here, damaged, or has not learned this direction.
        OptionError: a value out of its range.
        MissingExtra: the engine is not installed.

    Source: Zhu, Park, Isola and Efros 2017, "Unpaired image-to-image translation using
    cycle-consistent adversarial networks". **Differs** on large pictures, see
    `belamy.engines.faststyle.api.apply_style_steps`.
    """
    asked = dict(locals())
    from belamy.engines import feedforward

    yield from feedforward.run("translate", **asked)


translate = run_to_end(translate_steps)


def translator(
    network: str,
    *,
    direction: str = "a-to-b",
    engine: str = "auto",
    device: str = "auto",
    **options: Any,
) -> Callable[[Source], Iterator[Step]]:
    """A function that does what `translate_steps` does, and loads the network once.

    Args:
        network: as in `translate_steps`.
        direction: as in `translate_steps`.
        engine: as in `translate_steps`.
        device: as in `translate_steps`.
        options: its other arguments.

    Raises:
        WeightsError: the network is not here, damaged, or has not learned this direction.
        OptionError: a value out of its range.
        MissingExtra: the engine is not installed.
    """
    from belamy.engines import feedforward

    arguments = inspect.signature(translate_steps).parameters
    usual = {name: one.default for name, one in arguments.items() if name != "image"}
    own = {"network": network, "direction": direction, "engine": engine, "device": device}
    return feedforward.prepared("translate", {**usual, **options, **own})


@dataclass(frozen=True)
class TranslateConfig:
    """How two worlds are learned.

    Args:
        a: folder or zip of pictures of one world, or a folder in a zip (photos.zip/sea); in all
            folders in it.
        b: the same of the other world.
        method: cyclegan learns both directions, by the way there and back; cut and fastcut learn
            one, by comparing patches, in less time and memory; pix2pix learns one from pairs,
            pictures of the same name in A and B.
        a_label: what the pictures of A are, in words. None: the name of the folder.
        b_label: what the pictures of B are.
        size: side in pixels of the squares that are learned from; at 256, as in the papers, a
            step costs four times as much as at 128.
        crop: how squares are cut out of pictures: jitter, a little smaller than the picture
            (286 to 256, as CycleGAN's); detail, five eighths as wide, which teaches the brush
            rather than the subject, and is cheap; zoom, of any size and shape from two fifths of
            it; whole.
        generator: resnet, CycleGAN's; residual, the same added to the picture, which learns small
            changes in fewer steps; unet, which keeps lines where they are.
        generator_channels: at full size, four times as many at quarter size.
        blocks: residual blocks of a generator. None: 9, and none in a unet.
        sampling: how a generator makes pictures larger: antialiased or resize, without a
            checkerboard; transposed, as CycleGAN has it, at three quarters of the cost.
        discriminator_channels: after its first convolution.
        discriminator_layers: that halve; it judges patches of 70×70 pixels at 3, 34×34 at 2.
        loss: what the discriminators are asked for. None: least-squares; non-saturating for
            pix2pix, as in the papers.
        cycle_weight: of the way there and back (cyclegan). None: 10.
        identity_weight: of leaving pictures of the other world as they are, times the cycle's
            (cyclegan, cut). None: 0.5 and 1.
        contrast_weight: of patches that must be recognised (cut, fastcut). None: 1 and 10.
        pair_weight: of the distance to the picture's pair (pix2pix). None: 100.
        pool: translations kept for the discriminators to see again, in each process (not pix2pix).
            None: 50 for cyclegan, none for cut and fastcut.
        augment: whether the discriminators see pictures through random changes, which keeps them
            from learning small sets by heart; auto does where a world has fewer than 500 pictures,
            and never for pairs.
        steps: how many batches are translated.
        batch: pictures of each world a step, in each process.
        learning_rate: of Adam; it falls along a line to nothing in the second half.
        average: decay per step of the moving average of the weights, which is what is kept.
        precision: of the convolutions: auto is bfloat16 where the processor or card has it, which
            takes about half the time, else float32; float16, for cards that have no bfloat16
            (before 2020), with the losses scaled so that no gradient vanishes.
        seed: of the first weights, the order, the crops.
    """

    a: str
    b: str
    method: Literal["cyclegan", "cut", "fastcut", "pix2pix"] = "cyclegan"
    a_label: str | None = None
    b_label: str | None = None
    size: int = 128
    crop: Literal["jitter", "detail", "zoom", "whole"] = "jitter"
    generator: Literal["resnet", "residual", "unet"] = "resnet"
    generator_channels: int = 64
    blocks: int | None = None
    sampling: Literal["antialiased", "resize", "transposed"] = "antialiased"
    discriminator_channels: int = 64
    discriminator_layers: int = 3
    loss: Literal["least-squares", "non-saturating", "hinge"] | None = None
    cycle_weight: float | None = None
    identity_weight: float | None = None
    contrast_weight: float | None = None
    pair_weight: float | None = None
    pool: int | None = None
    augment: Literal["auto", "always", "never"] = "auto"
    steps: int = 20_000
    batch: int = 1
    learning_rate: float = 2e-4
    average: float = 0.999
    precision: Precision = "auto"
    seed: int = 0

    def __post_init__(self) -> None:
        if self.method not in METHODS:
            raise UnknownName("method", self.method, METHODS)
        check_precision(self.precision)
        self._fill()
        self._check_choices()
        _require(64 <= self.size <= 1024, "size", self.size, "64 to 1024 pixels")
        grid = 32 if self.generator == "unet" else 4
        _require(self.size % grid == 0, "size", self.size, f"a multiple of {grid}")
        for name, low, high in _RANGES:
            value = getattr(self, name)
            if value is not None:
                good = low <= value <= high and math.isfinite(value)
                _require(good, name.replace("_", " "), value, f"{low} to {high}")
        _require(0 < self.learning_rate < 1, "learning rate", self.learning_rate, "0 to 1")
        _require(0 <= self.average < 1, "average", self.average, "0 up to 1, not 1 itself")

    def _fill(self) -> None:
        """What is left open is written down, so that the run's config.json says all."""
        known = METHODS[self.method]
        for name in _OWN:
            given = getattr(self, name)
            if given is not None and name not in known:
                words = name.replace("_", " ")
                raise OptionError(f"{self.method} has no {words}; leave it out")
            self._set(name, known.get(name) if given is None else given)
        usual = "non-saturating" if self.method == "pix2pix" else "least-squares"
        self._set("loss", self.loss or usual)
        few = 0 if self.generator == "unet" else 9
        self._set("blocks", few if self.blocks is None else self.blocks)
        self._set("a_label", self.a_label or Path(self.a).stem)
        self._set("b_label", self.b_label or Path(self.b).stem)

    def _set(self, name: str, value: object) -> None:
        object.__setattr__(self, name, value)

    def _check_choices(self) -> None:
        if self.augment == "always" and self.method == "pix2pix":
            raise OptionError("pairs cannot be changed one by one; leave out augment always")
        if self.generator != "resnet" and self.contrast_weight is not None:
            raise OptionError(
                f"{self.method} looks into a resnet, not into a {self.generator}; "
                "take generator resnet"
            )

    @property
    def directions(self) -> tuple[str, ...]:
        """What is learned: some of `DIRECTIONS`."""
        return DIRECTIONS if self.method == "cyclegan" else DIRECTIONS[:1]

    @property
    def arguments(self) -> dict[str, Any]:
        """What a generator is built with: see `translator`."""
        return {
            "shape": self.generator,
            "channels": self.generator_channels,
            "blocks": self.blocks,
            "sampling": self.sampling,
        }


_RANGES: tuple[tuple[str, float, float], ...] = (
    ("generator_channels", 1, 256),
    ("blocks", 0, 32),
    ("discriminator_channels", 1, 256),
    ("discriminator_layers", 1, 4),
    ("cycle_weight", 0, 1e6),
    ("identity_weight", 0, 1e6),
    ("contrast_weight", 0, 1e6),
    ("pair_weight", 0, 1e6),
    ("pool", 0, 10_000),
    ("steps", 1, 10_000_000),
    ("batch", 1, 1024),
)
"""Option → the least and the most."""


def _require(good: bool, name: str, value: object, wanted: str) -> None:
    if not good:
        raise OptionError(f"{name} is {value!r}; it must be {wanted}")


def train_translation(
    config: TranslateConfig, folder: Path, *, device: str = "auto"
) -> Iterator[Tick]:
    """Learn to translate between two worlds, in a run folder, from where it stopped.

    At the end the folder holds `network.safetensors`, at half precision, for `translate`; on the
    way `samples/` shows what it has learned, and ticks say where it goes wrong.

    Args:
        config: what to train; a folder that holds another configuration is refused.
        folder: the run folder, made if it is not there.
        device: auto, cpu, cuda or mps.

    Yields:
        a `Tick` that says what will be done; then ticks with the losses.

    Raises:
        DataError: a world has no pictures, or pairs do not match.
        RunError: the folder holds something else, or another configuration.
        Diverged: the loss is no longer a number.
    """
    from belamy.engines.translate import train

    yield from train.training(config, folder, device)


def evaluate_translation(
    network: str,
    a: str,
    b: str,
    *,
    direction: Literal["a-to-b", "b-to-a"] = "a-to-b",
    model: str = "iris",
    size: int = 128,
    pairs: bool = False,
    device: str = "auto",
) -> dict[str, float | str]:
    """Measure how well pictures of one world become those of the other.

    Args:
        network: a file that `belamy translate train` made.
        a: folder or zip of pictures of the world A.
        b: the same of the world B.
        direction: which is translated into which.
        model: the network on whose features the distances are measured, `belamy models list`;
            numbers on different ones cannot be compared.
        size: side in pixels of the squares that are translated and compared.
        pairs: pictures of the same name in A and B belong together: compare them by PSNR and SSIM.
        device: auto, cpu, cuda or mps.

    Returns:
        `fid` (where there are enough pictures for it) and `kid` to the true pictures; `kid_before`,
        of the pictures as they were; `features`, what they were measured on; `change`, the mean
        difference to the input; `cycle`, the error of the way there and back, where both
        directions are known; `psnr` and `ssim` of pairs; `remarks`, where something is plainly
        wrong: light or colours turned into their opposites, all pictures alike, nothing changed.

    Raises:
        DataError: a world has too few pictures, or pairs do not match.
        WeightsError: a network is not here, or has not learned this direction.
    """
    asked = dict(locals())
    from belamy.engines.translate import evaluate

    return evaluate.measured(**asked)
