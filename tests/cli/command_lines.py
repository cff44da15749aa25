"""Command lines out of the commands' own tables of options, by their numbers."""

from __future__ import annotations

import functools
import io
import json
import shlex
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import Any

import altered_recipes
import typer.main
from PIL import Image

from belamy import cli

# A valid line of every command, with as little work as it has.
VALID = {
    "classify evaluate": "labelled --size 32",
    "classify look": "photo.png",
    "classify train": "labelled --stages 32:1 --batch 2 --run run",
    "config": "",
    "defog adapt": "defog --foggy pictures --clear others --size 64 --steps 1 --batch 1 "
    "--held-out 1 --run run",
    "defog clear": "photo.png -o out.png",
    "defog evaluate": "pictures pictures",
    "defog train": "pictures --size 64 --steps 1 --batch 1 --held-out 1 --run run",
    "demo": "-o photo.png",
    "doctor": "",
    "dream picture": "photo.png -o out.png --size 32 --octaves 1 --steps 1 --layer mixed3a",
    "dream walk": "photo.png -o out.gif --size 32 --octaves 1 --steps 1 --layers mixed3a,mixed4a "
    "--seconds 0.2 --fps 10",
    "dream zoom": "photo.png -o out.gif --size 32 --octaves 1 --steps 1 --layers mixed3a "
    "--seconds 0.2 --fps 10",
    "export": "starry-night -o out.onnx",
    "fog": "photo.png -o out.png",
    "gan edit": "1 --direction 1 --count 1 -o out.png",
    "gan evaluate": "portraits many --count 50",
    "gan export": "trained -o out.safetensors",
    "gan mix": "1 2 --by latents --count 1 -o out.png",
    "gan paint": "portraits -n 1 -o out.png",
    "gan project": "photo.png --steps 1 -o out.png",
    "gan toy": "--steps 1 -o out.png",
    "gan train": "pictures --size 16 --steps 1 --batch 2 --width 0.25 --run run",
    "gan walk": "portraits --stops 2 --seconds 1 --fps 2 -o out.gif",
    "learn approximation": "--widths 2 -o out.png",
    "learn backprop": "-o out.png",
    "learn classifier": "labelled --pictures 8 --epochs 1 -o out.png",
    "learn cnn": "--count 1000 --epochs 1 -o out.png",
    "learn complexity": "iris -o out.png",
    "learn depth": "-o out.png",
    "learn gan": "--steps 1 -o out.png",
    "learn mlp": "--epochs 1 --count 8 -o out.png",
    "learn neuron": "-o out.png",
    "learn perceptron": "--count 4 --sweeps 1 -o out.png",
    "live": "film.gif no-such-network --no-browser",
    "models atlas": "iris --layer mixed3a --channels 1 --size 32 --steps 1 -o out.png",
    "models download": "iris",
    "models import": "squeezenet1_1 broken.safetensors",
    "models list": "",
    "models remove": "squeezenet1_1",
    "models show": "iris",
    "preset list": "",
    "preset remove": "none",
    "preset save": "name made.png --overwrite",
    "preset show": "eyes",
    "recipe": "made.png",
    "replay": "made.png -o out.png",
    "studio": "--no-open --port 99999",
    "style apply": "starry-night photo.png -o out.png --size 32",
    "style paint": "photo.png other.png -o out.png --size 32 --min-size 32 --iterations 1,1",
    "style train": "other.png --data pictures --size 64 --style-size 64 --steps 1 --batch 1 "
    "--width 4 --blocks 1 --run run",
    "style train-any": "pictures --data others --size 64 --steps 1 --batch 1 --width 8 --run run",
    "tour": "-o photo.png",
    "translate apply": "impressionism photo.png -o out.png --size 32",
    "translate evaluate": "impressionism many many --size 32",
    "translate train": "pictures others --size 64 --steps 1 --blocks 1 --generator-channels 4 "
    "--discriminator-channels 4 --run run",
}
# They take minutes, or have no end: all their lines are wrong.
REFUSED = ("demo", "live", "studio", "tour")

