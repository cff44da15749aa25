"""Runs that were begun under old names go on, to the byte: of translation, dehazing, adaptation."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import asdict, replace
from itertools import islice
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors import safe_open
from safetensors.torch import save_file

from belamy import renamed
from belamy.devices import make_rng
from belamy.engines.defog import train as defog_train
from belamy.engines.defog.config import DefogAdaptConfig, DefogTrainConfig
from belamy.engines.translate import train as translate_train
from belamy.engines.translate.config import TranslateConfig
from belamy.networks.backbone import load_backbone
from belamy.pixels.images import save_image
from belamy.training.run_folder import Run
from belamy.training.trainer import Intervals, TrainingProgress

Begin = Callable[[Path], Iterator[TrainingProgress]]


def reversed_names(table: dict[str, dict[str, str]], run_type: str) -> dict[str, str]:
    return {new: old for old, new in table.get(run_type, {}).items()}


def make_old(folder: Path) -> None:
    """A run folder as an earlier version would have left it."""
    config = json.loads((folder / "config.json").read_text())
    run_type = config["kind"]
    fields = reversed_names(renamed.CONFIGS, run_type)
    values = {
        owner_and_name[1]: {new: old for old, new in table.items()}
        for owner_and_name, table in renamed.VALUES.items()
        if owner_and_name[0] == run_type
    }
    config["config"] = {
        fields.get(name, name): values.get(fields.get(name, name), {}).get(_key(value), value)
        for name, value in config["config"].items()
    }
    (folder / "config.json").write_text(json.dumps(config))
    measures = reversed_names(renamed.MEASURES, run_type)
    log = folder / "log.jsonl"
    lines = [json.loads(line) for line in log.read_text().splitlines()]
    old = [{measures.get(name, name): value for name, value in line.items()} for line in lines]
    log.write_text("".join(json.dumps(line) + "\n" for line in old))
    for path in (folder / "checkpoints").iterdir():
        _age_checkpoint(path, reversed_names(renamed.STATES, run_type), measures)


def _key(value: Any) -> Any:
    return value if isinstance(value, (str, int, float, bool)) else None


def _age_checkpoint(path: Path, names: dict[str, str], measures: dict[str, str]) -> None:
    with safe_open(path, framework="pt") as file:
        metadata = dict(file.metadata())
        tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
    structure = json.loads(metadata["structure"])
    for own in structure.values():
        for part in ("sums", "measures"):
            counted = own.get("meter", {}).get(part, {})
            if counted:
                own["meter"][part] = {measures.get(k, k): x for k, x in counted.items()}
    metadata["structure"] = json.dumps({names.get(k, k): x for k, x in structure.items()})

    def aged(name: str) -> str:
        kind, own, *rest = name.split("/", 2)
        return "/".join((kind, names.get(own, own), *rest))

    save_file({aged(name): tensor for name, tensor in tensors.items()}, path, metadata)


@pytest.fixture
def pictures(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[str, str]:
    monkeypatch.setenv("BELAMY_HOME", str(tmp_path / "home"))
    for name in ("a", "b"):
        for number in range(6):
            image = torch.rand((1, 3, 5, 5), generator=make_rng(number, name))
            large = torch.nn.functional.interpolate(image, (80, 80), mode="bicubic").clamp(0, 1)
            save_image(large, tmp_path / name / f"{number}.png")
    return str(tmp_path / "a"), str(tmp_path / "b")


OLD = {
    "cyclegan": "a-to-b b-to-a judge-a judge-a-filled judge-a-pictures judge-b judge-b-filled "
    "judge-b-pictures judges makers rate",
    "cut": "a-to-b heads judge-b judge-b-filled judge-b-pictures judges makers rate",
    "defog": "fogsight",
    "defog-adapt": "critic fogsight",
}
"""Training → names in the checkpoints of version 0.1.0."""


def names_in(folder: Path) -> str:
    """The names in the last checkpoint."""
    *_, last = sorted((folder / "checkpoints").iterdir())
    with safe_open(last, framework="pt") as file:
        return " ".join(sorted({name.split("/")[1] for name in file.keys()}))  # noqa: SIM118


def goes_on(
    begin: Begin, form: Callable[..., Any], run_type: str, tmp_path: Path, old_names: str
) -> None:
    unbroken, old = tmp_path / "unbroken", tmp_path / "old"
    list(begin(unbroken))
    started = begin(old)
    list(islice(started, 4))  # the last checkpoint is of the second step
    started.close()  # type: ignore[attr-defined]
    make_old(old)
    assert names_in(old) == old_names
    config = Run(old).load_config(run_type, form)
    assert asdict(config) == asdict(Run(unbroken).load_config(run_type, form))
    note = next(iter(list(begin(old)))).note
    assert "going on from step 2" in note
    name = "network.safetensors"
    assert (old / name).read_bytes() == (unbroken / name).read_bytes()
    logs = [Run(folder).history() for folder in (unbroken, old)]
    for line in (line for log in logs for line in log):
        line.pop("seconds")
    assert logs[0] == logs[1]


@pytest.mark.parametrize("method", ["cyclegan", "cut"])
def test_a_translation(
    method: Any, pictures: tuple[str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    often = replace(translate_train.TRAINING, choose_intervals=lambda total: Intervals(1, 4, 2))
    monkeypatch.setattr(translate_train, "TRAINING", often)
    config = TranslateConfig(
        *pictures,
        method=method,
        size=64,
        generator_channels=4,
        blocks=1,
        discriminator_channels=4,
        discriminator_layers=1,
        pool=2,
        steps=4,
    )
    goes_on(
        lambda folder: translate_train.train(config, folder, "cpu"),
        TranslateConfig,
        "translate",
        tmp_path,
        OLD[method],
    )


@pytest.mark.parametrize("precision", ["float32", "bfloat16"])
def test_a_dehazing_network_and_its_adaptation(
    precision: Any,
    pictures: tuple[str, str],
    eye: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for name in ("TRAINING", "ADAPTING"):
        often = replace(
            getattr(defog_train, name), choose_intervals=lambda total: Intervals(1, 4, 2)
        )
        monkeypatch.setattr(defog_train, name, often)
    monkeypatch.setattr(defog_train, "load_backbone", lambda _, **how: load_backbone(eye, **how))
    usual: dict[str, Any] = {
        "held_out": 2,
        "size": 64,
        "steps": 4,
        "batch": 2,
        "precision": precision,
    }
    first = DefogTrainConfig(pictures, widths=(4, 4, 4, 4, 4), **usual)
    goes_on(
        lambda folder: defog_train.train(first, folder, "cpu"),
        DefogTrainConfig,
        "defog",
        tmp_path / "first",
        OLD["defog"],
    )
    start = str(tmp_path / "first" / "unbroken" / "network.safetensors")
    second = DefogAdaptConfig(start, pictures[:1], pictures[1:], **usual)
    goes_on(
        lambda folder: defog_train.adapt(second, folder, "cpu"),
        DefogAdaptConfig,
        "defog-adapt",
        tmp_path / "second",
        OLD["defog-adapt"],
    )
