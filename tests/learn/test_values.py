"""What the lessons measure and say, held to values worked out another way."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

from belamy.basics.approximation import FUNCTIONS, largest_change
from belamy.basics.complexity import measure, original_alexnet
from belamy.basics.mlp import ACTIVATIONS, Layer
from belamy.devices import make_rng
from belamy.learn.drawings.mlp import Snapshot
from belamy.learn.drawings.saving import save_film
from belamy.learn.engine import lesson_recipe
from belamy.learn.lessons import cnn as cnn_lesson
from belamy.learn.lessons.approximation import approximation
from belamy.learn.lessons.classifier import classifier
from belamy.learn.lessons.neuron import neuron
from belamy.learn.network_size import measure_networks
from belamy.learn.texts import texts
from belamy.learn.transfer import BATCH, LAYERS, TransferLearner
from belamy.networks.backbone import load_backbone
from belamy.networks.registry import build_backbone

MODEL = "iris"
*SHOWN, LAST = LAYERS[MODEL]


@pytest.fixture(scope="module")
def pictures(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Three classes of noise, 12 pictures of each to learn from and 4 held out."""
    folder = tmp_path_factory.mktemp("classes")
    for split, count in (("train", 12), ("test", 4)):
        for label, name in enumerate(("ant", "bee", "cow")):
            (folder / split / name).mkdir(parents=True)
            for number in range(count):
                rng = np.random.default_rng([label, number, count])
                pixels = rng.integers(40 * label, 120 + 40 * label, (80, 80, 3), np.uint8)
                Image.fromarray(pixels).save(folder / split / name / f"{number}.png")
    return folder


@pytest.fixture(scope="module")
def learner(pictures: Path) -> TransferLearner:
    learner = TransferLearner(str(pictures), 36, 0, MODEL)
    for epoch in range(4):
        learner.train_epoch(epoch)
    return learner


def losses_of(learner: TransferLearner) -> tuple[float, float]:
    with torch.no_grad():
        sets = (learner.features, learner.labels), (learner.test_features, learner.test_labels)
        log = [(learner.head(x).log_softmax(1), y) for x, y in sets]
    seen, held_out = (-float(p.gather(1, y[:, None]).mean()) for p, y in log)
    return seen, held_out


def test_features_are_means_over_positions(learner: TransferLearner) -> None:
    network = load_backbone(MODEL, layers=[LAST])
    image = learner.test_images[:1].permute(0, 3, 1, 2) / 255
    with torch.no_grad():
        features = network(image, [LAST])[LAST].flatten(2).mean(dim=2)
    assert torch.allclose(learner.test_features[:1], features, atol=1e-5)


def test_it_learns_from_some_pictures_and_is_judged_by_others(learner: TransferLearner) -> None:
    assert (len(learner.labels), len(learner.test_labels)) == (36, 12)
    assert learner.labels.bincount().tolist() == [12] * 3
    assert learner.test_labels.bincount().tolist() == [4] * 3
    with torch.no_grad():
        answers = learner.head(learner.test_features).argmax(dim=1)
    right = sum(int(a == b) for a, b in zip(answers, learner.test_labels, strict=True))
    assert learner.accuracy == pytest.approx(right / 12)
    assert learner.size == learner.features.shape[1] * 3 + 3


def test_losses_are_of_what_it_learns_from_and_of_what_is_held_out(
    pictures: Path, learner: TransferLearner
) -> None:
    assert learner.losses[-1] == pytest.approx(losses_of(learner), rel=1e-5)
    fresh = TransferLearner(str(pictures), 36, 0, MODEL)
    weight = fresh.head.weight.detach().clone()
    fresh.train_epoch(0)
    assert torch.equal(fresh.head.weight, weight)  # before the first pass nothing is learned
    assert fresh.losses[0] == learner.losses[0]
    assert learner.losses[0] == pytest.approx((np.log(3), np.log(3)), rel=0.2)
    assert learner.losses[-1][0] < learner.losses[0][0]


