"""Everyday words find the classes that they may mean."""

from __future__ import annotations

import pytest

from belamy.networks.backbones import class_words
from belamy.networks.backbones.class_words import near_classes
from belamy.networks.backbones.imagenet import class_names

NAMES = class_names()
FIRST = {
    "cat": "tabby",
    "cats": "tabby",
    "Kitty": "tabby",
    "dog": "golden retriever",
    "car": "sports car",
    "bird": "flamingo",
    "flower": "daisy",
    "fish": "goldfish",
    "boat": "yawl",
    "sailing ship": "liner",
    "house": "mobile home",
    "horse": "sorrel",
    "bridges": "suspension bridge",
    "butterflies": "admiral",
    "mice": "hamster",
    "wolves": "timber wolf",
    "buses": "school bus",
    "terrier": "toy terrier",
    "tabbby": "tabby",
}


@pytest.mark.parametrize(("word", "first"), FIRST.items())
def test_a_word_finds_what_it_means(word: str, first: str) -> None:
    found = near_classes(word, NAMES)
    assert found[0] == first
    assert len(found) == len(set(found)) <= 8
    assert set(found) <= set(NAMES)


def test_five_cats() -> None:
    five = ("tabby", "tiger cat", "Persian cat", "Siamese cat", "Egyptian cat")
    assert near_classes("cat", NAMES)[:5] == five


def test_only_classes_that_there_are() -> None:
    assert near_classes("cat", ["Egyptian cat", "lion", "dog"]) == ("Egyptian cat",)
    assert near_classes("cat", ["thing 1", "thing 2"]) == ()


def test_nothing_is_near_to_nonsense() -> None:
    assert near_classes("xyzzy", NAMES) == ()
    assert near_classes("", NAMES) == ()


def test_the_table_names_numbers_that_there_are() -> None:
    for word, ranges in class_words._WORDS.items():
        assert word == word.lower()
        for part in ranges:
            first, last = part if isinstance(part, tuple) else (part, part)
            assert 0 <= first <= last < 1000, word
    assert set(class_words._SAME.values()) <= set(class_words._WORDS)
    assert not set(class_words._SAME) & set(class_words._WORDS)
    assert not set(class_words._WORDS) & {name.lower() for name in NAMES} - {
        "church", "mouse", "mushroom", "plane", "bow",
    }  # fmt: skip
