"""`belamy studio` on the command line: what it refuses, what it says when its extra is missing."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner

from belamy.cli import app
from belamy.studio import serve
from belamy.studio.settings import StudioSettings


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--port", "70000"], "from 0 to 65535"),
        (["--port", "-1"], "from 0 to 65535"),
        (["--language", "fr"], "en or it"),
        (["--root", "/nowhere/at/all"], "no folder"),
        (["--listen", "evil.example"], "an address of this machine"),
        (["--listen", "0.0.0.0"], "every address"),
        (["--listen", "::"], "every address"),
        (["--listen", ""], "an address of this machine"),
    ],
)
def test_bad_options_are_one_line(tmp_path: Path, options: list[str], words: str) -> None:
    done = CliRunner().invoke(app, ["studio", "--no-open", "--folder", str(tmp_path), *options])
    assert done.exit_code == 2
    assert words in done.output
    assert len(done.output.strip().splitlines()) == 1


def test_other_machines_are_let_in_only_with_a_word(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The address is put on the list of hosts, and what it opens is said."""
    seen: list[StudioSettings] = []
    monkeypatch.setattr(serve, "serve", lambda settings, say, browse: seen.append(settings))
    runner = CliRunner()
    words = ["studio", "--no-open", "--folder", str(tmp_path), "--root", str(tmp_path)]
    done = runner.invoke(app, [*words, "--listen", "192.0.2.7"])
    assert done.exit_code == 0
    assert "not encrypted" in done.output
    assert str(tmp_path) in done.output
    assert (seen[0].host, seen[0].names) == ("192.0.2.7", ("192.0.2.7",))
    assert runner.invoke(app, words).output == ""
    assert (seen[1].host, seen[1].names) == ("127.0.0.1", ())


def test_a_missing_extra_is_named(tmp_path: Path) -> None:
    code = (
        "import sys; sys.modules['fastapi'] = None; from belamy.cli import main; "
        f"sys.argv = ['belamy', 'studio', '--folder', {str(tmp_path)!r}]; main()"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 1
    assert done.stderr.strip().endswith("run: pip install 'belamy[studio]'")
    assert len(done.stderr.strip().splitlines()) == 1


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (["--nonsense"], 2, "No such option"),
        (["--port", "many"], 2, "--port"),
        (["--port", "70000"], 1, "belamy: port is 70000; it must be from 0 to 65535"),
    ],
)
def test_misuse_is_said_as_everywhere(words: list[str], code: int, said: str) -> None:
    command = [sys.executable, "-m", "belamy", "studio", *words]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == code
    assert said in done.stderr
    assert "Traceback" not in done.stderr


def test_help_needs_no_extra() -> None:
    code = (
        "import sys; sys.modules['fastapi'] = sys.modules['uvicorn'] = None; "
        "from belamy.cli import main; sys.argv = ['belamy', 'studio', '--help']; main()"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True
    )
    assert "--listen" in done.stdout


def test_the_page_is_in_the_package() -> None:
    """Everything below the package goes into the wheel; nothing there is ignored by git."""
    root = Path(__file__).parents[2]
    folder = root / "src" / "belamy" / "studio"
    names = [
        str(path) for part in ("page", "samples", "layers") for path in (folder / part).rglob("*")
    ]
    ignored = subprocess.run(
        ["git", "check-ignore", *names], cwd=root, capture_output=True, text=True, check=False
    )
    assert ignored.stdout == ""
    assert (folder / "samples" / "samples.json").is_file()
