"""What the API offers is what the engines have: every option by itself, strictly."""

from __future__ import annotations

import ast
import inspect
import io
import shlex
import subprocess
import sys
from dataclasses import KW_ONLY, dataclass, fields
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import pytest
from PIL import Image
from typer.main import get_command

from belamy.checks import Between, PictureInput, alternatives, check_options, option_types
from belamy.cli import app
from belamy.copying.presets import PRESETS
from belamy.studio.catalog import check, layers
from belamy.studio.catalog.copying import Copied, write_copies
from belamy.studio.catalog.engines import ENGINES, ROOMS, engine_of_recipe
from belamy.studio.catalog.fields import fields_of, schema_of
from belamy.studio.catalog.forms import form_of, inputs_form_of
from belamy.studio.catalog.layers import TITLES, drawn_thumb, layers_of
from belamy.studio.catalog.rows import Role, StudioEngine

ALL = list(ENGINES.values())
every_engine = pytest.mark.parametrize("engine", ALL, ids=lambda one: one.name)


@dataclass(frozen=True, eq=False)
class NewOptions:
    """A new engine's.

    Args:
        image: a picture.
        amount: how much.
        new: an option that was added today,
            explained in two lines.
    """

    image: Any
    _: KW_ONLY
    amount: Annotated[float, Between(0, 2, above=True)] = 1.0
    new: bool = False

    def __post_init__(self) -> None:
        check_options(self)


@every_engine
def test_every_option_is_offered(engine: StudioEngine) -> None:
    """But for those that take files, which are inputs."""
    form = engine.load_form()
    pictures = {
        name
        for name, annotation in option_types(form).items()
        for part in alternatives(annotation)
        if PictureInput in (part, *getattr(part, "__args__", ()))
    }
    taken = {role.field for role in engine.roles}
    assert pictures <= taken
    names = {one.name for one in fields(form)}
    assert names - taken - engine.without <= fields_of(engine).keys() <= names
    schema = schema_of(engine)["properties"]
    assert all(row["description"] for row in schema.values())
    assert schema.keys() == form_of(engine).model_fields.keys()
    assert engine.room in ROOMS


@every_engine
def test_defaults_pass(engine: StudioEngine) -> None:
    schema = schema_of(engine)
    defaults = {
        name: row["default"] for name, row in schema["properties"].items() if "default" in row
    }
    required = dict.fromkeys(schema["required"], "starry-night")
    if engine.name == "dream_walk":  # from one to another: two must be named
        required["layers"] = ["mixed3a", "mixed4c"]
    assert check.check_options(engine, {**defaults, **required}) == []


def test_a_new_option_appears_by_itself() -> None:
    engine = StudioEngine(
        "new", "dream", f"{__name__}:NewOptions", "", (Role("picture", "image", required=True),)
    )
    row = schema_of(engine)["properties"]
    assert row["new"] == {
        "title": "New",
        "description": "an option that was added today, explained in two lines.",
        "type": "boolean",
        "default": False,
    }
    assert (row["amount"]["exclusiveMinimum"], row["amount"]["maximum"]) == (0, 2)
    assert check.check_options(engine, {"new": True}) == []
    (complaint,) = check.check_options(engine, {"amount": 0})
    assert complaint.message.startswith("amount is 0; it must be above 0")


REFUSED: list[tuple[str, dict[str, Any], str, str]] = [
    ("dream", {"octavs": 3}, "octavs", "did you mean octaves?"),
    ("dream", {"octaves": 99}, "octaves", "from 1 to 32"),
    ("dream", {"octaves": True}, "octaves", "whole number"),
    ("dream", {"octaves": 4.0}, "octaves", "whole number"),
    ("dream", {"octaves": "4"}, "octaves", "whole number"),
    ("dream", {"strength": True}, "strength", "a number from 0 to 1"),
    ("dream", {"strength": float("nan")}, "strength", "nan"),
    ("dream", {"strength": float("inf")}, "strength", "inf"),
    ("dream", {"strength": None}, "strength", "None"),
    ("dream", {"keep_colors": 1}, "keep_colors", "true or false"),
    ("dream", {"smooth": "laplacien"}, "smooth", "did you mean 'laplacian'?"),
    ("dream", {"size": "ful"}, "size", "full"),
    ("dream", {"layer": {"a": 1}}, "layer", "layer"),
    ("dream", {"layer": ["mixed4c", 3]}, "layer", "layer"),
    ("dream", {"layer": "x" * 3000}, "layer", "2000"),
    ("dream", {"layer": ["a"] * 100}, "layer", "layer is"),
    ("dream", {"seed": 10**30}, "seed", "or less"),
    ("dream", {"model": "nonsense"}, "model", "unknown network"),
    ("dream", {"model": "/etc/passwd"}, "model", "model"),
    ("dream", {"model": "../x.safetensors"}, "model", "model"),
    ("dream", {"model": "pyproject.toml"}, "model", "no file"),
    ("dream", {"model": "timm:vgg@/etc/passwd"}, "model", "model"),
    ("dream", {"model": "run:../../etc"}, "model", "model"),
    ("dream", {"objective": "direction:mixed4c:/etc/passwd"}, "objective", "no file"),
    ("dream", {"towards": "direction:mixed4c:x.npy"}, "towards", "no file"),
    ("dream", {"device": "meta"}, "device", "cpu"),
    ("dream", {"image": "x.jpg"}, "image", "has no"),
    ("dream", {"mask": "x.jpg"}, "mask", "has no"),
    ("style", {"init": "secret.png"}, "init", "init"),
    ("style", {"size": "1e9"}, "size", "size"),
    ("style", {"iterations": "many"}, "iterations", "iterations"),
    ("any_style", {"style_weight": [1, "a"]}, "style_weight", "several"),
    ("translate", {}, "network", "missing"),
    ("gan_paint", {"count": 0}, "count", "1 to"),
    ("gan_paint", {"latents": "x.safetensors"}, "latents", "has no"),
    ("gan_walk", {"seconds": 1e9}, "seconds", "frames"),
    ("fog", {"amount": 1}, "amount", "0.99"),
    ("lesson_mlp", {"hidden": [8, 900]}, "hidden", "64"),
    ("lesson_mlp", {"hidden": [8] * 9}, "hidden", "6 layers"),
    ("train_gan", {"data": "/etc"}, "data", "has no"),
]


