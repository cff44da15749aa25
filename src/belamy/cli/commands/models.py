"""`belamy models`: which networks there are, how they look inside, where their weights are."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from belamy.cli.existing import Overwrite, recipe_there
from belamy.cli.options import default, takes
from belamy.cli.outputs import require_output, save_step
from belamy.cli.progress import show_bytes, show_steps
from belamy.cli.shell.completion import backbones, every_network
from belamy.engines.dream.atlas_api import atlas_steps
from belamy.errors import OptionError, UnknownName, WeightsError
from belamy.networks.files.ranges import ColorOrder, Range

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from belamy.networks.layer_tables import Layer
    from belamy.networks.sequential import Chain

    _Shown = tuple[list[tuple[str, str]], list[Layer]]
    """Facts, and layers."""

__all__ = ["app"]

app = typer.Typer(
    name="models",
    no_args_is_help=True,
    help="List networks, look inside them, fetch or forget their weights.",
)

_Name = Annotated[
    str,
    typer.Argument(help="A network of `belamy models list`.", autocompletion=backbones),
]


@app.command("list")
def list_models() -> None:
    """Say of every network whether its weights are embedded, cached, or to be downloaded."""
    from belamy.networks.files.cache import embedded_path, get_status
    from belamy.networks.registry import embedded_names, names_of

    found = [get_status(name) for name in names_of("backbone")]
    sizes = ["" if row.megabytes is None else f"{row.megabytes:.1f}" for row in found]
    rows = [(row.name, row.state, size) for row, size in zip(found, sizes, strict=True)]
    for name in dict.fromkeys((*embedded_names(), *_cards())):
        if name not in names_of("backbone") and (path := embedded_path(name)).is_file():
            rows.append((name, "embedded", f"{path.stat().st_size / 2**20:.1f}"))
    _print_table(("network", "weights", ">MB"), rows)


@app.command()
def show(
    name: Annotated[
        str,
        typer.Argument(
            help="A network, a file of weights, or timm:NAME.", autocompletion=every_network
        ),
    ],
    inner: Annotated[bool, typer.Option("--inner", help="Show layers inside blocks too.")] = False,
    classes: Annotated[
        bool, typer.Option("--classes", help="Show the classes that it knows instead.")
    ] = False,
    card: Annotated[
        bool,
        typer.Option(
            "--card", help="Show its card alone: what it is, learned from, and is good for."
        ),
    ] = False,
) -> None:
    """Print each layer of a network: its name, channels, stride and receptive field; and the card
    of one inside the package.

    Stride and field are in pixels of the picture; a dash stands for all of it.
    """
    from belamy.networks.files.well_known import is_timm
    from belamy.networks.registry import names_of

    if classes:
        typer.echo("\n".join(_read_classes(name)))
        return
    own = _read_card(name)
    if not own and not is_timm(name):
        _require_network(name)
    if card and not own:
        raise OptionError(f"{name} has no card; `belamy models show {name}` says what is known")
    if card or (own and name not in names_of("backbone")):
        typer.echo(own)
        return
    facts, shown = (_look_through if is_timm(name) else _look_up)(name, inner)
    for fact, text in facts:
        typer.echo(f"{fact}: {text}")
    typer.echo("")
    _print_table(("layer", ">channels", ">stride", ">receptive field"), map(_row, shown))
    if own:
        typer.echo(f"\n{own}")


def _require_network(name: str) -> None:
    """Raise UnknownName where there is none of this name; near it may be one that has a card."""
    from belamy.networks.find import find_network
    from belamy.networks.registry import names_of

    if name in names_of("backbone"):
        return
    try:
        find_network(name)
    except UnknownName as error:
        known = dict.fromkeys((*names_of("backbone"), *_cards()))
        raise UnknownName(error.kind, error.name, known) from error


def _look_up(name: str, inner: bool) -> _Shown:
    """Facts and layers of one of belamy's own: as they are written down, or by building it."""
    return (None if inner else _read_down(name)) or _build_up(name, inner)


