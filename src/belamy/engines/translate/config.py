"""How a translation between two domains is learned: every option, once."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal

from belamy.checks import Between, check_options, flag_of, require, show_value
from belamy.engines.translate.options import DIRECTIONS, Direction
from belamy.errors import DataError, OptionError, UnknownName
from belamy.precision import Precision

__all__ = ["METHODS", "MethodDefaults", "TranslateConfig"]

_TOGETHER = (("trainA", "trainB"), ("A/train", "B/train"), ("A", "B"))  # in one folder
_WEIGHTS = Between(0, 1e6)
_CHANNELS = Between(1, 256)


@dataclass(frozen=True)
class MethodDefaults:
    """The options that not all methods have; None: the method has none of it."""

    cycle_weight: float | None = None
    identity_weight: float | None = None
    contrast_weight: float | None = None
    pair_weight: float | None = None
    pool: int | None = None


METHODS: dict[str, MethodDefaults] = {
    "cyclegan": MethodDefaults(cycle_weight=10.0, identity_weight=0.5, pool=50),
    "cut": MethodDefaults(contrast_weight=1.0, identity_weight=1.0, pool=0),
    "fastcut": MethodDefaults(contrast_weight=10.0, pool=0),
    "pix2pix": MethodDefaults(pair_weight=100.0),
}
"""Method → the defaults of its own options, as its paper has them."""


@dataclass(frozen=True)
class TranslateConfig:
    """How a translation between two domains is learned.

    Args:
        a: folder or zip of pictures of domain A, or a folder in a zip (photos.zip/sea); in all
            folders in it.
        b: the same of domain B. Not given: a holds both, as trainA/ and trainB/ or A/ and B/; or,
            for pix2pix, side by side in each picture, A in the left half.
        direction: b-to-a (or BtoA) learns the other way: A and B change places.
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
            changes in fewer steps; coarse, added to the picture without its details, so that tones
            stay and every detail is made anew; tones, which changes the colour of each pixel and
            draws nothing, so that every detail stays at any size; unet, which keeps lines where
            they are.
        generator_channels: at full size, four times as many at quarter size.
        blocks: residual blocks of a generator. None: 9, and none in a unet.
        generator_norm: instance, as CycleGAN's, which evens out how light pictures are, and their
            contrast; none, which sees both, and changes tones in fewer steps.
        sampling: how a generator makes pictures larger: antialiased or resize, without a
            checkerboard; transposed, as CycleGAN has it, at three quarters of the cost.
        discriminator_channels: after its first convolution.
        discriminator_layers: that halve; it judges patches of 70×70 pixels at 3, 34×34 at 2, and at
            0 the colour of each pixel alone.
        discriminator_scales: how many discriminators a domain has; the second sees pictures of
            half the size, so its patches are twice as wide, the third of a quarter.
        discriminator_norm: instance, as CycleGAN's, which hardly sees how light a picture is, and
            its tint; none, which judges them too, as day and night want it.
        loss: what the discriminators are asked for. None: least-squares; non-saturating for
            pix2pix, as in the papers.
        adversarial_weight: of passing for real; 0 trains without discriminators, from the features
            of a perceptual network alone, which is a quick start for a longer training.
        style_weight: of the distance between the feature statistics (Gram matrices) of a
            translation and those of the pictures of its new domain that are most like it.
        content_weight: of the distance between the features of a translation and its picture's.
        feature_cycle_weight: of the way there and back in features, which lets strokes be undone
            as other strokes (cyclegan).
        model: the perceptual network of the last three, a name (`belamy models list`) or a file.
        start: a network to go on from: a run folder or a file of `belamy translate train` with the
            same generator options. None starts from random weights.
        warm_up: steps at the start in which the discriminators alone learn: for a start from a
            network, which new discriminators would spoil.
        cycle_weight: of the way there and back (cyclegan). None: 10.
        cycle_noise: deviation, at the most and at each of several scales, of the noise on what goes
            back, of 1 (cyclegan), so that a translation cannot hide in it what its domain does not
            show; 0.03 for colours in a brown print.
        cycle_gradient: whom the way there and back teaches (cyclegan): both generators, as in the
            paper, or back, the one that leads home alone. Where a domain cannot hold all that the
            other has, as a brown print holds no colours, the first is free to give it up, and the
            second learns to guess it.
        identity_weight: of leaving pictures of the other domain as they are, times the cycle's
            (cyclegan, cut). None: 0.5 and 1.
        contrast_weight: of patches that must be recognised (cut, fastcut). None: 1 and 10.
        pair_weight: of the distance to the picture's pair (pix2pix). None: 100.
        pool: translations kept for the discriminators to see again, in each process (not pix2pix).
            None: 50 for cyclegan, none for cut and fastcut.
        augment: whether the discriminators see pictures through random changes, which keeps them
            from learning small sets by heart; auto does where a domain has fewer than 500 pictures,
            and never for pairs.
        steps: how many batches are translated.
        batch: pictures of each domain a step, in each process.
        learning_rate: of Adam; it falls along a line to nothing in the second half.
        ema: decay per step of the exponential moving average of the weights, which is what is
            kept.
        precision: of the convolutions: auto is bfloat16 where the processor or card has it, which
            takes about half the time, else float32; float16, for cards that have no bfloat16
            (before 2020), with the losses scaled so that no gradient vanishes.
        seed: of the first weights, the order, the crops.

    Raises:
        OptionError: a value out of its range, or options that exclude each other.
        UnknownName: none of the choices.
    """

    a: str
    b: str = ""
    method: Literal["cyclegan", "cut", "fastcut", "pix2pix"] = "cyclegan"
    direction: Literal["a-to-b", "b-to-a", "AtoB", "BtoA"] = "a-to-b"
    a_label: str | None = None
    b_label: str | None = None
    size: Annotated[int, Between(64, 1024, "pixels")] = 128
    crop: Literal["jitter", "detail", "zoom", "whole"] = "jitter"
    generator: Literal["resnet", "residual", "coarse", "tones", "unet"] = "resnet"
    generator_channels: Annotated[int, _CHANNELS] = 64
    blocks: Annotated[int | None, Between(0, 32)] = None
    generator_norm: Literal["instance", "none"] = "instance"
    sampling: Literal["antialiased", "resize", "transposed"] = "antialiased"
    discriminator_channels: Annotated[int, _CHANNELS] = 64
    discriminator_layers: Annotated[int, Between(0, 4)] = 3
    discriminator_scales: Annotated[int, Between(1, 3)] = 1
    discriminator_norm: Literal["instance", "none"] = "instance"
    loss: Literal["least-squares", "non-saturating", "hinge"] | None = None
    adversarial_weight: Annotated[float, _WEIGHTS] = 1.0
    style_weight: Annotated[float, _WEIGHTS] = 0.0
    content_weight: Annotated[float, _WEIGHTS] = 0.0
    feature_cycle_weight: Annotated[float, _WEIGHTS] = 0.0
    model: str = "iris"
    start: str | None = None
    warm_up: Annotated[int, Between(0, 10_000_000)] = 0
    cycle_weight: Annotated[float | None, _WEIGHTS] = None
    cycle_noise: Annotated[float, Between(0, 1)] = 0.0
    cycle_gradient: Literal["both", "back"] = "both"
    identity_weight: Annotated[float | None, _WEIGHTS] = None
    contrast_weight: Annotated[float | None, _WEIGHTS] = None
    pair_weight: Annotated[float | None, _WEIGHTS] = None
    pool: Annotated[int | None, Between(0, 10_000)] = None
    augment: Literal["auto", "always", "never"] = "auto"
    steps: Annotated[int, Between(1, 10_000_000)] = 20_000
    batch: Annotated[int, Between(1, 1024)] = 1
    learning_rate: Annotated[float, Between(0, 1, above=True, below=True)] = 2e-4
    ema: Annotated[float, Between(0, 1, below=True)] = 0.999
    precision: Precision = "auto"
    seed: int = 0

    def __post_init__(self) -> None:
        if self.method not in METHODS:
            raise UnknownName("method", self.method, METHODS)
        check_options(self)
        self._find_domains()
        self._fill_in()
        check_options(self)
        self._check_together()

    def _fill_in(self) -> None:
        """What is left open is written down, so that the run's config.json says all."""
        known = METHODS[self.method]
        own: tuple[tuple[str, float | None, float | None], ...] = (
            ("cycle_weight", self.cycle_weight, known.cycle_weight),
            ("identity_weight", self.identity_weight, known.identity_weight),
            ("contrast_weight", self.contrast_weight, known.contrast_weight),
            ("pair_weight", self.pair_weight, known.pair_weight),
            ("pool", self.pool, known.pool),
        )
        for name, given, default in own:
            if given is not None and default is None:
                raise OptionError(f"{self.method} has no {flag_of(name)[2:]}; leave it out")
            self._set(name, default if given is None else given)
        usual = "non-saturating" if self.method == "pix2pix" else "least-squares"
        self._set("loss", self.loss or usual)
        few = 0 if self.generator == "unet" else 9
        self._set("blocks", few if self.blocks is None else self.blocks)
        names = Path(self.a).stem, Path(self.b).stem
        if self.halves:
            halves = ("left", "right") if self.direction == "a-to-b" else ("right", "left")
            names = f"{names[0]} {halves[0]}", f"{names[0]} {halves[1]}"
        self._set("a_label", self.a_label or names[0])
        self._set("b_label", self.b_label or names[1])

    def _find_domains(self) -> None:
        """Which folder holds A and which B, of the one that is given, in the direction asked for.

        Where they are two, the direction is then a-to-b; halves of pictures are cut by it.
        """
        if not self.b:
            found = _find_both(self.a)
            if found is None and self.method != "pix2pix":
                raise OptionError(
                    f"name the two domains, A and B: {show_value(self.a)} alone has no trainA/ "
                    "and trainB/ in it"
                )
            a, b = found or (self.a, self.a)
            self._set("a", a)
            self._set("b", b)
        back = self.direction in ("b-to-a", "BtoA")
        if back and not self.halves:
            for one, other in (("a", "b"), ("a_label", "b_label")):
                first, second = getattr(self, one), getattr(self, other)
                self._set(one, second)
                self._set(other, first)
            back = False
        self._set("direction", "b-to-a" if back else "a-to-b")

    def _set(self, name: str, value: object) -> None:
        object.__setattr__(self, name, value)

    def _check_together(self) -> None:
        grid = 32 if self.generator == "unet" else 4
        require(self.size % grid == 0, "size", self.size, f"a multiple of {grid}")
        if self.augment == "always" and self.method == "pix2pix":
            raise OptionError("pairs cannot be changed one by one; leave out augment always")
        if self.feature_cycle_weight > 0 and self.method != "cyclegan":
            raise OptionError(f"{self.method} does not come back; leave out feature-cycle-weight")
        if self.cycle_noise > 0 and self.method != "cyclegan":
            raise OptionError(f"{self.method} does not come back; leave out cycle-noise")
        if self.cycle_gradient != "both" and self.method != "cyclegan":
            raise OptionError(f"{self.method} does not come back; leave out cycle-gradient")
        if self.adversarial_weight == 0 and self.style_weight == 0 and not self.paired:
            raise OptionError(
                "with an adversarial weight of 0 nothing says what the other domain is like; give "
                "style-weight, such as 1"
            )
        if self.generator != "resnet" and self.contrast_weight is not None:
            raise OptionError(
                f"{self.method} looks into a resnet, not into a {self.generator}; "
                "take generator resnet"
            )

    @property
    def perceptual(self) -> bool:
        """Whether a perceptual network is looked into."""
        return max(self.style_weight, self.content_weight, self.feature_cycle_weight) > 0

    @property
    def directions(self) -> tuple[Direction, ...]:
        """What is learned."""
        return DIRECTIONS if self.method == "cyclegan" else DIRECTIONS[:1]

    @property
    def halves(self) -> bool:
        """Whether pairs are side by side in one picture."""
        return self.method == "pix2pix" and os.path.realpath(self.a) == os.path.realpath(self.b)

    @property
    def paired(self) -> bool:
        """Whether pictures of the same name in A and B belong together."""
        return self.pair_weight is not None


def _find_both(place: str) -> tuple[str, str] | None:
    """The folders of A and of B in one folder or zip; None where it has no such two."""
    from belamy.pixels.archive import open_tree

    try:
        with open_tree(place) as tree:
            names = [f"/{name}" for name in tree.pictures]
    except DataError:  # it is said when the pictures are read
        return None
    for one, other in _TOGETHER:
        top = next((name.split(f"/{one}/")[0] for name in names if f"/{one}/" in name), None)
        if top is not None and any(name.startswith(f"{top}/{other}/") for name in names):
            folder = Path(place, top.lstrip("/"))
            return str(folder / one), str(folder / other)
    return None
