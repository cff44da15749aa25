from __future__ import annotations

import re

import pytest

from belamy import errors
from belamy.cli.settings.presets import _built_in
from belamy.copying.ways import WAYS
from belamy.errors import BelamyError, MissingExtra, UnknownName
from belamy.networks.registry import NETWORKS
from belamy.spelling import nearest_names

KINDS = [
    kind
    for kind in vars(errors).values()
    if isinstance(kind, type) and issubclass(kind, BelamyError) and kind is not BelamyError
]


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)
def test_every_error_is_drawn_in_the_tree(kind):
    drawn = re.findall(r"[├└]─ (\w+)", errors.__doc__)
    assert kind.__name__ in drawn
    assert kind.__doc__


def test_the_tree_draws_nothing_else():
    drawn = re.findall(r"[├└]─ (\w+)", errors.__doc__)
    assert sorted(drawn) == sorted(kind.__name__ for kind in KINDS)


def test_an_unknown_name_suggests_the_nearest():
    error = UnknownName("network", "vgg91", ["vgg16", "vgg19", "alexnet"])
    assert str(error) == "unknown network 'vgg91'; did you mean 'vgg19' or 'vgg16'?"
    assert (error.kind, error.name, error.known) == (
        "network",
        "vgg91",
        ("vgg16", "vgg19", "alexnet"),
    )


def test_an_unknown_name_far_from_all_lists_a_dozen():
    error = UnknownName("layer", "zzz", [f"conv{index}" for index in range(20)])
    assert str(error).endswith("conv10, conv11, …")
    assert "conv12" not in str(error)


def test_an_unknown_name_says_what_is_near_by_meaning():
    near = ["tabby", "tiger cat", "Persian cat", "lynx"]
    error = UnknownName("class", "cat", ["cart", "tabby"], near=near)
    assert str(error).endswith("did you mean 'tabby', 'tiger cat', 'Persian cat', 'lynx'?")
    assert error.near == tuple(near)


def test_an_unknown_name_of_an_empty_table():
    assert str(UnknownName("network", "x", [])) == "unknown network 'x'; there are none"


def test_a_missing_extra_says_what_to_type():
    error = MissingExtra("gradio", "studio")
    assert "pip install 'belamy[studio]'" in str(error)
    assert (error.package, error.extra) == ("gradio", "studio")


@pytest.mark.parametrize(
    "error", [UnknownName("layer", "a\nb", ["c"]), MissingExtra("gradio", "studio")]
)
def test_messages_are_one_line(error):
    assert str(error).isprintable()


PRESETS = tuple(_built_in(tuple(WAYS.values())))
FLAGS = ("--octaves", "--octave-scale", "--model", "--codec", "--no-paths", "--keep-colors")
LAYERS = ("conv1_1", "conv1_2", "mixed3a", "mixed4a", "mixed4b", "block1.depthwise", "logits")
WORDS = ("grey", "noise", "content", "laplacian", "gaussian", "none", "auto", "float32", "hinge")

SLIPS = {
    "a letter wrong": ("vgg18", NETWORKS, "vgg16"),
    "a letter left out": ("irs", NETWORKS, "iris"),
    "a letter too many": ("dcpp", ("dcp", "network"), "dcp"),
    "letters swapped": ("dpc", ("dcp", "network"), "dcp"),
    "two letters": ("laplasien", WORDS, "laplacian"),
    "another English": ("gray", WORDS, "grey"),
    "a missing hyphen": ("starrynight", ("starry-night", "great-wave"), "starry-night"),
    "another hyphen": ("far_shore", PRESETS, "far-shore"),
    "a missing dot": ("block1depthwise", LAYERS, "block1.depthwise"),
    "capitals": ("VGG19", NETWORKS, "vgg19"),
    "a part of it": ("wave", ("starry-night", "great-wave"), "great-wave"),
    "a plural": ("creature", PRESETS, "creatures"),
    "a flag": ("--octavs", FLAGS, "--octaves"),
    "a flag in the other English": ("--keep-colours", FLAGS, "--keep-colors"),
    "a layer": ("mixd4b", LAYERS, "mixed4b"),
}
UNRELATED = (
    ("nope", PRESETS),
    ("monet", NETWORKS),
    ("--nope", FLAGS),
    ("relu4_2", LAYERS),
    ("of", WORDS),
    ("x", WORDS),
    ("", WORDS),
    ("-", WORDS),
    ("pink", WORDS),
    ("cat", ("dcp", "network")),
    ("l" * 5000, WORDS),
)


@pytest.mark.parametrize("slip", SLIPS)
def test_a_slip_is_found(slip: str) -> None:
    typed, known, meant = SLIPS[slip]
    assert nearest_names(typed, known)[0] == meant
    assert f"did you mean {meant!r}" in str(UnknownName("name", typed, known))


@pytest.mark.parametrize(("typed", "known"), UNRELATED)
def test_what_is_unrelated_is_not_suggested(typed: str, known: tuple[str, ...]) -> None:
    assert nearest_names(typed, known) == []
    assert "did you mean" not in str(UnknownName("name", typed, known))


def test_the_nearest_comes_first_and_no_more_than_asked() -> None:
    known = ("mixed4a", "mixed4b", "mixed4c", "mixed5", "mixed")
    assert nearest_names("mixed4b", known)[0] == "mixed4b"
    assert nearest_names("mixed4x", known) == ["mixed4a", "mixed4b", "mixed4c"]
    assert nearest_names("mixed4x", known, 1) == ["mixed4a"]
