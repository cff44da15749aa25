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
from belamy.learn.texts import Texts, texts

if TYPE_CHECKING:
    from belamy.learn.toy_gan import Fight, Moment

__all__ = ["DEFAULT_PENALTIES", "gan_toy", "gan_toy_steps"]

DEFAULT_PENALTIES = {
    "minimax": 0.0,
    "non-saturating": 0.0,
    "least-squares": 0.0,
    "hinge": 0.0,
    "wasserstein": 0.1,
    "relativistic": 0.1,
}
"""Loss → the weight of the penalty on the discriminator's gradients that it is used with: none as
first published, Gulrajani's for wasserstein (whose 10 is for pictures), R1 and R2 for
relativistic."""

_FRAMES = 48
_TOLD = 6
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
    """A GAN learns eight clouds of points on a ring: both networks' view, while they fight.

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
        if name not in DEFAULT_PENALTIES:
            raise UnknownName("loss", name, DEFAULT_PENALTIES)
    if len(chosen) > _MOST:
        raise OptionError(f"--loss names {len(chosen)} losses; {_MOST} at most stand side by side")
    from belamy.learn.toy_gan import Fight

    say = texts(language)
    weights = [DEFAULT_PENALTIES[name] if penalty is None else penalty for name in chosen]
    fights = [
        Fight(name, weight, momentum, discriminator_steps, steps, seed)
        for name, weight in zip(chosen, weights, strict=True)
    ]
    yield say("gan.begin", seed=seed)
    yield from _one(fights[0], say) if len(fights) == 1 else _compared(fights, say)


def _one(fight: Fight, say: Texts) -> Lesson:
    """One fight, watched closely."""
    from belamy.learn.drawings.gan import draw_fight

    yield say(f"gan.loss_{fight.loss}")
    yield say("gan.penalty", penalty=fight.penalty) if fight.penalty else say("gan.no_penalty")
    film, told = (_chosen(fight.steps, parts) for parts in (_FRAMES, _TOLD))
    for moment in fight.moments(film | told):
        if moment.step in told and moment.step > 0:
            yield _line(moment, say)
        if moment.step in film:
            yield partial(draw_fight, moment, say)
    yield _verdict(moment, say)


def _compared(fights: list[Fight], say: Texts) -> Lesson:
    """Several fights from the same first weights, side by side."""
    from belamy.learn.drawings.gan import draw_comparison

    film = _chosen(fights[0].steps, _FRAMES)
    for fight in fights:
        yield say(f"gan.loss_{fight.loss}")
    for moments in zip(*(fight.moments(film) for fight in fights), strict=True):
        yield partial(draw_comparison, moments, say)
    for fight, moment in zip(fights, moments, strict=True):
        yield f"{fight.loss} (γ = {fight.penalty:g}): " + _verdict(moment, say)


def _line(moment: Moment, say: Texts) -> str:
    _, discriminator, generator, _, _ = moment.history[-1]
    return say(
        "gan.step",
        step=moment.step,
        discriminator=discriminator,
        generator=generator,
        covered=moment.covered,
        good=moment.good,
    )


def _verdict(moment: Moment, say: Texts) -> str:
    """What became of it, in a sentence."""
    measured = say("gan.measured", covered=moment.covered, good=moment.good)
    if moment.good < _LOST:
        return f"{measured} {say('gan.lost')}"
    if moment.covered < _ALL:
        return f"{measured} {say('gan.collapsed')}"
    return f"{measured} {say('gan.covers')}"


def _chosen(steps: int, parts: int) -> set[int]:
    """Steps 0 to `steps`, about `parts` of them, dense at first, when most happens."""
    return {round(steps * (part / parts) ** 1.5) for part in range(parts + 1)}


gan_toy_steps = as_engine(gan_toy)
