"""What a shell is offered at the tabulator key, by the shell's own scripts where it is here."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import typer
from typer._completion_classes import BashComplete

from belamy.cli import app

COMMAND = typer.main.get_command(app)
SHELLS = ("bash", "zsh", "fish")


def offered(*words: str) -> list[str]:
    """What may stand in place of the last word."""
    complete = BashComplete(COMMAND, {}, "belamy", "_BELAMY_COMPLETE")
    return [item.value for item in complete.get_completions(list(words[:-1]), words[-1])]


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ("mod", ["models"]),
        ("models sh", ["show"]),
        ("models show sta", ["starry-night"]),
        ("models download squeezenet1_", ["squeezenet1_0", "squeezenet1_1"]),
        ("style apply gr", ["great-wave"]),
        ("translate apply im", ["impressionism"]),
        ("gan paint por", ["portraits"]),
        ("dream --oct", ["--octaves", "--octave-scale"]),
        ("dream photo.jpg --model iri", ["iris"]),
        ("dream --model a", ["auto", "alexnet"]),
        ("dream --model iris --layer mixed5", ["mixed5a", "mixed5b"]),
        ("style photo.jpg wave.jpg --pres", ["--preset"]),
        ("classify photo.jpg --expl", ["--explain"]),
        ("dream photo.jpg --canvas f", ["fourier"]),
    ],
)
def test_offers(words: str, expected: list[str]) -> None:
    assert offered(*words.split()) == expected


def test_files_are_left_to_the_shell() -> None:
    assert offered("style", "apply", "starry-night", "ph") == []


def test_it_needs_no_torch() -> None:
    code = (
        "import sys, belamy.cli.shell.completion as c\n"
        "c.every_network(''), c.completer('layer', ())(type('', (), {'params': {}}), '')\n"
        "assert 'torch' not in sys.modules"
    )
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)}
    subprocess.run([sys.executable, "-c", code], check=True, env=environment)


SCRIPTS = {
    "bash": """
belamy --install-completion >/dev/null
. ~/.bashrc
COMP_WORDS=(belamy models show sta); COMP_CWORD=3
_belamy_completion belamy
echo "${COMPREPLY[@]}"
""",
    "zsh": """
belamy --install-completion >/dev/null
compdef() { : }
_arguments() { : }
_describe() { : }
words=(belamy models show sta); CURRENT=4
env _TYPER_COMPLETE_ARGS="${words[1,$CURRENT]}" _BELAMY_COMPLETE=complete_zsh belamy
grep -o '^#compdef belamy' ~/.zfunc/_belamy
""",
    "fish": """
belamy --install-completion >/dev/null
source ~/.config/fish/completions/belamy.fish
complete -C "belamy models show sta"
""",
}


@pytest.mark.slow  # 3 s a shell: the shell, and the command twice
@pytest.mark.parametrize("shell", SHELLS)
def test_in_a_shell(shell: str, tmp_path: Path) -> None:
    if shutil.which(shell) is None:
        pytest.skip(f"{shell} is not installed")
    script = tmp_path / f"script.{shell}"
    script.write_text(SCRIPTS[shell])
    places = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
    environment = os.environ | {
        "HOME": str(tmp_path),
        "PATH": places,
        "XDG_CONFIG_HOME": str(tmp_path / ".config"),
        "PYTHONPATH": os.pathsep.join(sys.path),
    }
    done = subprocess.run(
        [shell, str(script)], env=environment, capture_output=True, text=True, check=False
    )
    assert "starry-night" in done.stdout, done.stdout + done.stderr
