"""The fourth lesson: one step of learning, number by number."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Annotated, Literal

from belamy.checks import Between
from belamy.learn.engine import as_engine
from belamy.learn.lessons import Language, Lesson, Seed, as_lesson
from belamy.learn.lessons.options import parse_numbers
from belamy.learn.texts import Texts, texts

if TYPE_CHECKING:
    from collections.abc import Iterator

    from belamy.basics.worked import TrainingStep

__all__ = ["backprop", "backprop_steps"]

_STAGES = 4  # forward, error, backward, new weights
_ERRORS = {"absolute": "|y − t| = |{y} − {t}|", "squared": "½ (y − t)² = ½ ({y} − {t})²"}


@as_lesson
def backprop(
    *,
    inputs: str = "0.5,1",
    target: Annotated[float, Between(0, 1)] = 1.0,
    learning_rate: Annotated[float, Between(0.001, 100)] = 0.5,
    loss: Literal["absolute", "squared"] = "absolute",
    seed: Seed = 0,
    language: Language = "en",
) -> Lesson:
    """One step of back-propagation on a network of 2-2-1 neurons, number by number.

    Args:
        inputs: the two numbers that it is given, -5 to 5.
        target: what it should answer.
        learning_rate: how far each weight goes downhill.
        loss: the error: absolute is |output − target|, squared is half the square of that.
        seed: of the weights, which have one digit each.
        language: of the texts.
    """
    import numpy as np

    from belamy.basics.worked import round_network, take_step
    from belamy.learn.drawings.backprop import draw_backprop

    say = texts(language)
    given = np.array(parse_numbers("inputs", inputs, float, Between(-5, 5), count=2))
    rng = np.random.default_rng(seed)
    step = take_step(round_network(rng), given, target, learning_rate, loss)
    yield say("backprop.begin", seed=seed, x1=given[0], x2=given[1], target=target)
    yield from _forward(step, say)
    error = _ERRORS[loss].format(y=_n(step.output), t=_n(target))
    yield say("backprop.error", formula=error, error=_n(step.error))
    yield from _backward(step, loss, say)
    yield from _update(step, say)
    for stage in range(_STAGES):
        yield partial(draw_backprop, step, say, stage)


def _forward(step: TrainingStep, say: Texts) -> Iterator[str]:
    (hidden, output), (h, _) = step.before, step.answers
    yield say("backprop.forward")
    for neuron in range(2):
        terms = zip(hidden.weights[:, neuron], step.inputs, strict=True)
        yield _sum(f"z{_low(neuron)}", terms, hidden.biases[neuron], step.sums[0][neuron]) + (
            f",  h{_low(neuron)} = σ(z{_low(neuron)}) = {_n(h[neuron])}"
        )
    terms = zip(output.weights[:, 0], h, strict=True)
    yield (_sum("z", terms, output.biases[0], step.sums[1][0]) + f",  y = σ(z) = {_n(step.output)}")


def _backward(step: TrainingStep, loss: str, say: Texts) -> Iterator[str]:
    h, y = step.answers[0], step.output
    last = float(step.deltas[1][0])
    yield say("backprop.backward")
    because = {"absolute": "sign(y − t)", "squared": "y − t"}[loss]
    yield f"  ∂E/∂y = {because} = {_n(step.output_gradient)}"
    factors = f"{_n(step.output_gradient)} · {_n(y)} · {_n(1 - y)}"
    yield f"  ∂E/∂z = ∂E/∂y · y (1 − y) = {factors} = {_n(last)}"
    for neuron in range(2):
        name, gradient = _low(neuron), step.gradients[1][0][neuron, 0]
        yield f"  ∂E/∂v{name} = ∂E/∂z · h{name} = {_n(last)} · {_n(h[neuron])} = {_n(gradient)}"
    for neuron in range(2):
        name, weight = _low(neuron), step.before[1].weights[neuron, 0]
        factors = f"{_n(last)} · {_in_brackets(weight)} · {_n(h[neuron])} · {_n(1 - h[neuron])}"
        delta = step.deltas[0][neuron]
        yield f"  ∂E/∂z{name} = ∂E/∂z · v{name} · h{name} (1 − h{name}) = {factors} = {_n(delta)}"
    yield say("backprop.first")


def _update(step: TrainingStep, say: Texts) -> Iterator[str]:
    yield say("backprop.update", rate=step.rate)
    named = [
        *((f"w{_low(i)}{_low(j)}", 0, (i, j)) for j in range(2) for i in range(2)),
        *((f"v{_low(i)}", 1, (i, 0)) for i in range(2)),
    ]
    for name, layer, index in named:
        old, new = (net[layer].weights[index] for net in (step.before, step.after))
        gradient = step.gradients[layer][0][index]
        yield f"  {name} = {_n(old)} − {step.rate:g} · {_in_brackets(gradient)} = {_n(new)}"
    better = "backprop.better" if step.new_error < step.error else "backprop.worse"
    numbers_ = {"old": _n(step.error), "new": _n(step.new_error), "y": _n(step.new_output)}
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


backprop_steps = as_engine(backprop)
