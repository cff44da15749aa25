"""LeNet-5 is the paper's, learns, and reads what it is given."""

from __future__ import annotations

import time
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from belamy.basics.digits import draw_digits, draw_handwritten
from belamy.basics.lenet import (
    TABLE,
    LeNet5,
    Snapshot,
    activations,
    classify_digits,
    to_tensors,
    train,
    train_steps,
)
from belamy.errors import ImageError, OptionError
from belamy.learn.lessons.cnn import cnn


@pytest.fixture(scope="module")
def network() -> LeNet5:
    return train(count=4000, epochs=2)


def test_the_weights_are_those_of_the_paper() -> None:
    network = LeNet5()
    counts = {
        name: sum(weights.numel() for weights in part.parameters())
        for name, part in network.named_children()
        if next(part.parameters(), None) is not None
    }
    published = {"c1": 156, "s2": 12, "c3": 1516, "s4": 32, "c5": 48_120, "f6": 10_164}
    assert counts == {**published, "output": 850}
    assert sum(published.values()) == 60_000


def test_a_map_of_c3_sees_only_what_the_table_says() -> None:
    c3 = LeNet5().c3
    with torch.no_grad():
        for lit in range(6):
            x = torch.zeros(1, 6, 14, 14)
            bare = c3(x)
            x[:, lit] = 1
            changed = (c3(x) - bare).abs().amax(dim=(0, 2, 3)) > 1e-6
            assert changed.tolist() == [lit in seen for seen in TABLE]


def test_it_learns_and_the_same_seed_learns_the_same() -> None:
    held_out = to_tensors(*draw_digits(300, 99))
    first, second = (list(train_steps(LeNet5(1), 1000, held_out, 2, 1)) for _ in range(2))
    assert first == second
    assert first[-1].loss < first[0].loss
    assert first[-1].accuracy > 0.4


@pytest.mark.slow
def test_it_names_97_of_100_new_digits_in_under_a_minute() -> None:
    held_out = to_tensors(*draw_digits(2000, 1 << 40))
    began = time.process_time()
    *_, last = train_steps(LeNet5(0), 24_000, held_out, 4, 0)
    assert isinstance(last, Snapshot)
    assert last.accuracy >= 0.97
    assert time.process_time() - began < 60


def test_answers_are_chances_of_ten_digits(network: LeNet5) -> None:
    pictures, labels = draw_digits(300, 5)
    chances = classify_digits(network, pictures)
    assert chances.shape == (300, 10)
    np.testing.assert_allclose(chances.sum(axis=1), 1, atol=1e-5)
    assert (chances.argmax(axis=1) == labels).mean() > 0.8
    np.testing.assert_allclose(classify_digits(network, pictures / 255.0), chances, atol=1e-4)


def test_large_dark_pictures_are_laid_out_first(network: LeNet5) -> None:
    pictures = np.concatenate(
        [draw_handwritten(digit, 6, np.random.default_rng(0)) for digit in range(10)]
    )
    photos = np.pad(pictures.repeat(5, 1).repeat(5, 2), ((0, 0), (9, 40), (30, 9)))
    labels = np.arange(10).repeat(6)
    plain, large = (
        classify_digits(network, each).argmax(axis=1) for each in (pictures, 1 - photos)
    )
    assert (large == plain).mean() > 0.85
    assert (large == labels).mean() > 0.7


@pytest.mark.parametrize("shape", [(28,), (1, 2, 28, 28), (0, 28, 28)])
def test_what_is_no_picture_is_refused(network: LeNet5, shape: tuple[int, ...]) -> None:
    with pytest.raises(ImageError, match="grey"):
        classify_digits(network, np.zeros(shape, np.float32))
    with pytest.raises(ImageError, match="uint8"):
        classify_digits(network, np.zeros((28, 28), np.int64))


def test_activations_are_those_of_the_forward_pass(network: LeNet5) -> None:
    (digit,) = draw_handwritten(3, 1, np.random.default_rng(0))
    maps = activations(network, digit)
    sizes = {"c1": (6, 28, 28), "s2": (6, 14, 14), "c3": (16, 10, 10), "s4": (16, 5, 5)}
    assert {name: each.shape for name, each in maps.items()} == {
        **sizes,
        "c5": (120, 1, 1),
        "f6": (84, 1, 1),
    }
    with torch.no_grad():
        logits = network.output(torch.from_numpy(maps["f6"]).reshape(1, 84))
        assert torch.allclose(logits, network(torch.from_numpy(digit)[None, None]), atol=1e-5)


def test_the_lesson_reads_a_picture_of_mine(tmp_path: Path) -> None:
    (digit,) = draw_handwritten(7, 1, np.random.default_rng(0))
    path = tmp_path / "mine.png"
    Image.fromarray(255 - np.uint8(255 * digit)).resize((140, 140)).save(path)
    *_, last = (line for line in cnn(image=str(path), count=1000, epochs=3))
    assert isinstance(last, str)
    assert str(path) in last
    assert "%" in last


def test_a_picture_that_is_not_there_is_said_before_anything_is_learned() -> None:
    with pytest.raises(ImageError, match="nowhere"):
        list(cnn(image="nowhere.png"))
    with pytest.raises(OptionError, match="epochs is 0"):
        list(cnn(epochs=0))