def _read_down(model: str) -> _Shown | None:
    """What is written down, in tables and in the head of a file; None where that does not do."""
    from belamy.networks.files.cache import get_status
    from belamy.networks.files.header import network_in, read_metadata, verify_sha256
    from belamy.networks.find import find_network
    from belamy.networks.layer_tables import find_table
    from belamy.networks.registry import names_of

    if model in names_of("backbone") and get_status(model).path is None:
        table, facts = find_table(model), _published_facts(model)
    else:
        path = find_network(model, "backbone")
        metadata = read_metadata(path)
        try:
            arguments, classes = (
                json.loads(metadata.get(key, empty))
                for key, empty in (("arguments", "{}"), ("classes", "[]"))
            )
            table = find_table(network_in(metadata), arguments)
            count = len(classes)
        except (ValueError, TypeError, RecursionError):  # building it says what is wrong
            return None
        if table is not None:
            facts = _file_facts(network_in(metadata), path, verify_sha256(path), count, metadata)
    if table is None:
        return None
    return [*facts, ("parameters", f"{table.parameters:,}")], list(table.layers)


def _build_up(name: str, inner: bool) -> _Shown:
    from belamy.networks.geometry import layer_table

    network, facts = _looked_up(name)
    weights = sum(tensor.numel() for tensor in network.parameters())  # type: ignore[attr-defined]
    layers = layer_table(network).values()
    shown = [layer for layer in layers if inner or layer.name == layer.stage]
    return [*facts, ("parameters", f"{weights:,}")], shown


def _look_through(name: str, inner: bool) -> _Shown:
    """The same of one of timm's, whose layers are measured."""
    from belamy.networks.modules.module_backbone import ModuleBackbone
    from belamy.networks.modules.open_network import open_backbone

    backbone = open_backbone(name)
    assert isinstance(backbone, ModuleBackbone)
    weights = sum(tensor.numel() for tensor in backbone.parameters())
    facts = {
        "network": name,
        "sha256": f"{backbone.sha256} (of the numbers, not of a file)",
        "classes": str(len(backbone.classes)),
        "pictures": backbone.describe_pictures(),
        "parameters": f"{weights:,}",
    }
    return list(facts.items()), list(backbone.list_layers(inner=inner))


def _row(layer: Layer) -> tuple[str, ...]:
    numbers = (layer.channels, layer.stride, layer.receptive_field)
    return (layer.name, *("-" if number is None else str(number) for number in numbers))


def _looked_up(model: str) -> tuple[Chain, list[tuple[str, str]]]:
    """A network without weights, and what is known of the weights, file or no file."""
    from belamy.networks.files.cache import get_status
    from belamy.networks.files.weights import open_weights
    from belamy.networks.registry import build_backbone, names_of
    from belamy.networks.unfilled import skip_filling

    if model in names_of("backbone") and get_status(model).path is None:
        with skip_filling():
            return build_backbone(model), _published_facts(model)
    with open_weights(model) as weights:
        network, count = weights.description.network, len(weights.description.classes)
        facts = _file_facts(network, weights.path, weights.sha256, count, weights.metadata)
        with skip_filling():
            return weights.build(), facts


def _published_facts(name: str) -> list[tuple[str, str]]:
    from belamy.networks.registry import NETWORKS

    row = NETWORKS[name].published
    facts = [("published", row.url), ("licence", row.licence)] if row else []
    return [("network", name), ("weights", "not here"), *facts]


def _file_facts(
    network: str, path: Path, sha256: str, classes: int, metadata: Mapping[str, str]
) -> list[tuple[str, str]]:
    facts = [("network", network), ("weights", str(path))]
    facts += [("sha256", sha256), ("classes", str(classes))]
    said = {"trained on": metadata.get("trained_on", ""), **metadata}
    return facts + [
        (key, said[key]) for key in ("trained on", "source", "licence") if said.get(key)
    ]