def test_a_pass_is_adamw_on_shuffled_batches(pictures: Path, learner: TransferLearner) -> None:
    fresh = TransferLearner(str(pictures), 36, 0, MODEL)
    head = torch.nn.Linear(fresh.features.shape[1], 3)
    head.load_state_dict(fresh.head.state_dict())
    assert float(fresh.head.weight.detach().std()) == pytest.approx(0.01, rel=0.1)
    assert not fresh.head.bias.any()
    rule = torch.optim.AdamW(head.parameters(), 3e-3, weight_decay=1e-4)
    order = torch.randperm(36, generator=make_rng(0, "order", 1))
    for batch in (order[:BATCH], order[BATCH:]):
        rule.zero_grad()
        log = head(fresh.features[batch]).log_softmax(dim=1)
        (-log.gather(1, fresh.labels[batch][:, None]).mean()).backward()
        rule.step()
    fresh.train_epoch(1)
    assert torch.allclose(fresh.head.weight, head.weight, atol=1e-6)
    assert torch.allclose(fresh.head.bias, head.bias, atol=1e-6)


def test_an_error_is_traced_to_every_layer(learner: TransferLearner) -> None:
    with torch.no_grad():
        own = learner.head(learner.test_features).softmax(dim=1)
        own = own.gather(1, learner.test_labels[:, None])[:, 0]
    which = int((own - 0.9).abs().argmin())
    error = learner.trace_error()
    assert error.output == pytest.approx(float(own[which]), abs=1e-4)
    assert error.size == pytest.approx(1 - error.output)
    assert error.name == learner.classes[int(learner.test_labels[which])]
    assert error.probabilities[error.name] == pytest.approx(error.output)
    assert sum(error.probabilities.values()) == pytest.approx(1, abs=1e-5)
    assert [layer.name for layer in error.layers] == [*reversed(SHOWN), "picture"]

    network = load_backbone(MODEL, layers=[*SHOWN, LAST])
    image = (learner.test_images[which : which + 1].permute(0, 3, 1, 2) / 255).requires_grad_()
    seen = network(image, [*SHOWN, LAST])
    answer = learner.head(seen[LAST].mean(dim=(2, 3))).softmax(dim=1)[0]
    loss = 1 - answer[int(learner.test_labels[which])]
    for layer in error.layers:
        output = image if layer.name == "picture" else seen[layer.name]
        (gradient,) = torch.autograd.grad(loss, output, retain_graph=True)
        assert layer.shape == tuple(output.shape[1:])
        assert np.allclose(layer.gradients, gradient[0].abs().sum(dim=0), atol=1e-7, rtol=1e-3)
        assert layer.mean == pytest.approx(float(gradient.abs().mean()), rel=1e-3)
        activations = output.detach()[0].abs().mean(dim=0)
        assert np.allclose(layer.activations, activations, atol=1e-5)
    assert np.allclose(error.picture, image.detach()[0].permute(1, 2, 0))


def test_the_lesson_says_what_was_measured(pictures: Path, learner: TransferLearner) -> None:
    lesson = classifier(str(pictures), model="iris", pictures=36, epochs=3)
    lines = [line for line in lesson if is_line(line)]
    last = next(line for line in reversed(lines) if line.startswith("  epoch   3"))
    seen, held_out = learner.losses[-1]
    numbers = re.findall(r"[\d.]+", last.partition(":")[2])
    assert numbers[0] == f"{seen:.3f}"
    assert numbers[1:3] == ["12", f"{held_out:.3f}"]
    assert numbers[3] == f"{100 * learner.accuracy:.1f}"


@pytest.mark.parametrize("name", [name for name in LAYERS if name != "iris"])
def test_better_networks_are_drawn_from_their_first_layers_to_their_last(name: str) -> None:
    with torch.device("meta"):
        stages = [stage for stage, _ in build_backbone(name).stages()]
    positions = [stages.index(layer) for layer in LAYERS[name]]
    assert positions == sorted(positions)
    assert stages[positions[-1] + 1] == "avgpool"


