"""doctor says what is here, as a table and as JSON, and what is amiss."""

from __future__ import annotations

import importlib.machinery
import json
import platform
from importlib import metadata
from pathlib import Path

import pytest
import torch
from typer.testing import CliRunner, Result

import belamy
from belamy.cli import app
from belamy.cli.commands import doctor
from belamy.devices import choose_device
from belamy.networks.registry import embedded_names, names_of


class Installed:
    """A distribution as `importlib.metadata` gives it, with one extra that is not there."""

    requires = (
        "torch>=2.10",
        "pytest>=8.3; extra == 'dev'",
        'no-such-package>=1; python_version > "3" and extra == "video"',
    )

    class metadata:
        @staticmethod
        def get_all(name: str) -> list[str]:
            assert name == "Provides-Extra"
            return ["dev", "video"]


@pytest.fixture(autouse=True)
def installed(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    real = metadata.distribution
    ours = {"belamy": Installed}
    monkeypatch.setattr(metadata, "distribution", lambda name: ours.get(name) or real(name))
    monkeypatch.setenv("BELAMY_HOME", str(tmp_path))


def run(*arguments: str) -> Result:
    return CliRunner().invoke(app, ["doctor", *arguments], env={"COLUMNS": "200"})


def test_json_says_what_is_here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OMP_NUM_THREADS", "3")
    result = run("--json")
    assert result.exit_code == 0, result.output
    found = json.loads(result.stdout)
    assert found["belamy"] == belamy.__version__
    assert found["python"] == platform.python_version()
    assert found["packages"] == {"torch": metadata.version("torch")}
    assert found["extras"]["dev"] == {"installed": True, "missing": []}
    assert found["extras"]["video"] == {"installed": False, "missing": ["no-such-package"]}
    assert found["threads"] == {"limit": 3, "cores": found["threads"]["cores"]}
    assert found["threads"]["cores"] >= 1
    assert found["folders"]["cache"] == {"path": str(tmp_path), "writable": True}
    others = [name for name in embedded_names() if name not in names_of("backbone")]
    assert [one["name"] for one in found["networks"]] == [*names_of("backbone"), *others]
    assert found["problems"] == []


def test_torch_is_asked_for_a_gpu_where_one_may_be(monkeypatch: pytest.MonkeyPatch) -> None:
    before = json.loads(run("--json").stdout)["device"]
    monkeypatch.setattr("belamy.cli.commands.doctor._may_have_gpu", lambda: True)
    count = torch.cuda.device_count()
    found = json.loads(run("--json").stdout)["device"]
    assert found["cuda"] == [torch.cuda.get_device_name(index) for index in range(count)]
    assert found["chosen"] == str(choose_device())
    assert found == before


@pytest.mark.parametrize(
    ("version", "drivers", "may"),
    [
        ("cuda: Optional[str] = None\nhip: Optional[str] = None\n", True, False),
        ("cuda: Optional[str] = '12.8'\n", True, True),
        ("cuda = '12.8'\n", False, False),
        ("cuda = None\nhip = '6.4'\n", True, True),
    ],
)
def test_a_gpu_needs_a_build_and_a_driver(
    version: str, drivers: bool, may: bool, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "version.py").write_text(version, "utf-8")
    spec = importlib.machinery.ModuleSpec("torch", None, is_package=True)
    spec.submodule_search_locations = [str(tmp_path)]
    monkeypatch.setattr("importlib.util.find_spec", lambda name: spec)
    monkeypatch.setattr("sys.platform", "linux")
    there = (str(tmp_path),) if drivers else ()
    monkeypatch.setattr("belamy.cli.commands.doctor._DRIVERS", there)
    assert doctor._may_have_gpu() is may


def test_the_table_names_everything(tmp_path: Path) -> None:
    result = run()
    assert result.exit_code == 0
    for part in ("device", "threads", "memory", "torch", "[dev]", "squeezenet1_0", str(tmp_path)):
        assert part in result.stdout
    assert "not installed: no-such-package" in result.stdout
    assert result.stdout.endswith("all is well\n")


def test_a_missing_package_is_a_problem(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Installed, "requires", ("no-such-package>=1",))
    result = run()
    assert result.exit_code == 1
    assert "amiss: no-such-package is not installed" in result.stdout


def test_a_cache_that_cannot_be_made_is_a_problem(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "file").write_text("x")
    monkeypatch.setenv("BELAMY_HOME", str(tmp_path / "file" / "cache"))
    result = run("--json")
    assert result.exit_code == 1
    found = json.loads(result.stdout)
    assert found["folders"]["cache"]["writable"] is False
    assert len(found["problems"]) == 1


def test_a_checkout_that_is_not_installed(monkeypatch: pytest.MonkeyPatch) -> None:
    def nowhere(name: str) -> None:
        raise metadata.PackageNotFoundError(name)

    monkeypatch.setattr(metadata, "distribution", nowhere)
    assert "not installed as a package" in run().stdout


def test_a_network_that_the_package_lacks_is_a_problem(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr("belamy.networks.files.cache._EMBEDDED", tmp_path)
    result = run()
    assert result.exit_code == 1
    assert "amiss: the network defog is not in this copy of belamy" in result.stdout


def test_what_lessons_and_the_tour_draw_with_is_needed() -> None:
    text = (Path(__file__).parents[3] / "pyproject.toml").read_text("utf-8")
    assert '"matplotlib>=3.9"' in text.partition("\ndependencies = [")[2].partition("]")[0]
