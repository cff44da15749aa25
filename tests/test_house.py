"""The house is built as ARCHITECTURE says: floors, sizes, names, what the library never does."""

from __future__ import annotations

import ast
import functools
import importlib
import re
from collections.abc import Iterator
from pathlib import Path

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
LONGEST_BODY = 40

# From the ground up. A module imports from its own floor and from those below.
FLOORS = (
    ("errors", "precision", "files", "devices"),
    ("pixels",),
    ("basics",),  # beside the others, which do not need it
    ("networks", "weights"),
    ("objectives",),
    ("optimise", "steps", "training"),
    ("engines",),
    ("learn",),
    ("cli", "tour", "studio", "export", "__main__"),
)
HEIGHT = {name: height for height, names in enumerate(FLOORS) for name in names}
FACES = FLOORS[-1]


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


def floor_of(module: str) -> str:
    """`belamy.pixels.images` is on the floor `pixels`; the package itself is the ground."""
    return (module.split(".") + [""])[1]


def imports(path: Path) -> Iterator[str]:
    """Every module of ours that a file imports, inside functions and for type checkers too."""
    for node in ast.walk(tree(path)):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names if alias.name.startswith("belamy"))
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{shown(path)}: imports name the whole path"
            if (node.module or "").split(".")[0] == "belamy":
                yield from (f"{node.module}.{alias.name}" for alias in node.names)


def calls(path: Path) -> Iterator[tuple[str, ast.Call]]:
    for node in ast.walk(tree(path)):
        if isinstance(node, ast.Call):
            yield ast.unparse(node.func), node


def functions(path: Path) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    for node in ast.walk(tree(path)):
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
            yield node


def body_lines(function: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    """Lines of code: a signature with a line for each of 25 options, and the text on each of them,
    are documentation and may be as long as they need."""
    body = function.body[1:] if ast.get_docstring(function) is not None else function.body
    return (body[-1].end_lineno or 0) - body[0].lineno + 1 if body else 0


every_module = pytest.mark.parametrize("path", MODULES, ids=shown)
every_file = pytest.mark.parametrize("path", EVERYTHING, ids=shown)


@every_module
def test_imports_go_down_only(path: Path) -> None:
    own = floor_of(module_name(path))
    if not own:  # the package itself: names that load lazily, so from any floor
        assert not list(imports(path))
        return
    for other in imports(path):
        below = floor_of(other)
        if below in HEIGHT:  # else a name of the package itself, such as __version__
            assert HEIGHT[below] <= HEIGHT[own], f"{shown(path)} imports {other}, from above"


def test_no_module_imports_itself_in_a_circle() -> None:
    known = {module_name(path) for path in MODULES}
    graph = {
        module_name(path): {
            target
            for name in at_the_top(path)
            for target in (name, name.rpartition(".")[0])
            if target in known and target != "belamy"
        }
        - {module_name(path)}
        for path in MODULES
    }
    while free := {name for name, needs in graph.items() if not needs & graph.keys()}:
        graph = {name: needs for name, needs in graph.items() if name not in free}
    assert not graph, f"these import each other: {sorted(graph)}"


def at_the_top(path: Path) -> Iterator[str]:
    """What is imported when the module is: neither in functions nor for type checkers."""
    for node in tree(path).body:
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("belamy."):
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


@every_file
def test_files_are_short(path: Path) -> None:
    assert len(text(path).splitlines()) <= LONGEST_FILE


@every_module
def test_functions_are_short(path: Path) -> None:
    long = {node.name: body_lines(node) for node in functions(path)}
    assert {name: lines for name, lines in long.items() if lines > LONGEST_BODY} == {}


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
    assert all(re.fullmatch(r"[a-z0-9-]+==[0-9.]+( ; python_version .*)?", pin) for pin in pins)
    assert not any("://" in line for line in lines)
