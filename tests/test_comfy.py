"""The nodes for ComfyUI, as it loads, shows, checks and runs them."""

from __future__ import annotations

import importlib.util
import json
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest
import torch

import belamy
from belamy.cli.options import arguments_of
from belamy.errors import BelamyError

FOLDER = Path(__file__).parent.parent / "comfy"
SMALL = {"octaves": 1, "steps": 1, "layer": "mixed3a", "precision": "float32"}


def load(folder: Path) -> ModuleType:
    """As ComfyUI loads a folder of `custom_nodes`: its path is the module's name."""
    name = str(folder).replace(".", "_x_")
    spec = importlib.util.spec_from_file_location(name, folder / "__init__.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def nodes(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Any]]:
    """Those of a copy in a folder of another name, as somebody puts it there."""
    folder = tmp_path_factory.mktemp("ComfyUI") / "custom_nodes" / "belamy.nodes"
    shutil.copytree(FOLDER, folder)
    before = {*sys.modules}
    module = load(folder)
    assert module.NODE_DISPLAY_NAME_MAPPINGS.keys() == module.NODE_CLASS_MAPPINGS.keys()
    yield module.NODE_CLASS_MAPPINGS
    for name in {*sys.modules} - before:
        if str(folder).replace(".", "_x_") in name:
            del sys.modules[name]


def inputs(node: Any) -> dict[str, tuple[Any, dict[str, Any]]]:
    kinds = node.INPUT_TYPES()
    return {**kinds["required"], **kinds["optional"]}


def images(count: int = 2) -> torch.Tensor:
    return torch.rand((count, 24, 32, 3), generator=torch.Generator().manual_seed(0))


NODES = ("BelamyDream", "BelamyStyle", "BelamyDefog", "BelamyPaint")
GIVEN: dict[str, Any] = {
    "BelamyDream": {"image": 2, **SMALL},
    "BelamyStyle": {"content": 2, "style": 1, "size": "32"},
    "BelamyDefog": {"image": 2},
    "BelamyPaint": {"count": 2, "rejection": "none"},
}


def run(nodes: dict[str, Any], name: str, **more: Any) -> Any:
    """In inference mode, as ComfyUI runs every node."""
    with torch.inference_mode():
        pictures = ("image", "content", "style")
        given = {
            key: images(value) if key in pictures else value for key, value in GIVEN[name].items()
        }
        return nodes[name]().run(**{**given, **more})


@pytest.mark.parametrize("name", NODES)
def test_what_comfyui_asks_a_node_for(name: str, nodes: dict[str, Any]) -> None:
    node = nodes[name]
    assert (node.CATEGORY, callable(getattr(node, node.FUNCTION))) == ("belamy", True)
    assert len(node.RETURN_TYPES) == len(node.RETURN_NAMES) == len(node.OUTPUT_TOOLTIPS)
    kinds = node.INPUT_TYPES()
    assert json.loads(json.dumps(kinds))  # the page gets it as JSON
    assert {kind for kind, _ in kinds["required"].values()} <= {"IMAGE"}
    for key, (kind, settings) in inputs(node).items():
        assert settings["tooltip"].strip(), key
        if isinstance(kind, list):
            assert settings["default"] in kind
        elif kind in ("INT", "FLOAT"):
            assert settings["min"] <= settings["default"] <= settings["max"]
            form = int if kind == "INT" else float
            assert {type(settings[one]) for one in ("min", "max", "default")} == {form}
        else:
            forms = {"STRING": str, "BOOLEAN": bool, "IMAGE": type(None), "MASK": type(None)}
            assert type(settings.get("default")) is forms[kind]


@pytest.mark.parametrize("name", NODES)
def test_inputs_are_the_engines_options(name: str, nodes: dict[str, Any]) -> None:
    node = nodes[name]
    arguments = arguments_of(node.form)
    assert {*inputs(node), *node.fixed} == {*arguments}
    for key, (kind, settings) in inputs(node).items():
        assert settings["tooltip"].startswith(arguments[key].help)
        if isinstance(kind, list):
            assert [one for one in kind if one != "default"] == [*arguments[key].choices]


def test_ranges_choices_and_what_is_left_open(nodes: dict[str, Any]) -> None:
    found = inputs(nodes["BelamyDream"])
    octaves, strength = found["octaves"][1], found["strength"][1]
    assert (octaves["min"], octaves["max"], octaves["default"]) == (-1, 32, -1)
    assert octaves["tooltip"].endswith("Here None is -1.")
    assert (strength["min"], strength["max"], strength["default"]) == (0.0, 1.0, 1.0)
    assert found["smooth"][0] == ["default", "laplacian", "gaussian", "both", "none"]
    assert found["seed"][1]["control_after_generate"] is True
    assert found["mask"][0] == "MASK"
    assert found["layer"][1]["multiline"] is True


@pytest.mark.parametrize("name", NODES)
def test_what_is_shown_first_is_what_the_engine_does(name: str, nodes: dict[str, Any]) -> None:
    """Untouched widgets ask for nothing but the defaults."""
    node = nodes[name]
    shown = {
        key: settings["default"]
        for key, (_, settings) in inputs(node).items()
        if "default" in settings
    }
    assert node.VALIDATE_INPUTS(**shown, **dict.fromkeys(node.needed)) is True
    fields = node.fields()
    module = sys.modules[node.__module__]
    usual = {key: one.default for key, one in arguments_of(node.form).items()}
    for key, value in module.read_values(fields, shown).items():
        assert str(value) == str(usual[key]), key


@pytest.mark.parametrize("name", NODES)
def test_a_batch_of_two_and_its_seed(name: str, nodes: dict[str, Any]) -> None:
    made, mask, recipe = run(nodes, name, **({} if name == "BelamyDefog" else {"seed": 7}))
    assert (made.shape[0], made.shape[3], made.dtype) == (2, 3, torch.float32)
    assert mask.shape == made.shape[:3]
    assert 0 <= float(made.min()) <= float(made.max()) <= 1
    assert made.is_contiguous()
    assert not torch.equal(made[0], made[1])
    assert json.loads(recipe)["seed"] == (0 if name == "BelamyDefog" else 7)
    if name == "BelamyDefog":
        return
    again, _, _ = run(nodes, name, seed=7)
    assert torch.equal(made, again)
    if name in ("BelamyDream", "BelamyPaint"):  # the style's choice among patches seldom differs
        assert not torch.equal(made, run(nodes, name, seed=(1 << 64) - 1)[0])


def test_a_node_does_what_the_function_does(nodes: dict[str, Any]) -> None:
    made, _, _ = run(nodes, "BelamyDream", seed=3, strength=0.5)
    source = images(2)[1:].movedim(-1, 1)
    picture = belamy.dream(source, seed=3, strength=0.5, **SMALL)
    assert torch.equal(made[1:].movedim(-1, 1), picture.image)


def test_masks_go_with_their_pictures(nodes: dict[str, Any]) -> None:
    masks = torch.zeros(2, 24, 32)
    masks[0, :12] = masks[1, 12:] = 1
    made, _, _ = run(nodes, "BelamyDream", mask=masks)
    apart = (made - images(2)).abs().amax(dim=(2, 3)) > 1 / 255
    assert [bool(half.any()) for half in (apart[0, :9], apart[0, 15:])] == [True, False]
    assert [bool(half.any()) for half in (apart[1, :9], apart[1, 15:])] == [False, True]
    with pytest.raises(BelamyError, match="mask has 3 pictures; give one, or 2"):
        run(nodes, "BelamyDream", mask=torch.zeros(3, 24, 32))


def test_transparency_is_a_mask(nodes: dict[str, Any]) -> None:
    clear = torch.cat([images(1), torch.ones(1, 24, 32, 1)], dim=-1)
    clear[:, :12, :, 3] = 0
    made, mask, _ = run(nodes, "BelamyDefog", image=clear)
    assert made.shape == (1, 24, 32, 3)
    assert (mask[0, :12].min(), mask[0, 12:].max()) == (1, 0)


@pytest.mark.parametrize(
    ("name", "given", "line"),
    [
        ("BelamyDream", {"octave_scale": 0.5}, "octave-scale is 0.5; it must be from 1.01 to 8"),
        ("BelamyDream", {"smooth": "soft"}, "unknown smooth 'soft'"),
        ("BelamyDream", {"size": "4"}, "size is 4"),
        ("BelamyDream", {"model": "nobody"}, "nobody"),
        ("BelamyStyle", {"style_weight": "1\nmuch"}, "style-weight is [1.0, 'much']"),
        ("BelamyDefog", {"strength": 3.0}, "strength is 3.0; it must be from 0 to 2"),
        ("BelamyPaint", {"count": 0}, "count is 0"),
    ],
)
def test_a_bad_value_is_one_line(
    name: str, given: dict[str, Any], line: str, nodes: dict[str, Any]
) -> None:
    said = nodes[name].VALIDATE_INPUTS(**given, **dict.fromkeys(nodes[name].needed))
    assert line in said
    assert "\n" not in said
    with pytest.raises(BelamyError):
        run(nodes, name, **given)


def test_a_file_that_changes_is_read_again(nodes: dict[str, Any], tmp_path: Path) -> None:
    node, path = nodes["BelamyDream"], tmp_path / "eye.safetensors"
    path.write_bytes(b"1")
    before = node.IS_CHANGED(model=str(path), layer="mixed3a", seed=1, image=None)
    assert before == node.IS_CHANGED(model=str(path), layer="mixed3a", seed=1, image=None)
    path.write_bytes(b"22")
    assert before != node.IS_CHANGED(model=str(path), layer="mixed3a", seed=1, image=None)


class Stopped(Exception):
    """ComfyUI's, when somebody stops it."""


def test_the_bar_and_the_stop_button(
    nodes: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    calls: list[tuple[int, int]] = []

    class ProgressBar:
        def __init__(self, total: int) -> None:
            self.total = total

        def update_absolute(self, value: int, total: int, preview: Any = None) -> None:
            calls.append((value, total))

    def stop() -> None:
        if len(calls) == 3:
            raise Stopped

    module = sys.modules[type(nodes["BelamyDream"]()).__module__.rpartition(".")[0] + ".running"]
    monkeypatch.setattr(module, "_PREVIEW", 0.0)
    monkeypatch.setitem(sys.modules, "comfy.utils", SimpleNamespace(ProgressBar=ProgressBar))
    run(nodes, "BelamyDream")
    assert calls[-1] == (2000, 2000)
    assert [value for value, _ in calls] == sorted(value for value, _ in calls)
    calls.clear()
    management = SimpleNamespace(throw_exception_if_processing_interrupted=stop)
    monkeypatch.setitem(sys.modules, "comfy.model_management", management)
    with pytest.raises(Stopped):
        run(nodes, "BelamyDream", steps=50)
    assert len(calls) == 3


def test_it_says_where_belamy_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "belamy", None)
    with pytest.raises(ImportError, match="python -m pip install belamy"):
        load(FOLDER)
    del sys.modules[str(FOLDER).replace(".", "_x_")]