NUMBERS = (
    *("x", "", " ", "nan", "inf", "-inf", "-1", "0", "9" * 400, "-" + "9" * 400, "1" + "0" * 30),
)
VALUES: dict[str, tuple[str, ...]] = {
    "int": (*NUMBERS, "1.5", "1e3", "0x10", "1 1", "９９", "-9223372036854775809", "١"),
    "float": (*NUMBERS, "1e308", "-1e308", "1e999", "1e-320", "0,5", "1e", "½", "--", "0x1p3"),
    "str": (
        *("", " ", "x", "-1", "nan", "AUTO", "None", "x" * 300, "x" * 5000, "a\udcffb", "é"),
        *("%s{0}", "1,", ",", ":", "*", "1,1,1,1,1,1", "9" * 400, "mixed3a:99999", "mixed3a*nan"),
        *("photo.png", "pictures", "missing.png", "broken.safetensors", "..", "../..", "iris"),
        *("/etc/passwd", "\x1b[31mx", "a\nb", "[video]", "$HOME", "~nobody9", "1=2", "-"),
    ),
    "Path": (
        *("missing.png", "no/such/a.png", "pictures", "empty", "empty.png", "broken.png", "-", ""),
        *("cut.png", "text.txt", "text.png", "sound.wav", "locked.png", "locked", " ", ".", "/"),
        *("..", "n" * 300 + ".png", "/".join(["n" * 200] * 30), "photo.png/a.png", "/dev/null"),
        *("nul.png", "empty.zip", "broken.zip", "pictures.zip", "broken.safetensors", "film.gif"),
        *("a\udcff.png", "https://host/a.png", "~nobody9/a.png", "/proc/self/mem", "*.png"),
        *("\x1b[31m.png", "loop"),
    ),
}
OUTPUTS = (
    *("no/such/out.png", "out.xyz", "out", "out.", ".png", "out.mp4", "out.txt", "photo.png", "-"),
    *("pictures", "pictures/", "new/", "new/deep/", "n" * 300 + ".png", "photo.png/out.png", "/"),
    *("/proc/out.png", "/dev/null", "/dev/full", "locked/out.png", "made.png", "link.png", "."),
    *("out.png.part", "OUT.PNG", "out.jpg", "out.gif", "a\udcff.png", "{name}.png", "loop", ""),
    *(" .png",),
)
SMALL = {"int": ("1", "2"), "float": ("0.5", "1"), "str": (), "Path": ("photo.png", "other.png")}


@dataclass(frozen=True)
class Line:
    """A command line: `kind` is what was done to a valid one; it must fail where that is known."""

    command: str
    words: tuple[str, ...]
    kind: str


@functools.cache
def commands() -> dict[str, Any]:
    """Every command, by its words."""

    def walk(command: Any, path: tuple[str, ...]) -> Iterator[tuple[str, Any]]:
        if inner := getattr(command, "commands", None):
            for name, one in inner.items():
                yield from walk(one, (*path, name))
        else:
            yield " ".join(path), command

    return dict(walk(typer.main.get_command(cli.app), ()))


def make_line(number: int, seed: int = 1) -> Line:
    """The line of a number: every option of every command in turn, then something else in it."""
    table = commands()
    rows = [(name, one) for name, command in table.items() for one in command.params]
    random = Random(f"{seed} {number}")
    name, parameter = rows[Random(seed).sample(range(len(rows)), len(rows))[number % len(rows)]]
    words = shlex.split(VALID[name])
    if name not in REFUSED and number % 7 == 0:
        kind = "valid"
        if random.random() < 0.5:
            words = _combine(random, words, table[name], 1)
    elif name in REFUSED:
        change = random.choice((_lack_value, _misspell, _add))
        kind, words = change.__name__[1:], change(random, words, table[name], parameter)
    else:
        change = random.choice(_CHANGES)
        kind = change.__name__[1:]
        words = change(random, words, table[name], parameter)
        if random.random() < 0.15:
            change = random.choice(_CHANGES)
            kind += " " + change.__name__[1:]
            words = change(random, words, table[name], random.choice(table[name].params))
    return Line(name, (*name.split(), *words), kind)


