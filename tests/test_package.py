"""What strangers get: a wheel and an sdist with everything in them and nothing else, and commands
that work from them in an environment of their own, without network."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import sysconfig
import tarfile
import venv
import zipfile
from collections.abc import Callable
from email.message import Message
from email.parser import Parser
from importlib import metadata
from pathlib import Path, PurePosixPath

import pytest

import belamy

ROOT = Path(__file__).parent.parent
PAGE = "https://github.com/someone/belamy"
NOT_SHIPPED = {"__pycache__", ".DS_Store"}

pytest.importorskip("hatchling")
import hatch_build  # noqa: E402  (it needs hatchling)


def build(folder: Path, target: str, root: Path = ROOT, address: str = PAGE) -> Path:
    """A wheel or an sdist, as `python -m build --no-isolation` makes it."""
    command = [sys.executable, "-m", "hatchling", "build", "-t", target, "-d", str(folder)]
    environment = os.environ | {"BELAMY_REPOSITORY": address}
    done = subprocess.run(
        command, cwd=root, env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    (made,) = folder.iterdir()
    return made


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build(tmp_path_factory.mktemp("wheel"), "wheel")


def names_in(wheel: Path) -> set[str]:
    with zipfile.ZipFile(wheel) as file:
        return set(file.namelist())


def facts_of(wheel: Path) -> Message:
    with zipfile.ZipFile(wheel) as file:
        (name,) = [one for one in file.namelist() if one.endswith("METADATA")]
        return Parser().parsestr(file.read(name).decode())


def tracked(folder: str) -> set[str]:
    """What git knows below a folder; where there is no git, what is there."""
    if (ROOT / ".git").exists() and shutil.which("git"):
        command = ["git", "-C", str(ROOT), "ls-files", "-z", folder]
        text = subprocess.run(command, capture_output=True, text=True, check=True).stdout
        paths = {Path(name) for name in text.split("\0") if name}
    else:
        paths = {path.relative_to(ROOT) for path in (ROOT / folder).rglob("*") if path.is_file()}
    return {
        path.as_posix()
        for path in paths
        if not NOT_SHIPPED & set(path.parts) and (ROOT / path).is_file()
    }


def test_the_wheel_has_the_whole_package_and_nothing_else(wheel: Path) -> None:
    inside = {name for name in names_in(wheel) if not name.split("/")[0].endswith(".dist-info")}
    assert inside >= {name.removeprefix("src/") for name in tracked("src/belamy")}
    assert {name.split("/")[0] for name in inside} == {"belamy"}
    there = {path.relative_to(ROOT / "src").as_posix() for path in (ROOT / "src").rglob("*")}
    assert inside <= there
    assert not [name for name in inside if NOT_SHIPPED & set(PurePosixPath(name).parts)]
    for needed in (
        "belamy/weights/iris.safetensors",
        "belamy/weights/iris.md",
        "belamy/studio/page/index.html",
        "belamy/learn/lessons/__init__.py",
        "belamy/py.typed",
        "belamy/__init__.pyi",
    ):
        assert needed in inside, needed
    assert wheel.stat().st_size < 60e6


@pytest.mark.slow  # 10 s: 40 MB packed twice
def test_the_sdist_makes_the_same_wheel(wheel: Path, tmp_path: Path) -> None:
    sdist = build(tmp_path / "sdist", "sdist")
    assert sdist.stat().st_size < 80e6
    with tarfile.open(sdist) as file:
        file.extractall(tmp_path, filter="data")
    root = tmp_path / f"belamy-{belamy.__version__}"
    allowed = {*re.findall(r'^  "(.+)",$', _only_include(), re.MULTILINE)}
    top = {path.name for path in root.iterdir()}
    assert top <= {*(name.split("/")[0] for name in allowed), "PKG-INFO", ".gitignore"}
    again = build(tmp_path / "again", "wheel", root, address="")  # it remembers
    assert names_in(again) == names_in(wheel)
    assert facts_of(again).get_all("Project-URL") == facts_of(wheel).get_all("Project-URL")


def _only_include() -> str:
    text = (ROOT / "pyproject.toml").read_text("utf-8")
    return text.partition("only-include = [")[2].partition("]")[0]


def test_the_page_of_an_index_has_no_relative_links(wheel: Path) -> None:
    facts = facts_of(wheel)
    text = str(facts.get_payload())
    assert facts["Description-Content-Type"] == "text/markdown"
    links = re.findall(r"\]\(([^)]+)\)", text)
    assert [link for link in links if not re.match("https?://|#", link)] == []
    assert f"{PAGE}/raw/HEAD/docs/pictures/landscape.jpg" in links
    assert f"{PAGE}/blob/HEAD/docs/dream.md#your-own-network" in links
    paths = {link.split("/HEAD/")[1].split("#")[0] for link in links if link.startswith(PAGE)}
    assert [path for path in paths if not (ROOT / path).exists()] == []


@pytest.mark.parametrize(
    ("remote", "page"),
    [
        ("git@github.com:someone/belamy.git", PAGE),
        ("https://github.com/someone/belamy.git", PAGE),
        ("https://name:secret@github.com/someone/belamy", PAGE),
        ("ssh://git@github.com/someone/belamy.git", PAGE),
        ("/srv/git/belamy.git", ""),
        ("../belamy", ""),
        ("git@localhost:belamy.git", ""),
        ("", ""),
    ],
)
def test_the_page_of_a_remote(remote: str, page: str) -> None:
    assert hatch_build.clean_address(remote) == page


def test_without_an_address_nothing_is_invented() -> None:
    text = (ROOT / "README.md").read_text("utf-8")
    assert "https://github.com/" not in text
    assert "raw/HEAD" not in text
    gitlab = hatch_build.with_absolute_links("![a](docs/a.jpg)", "https://gitlab.com/a/b")
    assert gitlab == "![a](https://gitlab.com/a/b/-/raw/HEAD/docs/a.jpg)"


def test_every_extra_that_a_user_may_want_is_in_all() -> None:
    groups: dict[str, set[str]] = {}
    for requirement in metadata.requires("belamy") or []:
        name, _, marker = requirement.partition(";")
        if extra := re.search(r"extra == ['\"](.+?)['\"]", marker):
            groups.setdefault(extra[1], set()).add(name.strip())
    everything = groups.pop("all", set())
    for name in ("dev", "docs"):
        groups.pop(name, None)
    assert {"fast", "imagenet", "studio", "video"} <= groups.keys()
    assert set().union(*groups.values()) <= everything


def test_a_citation_says_what_the_package_says() -> None:
    yaml = pytest.importorskip("yaml")
    citation = yaml.safe_load((ROOT / "CITATION.cff").read_text("utf-8"))
    project = (ROOT / "pyproject.toml").read_text("utf-8")
    assert {"cff-version", "message", "title", "authors"} <= citation.keys()
    assert citation["version"] == belamy.__version__
    assert f'license = "{citation["license"]}"' in project
    for author in citation["authors"]:
        assert f'{{ name = "{author["name"]}" }}' in project
    for keyword in citation["keywords"]:
        assert f'"{keyword}"' in project


@pytest.fixture(scope="module")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Callable[..., str]:
    """Runs a program of an environment that has the wheel, and the packages of this one."""
    folder = tmp_path_factory.mktemp("environment")
    venv.create(folder, with_pip=False)
    places = Path(sysconfig.get_path("purelib", "venv", {"base": str(folder)}))
    pip = [sys.executable, "-m", "pip", "--python", str(folder / "bin" / "python")]
    install = ["install", "--quiet", "--no-deps", "--no-index", str(wheel)]
    subprocess.run([*pip, *install], check=True)
    # A line of a .pth adds that folder, but not what the .pth files in it add: not this checkout.
    (places / "packages.pth").write_text(sysconfig.get_path("purelib") + "\n")
    home = folder / "home"
    home.mkdir()
    environment = {
        "PATH": os.pathsep.join([str(folder / "bin"), os.environ["PATH"]]),
        "HOME": str(home),
        "OMP_NUM_THREADS": "1",
    }

    def run(*words: str) -> str:
        done = subprocess.run(
            [*_without_network(), str(folder / "bin" / words[0]), *words[1:]],
            cwd=home,
            env=environment,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    return run


def _without_network() -> list[str]:
    """What starts a program without network, where one may do that."""
    prefix = ["unshare", "--net"]
    if shutil.which(prefix[0]) is None:
        return []
    return [] if subprocess.run([*prefix, "true"], capture_output=True).returncode else prefix


@pytest.mark.slow  # 20 s: an environment, and eight commands
@pytest.mark.skipif(sys.platform == "win32", reason="the programs are in another folder there")
def test_it_works_in_an_environment_of_its_own(installed: Callable[..., str]) -> None:
    where = installed("python", "-c", "import belamy; print(belamy.__file__)")
    assert str(ROOT) not in where
    assert installed("belamy", "--version") == f"belamy {belamy.__version__}\n"
    assert installed("python", "-m", "belamy", "--version") == f"belamy {belamy.__version__}\n"
    listed = installed("belamy", "models", "list")
    for name in ("iris", "starry-night", "portraits", "defog"):
        assert re.search(rf"^{name} +embedded", listed, re.MULTILINE), name
    installed("belamy", "dream", "--size", "32", "--steps", "1", "--model", "iris", "-o", "a.png")
    installed("belamy", "gan", "paint", "-n", "1", "-o", "b.png")
    assert "c.png" in installed("belamy", "style", "apply", "starry-night", "a.png", "-o", "c.png")
    assert "dream" in installed("belamy", "recipe", "a.png")
    assert "starry-night.safetensors" in installed("belamy", "models", "show", "starry-night")
    assert "XOR" in installed("belamy", "learn", "neuron")
