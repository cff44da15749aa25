#!/bin/sh
# Guess: an sdist whose `only-include` names one folder has that folder, pyproject.toml and PKG-INFO.
# Seen: hatchling puts the checkout's .gitignore in too, which nobody has named, and an `exclude` of
# it does not keep it out.
set -eu

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/python" -m pip install --quiet --disable-pip-version-check hatchling==1.33.0

mkdir -p "$folder/project/thing"
cd "$folder/project"
touch thing/__init__.py
echo "*.tmp" >.gitignore
cat >pyproject.toml <<'TOML'
[build-system]
requires = ["hatchling"]
build-backend = "hatchling.build"
[project]
name = "thing"
version = "1"
[tool.hatch.build.targets.sdist]
only-include = ["thing"]
TOML
"$folder/venv/bin/python" -c 'import hatchling.__about__ as a; print("hatchling", a.__version__)'
"$folder/venv/bin/python" -m hatchling build --target sdist >/dev/null 2>&1
tar tzf dist/thing-1.tar.gz | sort | tee "$folder/names"
printf '%s\n' thing-1/.gitignore thing-1/PKG-INFO thing-1/pyproject.toml thing-1/thing/__init__.py |
    cmp - "$folder/names"

echo 'exclude = ["/.gitignore"]' >>pyproject.toml
"$folder/venv/bin/python" -m hatchling build --target sdist >/dev/null 2>&1
echo "with exclude = [\"/.gitignore\"]:"
tar tzf dist/thing-1.tar.gz | grep gitignore
