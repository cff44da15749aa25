"""The lesson on how large networks are: any of ours, or out of a file, beside a human cortex."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import TYPE_CHECKING, Annotated

from belamy.checks import Between
from belamy.errors import OptionError
from belamy.learn.engine import as_engine
from belamy.learn.lessons import Language, Lesson, as_lesson
from belamy.learn.texts import texts

if TYPE_CHECKING:
    from belamy.basics.complexity import Complexity
    from belamy.learn.texts import Texts

__all__ = ["complexity", "complexity_steps"]

_MOST = 8


@as_lesson
def complexity(
    networks: str | Sequence[str] = ("alexnet", "vgg16"),
    *,
    size: Annotated[int | None, Between(8, 4096)] = None,
    language: Language = "en",
) -> Lesson:
    """How large networks are: layers, neurons, connections, weights, beside a human cortex.

    Args:
        networks: names (`belamy models list`) or .safetensors files of belamy's; alexnet shows the
            network of 2012 as well.
        size: side of the picture that goes in, in pixels; what each is made for if none is given.
        language: of the texts.
    """
    names = [networks] if isinstance(networks, str) else list(dict.fromkeys(networks))
    if not 1 <= len(names) <= _MOST:
        raise OptionError(f"{len(names)} networks; name 1 to {_MOST}, such as alexnet vgg16")
    from belamy.basics.complexity import CORTEX
    from belamy.learn.drawings.complexity import Size, draw_complexity
    from belamy.learn.network_size import measure_networks

    say = texts(language)
    counted = {title: one for name in names for title, one in measure_networks(name, size)}
    yield from _table(counted, say)
    yield say("complexity.source", source=CORTEX.source)
    yield say("complexity.neuron")
    yield say("complexity.pools", counts=_with_pools(counted))
    yield from (say(f"complexity.about_{key}") for key in _COMMENTED if key in counted)
    yield from (
        say("complexity.uncounted", name=title) for title, one in counted.items() if one.uncounted
    )
    sizes = [
        Size(title, one.depth, one.neurons, one.connections, one.weights)
        for title, one in counted.items()
    ]
    cortex = Size(say("complexity.cortex"), None, CORTEX.neurons, CORTEX.connections, None)
    yield partial(draw_complexity, (*sizes, cortex), say)


_COMMENTED = ("alexnet", "vgg16")


def _table(counted: dict[str, Complexity], say: Texts) -> Lesson:
    from belamy.basics.complexity import CORTEX

    name, *columns = say("complexity.columns").split("|")
    keys = ("layers", "neurons", "connections", "weights", "products")
    yield say("complexity.header", name=name, **dict(zip(keys, columns, strict=True)))
    for title, one in counted.items():
        numbers = (one.depth, one.neurons, one.connections, one.weights, one.multiply_adds)
        shown = (say.group_digits(number) for number in numbers)
        yield say("complexity.header", name=title, **dict(zip(keys, shown, strict=True)))
    yield say(
        "complexity.header",
        name=say("complexity.cortex"),
        layers="",
        neurons=f"{CORTEX.neurons / 1e9:.0f} · 10⁹",
        connections=f"{CORTEX.connections / 1e14:.1f} · 10¹⁴",
        weights="",
        products="",
    )


def _with_pools(counted: dict[str, Complexity]) -> str:
    return ", ".join(
        f"{title} {(one.neurons + one.pooled) / 1e6:.2f} M" for title, one in counted.items()
    )


complexity_steps = as_engine(complexity)
