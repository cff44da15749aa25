"""The commands of `belamy models`, from the list to the removal."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from torch import nn
from typer.testing import CliRunner, Result

from belamy import files
from belamy.cli import app
from belamy.networks.files.cache import embedded_path
from belamy.networks.files.published import Published
from belamy.networks.registry import NETWORKS, embedded_names, names_of


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "home"
    monkeypatch.setenv("BELAMY_HOME", str(folder))
    return folder


@pytest.fixture
def published(tmp_path: Path) -> Path:
    torch.manual_seed(0)
    network = NETWORKS["squeezenet1_1"].build()
    assert isinstance(network, nn.Module)
    torch.save(network.state_dict(), tmp_path / "unnamed.pth")
    digits = files.sha256(tmp_path / "unnamed.pth")[:8]
    return (tmp_path / "unnamed.pth").rename(tmp_path / f"squeezenet1_1-{digits}.pth")


def run(*arguments: str) -> Result:
    return CliRunner().invoke(app, ["models", *arguments])


def rows(text: str) -> list[list[str]]:
    return [line.split() for line in text.splitlines()]


def test_list_says_where_weights_are(published: Path) -> None:
    before = rows(run("list").stdout)
    others = [name for name in embedded_names() if name not in names_of("backbone")] + ["faces"]
    assert [row[0] for row in before] == ["network", *names_of("backbone"), *others]
    assert {row[1] for row in before if row[0] in others} == {"embedded"}
    assert ["vgg16", "to", "download", "527.8"] in before
    assert run("import", "squeezenet1_1", str(published)).exit_code == 0
    assert ["squeezenet1_1", "cached", "4.7"] in rows(run("list").stdout)


def test_show_needs_no_weights() -> None:
    result = run("show", "vgg16")
    assert result.exit_code == 0
    shown = rows(result.stdout)
    assert ["parameters:", "138,357,544"] in shown
    assert ["layer", "channels", "stride", "receptive", "field"] in shown
    assert ["relu4_3", "512", "8", "92"] in shown
    assert ["logits", "1000", "-", "-"] in shown
    published = NETWORKS["vgg16"].published
    assert published is not None
    assert published.url in result.stdout
    assert published.licence in result.stdout


def test_show_inner_layers() -> None:
    assert "inception4c.branch2" not in run("show", "googlenet").stdout
    shown = rows(run("show", "googlenet", "--inner").stdout)
    assert ["inception4d.branch2.0", "144", "16", "171"] in shown


def test_show_a_file(published: Path) -> None:
    path = run("import", "squeezenet1_1", str(published)).stdout.strip()
    for asked in (path, "squeezenet1_1"):
        result = run("show", asked)
        assert result.exit_code == 0
        assert f"sha256: {files.sha256(path)}" in result.stdout
        assert f"source: {published.name}" in result.stdout
        assert ["fire9", "512", "16", "207"] in rows(result.stdout)


def test_download_import_remove(
    published: Path, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    row = replace(NETWORKS["squeezenet1_1"], published=Published(published.as_uri(), 4.7))
    monkeypatch.setitem(NETWORKS, "squeezenet1_1", row)
    target = str(home / "squeezenet1_1.safetensors")
    for command in (["download"], ["remove"], ["import", str(published)], ["remove"]):
        result = run(command[0], "squeezenet1_1", *command[1:])
        assert result.exit_code == 0, result.output
        assert result.stdout.splitlines() == [target]  # when piped, the path and nothing else
        assert result.stderr == ""
        assert Path(target).exists() == (command[0] != "remove")


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (
            ["show", "vgg61"],
            2,
            "unknown network 'vgg61'; did you mean 'vgg16' or 'vgg11' or 'vgg19'",
        ),
        (["show", "none.safetensors"], 2, "cannot read none.safetensors: there is no such file"),
        (["download", "vgg"], 2, "unknown network 'vgg'"),
        (["download", "iris"], 1, "no weights of iris are published"),
        (["import", "vgg16", "none.pth"], 2, "cannot read none.pth: there is no such file"),
        (["remove", "vgg16"], 1, "nothing to remove"),
    ],
)
def test_mistakes_are_one_line(arguments: list[str], code: int, said: str) -> None:
    result = run(*arguments)
    assert result.exit_code == code
    assert said in result.stderr
    assert len(result.stderr.splitlines()) == 1
    assert result.stdout == ""


def test_a_damaged_file_in_the_cache_is_one_line_too(published: Path) -> None:
    path = Path(run("import", "squeezenet1_1", str(published)).stdout.strip())
    data = bytearray(path.read_bytes())
    data[-1] ^= 1
    path.write_bytes(data)
    result = run("show", "squeezenet1_1")
    assert result.exit_code == 1
    assert "has changed since it was written" in result.stderr


def test_help_does_not_import_torch() -> None:
    code = "import sys, belamy.cli.commands.models; sys.exit('torch' in sys.modules)"
    subprocess.run([sys.executable, "-c", code], check=True)


@pytest.mark.parametrize("name", [name for name in embedded_names() if name != "iris"])
def test_show_prints_the_card_of_what_is_embedded(name: str) -> None:
    shown = run("show", name).stdout
    assert shown.startswith(f"# {name}")
    assert "trained on" in shown


def test_show_prints_the_card_of_iris_below_its_layers() -> None:
    table, _, card = run("show", "iris").stdout.partition("# iris")
    assert ["mixed4c", "464", "8", "146"] in rows(table)
    assert "Tiny ImageNet" in card
    assert "terms" in card
    assert run("show", "iris", "--card").stdout == f"# iris{card}"


@pytest.mark.parametrize(
    "path", sorted(embedded_path("iris").parent.glob("*.safetensors")), ids=lambda path: path.stem
)
def test_whatever_is_embedded_has_a_card(path: Path) -> None:
    shown = run("show", path.stem, "--card").stdout
    assert shown.startswith(f"# {path.stem}\n")
    assert "| terms |" in shown


def test_what_has_no_card_says_so() -> None:
    result = run("show", "vgg16", "--card")
    assert result.exit_code == 2
    assert "vgg16 has no card" in result.stderr


@pytest.mark.parametrize("words", [(), ("--card",)])
def test_a_name_that_is_none_names_the_nearest_card(words: tuple[str, ...]) -> None:
    result = run("show", "old-photograph", *words)
    assert result.exit_code == 2
    expected = "unknown network 'old-photograph'; did you mean 'old-photographs'?"
    assert expected in " ".join(result.stderr.split())


def test_show_all_classes() -> None:
    classes = run("show", "iris", "--classes").stdout.splitlines()
    assert len(classes) == 200
    assert "ladybug" in " ".join(classes)
