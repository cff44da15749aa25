"""The file of defaults; and names of outputs out of what was set."""

from __future__ import annotations

from pathlib import Path

import pytest
from PIL import Image
from typer.testing import CliRunner

from belamy.cli import app
from belamy.cli.settings.patterns import fill, is_pattern
from belamy.errors import OptionError, UnknownName


def run(*words: str) -> tuple[int, str]:
    result = CliRunner().invoke(app, list(words))
    return result.exit_code, result.output if result.exit_code else result.stdout


@pytest.fixture(autouse=True)
def config(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    for name in ("DEVICE", "PRECISION", "LANGUAGE", "OUTPUT"):
        monkeypatch.delenv(f"BELAMY_{name}", raising=False)
    path = tmp_path / "config" / "belamy" / "config.toml"
    path.parent.mkdir(parents=True)
    (tmp_path / "photos" / "inner").mkdir(parents=True)
    for name in ("photos/a.png", "photos/inner/b.png"):
        Image.new("RGB", (40, 30), (90, 120, 150)).save(tmp_path / name)
    return path


def test_defaults_are_used_and_what_is_typed_wins(config: Path) -> None:
    config.write_text('output = "made/{stem}-{amount}.png"\nlanguage = "it"\n')
    assert run("fog", "photos/a.png") == (0, "made/a-0.5.png\n")
    assert run("fog", "photos/a.png", "-o", "x.png") == (0, "x.png\n")
    assert "neurone" in run("learn", "neuron")[1].lower()
    assert "neurone" not in run("learn", "neuron", "--language", "en", "--overwrite")[1].lower()


def test_the_environment_wins_over_the_file(config: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    config.write_text('language = "it"\n')
    monkeypatch.setenv("BELAMY_LANGUAGE", "en")
    assert "neurone" not in run("learn", "neuron")[1].lower()
    code, text = run("config")
    assert code == 0
    assert str(config) in text
    assert "en  (BELAMY_LANGUAGE)" in text


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ('devise = "cpu"', "did you mean 'device'?"),
        ("device = 3", "device in"),
        ("device =", "is no TOML"),
        ('device = "gpu"', "gpu"),
    ],
)
def test_a_wrong_file_is_said_in_a_line(config: Path, text: str, words: str) -> None:
    config.write_text(text)
    code, output = run("defog", "photos/a.png", "--method", "dcp", "-o", "x.png")
    assert code == 2
    assert words in output
    assert output.count("\n") == 1


def test_a_word_that_no_command_knows_is_no_default(
    config: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    config.write_text('language = "de"\n')
    code, text = run("learn", "neuron")
    assert (code, text.count("\n")) == (2, 1)
    assert "it must be en or it" in text
    assert run("fog", "photos/a.png", "-o", "x.png")[0] == 0  # which has no language
    monkeypatch.setenv("BELAMY_LANGUAGE", "it")
    monkeypatch.setenv("BELAMY_PRECISION", "half")
    code, text = run("config")
    assert code == 2
    assert "it  (BELAMY_LANGUAGE)" in text
    assert "precision is 'half' in BELAMY_PRECISION; it must be auto or float32" in text
    monkeypatch.setenv("BELAMY_PRECISION", "float16")  # some know it
    assert run("config")[0] == 0


@pytest.mark.parametrize("device", ["gpu", "cuda:x", "cuda:-1", "CPU ", "mps:1"])
def test_a_device_that_no_machine_has_is_no_default(config: Path, device: str) -> None:
    config.write_text(f'device = "{device}"\n')
    for words in (("config",), ("dream", "photos/a.png", "-o", "x.png")):
        code, text = run(*words)
        assert code == 2
        assert f"device is '{device}' in {config}; it must be auto or cpu or cuda" in text


@pytest.mark.parametrize("device", ["auto", "cpu", "cuda", "cuda:7", "mps", "mps:0"])
def test_a_device_of_some_machine_is_a_default(config: Path, device: str) -> None:
    config.write_text(f'device = "{device}"\n')
    assert run("config")[0] == 0


def test_help_and_versions_come_without_the_file(config: Path) -> None:
    config.write_text("devise = 1")
    assert run("--version")[0] == 0
    assert run("fog", "--help")[0] == 0


def test_names_out_of_what_was_set() -> None:
    code, text = run("fog", "photos", "--amount", "0.25", "-o", "new/{stem}-{amount}-{n:03}.png")
    assert (code, text.split()) == (0, ["new/a-0.25-001.png", "new/inner/b-0.25-002.png"])
    code, text = run("fog", "photos/a.png", "-o", "{stem}-{amuont}.png")
    assert code == 2
    assert "did you mean 'amount'?" in text
    code, text = run("fog", "photos", "-o", "new/same-{seed}.png")
    assert code == 2 or (code, text.count("same")) == (0, 2)  # in two folders they are two


def test_two_of_one_name_are_refused() -> None:
    code, text = run("fog", "photos/a.png", "photos/inner/b.png", "-o", "same-{seed}.png")
    assert code == 2
    assert "put {stem} or {n} into the name" in text


@pytest.mark.parametrize("value", ["../../x", "/etc/x", "..", "a/b\\c", "x" * 300, "{n}", "\0\n"])
def test_values_lead_into_no_other_folder(value: str) -> None:
    name = fill("{layer}.png", {"layer": value})
    assert len(Path(name).parts) == 1
    assert name not in ("..", ".")
    assert len(name) < 80
    assert "{" not in name


def test_a_brace_is_a_brace() -> None:
    assert fill("{{{n}}}.png", {"n": 3}) == "{3}.png"
    kept = fill("{{{n}}}-{seed}.png", {"seed": 1}, ["n"])
    assert fill(kept, {"n": 3}) == "{3}-1.png"
    assert not is_pattern("{{plain}}.png")
    with pytest.raises(OptionError, match="do not close"):
        fill("{n.png", {"n": 3})
    with pytest.raises(OptionError, match="no format"):
        fill("{n:99999999}", {"n": 3})
    with pytest.raises(UnknownName, match=r"n\.__class__"):
        fill("{n.__class__}", {"n": 3})


def test_each_of_several_paintings_has_its_name() -> None:
    code, text = run("gan", "paint", "-n", "2", "--seed", "7", "-o", "new/{network}-{seed}-{n}.png")
    assert (code, text) == (0, "new\n")
    assert sorted(one.name for one in Path("new").iterdir()) == [
        "portraits-7-1.png",
        "portraits-7-2.png",
    ]
