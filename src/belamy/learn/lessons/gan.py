"""A GAN that can be watched: eight clouds of points on a ring, a generator and a discriminator.

This module imports no torch, so that the command line can read its signature and defaults.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Annotated

from belamy.checks import Between
from belamy.errors import OptionError, UnknownName
from belamy.learn.engine import as_engine
from belamy.learn.lessons import Language, Lesson, Seed, as_lesson
from belamy.learn.texts import TABLES, Texts, texts
from belamy.objectives.adversarial import LOSSES

if TYPE_CHECKING:
    from belamy.learn.toy_gan import Snapshot, ToyGan

__all__ = ["gan_toy", "gan_toy_steps"]

_FRAMES = 48
_REPORTS = 6
_MOST = 4  # losses side by side
_ALL = 8  # clouds
_LOST = 0.05  # part of good points below which the generator has learned nothing


@as_lesson
def gan_toy(
    *,
    loss: str = "relativistic",
    penalty: Annotated[float | None, Between(0, 100)] = None,
    momentum: Annotated[float, Between(0, 0.999)] = 0.5,
    discriminator_steps: Annotated[int, Between(1, 20)] = 1,
    steps: Annotated[int, Between(1, 100_000)] = 4000,
    seed: Seed = 0,
    language: Language = "en",
) -> Lesson:
    """A GAN learns eight clouds of points on a ring: both networks' view, while they play.

    Args:
        loss: what the two networks want: minimax, non-saturating, least-squares, hinge,
            wasserstein or relativistic; several with commas between them stand side by side.
        penalty: weight of the penalty on the discriminator's gradients; none given, what the
            loss came with: 0.1 for relativistic and wasserstein, 0 for the others.
        momentum: of Adam's steps; with 0.9 the two run past each other.
        discriminator_steps: of the discriminator for each one of the generator; a
            discriminator that is too strong teaches minimax nothing.
        steps: of the generator.
        seed: of the first weights, the points and the latents.
        language: of the texts.
    """
    chosen = list(dict.fromkeys(part.strip() for part in loss.split(",")))
    for name in chosen:
        if name not in LOSSES:
            raise UnknownName("loss", name, LOSSES)
    if len(chosen) > _MOST:
        raise OptionError(f"--loss names {len(chosen)} losses; {_MOST} at most stand side by side")
    from belamy.learn.toy_gan import ToyGan

    say = texts(language)
    weights = [LOSSES[name].toy_penalty if penalty is None else penalty for name in chosen]
    gans = [
        ToyGan(name, weight, momentum, discriminator_steps, steps, seed)
        for name, weight in zip(chosen, weights, strict=True)
    ]
    yield say("gan.begin", seed=seed)
    yield from _watch(gans[0], say) if len(gans) == 1 else _compare(gans, say)


def _introduce(loss: str, say: Texts) -> str:
    """A loss in a sentence; its name, where nobody has written one."""
    key = f"gan.loss_{loss}"
    known = any(key in table for table in TABLES[say.language])
    return say(key) if known else loss


def _watch(gan: ToyGan, say: Texts) -> Lesson:
    """One GAN, watched closely."""
    from belamy.learn.drawings.gan import draw_game

    yield _introduce(gan.loss, say)
    yield say("gan.penalty", penalty=gan.penalty) if gan.penalty else say("gan.no_penalty")
    filmed, reported = (_choose_steps(gan.steps, parts) for parts in (_FRAMES, _REPORTS))
    for snapshot in gan.snapshots(filmed | reported):
        if snapshot.step in reported and snapshot.step > 0:
            yield _report(snapshot, say)
        if snapshot.step in filmed:
            yield partial(draw_game, snapshot, say)
    yield _conclude(snapshot, say)


def _compare(gans: list[ToyGan], say: Texts) -> Lesson:
    """Several GANs from the same first weights, side by side."""
    from belamy.learn.drawings.gan import draw_comparison

    filmed = _choose_steps(gans[0].steps, _FRAMES)
    for gan in gans:
        yield _introduce(gan.loss, say)
    for snapshots in zip(*(gan.snapshots(filmed) for gan in gans), strict=True):
        yield partial(draw_comparison, snapshots, say)
    for gan, snapshot in zip(gans, snapshots, strict=True):
        yield f"{gan.loss} (γ = {gan.penalty:g}): " + _conclude(snapshot, say)


def _report(snapshot: Snapshot, say: Texts) -> str:
    _, discriminator, generator, _, _ = snapshot.history[-1]
    return say(
        "gan.step",
        step=snapshot.step,
        discriminator=discriminator,
        generator=generator,
        covered=snapshot.covered,
        good=snapshot.good,
    )


def _conclude(snapshot: Snapshot, say: Texts) -> str:
    """What became of it, in a sentence."""
    measured = say("gan.measured", covered=snapshot.covered, good=snapshot.good)
    if snapshot.good < _LOST:
        return f"{measured} {say('gan.lost')}"
    if snapshot.covered < _ALL:
        return f"{measured} {say('gan.collapsed')}"
    return f"{measured} {say('gan.covers')}"


def _choose_steps(steps: int, parts: int) -> set[int]:
    """Steps 0 to `steps`, about `parts` of them, dense at first, when most happens."""
    return {round(steps * (part / parts) ** 1.5) for part in range(parts + 1)}


gan_toy_steps = as_engine(gan_toy)
