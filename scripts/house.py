"""The modules of a belamy and the imports between them, read from the syntax trees.

`scripts/architecture` draws and counts with it; `tests/test_house.py` holds the house to its rules.
Imports inside functions count like all others; only those for type checkers are told apart.
"""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

PACKAGE = "belamy"
LONGEST_BODY = 40  # lines of a function, its signature and docstring aside
MOST_FILES = 20  # in one folder

# From the ground up. A module imports from its own floor and from those below.
FLOORS = (
    ("errors", "precision", "files", "devices", "checks", "renamed", "memory", "spelling"),
    ("pixels",),
    ("basics",),  # beside the others, which do not need it
    ("networks", "weights"),
    ("objectives",),
    ("optimise", "steps", "training"),
    ("engines",),
    ("learn",),
    ("copying",),
    ("cli", "tour", "studio", "export", "__main__"),
)
HEIGHT = {name: height for height, names in enumerate(FLOORS) for name in names}


@dataclass(frozen=True)
class Import:
    """One import of a module of ours.

    Args:
        source: the module in which it stands.
        target: what it imports.
        lazy: whether it stands inside a function.
        typing: whether it is for type checkers alone.
    """

    source: str
    target: str
    lazy: bool
    typing: bool


def floor_of(module: str) -> str:
    """`belamy.pixels.images` is on the floor `pixels`; the package itself is the ground, ""."""
    return (module.split(".") + [""])[1]


def climbs(one: Import) -> bool:
    """Whether an import goes to a higher floor."""
    own, other = floor_of(one.source), floor_of(one.target)
    return own in HEIGHT and other in HEIGHT and HEIGHT[other] > HEIGHT[own]


class House:
    """The modules of a package, and who imports whom.

    Args:
        source: its folder.
    """

    def __init__(self, source: Path) -> None:
        self.source = source
        self.paths = {self._module(path): path for path in sorted(source.rglob("*.py"))}

    def _module(self, path: Path) -> str:
        parts = path.relative_to(self.source.parent).with_suffix("").parts
        return ".".join(part for part in parts if part != "__init__")

    @cached_property
    def trees(self) -> dict[str, ast.Module]:
        return {name: ast.parse(path.read_text("utf-8")) for name, path in self.paths.items()}

    @cached_property
    def imports(self) -> tuple[Import, ...]:
        """Every import of one module by another, once for each statement and name."""
        return tuple(
            one
            for name, tree in self.trees.items()
            for one in self._imports_in(name, tree, lazy=False, typing=False)
        )

    def _imports_in(
        self, name: str, node: ast.AST, *, lazy: bool, typing: bool
    ) -> Iterator[Import]:
        for child in ast.iter_child_nodes(node):
            if isinstance(child, ast.Import | ast.ImportFrom):
                for target in dict.fromkeys(self._targets(child)):
                    if target != name:
                        yield Import(name, target, lazy, typing)
            inner = lazy or isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda)
            if isinstance(child, ast.If) and "TYPE_CHECKING" in ast.unparse(child.test):
                for statement in child.body:
                    block = ast.Module([statement], [])
                    yield from self._imports_in(name, block, lazy=inner, typing=True)
                for statement in child.orelse:
                    block = ast.Module([statement], [])
                    yield from self._imports_in(name, block, lazy=inner, typing=typing)
            else:
                yield from self._imports_in(name, child, lazy=inner, typing=typing)

    def _targets(self, node: ast.Import | ast.ImportFrom) -> Iterator[str]:
        """The modules that a statement names; the package itself (its version) is none."""
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif node.level:
            names = []  # the house test refuses relative imports
        else:
            names = [f"{node.module}.{alias.name}" for alias in node.names]
        for name in names:
            for candidate in (name, name.rpartition(".")[0]):
                if candidate in self.paths and candidate != PACKAGE:
                    yield candidate
                    break

    @cached_property
    def graph(self) -> dict[str, set[str]]:
        """Module → the modules that it imports when it runs."""
        graph: dict[str, set[str]] = {name: set() for name in self.paths}
        for one in self.imports:
            if not one.typing:
                graph[one.source].add(one.target)
        return graph

    def file_of(self, *names: str) -> str | None:
        """The module of the first of these files that is there."""
        found = (self.source / name for name in names)
        return next((self._module(path) for path in found if path.exists()), None)

    def lines(self, modules: Iterable[str]) -> int:
        return sum(len(self.paths[name].read_text("utf-8").splitlines()) for name in modules)

    def reading(self, start: str) -> list[str]:
        """What has to be read to follow a command: its file, and of the engines' floor all that it
        imports, directly or not, inside functions too."""
        found, todo = {start}, [start]
        while todo:
            for target in self.graph[todo.pop()]:
                if floor_of(target) == "engines" and target not in found:
                    found.add(target)
                    todo.append(target)
        return sorted(found)

    def functions(self) -> Iterator[tuple[str, ast.FunctionDef | ast.AsyncFunctionDef]]:
        for name, tree in self.trees.items():
            for node in ast.walk(tree):
                if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                    yield name, node


def body_lines(function: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    """Lines of code: a signature with a line for each of 25 options, and the text on each of them,
    are documentation and may be as long as they need."""
    body = function.body[1:] if ast.get_docstring(function) is not None else function.body
    return (body[-1].end_lineno or 0) - body[0].lineno + 1 if body else 0


def circles(graph: Mapping[str, set[str]]) -> list[list[str]]:
    """Groups of nodes of which each leads to every other one (Tarjan 1972), the alone left out."""
    index: dict[str, int] = {}
    low: dict[str, int] = {}
    stack: list[str] = []
    found: list[list[str]] = []

    def visit(node: str) -> None:
        index[node] = low[node] = len(index)
        stack.append(node)
        for target in sorted(graph[node]):
            if target not in index:
                visit(target)
                low[node] = min(low[node], low[target])
            elif target in stack:
                low[node] = min(low[node], index[target])
        if low[node] == index[node]:
            group = stack[stack.index(node) :]
            del stack[stack.index(node) :]
            if len(group) > 1:
                found.append(sorted(group))

    for node in sorted(graph):
        if node not in index:
            visit(node)
    return found


def imports_back(imports: Iterable[Import], groups: Iterable[Iterable[str]]) -> list[Import]:
    """The imports at the top of a file of one that imports it, directly or not, in a function."""
    home = {name: index for index, group in enumerate(groups) for name in group}
    inside = [
        one for one in imports if one.source in home and home[one.source] == home.get(one.target)
    ]
    late = {one.source for one in inside if one.lazy}
    return [one for one in inside if not one.lazy and one.target in late]


def folder_of(module: str, house: House) -> str:
    """`belamy.engines.gan.train` lies in `engines/gan`; files on the top stand for themselves."""
    path = house.paths[module].relative_to(house.source)
    return str(path.parent) if path.parent != Path() else path.stem


def engine_folders(house: House) -> dict[str, set[str]]:
    """Each folder in engines/ (a file that lies there alone counts as one) → those it imports."""

    def place(module: str) -> str:
        parts = module.split(".")
        return ".".join(parts[:3])

    graph: dict[str, set[str]] = {}
    for one in house.imports:
        if one.typing or floor_of(one.source) != "engines" or floor_of(one.target) != "engines":
            continue
        graph.setdefault(place(one.source), set())
        graph.setdefault(place(one.target), set())
        if place(one.source) != place(one.target):
            graph[place(one.source)].add(place(one.target))
    return graph