def _kind_of(parameter: Any) -> str:
    text = str(parameter.type_descriptor.annotation)
    return next((one for one in ("bool", "int", "float", "Path") if one in text), "str")


def _is_option(parameter: Any) -> bool:
    return str(parameter.opts[0]).startswith("-")


def _value(random: Random, parameter: Any) -> str:
    """What the parameter probably cannot be."""
    if parameter.name == "output":
        return random.choice(OUTPUTS)
    kind = _kind_of(parameter)
    if kind == "str" and parameter.metavar and random.random() < 0.3:
        return random.choice(("x", "", *str(parameter.metavar).upper().split("|")))
    if kind == "str" and not _is_option(parameter) and random.random() < 0.5:
        kind = "Path"
    return random.choice(VALUES[kind])


def _change_value(random: Random, words: list[str], command: Any, parameter: Any) -> list[str]:
    if not _is_option(parameter):
        places = [at for at, word in enumerate(words) if not word.startswith("-")]
        at = random.choice(places[:2]) if places else 0
        return [*words[:at], _value(random, parameter), *words[at + 1 :]]
    flag = random.choice(parameter.opts)
    if _kind_of(parameter) == "bool":
        return [
            *words,
            random.choice((flag, f"{flag}=yes", f"{flag}=", flag.replace("--", "--no-"))),
        ]
    value = _value(random, parameter)
    if flag in words and words.index(flag) + 1 < len(words):
        at = words.index(flag)
        return [*words[: at + 1], value, *words[at + 2 :]]
    return [*words, f"{flag}={value}"] if flag.startswith("--") else [*words, flag, value]


def _lack_value(random: Random, words: list[str], command: Any, parameter: Any) -> list[str]:
    flags = [one.opts[0] for one in command.params if _is_option(one) and _kind_of(one) != "bool"]
    flag = parameter.opts[0] if parameter.opts[0] in flags else random.choice(flags or ["-o"])
    return [*words, flag]


def _repeat(random: Random, words: list[str], command: Any, parameter: Any) -> list[str]:
    if not _is_option(parameter) or _kind_of(parameter) == "bool":
        return [*words, *words]
    return [*words, parameter.opts[0], _value(random, parameter), parameter.opts[0], "1"]


def _misspell(random: Random, words: list[str], command: Any, parameter: Any) -> list[str]:
    flag = str(parameter.opts[0])
    made = (
        flag[:-1],
        flag + "x",
        flag.upper(),
        "-" + flag,
        "--",
        "-",
        "-z",
        "--=",
        "--" + "é" * 400,
    )
    word = random.choice(made)
    return [word, *words] if random.random() < 0.5 else [*words, word]


def _combine(random: Random, words: list[str], command: Any, parameter: Any) -> list[str]:
    """Options that each may stand there, with values that each may have."""
    options = [one for one in command.params if _is_option(one) and one.opts[0] not in words]
    count = parameter if isinstance(parameter, int) else random.randint(2, 4)
    for one in random.sample(options, min(count, len(options))):
        kind, flag = _kind_of(one), one.opts[0]
        choices = [part for part in str(one.metavar or "").split("|") if part.islower()]
        value = random.choice(choices or SMALL.get(kind, ()) or ("",)) if kind != "bool" else ""
        if kind == "bool":
            words = [*words, flag]
        elif value and flag not in ("-o", "--output", "--steps"):
            words = [*words, flag, value]
    return words


