"""What the lessons say: in both languages the same, with the seed, and with numbers that hold."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest

from belamy.cli.options import arguments_of
from belamy.learn.lessons import Lesson
from belamy.learn.lessons.approximation import approximation
from belamy.learn.lessons.backprop import backprop
from belamy.learn.lessons.depth import depth
from belamy.learn.lessons.mlp import mlp
from belamy.learn.lessons.neuron import neuron
from belamy.learn.lessons.perceptron import perceptron

QUICK: list[tuple[Callable[..., Lesson], dict[str, Any]]] = [
    (neuron, {"weights": "-2,1", "threshold": -0.5}),
    (perceptron, {"count": 20}),
    (perceptron, {"count": 20, "points": "xor", "sweeps": 3}),
    (mlp, {"hidden": "3", "epochs": 3, "count": 20}),
    (backprop, {}),
    (backprop, {"learning_rate": 100.0, "target": 0.5}),
    (approximation, {"widths": "2"}),
    (depth, {"layers": 3}),
]
SEEDED = (perceptron, mlp, backprop, approximation)


def said(lesson: Callable[..., Lesson], **options: Any) -> list[str]:
    return [line for line in lesson(**options) if isinstance(line, str)]


@pytest.mark.parametrize("index", range(len(QUICK)))
def test_italian_says_something_else_with_the_same_numbers(index: int) -> None:
    lesson, options = QUICK[index]
    english, italian = (said(lesson, **options, language=one) for one in ("en", "it"))
    assert len(english) == len(italian)
    assert english[0] != italian[0]
    for one, other in zip(english, italian, strict=True):
        assert sorted(re.findall(r"\d+\.\d+", one)) == sorted(re.findall(r"\d+\.\d+", other))


@pytest.mark.parametrize("lesson", SEEDED, ids=lambda lesson: lesson.__name__)
def test_the_seed_is_said_and_changes_the_lesson(lesson: Callable[..., Lesson]) -> None:
    options = next(options for one, options in QUICK if one is lesson)
    first, second = (said(lesson, **options, seed=seed) for seed in (1, 2))
    assert any("seed 1" in line for line in first)
    assert first == said(lesson, **options, seed=1)
    assert [line.replace("seed 1", "seed 2") for line in first] != second


@pytest.mark.parametrize(
    ("weights", "threshold", "gate"),
    [("1,1", 1.5, "AND"), ("1,1", 0.5, "OR"), ("-1,-1", -1.5, "NAND"), ("-1,-1", 0, "NOR")],
)
def test_a_gate_is_known_by_its_table(weights: str, threshold: float, gate: str) -> None:
    assert f"So it is the gate {gate}." in said(neuron, weights=weights, threshold=threshold)


def test_another_function_has_no_name() -> None:
    assert not any("it is the gate" in line for line in said(neuron, weights="1,0"))


def test_the_perceptron_says_whether_it_has_finished() -> None:
    done, never = (said(perceptron, points=points, count=40) for points in ("blobs", "circles"))
    assert any("nothing changes any more" in line for line in done)
    assert any("still wrong" in line for line in never)
    errors, bound = (
        int(re.search(pattern, " ".join(done)).group(1))  # type: ignore[union-attr]
        for pattern in (r"After (\d+) mistakes", r"\(R/γ\)² = (\d+)")
    )
    assert errors <= bound


def test_the_numbers_of_backprop_can_be_worked_out_again() -> None:
    """Every line `… = a · b · c = d` holds, to the digits that are shown."""
    checked = 0
    for line in said(backprop, seed=3):
        *_, factors, result = ["", "", *re.sub("[()]", "", line.replace("−", "-")).split(" = ")]
        if not re.fullmatch(r"-?[\d.]+( · -?[\d.]+)+", factors):
            continue
        product = 1.0
        for factor in factors.split(" · "):
            product *= float(factor)
        assert float(result) == pytest.approx(product, abs=3e-4)
        checked += 1
    assert checked == 5


def test_too_long_a_step_is_said_to_be() -> None:
    better, worse = (said(backprop, learning_rate=rate, target=0.5)[-1] for rate in (0.1, 100.0))
    assert "has fallen" in better
    assert "the step was too long" in worse


def test_depth_counts_what_it_says() -> None:
    lines = [line for line in said(depth, layers=5) if line.startswith("  layers")]
    found = [tuple(map(int, re.findall(r"\d+", line))) for line in lines]
    assert found == [(k, 2 * k, 2**k, 2**k - 1) for k in range(1, 6)]


OTHERS: dict[Callable[..., Lesson], dict[str, Any]] = {
    neuron: {"weights": "1,2", "threshold": 0.5},
    perceptron: {"points": "xor", "count": 21, "noise": 0.3, "sweeps": 3},
    mlp: {
        "points": "circles",
        "hidden": "4",
        "activation": "relu",
        "optimiser": "sgd",
        "learning_rate": 0.1,
        "epochs": 4,
        "count": 30,
        "noise": 0.5,
    },
    backprop: {"inputs": "1,1", "target": 0.2, "learning_rate": 2.0, "loss": "squared"},
    approximation: {"function": "sine", "widths": "3"},
    depth: {"layers": 4},
}


@pytest.mark.parametrize(
    ("lesson", "name"),
    [(lesson, name) for lesson, others in OTHERS.items() for name in others],
    ids=lambda part: part if isinstance(part, str) else part.__name__,
)
def test_every_option_changes_what_is_said(lesson: Callable[..., Lesson], name: str) -> None:
    base = next(options for one, options in QUICK if one is lesson)
    if name == "sweeps":  # which ends what would not end
        base = {**base, "points": "xor"}
    assert said(lesson, **base) != said(lesson, **{**base, name: OTHERS[lesson][name]})


@pytest.mark.parametrize("lesson", OTHERS, ids=lambda lesson: lesson.__name__)
def test_every_option_is_tried_above(lesson: Callable[..., Lesson]) -> None:
    assert arguments_of(lesson).keys() - {"seed", "language"} == OTHERS[lesson].keys()
