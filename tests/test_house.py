"""The house is built as docs/architecture.md says: floors, sizes, names, what is never done."""

from __future__ import annotations

import ast
import functools
import importlib
import importlib.machinery
import importlib.util
import re
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import pytest

import belamy

ROOT = Path(__file__).parent.parent
LIBRARY = ROOT / "src" / "belamy"
MODULES = sorted(LIBRARY.rglob("*.py"))
EVERYTHING = [
    *MODULES,
    *(path for folder in ("tests", "benchmarks") for path in sorted((ROOT / folder).rglob("*.py"))),
]

LONGEST_FILE = 400

PARTICIPLE = re.compile(r"[a-z]+(?:ed|wn|ught)|built|found|held|kept|laid|made|said|seen|told")
NO_PARTICIPLES = {"down", "embed", "need", "seed"}


def load_script(path: Path) -> ModuleType:
    """A script without a suffix, as a module."""
    loader = importlib.machinery.SourceFileLoader(f"script_{path.name}", str(path))
    spec = importlib.util.spec_from_loader(loader.name, loader)
    assert spec is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[loader.name] = module  # where its dataclasses look for their annotations
    loader.exec_module(module)
    return module


house = load_script(ROOT / "scripts" / "house.py")
HOUSE = house.House(LIBRARY)
FACES = house.FLOORS[-1]
floor_of = house.floor_of


def shown(path: Path) -> str:
    return str(path.relative_to(ROOT))


@functools.cache
def text(path: Path) -> str:
    return path.read_text("utf-8")


@functools.cache
def tree(path: Path) -> ast.Module:
    return ast.parse(text(path), str(path))


def module_name(path: Path) -> str:
    parts = path.relative_to(LIBRARY.parent).with_suffix("").parts
    return ".".join(part for part in parts if part != "__init__")


def calls(path: Path) -> Iterator[tuple[str, ast.Call]]:
    for node in ast.walk(tree(path)):
        if isinstance(node, ast.Call):
            yield ast.unparse(node.func), node


def functions(path: Path) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    for node in ast.walk(tree(path)):
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
            yield node


def is_property(node: ast.FunctionDef | ast.AsyncFunctionDef) -> bool:
    return any(
        ast.unparse(one) in ("property", "cached_property", "functools.cached_property")
        for one in node.decorator_list
    )


def identifiers(path: Path) -> Iterator[str]:
    """Every name that a file itself gives: of functions, classes, arguments, fields, variables."""
    for node in ast.walk(tree(path)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            yield node.name
        elif isinstance(node, ast.arg):
            yield node.arg
        elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            yield node.id
        elif isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Store):
            yield node.attr


every_module = pytest.mark.parametrize("path", MODULES, ids=shown)
every_file = pytest.mark.parametrize("path", EVERYTHING, ids=shown)


def test_every_module_is_on_a_floor() -> None:
    floors = {floor_of(name) for name in HOUSE.paths if name != "belamy"}
    assert floors <= house.HEIGHT.keys()
    assert not [one for one in HOUSE.imports if one.source == "belamy"]  # its names load lazily


def test_imports_name_the_whole_path() -> None:
    for name, tree_ in HOUSE.trees.items():
        relative = [node for node in ast.walk(tree_) if isinstance(node, ast.ImportFrom)]
        assert not [node for node in relative if node.level], name


def test_imports_go_down_only() -> None:
    """Those inside functions and for type checkers too."""
    upwards = [f"{one.source} imports {one.target}" for one in HOUSE.imports]
    climbing = [house.climbs(one) for one in HOUSE.imports]
    assert [text for text, up in zip(upwards, climbing, strict=True) if up] == []


def test_no_module_imports_itself_in_a_circle() -> None:
    """Not through functions either: an `api.py` may import its folder when it is called, because
    nothing in the folder imports its `api.py`."""
    assert house.circles(HOUSE.graph) == []


def test_engines_do_not_import_each_other_in_a_circle() -> None:
    assert house.circles(house.engine_folders(HOUSE)) == []


@pytest.mark.parametrize("name", ["src/belamy", "tests", "benchmarks"])
def test_no_folder_is_crowded(name: str) -> None:
    counts = Counter(shown(path.parent) for path in (ROOT / name).rglob("*.py"))
    assert {folder: n for folder, n in counts.items() if n > house.MOST_FILES} == {}


@every_file
def test_files_are_short(path: Path) -> None:
    assert len(text(path).splitlines()) <= LONGEST_FILE


@every_module
def test_functions_are_short(path: Path) -> None:
    long = {node.name: house.body_lines(node) for node in functions(path)}
    assert {name: lines for name, lines in long.items() if lines > house.LONGEST_BODY} == {}


STRING_KEYED = re.compile(r"\b(options|asked)\[f?[\"']")


@every_module
def test_options_are_objects(path: Path) -> None:
    """So that the type checker follows each of them from its name to the pixels."""
    assert "locals" not in {name for name, _ in calls(path)}
    found = [ast.unparse(node) for node in ast.walk(tree(path)) if isinstance(node, ast.Subscript)]
    assert [text for text in found if STRING_KEYED.match(text)] == []


PRIVATE_WORDS = {
    "asked": "options",
    "bare": "unwrapped",
    "certainty": "sign mean",
    "chance": "rng, probability",
    "chances": "probabilities",
    "critic": "discriminator",
    "drained": "run_to_end",
    "eye": "feature extractor",
    "forger": "generator",
    "fogsight": "dehaze",
    "manner": "style",
    "painter": "generator, network",
    "remarks": "messages",
    "rhythm": "schedule",
    "slope": "gradient",
    "slopes": "gradients",
    "told": "metadata",
    "wanted": "target",
    "worlds": "domains",
    "worth": "scale",
}
"""Word of an identifier → the field's own. Texts and comments are free."""

