#!/bin/sh
# Guess: token_normalize_func is about the names of options and commands. Seen: the choices of an
# option pass through it as well, and the help prints them so: a program that renamed a flag from
# --average to --ema shows "ema" as a choice of another option, which still takes "average".
set -eu

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/python" -m pip install --quiet --disable-pip-version-check typer==0.29.2

"$folder/venv/bin/python" - <<'PYTHON'
from typing import Literal

import typer
from typer.testing import CliRunner

new_names = {"average": "ema"}
app = typer.Typer(
    context_settings={"token_normalize_func": lambda name: new_names.get(name, name)},
    rich_markup_mode=None,
)


@app.command()
def train(pooling: Literal["max", "average"] = "max"):
    print("pooling is", pooling)


run = CliRunner().invoke
print("typer", typer.__version__)
line = next(line for line in run(app, ["--help"]).output.splitlines() if "--pooling" in line)
print(line.strip())
assert "ema" in line
assert "average" not in line
for word in ("average", "ema"):
    answer = run(app, ["--pooling", word]).output.strip()
    print("--pooling", word, "->", answer)
    assert answer == "pooling is average"
PYTHON
