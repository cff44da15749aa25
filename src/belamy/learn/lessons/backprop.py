"""The fourth lesson: one step of learning, number by number."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Literal

from belamy.learn.lessons import Language, Lesson
from belamy.learn.lessons.options import numbers, within
from belamy.learn.texts import Texts, texts

if TYPE_CHECKING:
    from collections.abc import Iterator

    from belamy.basics.worked import Worked

__all__ = ["backprop"]

_STAGES = 4  # forward, error, backward, new weights
_ERRORS = {"absolute": "|y − t| = |{y} − {t}|", "squared": "½ (y − t)² = ½ ({y} − {t})²"}


def backprop(
    *,
    inputs: str = "0.5,1",
    wanted: float = 1.0,
    rate: float = 0.5,
    loss: Literal["absolute", "squared"] = "absolute",
    seed: int = 0,
    language: Language = "en",
) -> Lesson:
    """One step of back-propagation on a network of 2-2-1 neurons, number by number.

    Args:
        inputs: the two numbers that it is given, -5 to 5.
        wanted: what it should answer, 0 to 1.
        rate: how far each weight goes downhill, 0.001 to 100.
        loss: the error: absolute is |output − wanted|, squared is half the square of that.
        seed: of the weights, which have one digit each.
        language: of the texts.
    """
    import numpy as np

    from belamy.basics.worked import round_network, work
    from belamy.learn.drawings.backprop import draw_backprop

    say = texts(language)
    given = np.array(numbers("--inputs", inputs, float, -5.0, 5.0, count=2))
    within("--wanted", wanted, 0.0, 1.0)
    within("--rate", rate, 0.001, 100.0)
    random = np.random.default_rng(within("--seed", seed, 0, 2**63))
    worked = work(round_network(random), given, wanted, rate, loss)
    yield say("backprop.begin", seed=seed, x1=given[0], x2=given[1], wanted=wanted)
    yield from _forward(worked, say)
    error = _ERRORS[loss].format(y=_n(worked.output), t=_n(wanted))
    yield say("backprop.error", formula=error, error=_n(worked.error))
    yield from _backward(worked, loss, say)
    yield from _update(worked, say)
    for stage in range(_STAGES):
        yield partial(draw_backprop, worked, say, stage)


def _forward(worked: Worked, say: Texts) -> Iterator[str]:
    (hidden, output), (h, _) = worked.before, worked.answers
    yield say("backprop.forward")
    for neuron in range(2):
        terms = zip(hidden.weights[:, neuron], worked.inputs, strict=True)
        yield _sum(f"z{_low(neuron)}", terms, hidden.biases[neuron], worked.sums[0][neuron]) + (
            f",  h{_low(neuron)} = σ(z{_low(neuron)}) = {_n(h[neuron])}"
        )
    terms = zip(output.weights[:, 0], h, strict=True)
    yield (
        _sum("z", terms, output.biases[0], worked.sums[1][0]) + f",  y = σ(z) = {_n(worked.output)}"
    )


def _backward(worked: Worked, loss: str, say: Texts) -> Iterator[str]:
    h, y = worked.answers[0], worked.output
    last = float(worked.slopes[1][0])
    yield say("backprop.backward")
    because = {"absolute": "sign(y − t)", "squared": "y − t"}[loss]
    yield f"  ∂E/∂y = {because} = {_n(worked.slope)}"
    yield f"  ∂E/∂z = ∂E/∂y · y (1 − y) = {_n(worked.slope)} · {_n(y)} · {_n(1 - y)} = {_n(last)}"
    for neuron in range(2):
        name, slope = _low(neuron), worked.gradients[1][0][neuron, 0]
        yield f"  ∂E/∂v{name} = ∂E/∂z · h{name} = {_n(last)} · {_n(h[neuron])} = {_n(slope)}"
    for neuron in range(2):
        name, weight = _low(neuron), worked.before[1].weights[neuron, 0]
        factors = f"{_n(last)} · {_in_brackets(weight)} · {_n(h[neuron])} · {_n(1 - h[neuron])}"
        slope = worked.slopes[0][neuron]
        yield f"  ∂E/∂z{name} = ∂E/∂z · v{name} · h{name} (1 − h{name}) = {factors} = {_n(slope)}"
    yield say("backprop.first")


def _update(worked: Worked, say: Texts) -> Iterator[str]:
    yield say("backprop.update", rate=worked.rate)
    named = [
        *((f"w{_low(i)}{_low(j)}", 0, (i, j)) for j in range(2) for i in range(2)),
        *((f"v{_low(i)}", 1, (i, 0)) for i in range(2)),
    ]
    for name, level, place in named:
        old, new = (net[level].weights[place] for net in (worked.before, worked.after))
        slope = worked.gradients[level][0][place]
        yield f"  {name} = {_n(old)} − {worked.rate:g} · {_in_brackets(slope)} = {_n(new)}"
    better = "backprop.better" if worked.new_error < worked.error else "backprop.worse"
    numbers_ = {"old": _n(worked.error), "new": _n(worked.new_error), "y": _n(worked.new_output)}
    yield say(better, **numbers_)


def _sum(name: str, terms: Iterator[tuple[float, float]], bias: float, total: float) -> str:
    """`z = 0.3·0.5 + (−0.4)·1 + 0.1 = −0.15`."""
    products = " + ".join(f"{_in_brackets(weight)}·{_n(value)}" for weight, value in terms)
    return f"  {name} = {products} + {_in_brackets(bias)} = {_n(total)}"


def _n(value: float) -> str:
    """Four digits at most after the point, and a minus as long as a plus."""
    text = f"{value:.4f}".rstrip("0").rstrip(".")
    return "0" if text == "-0" else text.replace("-", "−")


def _in_brackets(value: float) -> str:
    return f"({_n(value)})" if value < 0 else _n(value)


def _low(index: int) -> str:
    return "₁₂"[index]