SPOKEN: dict[str, set[str]] = {
    "basics/approximation.py": {"slopes"},  # of lines
    "networks/gan/dcgan.py": {"slope"},  # the negative one of LeakyReLU
    "networks/gan/layers.py": {"slope"},
    "networks/gan/light.py": {"slope"},
    "networks/gan/patchgan.py": {"slope"},
    "networks/image_to_image/arbitrary_style.py": {"manner"},  # a tensor's name in files
    "networks/image_to_image/architectures.py": {"slope"},
    "networks/image_to_image/layers.py": {"slope"},
    "pixels/decor/frame.py": {"slope"},  # of wood
    "pixels/scenes/fruit.py": {"eye"},  # what looks at them
    "pixels/scenes/mountains.py": {"eye", "slope"},
}
"""Where one of the words is the right one: path → words."""


@every_module
def test_names_are_the_fields_own(path: Path) -> None:
    found = {
        word
        for name in identifiers(path)
        for word in name.lower().split("_")
        if word in PRIVATE_WORDS
    }
    assert found <= SPOKEN.get(str(path.relative_to(LIBRARY)), set())


@every_module
def test_functions_are_verbs(path: Path) -> None:
    """None is called by a participle alone: `drawn`, `measured`, `told`; properties may be."""
    plain = [node for node in functions(path) if not is_property(node)]
    names = {node.name.lstrip("_") for node in plain}
    assert {name for name in names if PARTICIPLE.fullmatch(name)} <= NO_PARTICIPLES


@every_file
def test_annotations_are_postponed(path: Path) -> None:
    if tree(path).body:
        assert "from __future__ import annotations" in text(path)


@every_module
def test_every_module_says_what_it_is(path: Path) -> None:
    assert path.stat().st_size == 0 or ast.get_docstring(tree(path))


@every_module
def test_the_library_never_prints_or_exits(path: Path) -> None:
    if floor_of(module_name(path)) in FACES:
        return
    forbidden = {"print", "input", "exit", "quit", "sys.exit", "os._exit", "breakpoint"}
    assert not [name for name, _ in calls(path) if name in forbidden]


@every_file
def test_nothing_is_unpickled(path: Path) -> None:
    """Not by torch either: `weights_only=True` refuses everything that is not numbers."""
    for name, call in calls(path):
        assert not re.fullmatch(r"c?[pP]ickle\.(loads?|Unpickler)|dill\..*|joblib\.load", name)
        safe = [ast.unparse(word.value) for word in call.keywords if word.arg == "weights_only"]
        assert name != "torch.load" or safe == ["True"], f"line {call.lineno}"
        allowed = [ast.unparse(word.value) for word in call.keywords if word.arg == "allow_pickle"]
        assert allowed in ([], ["False"]), f"line {call.lineno}"


@every_file
def test_code_has_no_banners(path: Path) -> None:
    """A file that needs rulers between its parts wants to be two files."""
    assert not re.search(r"^\s*#\s*[-=#*─]{4,}", text(path), re.MULTILINE)


@every_module
def test_what_a_module_exports_is_there_and_is_all(path: Path) -> None:
    """Where there is an `__all__`, it names every public function and class (ruff sorts it)."""
    if path.name == "__main__.py":
        return
    module = importlib.import_module(module_name(path))
    exported = getattr(module, "__all__", None)
    if exported is None:
        return
    assert len(exported) == len(set(exported))
    assert all(hasattr(module, name) for name in exported)
    kinds = (ast.FunctionDef, ast.ClassDef)
    defined = [node for node in tree(path).body if isinstance(node, kinds)]
    public = {node.name for node in defined if not (node.name.startswith("_") or is_command(node))}
    assert public <= set(exported)


def is_command(node: ast.FunctionDef | ast.ClassDef) -> bool:
    """Whether it is a command, which is reached through its `app`."""
    return any(ast.unparse(decorator).startswith("app.") for decorator in node.decorator_list)


def test_the_package_exports_what_it_names() -> None:
    assert belamy.__all__ == sorted(belamy.__all__)
    assert dir(belamy) == belamy.__all__
    tables = {"__version__", *belamy._HOMES}
    assert set(belamy.__all__) == tables


@pytest.mark.parametrize("name", belamy.__all__)
def test_every_public_name_can_be_imported_and_is_documented(name: str) -> None:
    value = getattr(belamy, name)
    assert name == "__version__" or value.__doc__


def test_an_unknown_name_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="no attribute 'nonsense'"):
        belamy.nonsense  # noqa: B018


def test_the_changelog_speaks_of_this_version() -> None:
    headings = re.findall(r"^## \[(\d.*)\]", text(ROOT / "CHANGELOG.md"), re.MULTILINE)
    assert headings[0] == belamy.__version__


def test_the_constraints_pin_everything_and_name_no_host() -> None:
    lines = text(ROOT / "constraints.txt").splitlines()
    pins = [line for line in lines if not line.startswith("#")]
    pattern = re.compile(r"[a-z0-9-]+==[0-9.]+(post[0-9]+)?( ; python_version .*)?")
    assert all(pattern.fullmatch(pin) for pin in pins)
    assert not any("://" in line for line in lines)