@pytest.mark.parametrize(("name", "options", "field", "words"), REFUSED)
def test_what_cannot_be_is_refused_in_a_line(
    name: str, options: dict[str, Any], field: str, words: str
) -> None:
    complaints = check.check_options(ENGINES[name], options)
    assert field in [one.field for one in complaints]
    text = next(one.message for one in complaints if one.field == field)
    assert words in text
    assert "\n" not in text
    assert len(text) < 600


def test_inputs_are_ids() -> None:
    dream, style = ENGINES["dream"], ENGINES["style"]
    good = {"picture": "0123456789ab"}
    assert check.check_inputs(dream, good) == []
    for bad in ("../x", "", "0123", 7, None, ["0123456789ab"], "0123456789AB", "0123456789ab\n"):
        given = {"picture": bad}
        assert bool(check.check_inputs(dream, given)) == (bad is not None), bad
    assert [one.field for one in check.check_inputs(style, good)] == ["paintings"]
    assert check.check_inputs(dream, {"pictur": "0123456789ab"})[0].message.endswith(
        "did you mean picture?"
    )


@pytest.mark.parametrize(
    ("engine", "row"), [(name, row) for name, rows in PRESETS.items() for row in rows]
)
def test_presets_pass(engine: str, row: dict[str, Any]) -> None:
    assert row["title"].keys() == {"en", "it"}
    needs = (
        {"network": "starry-night"} if "network" in schema_of(ENGINES[engine])["required"] else {}
    )
    assert check.check_options(ENGINES[engine], {**needs, **row["options"]}) == []


COPIED: list[tuple[str, dict[str, Any], dict[str, list[str]]]] = [
    ("dream", {"layer": ["mixed4c", "mixed3a*2"], "keep_colors": True}, {"picture": ["a b.jpg"]}),
    ("dream", {"class_": "ladybug", "strength": 1.0}, {}),
    ("style", {"preset": "sketch"}, {"picture": ["a.jpg"], "paintings": ["b.jpg", "c.jpg"]}),
    (
        "any_style",
        {"patches": 0.2},
        {"picture": ["a.jpg"], "paintings": ["b.jpg"], "mask": ["m.png"]},
    ),
    ("apply_style", {"network": "starry-night"}, {"picture": ["a.jpg"]}),
    ("gan_paint", {"count": 4, "seed": 3, "sheet": True}, {}),
    ("gan_walk", {"seconds": 3.0}, {}),
    ("gan_mix", {"first": "3:7", "second": "1:2"}, {}),
    ("gan_edit", {"picture": "3:7", "direction": 2}, {}),
    ("gan_project", {"steps": 20}, {"picture": ["me.jpg"]}),
    ("translate", {"network": "impressionism", "direction": "b-to-a"}, {"picture": ["a.jpg"]}),
    ("defog", {"method": "dcp", "keep_sky": True}, {"picture": ["a.jpg"]}),
    ("fog", {"amount": 0.3}, {"picture": ["a.jpg"]}),
    ("explain", {"model": "iris"}, {"picture": ["a.jpg"]}),
    ("atlas", {"layer": "mixed4c"}, {}),
    ("classify", {"top": 3}, {"picture": ["a.jpg"]}),
    ("lesson_mlp", {"points": "spirals", "hidden": [16, 16]}, {}),
    ("lesson_gan", {"loss": "hinge"}, {}),
    ("lesson_neuron", {"weights": "1,-1", "threshold": 0.5}, {}),
    ("lesson_complexity", {"networks": ["iris", "vgg16"]}, {}),
    ("lesson_classifier", {"epochs": 3}, {"folder": ["pets"]}),
    ("dream_film", {"layer": "mixed4c", "every": 2}, {"picture": ["a.mp4"]}),
    ("any_style_film", {"steady": 0.5}, {"picture": ["a.mp4"], "paintings": ["b.jpg"]}),
    ("dream_zoom", {"seconds": 3.0}, {"picture": ["a.jpg"]}),
    ("dream_walk", {"layers": ["mixed3a", "mixed4c"]}, {"picture": ["a.jpg"]}),
    ("train_gan", {"steps": 100}, {"folder": ["faces"]}),
    ("train_classifier", {"stages": [[64, 2]]}, {"folder": ["pets"]}),
    ("train_translation", {"steps": 9}, {"folder": ["a"], "other": ["b"]}),
]