@app.command()
def download(name: _Name) -> None:
    """Fetch a network's published weights into the cache."""
    from belamy.networks.files.cache import cached_path
    from belamy.networks.files.download import download as fetch

    show_bytes(fetch(name), name)
    typer.echo(cached_path(name))


@app.command("import")
def import_file(
    name: Annotated[
        str,
        typer.Argument(
            help="A network of `belamy models list`; auto is told by the file.",
            autocompletion=backbones,
        ),
    ],
    file: Annotated[
        Path, typer.Argument(help="Its weights: what torch saved, .safetensors or .npz.")
    ],
    colors: Annotated[
        ColorOrder, typer.Option(help="The channel that the network takes first.")
    ] = "auto",
    range: Annotated[
        Range, typer.Option(help="The numbers that it takes for black and white.")
    ] = "auto",
    classes: Annotated[
        str | None,
        typer.Option(help="Its classes: a file with one a line, or names with commas between."),
    ] = None,
) -> None:
    """Take a file of a network's weights into the cache."""
    from belamy.networks.files.convert import import_weights

    path = import_weights(name, file, colors=colors, range=range, classes=classes)
    typer.echo(path)


@app.command()
def remove(name: _Name) -> None:
    """Delete a network's weights from the cache."""
    from belamy.networks.files.cache import remove_weights as forget

    typer.echo(forget(name))


@app.command()
@takes(atlas_steps, without=["model"])
def atlas(
    name: Annotated[
        str,
        typer.Argument(
            metavar="NAME", help="A network, or a file of weights.", autocompletion=backbones
        ),
    ] = default(atlas_steps, "model"),
    output: Annotated[
        Path, typer.Option("--output", "-o", help="The contact sheet; its suffix says the format.")
    ] = Path("atlas.png"),
    overwrite: Overwrite = False,
    **options: Any,
) -> None:
    """Draw what each layer likes best, or each channel of one layer, on a contact sheet."""
    recipe_there(require_output(output), overwrite)
    step, stopped = show_steps(atlas_steps(name, **options), f"drawing {output.name}")
    save_step(step, output)
    typer.echo(output)
    if stopped:
        raise KeyboardInterrupt(f"what was made so far is in {output}")


def _read_card(name: str) -> str:
    """What is said of an embedded network beside its weights; empty for all others."""
    card = _cards().get(name)
    return card.read_text("utf-8").strip() if card else ""


def _cards() -> dict[str, Path]:
    """The cards of what is inside the package, by name; not all of it has a row of its own."""
    from belamy.networks.files.cache import embedded_path

    return {card.stem: card for card in sorted(embedded_path("").parent.glob("*.md"))}


def _read_classes(model: str) -> tuple[str, ...]:
    from belamy.networks.files.header import network_in, read_metadata
    from belamy.networks.find import check_kind, find_network

    path = find_network(model, "backbone")
    metadata = read_metadata(path)
    check_kind(path, network_in(metadata), "backbone")
    try:
        classes = json.loads(metadata.get("classes", "[]"))
    except (ValueError, RecursionError) as error:
        raise WeightsError(f"{path} names its classes wrongly; make it again") from error
    if not classes or not isinstance(classes, list):
        raise WeightsError(f"{model} has no classes")
    return tuple(map(str, classes))


def _print_table(columns: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
    """A plain table; a column whose title begins with > holds numbers, set to the right."""
    table = [[title.lstrip(">") for title in columns], *map(list, rows)]
    widths = [max(map(len, column)) for column in zip(*table, strict=True)]
    for row in table:
        cells = [
            cell.rjust(width) if title[0] == ">" else cell.ljust(width)
            for title, cell, width in zip(columns, row, widths, strict=True)
        ]
        typer.echo("  ".join(cells).rstrip())
