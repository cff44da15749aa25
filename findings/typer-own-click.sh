#!/bin/sh
# Guess: typer raises the errors of the package click, which many programs catch. Seen: typer has a
# copy of click inside, and its errors are of the classes of that copy.
set -eu

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/python" -m pip install --quiet --disable-pip-version-check "typer==0.29.2" "click==8.3.1"

"$folder/venv/bin/python" - <<'PYTHON'
import click
import typer

app = typer.Typer()


@app.command()
def paint(count: int):
    pass


print("typer", typer.__version__)
try:
    app(["three"], standalone_mode=False)
except Exception as error:
    print(type(error).__module__, type(error).__name__)
    assert type(error).__module__ == "typer._click.exceptions"
    assert not isinstance(error, click.UsageError)
else:
    raise SystemExit("no error at all")
PYTHON
