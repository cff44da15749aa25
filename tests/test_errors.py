from __future__ import annotations

import re

import pytest

from belamy import errors
from belamy.errors import BelamyError, MissingExtra, UnknownName

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
