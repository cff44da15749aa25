from __future__ import annotations

import json
from dataclasses import asdict, replace

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, PngImagePlugin

from belamy.errors import BelamyError, ImageError, RecipeError
from belamy.pixels.encode import SUFFIXES
from belamy.pixels.images import save_image
from belamy.pixels.recipe import Input, Recipe, read_recipe

CARRIERS = [suffix for suffix, kind in SUFFIXES.items() if kind.carry is not None]
DIGEST = "0123456789abcdef" * 4

RECIPE = Recipe(
    engine="dream",
    options={"layer": ["mixed4c", "mixed5a:7*-0.5"], "steps": 10, "scale": 1.4, "mask": None},
    inputs=(Input("image", "/photos/città/雲.jpg", DIGEST), Input("guide", "b.png", DIGEST)),
    weights={"iris": DIGEST},
    seed=2**63 - 1,
    belamy="0.1.0",
    torch="2.13.0",
)

JSONS = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)  # fmt: skip


def saved(folder, suffix, recipe):
    save_image(torch.full((1, 3, 8, 8), 0.5), folder / f"x{suffix}", recipe=recipe)
    return folder / f"x{suffix}"


def changed(**fields):
    """The recipe's JSON with some fields replaced; `...` leaves one out."""
    data = json.loads(RECIPE.to_json()) | fields
    return json.dumps({name: value for name, value in data.items() if value is not ...})


@pytest.mark.parametrize("suffix", CARRIERS)
def test_every_carrier_brings_it_back(tmp_path, suffix):
    assert read_recipe(saved(tmp_path, suffix, RECIPE)) == RECIPE


@pytest.mark.parametrize("suffix", CARRIERS)
@pytest.mark.parametrize(
    "text", ["x" * 30_000, "è" * 10_000, "雲🌋\n\t\"\\'" * 900, "\udcff\x00\x9b"]
)
def test_long_and_foreign_texts(tmp_path, suffix, text):
    recipe = replace(RECIPE, options={text[:99]: text})
    assert read_recipe(saved(tmp_path, suffix, recipe)) == recipe


def test_the_text_chunk_can_be_read_by_others(tmp_path):
    path = saved(tmp_path, ".png", RECIPE)
    with Image.open(path) as picture:
        assert json.loads(picture.info["belamy"])["engine"] == "dream"
        assert picture.info["srgb"] == 0


def test_json_is_stable_sorted_and_readable():
    shuffled = replace(RECIPE, options=dict(reversed(RECIPE.options.items())))
    assert shuffled.to_json() == RECIPE.to_json()
    kept = asdict(RECIPE).keys() - {"auto", "derived", "film", "grid"}
    assert list(json.loads(RECIPE.to_json())) == sorted(kept)
    film = replace(RECIPE, film={"quality": 90})
    assert Recipe.from_json(film.to_json()) == film
    name = next(iter(RECIPE.options))
    filled = replace(RECIPE, derived=(name,))
    assert Recipe.from_json(filled.to_json()) == filled
    with pytest.raises(RecipeError, match="derived"):
        replace(RECIPE, derived=("no option",))
    assert "città/雲.jpg" in RECIPE.to_json()


def test_json_plays_no_tricks_on_a_terminal():
    text = replace(RECIPE, options={"a": "\x1b[31m\x9b31m\u202e\x7f"}).to_json()
    assert text.replace("\n", "").isprintable()


@given(options=st.dictionaries(st.text(), JSONS, max_size=4))
@settings(derandomize=True, database=None, deadline=None, max_examples=100)
def test_any_json_makes_the_round_trip(options):
    recipe = replace(RECIPE, options=options)
    assert Recipe.from_json(recipe.to_json()) == recipe
    assert Recipe.from_json(recipe.to_json().encode()) == recipe


def test_fields_that_came_later_may_be_missing():
    assert Recipe.from_json(changed(step=...)) == RECIPE


@pytest.mark.parametrize("auto", [(), ("device", "tile")])
def test_what_the_machine_chose_makes_the_round_trip(auto):
    recipe = replace(RECIPE, auto=auto)
    assert json.loads(recipe.to_json())["auto"] == list(auto)
    assert Recipe.from_json(recipe.to_json()) == recipe