@pytest.mark.parametrize(("name", "options", "files"), COPIED)
def test_copies_can_be_run(name: str, options: dict[str, Any], files: dict[str, list[str]]) -> None:
    """The command line takes the command, and Python the lines."""
    copies = write_copies(Copied(ENGINES[name], options, files, {}))
    words = shlex.split(copies["command"])
    assert words[0] == "belamy"
    parse(words[1:])
    tree = ast.parse(copies["python"])
    assert "belamy" in copies["python"]
    call = next(node for node in ast.walk(tree) if isinstance(node, ast.Call))
    assert isinstance(call.func, ast.Attribute)
    bind(call)
    code = copies["notebook"]["cells"][1]["source"]
    ast.parse("".join(code))


def parse(words: list[str]) -> None:
    """Through the command line's own parser, without running anything."""
    command: Any = get_command(app)
    context = command.make_context("belamy", list(words), resilient_parsing=False)
    rest = [*getattr(context, "_protected_args", []), *context.args]
    while hasattr(command, "commands") and rest:
        name, command, rest = command.resolve_command(context, rest)
        context = command.make_context(name, list(rest), parent=context)
        rest = [*getattr(context, "_protected_args", []), *context.args]
        if not hasattr(command, "commands"):
            return


def bind(call: ast.Call) -> None:
    """What is called has such arguments."""
    import belamy

    assert isinstance(call.func, ast.Attribute)
    path = ast.unparse(call.func).split(".")[1:]
    found: Any = belamy
    for part in path:
        found = getattr(found, part)
    arguments = [ast.literal_eval(one) for one in call.args]
    words = {str(one.arg): ast.literal_eval(one.value) for one in call.keywords}
    inspect.signature(found).bind(*arguments, **words)


def test_recipes_find_their_engine() -> None:
    assert engine_of_recipe("gan-paint") is ENGINES["gan_paint"]
    assert engine_of_recipe("anystyle") is ENGINES["any_style"]
    assert engine_of_recipe("") is None
    assert engine_of_recipe("nonsense") is None


def test_layers_have_names_in_two_languages() -> None:
    assert {layer.name for layer in layers_of("iris")} == TITLES["iris"].keys()
    fields_ = [layer.receptive_field or 0 for layer in layers_of("iris")]
    assert fields_ == sorted(fields_)
    with pytest.raises(Exception, match="unknown network"):
        layers_of("../../etc")


def test_layers_of_the_package_come_drawn() -> None:
    """Each, and its first page of channels; small enough to come along."""
    grey = 0
    for layer in layers_of("iris"):
        for channel in (None, *range(24)):
            data = drawn_thumb("iris", layer.name, channel)
            assert data is not None
            assert data[:4] + data[8:12] == b"RIFFWEBP", (layer.name, channel)
            pixels = np.asarray(Image.open(io.BytesIO(data)).convert("RGB"), float)
            grey += channel is not None and pixels.std() < 6
    assert grey <= 0.02 * 24 * len(layers_of("iris"))  # a channel that was left cold says nothing
    assert drawn_thumb("iris", "../../secret", None) is None
    assert drawn_thumb("nonsense", "conv1", None) is None
    folder = Path(layers.__file__).parents[1] / "layers"
    assert sum(path.stat().st_size for path in folder.iterdir()) < 1_000_000


def test_forms_of_all_engines_are_different_models() -> None:
    names = [form(engine).__name__ for engine in ALL for form in (form_of, inputs_form_of)]
    assert len(set(names)) == len(names)


def test_the_catalog_is_read_without_torch(tmp_path: Path) -> None:
    code = (
        "import sys, json; from belamy.studio.api.app import make_app; "
        "from belamy.studio.api.catalog import _rows; _rows(); "
        "from belamy.studio.catalog.forms import form_of; "
        "from belamy.studio.catalog.engines import ENGINES; list(map(form_of, ENGINES.values())); "
        "import belamy.studio.serve, belamy.studio.command; "
        "print(json.dumps([n for n in ('torch', 'numpy', 'PIL') if n in sys.modules]))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=tmp_path
    )
    assert done.stdout.strip() == "[]"