def _change_input(random: Random, words: list[str], command: Any, parameter: Any) -> list[str]:
    places = [at for at, word in enumerate(words) if word in _FILES]
    if not places:
        return [*words, random.choice(VALUES["Path"])]
    at = random.choice(places)
    return [*words[:at], random.choice(VALUES["Path"]), *words[at + 1 :]]


def _change_output(random: Random, words: list[str], command: Any, parameter: Any) -> list[str]:
    value = random.choice(OUTPUTS)
    for flag in ("-o", "--run"):
        if flag in words:
            at = words.index(flag) + 1
            return [*words[:at], value, *words[at + 1 :]]
    return [*words, "-o", value]


def _drop(random: Random, words: list[str], command: Any, parameter: Any) -> list[str]:
    at = random.randrange(len(words)) if words else 0
    kept = [*words[:at], *words[at + 1 :]]
    return kept if not {*_WORK} & {*words[max(0, at - 1) : at + 1]} else [*words, *words[:1]]


def _add(random: Random, words: list[str], command: Any, parameter: Any) -> list[str]:
    return [*words, random.choice(VALUES["Path"]), *random.sample(VALUES["str"], 2)]


_FILES = ("photo.png", "other.png", "pictures", "others", "labelled", "made.png", "trained")
_WORK = (
    *("--steps", "--size", "--count", "-n", "--epochs", "--iterations", "--octaves", "--widths"),
    *("--stages", "--pictures", "--batch", "--sweeps", "--stops", "--seconds", "--fps", "--width"),
    *("--style-size", "--min-size", "--blocks", "--channels"),
)
"""Options without which a line works for minutes."""

_CHANGES: tuple[Any, ...] = (
    *(_change_value,) * 6, _lack_value, _repeat, _misspell, _combine, _combine, _change_input,
    _change_input, _change_output, _drop, _add,
)  # fmt: skip


def make_folder(folder: Path) -> None:
    """What the lines name."""
    altered_recipes.make_folder(folder)
    for name in ("pipe", "huge.png"):  # which wait for others
        (folder / name).unlink()
    labelled = {f"labelled/{one}": 3 for one in ("goldfish", "bullfrog")}
    for place, count in {"pictures": 8, "others": 8, "many": 50, **labelled}.items():
        (folder / place).mkdir(parents=True)
        for number in range(count):
            noise = Random(f"{place}{number}").randbytes(64 * 64 * 3)
            Image.frombytes("RGB", (64, 64), noise).save(folder / place / f"{number}.png")
    photo = (folder / "photo.png").read_bytes()
    with zipfile.ZipFile(folder / "pictures.zip", "w") as archive:
        archive.writestr("a.png", photo)
        archive.writestr("broken.png", photo[:900])
    zipfile.ZipFile(folder / "empty.zip", "w").close()
    files = {
        "broken.png": photo[:900], "cut.png": photo[:20], "empty.png": b"", "nul.png": bytes(999),
        "text.png": b"no picture", "text.txt": b"no picture", "sound.wav": b"RIFF\4\0\0\0WAVE",
        "broken.zip": b"PK\3\4" + bytes(40), "broken.safetensors": b"\xff" * 64,
        "locked.png": photo,
    }  # fmt: skip
    for name, data in files.items():
        (folder / name).write_bytes(data)
    for name in ("empty", "locked"):
        (folder / name).mkdir()
    (folder / "loop").symlink_to("loop")
    film = io.BytesIO()
    frames = [Image.new("P", (16, 16), shade) for shade in (0, 1)]
    frames[0].save(film, "GIF", save_all=True, append_images=frames[1:])
    (folder / "film.gif").write_bytes(film.getvalue())
    recipe = altered_recipes.base_recipe("learn-neuron", folder)
    altered_recipes.write_picture(folder / "made.png", json.dumps(recipe).encode())
    (folder / "locked.png").chmod(0)
    (folder / "locked").chmod(0o500)