def test_tuples_turn_to_lists_and_are_copied():
    layers = ["a"]
    recipe = replace(RECIPE, options={"layer": layers, "size": (3, 4)})
    layers.append("b")
    assert recipe.options == {"layer": ["a"], "size": [3, 4]}


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"options": {"mask": {1: 2}}}, r"options\.mask is \{1: 2\}, which JSON cannot hold"),
        ({"options": {"a": torch}}, r"options\.a is <module"),
        ({"options": {"a": float("nan")}}, r"options\.a is nan"),
        ({"options": {"a": [float("inf")]}}, r"options\.a is inf"),
        ({"options": []}, "'options' should be an object"),
        ({"auto": "device"}, "'auto' should be some of device, precision, tile"),
        ({"auto": ["layer"]}, "'auto' should be some of device, precision, tile"),
        ({"engine": 7}, "'engine' should be a text"),
        ({"torch": None}, "'torch' should be a text"),
        ({"seed": 1.0}, "'seed' should be a number"),
        ({"seed": True}, "'seed' should be a number"),
        ({"step": 0}, "'step' should be a whole number from 1"),
        ({"step": "7"}, "'step'"),
        ({"weights": {"iris": "abc"}}, "'weights' should be names and SHA-256s"),
        ({"weights": {"iris": DIGEST.upper()}}, "'weights'"),
        ({"weights": ["iris"]}, "'weights' should be an object"),
        ({"inputs": (Input("image", "a.png", "abc"),)}, "'inputs' should be roles, paths and"),
        ({"inputs": (Input("image", 7, DIGEST),)}, "'inputs'"),
    ],
)
def test_fields_of_the_wrong_type(fields, message):
    with pytest.raises(RecipeError, match=message):
        replace(RECIPE, **fields)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "not JSON"),
        ("{", "not JSON"),
        (b"\xff\xfe\xfd", "not JSON"),
        ("[" * 100_000, "not JSON"),
        ("9" * 10_000, "not JSON"),
        (" " * (1 << 24) + "{}", "characters, more than"),
        ("[]", "should be an object, not list"),
        ("null", "should be an object, not NoneType"),
        ("{}", "lacks belamy, engine, inputs, options, seed, torch, weights"),
        (changed(seed=...), "lacks seed"),
        (changed(extra=1), "has 'extra', unknown to this version"),
        (changed(inputs={}), "'inputs' should be a list"),
        (changed(inputs=[7]), "an input of the recipe should be an object, not int"),
        (changed(inputs=[{"role": "image"}]), "an input of the recipe lacks path, sha256"),
        (changed(inputs=[{"role": [], "path": {}, "sha256": 1}]), "'inputs'"),
        (changed(options=json.loads("[" * 40 + "]" * 40)), "'options' should be an object"),
        (changed(options={"a": json.loads("[" * 40 + "]" * 40)}), "nested more than 32 deep"),
        (changed(options={"a": float("nan")}), "NaN is no number of JSON"),
        (changed(engine={}), "'engine' should be a text"),
    ],
)
def test_malformed_recipes(text, message):
    with pytest.raises(RecipeError, match=message) as caught:
        Recipe.from_json(text)
    assert str(caught.value).isprintable()


@given(text=st.text() | st.binary())
@settings(derandomize=True, database=None, deadline=None, max_examples=100)
def test_no_text_crashes_the_reader(text):
    with pytest.raises(RecipeError):
        Recipe.from_json(text)


@given(fields=st.dictionaries(st.sampled_from(sorted(asdict(RECIPE))), JSONS, max_size=3))
@settings(derandomize=True, database=None, deadline=None, max_examples=200)
def test_no_json_crashes_the_reader(fields):
    try:
        recipe = Recipe.from_json(json.dumps(json.loads(RECIPE.to_json()) | fields))
    except RecipeError:
        return
    assert Recipe.from_json(recipe.to_json()) == recipe


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_a_picture_without_a_recipe(tmp_path, suffix):
    with pytest.raises(RecipeError, match=rf"x\{suffix} carries no recipe"):
        read_recipe(saved(tmp_path, suffix, None))


def test_other_peoples_comments_are_no_recipe(tmp_path):
    block = Image.Exif()
    block.get_ifd(0x8769)[0x9286] = b"ASCII\0\0\0a holiday"
    block[0x010E] = "OLYMPUS DIGITAL CAMERA"
    Image.new("RGB", (8, 8)).save(tmp_path / "x.jpg", exif=block, comment="made by Lavc")
    with pytest.raises(RecipeError, match="carries no recipe"):
        read_recipe(tmp_path / "x.jpg")


def test_a_malformed_recipe_names_the_picture(tmp_path):
    text = PngImagePlugin.PngInfo()
    text.add_text("belamy", "{}")
    Image.new("RGB", (8, 8)).save(tmp_path / "x.png", pnginfo=text)
    with pytest.raises(RecipeError, match=r"x\.png: the recipe lacks"):
        read_recipe(tmp_path / "x.png")


def test_what_is_no_picture(tmp_path):
    (tmp_path / "x.png").write_text("words")
    for name in ("x.png", "missing.png"):
        with pytest.raises(ImageError, match=name):
            read_recipe(tmp_path / name)


def test_naming_an_input_that_is_missing(tmp_path):
    with pytest.raises(BelamyError, match="cannot read"):
        Input.of("image", tmp_path / "missing.png")