def test_the_recipe_names_the_network_that_was_chosen(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("belamy.networks.find.choose_backbone", lambda name: f"best of {name}")
    for model, recorded in (("auto", "best of auto"), ("iris", "iris")):
        assert lesson_recipe(classifier, {"model": model}).options == {"model": recorded}


def is_line(shown: object) -> bool:
    return isinstance(shown, str)


def test_a_snapshot_counts_what_is_held_out() -> None:
    """A network that says class 1 right of the middle: logit 2·x."""
    network = [Layer(np.array([[2.0], [0.0]]), np.zeros(1), ACTIVATIONS["linear"])]
    seen = np.array([[1.0, 0.0], [-1.0, 0.0]]), np.array([1.0, 1.0])
    held_out = np.array([[1.0, 0.0], [3.0, 0.0], [-1.0, 0.0]]), np.array([1.0, 0.0, 0.0])
    snapshot = Snapshot(network, (), 0, 5).next(seen, held_out)
    small, middle, large = (np.log1p(np.exp(z)) for z in (-2.0, 2.0, 6.0))
    assert snapshot.right == 2
    assert snapshot.losses == (pytest.approx(((small + middle) / 2, (2 * small + large) / 3)),)


def test_the_likeliest_digit_is_named_first(monkeypatch: pytest.MonkeyPatch) -> None:
    answer = np.array([0.0, 0.1, 0.0, 0.6, 0.0, 0.0, 0.05, 0.25, 0.0, 0.0])
    monkeypatch.setattr("belamy.basics.lenet.classify_digits", lambda network, x: answer[None])
    own: dict[str, Any] = {"mine.png": np.zeros((28, 28), np.float32)}
    (line,) = cnn_lesson._read_digits(None, own, texts("en"))  # type: ignore[arg-type]
    assert line == "mine.png: it is a 3 (60%), or a 7 (25%)"


def test_the_theorem_promises_half_a_step(capsys: pytest.CaptureFixture[str]) -> None:
    lines = [line for line in approximation(widths="4", function="sine") if is_line(line)]
    bound = largest_change(FUNCTIONS["sine"], 0.5 / 5)
    assert f"promises {bound:.3f}" in str(lines[1])


@pytest.mark.parametrize(("count", "each"), [(2, 1500), (20, 250), (100, 80)])
def test_a_film_takes_five_seconds(tmp_path: Path, count: int, each: int) -> None:
    frames = [Image.new("RGB", (16, 16)) for _ in range(count)]
    for number, frame in enumerate(frames):
        frame.putpixel((number % 16, number // 16), (255, 255, 255))
    save_film(frames, tmp_path / "film.gif", lesson_recipe(neuron, {}))
    with Image.open(tmp_path / "film.gif") as film:
        first = film.info["duration"]
        film.seek(film.n_frames - 1)  # type: ignore[attr-defined]
        assert (first, film.info["duration"]) == (each, 3000)


def sizes(network: str, size: int | None = None) -> dict[str, int]:
    return {title: one.multiply_adds for title, one in measure_networks(network, size)}


def test_networks_are_measured_at_the_side_they_are_made_for(painters: Any, tmp_path: Path) -> None:
    assert sizes("iris") == sizes("iris", load_backbone("iris").side)
    assert sizes("vgg16") == sizes("vgg16", 224)
    with torch.device("meta"):
        original = measure(original_alexnet(), (3, 227, 227)).multiply_adds
    assert sizes("alexnet")["alexnet (2012)"] == original
    assert sizes("starry-night") == sizes("starry-night", 256)
    assert sizes(str(painters("light"))) == sizes(str(painters("light")), 16)


def test_large_numbers_are_grouped() -> None:
    assert texts("en").group_digits(1234567) == "1,234,567"
    assert texts("it").group_digits(1234567).split("\N{NARROW NO-BREAK SPACE}") == [
        "1",
        "234",
        "567",
    ]
