"""Doctored files of weights: one line each, soon, and in little memory."""

from __future__ import annotations

import io
import json
import resource
import subprocess
import sys
import time
import warnings
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from belamy.errors import BelamyError, WeightsError
from belamy.networks.backbone import load_backbone
from belamy.networks.files.convert import import_weights
from belamy.networks.files.tensors import write_tensors
from belamy.networks.image_to_image.onnx_files import check_onnx
from belamy.networks.load import load_network

_SECONDS = 20.0  # for one file, on a busy machine
_MOST = 2 << 30  # bytes
_LONGEST = 1500  # characters of a message, the path twice among them


def attempt(path: Path) -> list[str]:
    """What each importer says of a file; nothing where it takes it."""
    importers: list[Any] = [
        lambda: import_weights("squeezenet1_1", path),
        lambda: load_network(path),
        lambda: load_network(path, "image-to-image"),
        lambda: load_backbone(path),
        *([lambda: check_onnx(path)] if path.suffix == ".onnx" else []),
    ]
    said = []
    for take in importers:
        try:
            take()
        except BelamyError as error:
            said.append(str(error))
    return said


def work(count: int, seed: int, folder: Path) -> dict[str, Any]:
    """Try all files; the faults found, and the most memory that was used."""
    sys.path.insert(0, str(Path(__file__).parent))
    from doctored import make_files  # type: ignore[import-not-found]

    faults, slowest = [], 0.0
    warnings.simplefilter("ignore")
    for label, path in make_files(count, seed, folder):
        start = time.monotonic()
        try:
            for line in attempt(path):
                if "\n" in line or "\x1b" in line or "weights_only" in line or len(line) > _LONGEST:
                    faults.append(f"{label}: {line[:300]!r}")
        except Exception as error:
            faults.append(f"{label}: {type(error).__name__}: {str(error)[:300]}")
        taken = time.monotonic() - start
        slowest = max(slowest, taken)
        if taken > _SECONDS:
            faults.append(f"{label}: {taken:.0f} s")
        path.unlink()
    memory = peak_memory()
    return {"faults": faults, "memory": memory, "slowest": slowest, "files": count}


def peak_memory() -> int:
    """Bytes that this process has held at most; what getrusage says begins at its parent's."""
    status = Path("/proc/self/status")
    if not status.exists():
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    line = next(line for line in status.read_text().splitlines() if line.startswith("VmHWM"))
    return int(line.split()[1]) * 1024


def in_a_process(count: int, seed: int, folder: Path) -> dict[str, Any]:
    command = [sys.executable, __file__, str(count), str(seed), str(folder)]
    done = subprocess.run(
        command, capture_output=True, text=True, timeout=count * _SECONDS, check=False
    )
    assert done.returncode == 0, done.stderr[-2000:]
    result: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return result


def check(count: int, seed: int, folder: Path) -> None:
    result = in_a_process(count, seed, folder)
    print(result)
    assert result["faults"] == []
    assert result["memory"] < _MOST


def described(arguments: Any, path: Path) -> Path:
    words = {"network": "johnson", "arguments": json.dumps(arguments), "style": "x"}
    write_tensors(path, {"a": torch.zeros(3)}, words)
    return path


GIGANTIC: dict[str, Any] = {
    "layers": {"blocks": 10**9},
    "channels": {"widths": [10**9, 5, 6], "blocks": 1},
    "a list": {"widths": [1] * 30_000},
    "nested": {"widths": [[[10**12]]]},
    "many digits": {"blocks": 10**300},
    "many, but not too many": {"blocks": 60_000},
    "wide, but not too wide": {"widths": [60_000] * 3},
}


@pytest.mark.parametrize("kind", GIGANTIC)
def test_gigantic_arguments_are_refused_at_once(kind: str, tmp_path: Path) -> None:
    path = described(GIGANTIC[kind], tmp_path / "x.safetensors")
    start = time.monotonic()
    with pytest.raises(WeightsError, match=r"x\.safetensors (describes itself|does not fit)"):
        load_network(path)
    assert time.monotonic() - start < 5


def test_files_that_are_larger_than_any_are_not_read(tmp_path: Path) -> None:
    for suffix in (".safetensors", ".pth", ".npz", ".t7", ".onnx"):
        path = tmp_path / f"x{suffix}"
        with path.open("wb") as file:
            file.truncate(5 << 30)  # it has no blocks on the disk
        start = time.monotonic()
        with pytest.raises(WeightsError):
            load_network(path) if suffix != ".onnx" else check_onnx(path)
        with pytest.raises(WeightsError):
            import_weights("squeezenet1_1", path)
        assert time.monotonic() - start < 5
        path.unlink()


def test_declared_numbers_are_compared_with_those_that_are_there(tmp_path: Path) -> None:
    header = io.BytesIO()
    shape = {"descr": "<f4", "fortran_order": False, "shape": (1 << 20, 1 << 20)}
    np.lib.format.write_array_header_1_0(header, shape)  # type: ignore[arg-type]
    with zipfile.ZipFile(tmp_path / "x.npz", "w") as archive:
        archive.writestr("a.npy", header.getvalue() + bytes(8))
    with pytest.raises(WeightsError, match=r"'a\.npy' declares too many numbers"):
        import_weights("squeezenet1_1", tmp_path / "x.npz")
    for zipped in (True, False):
        wide = torch.zeros(1).expand(1 << 30)
        torch.save({"a": wide}, tmp_path / "x.pth", _use_new_zipfile_serialization=zipped)
        with pytest.raises(WeightsError, match="a tensor reaches beyond it"):
            import_weights("squeezenet1_1", tmp_path / "x.pth")


def test_some_doctored_files(tmp_path: Path, home: Path) -> None:
    check(176, 0, tmp_path)  # each kind of file with each kind of damage


@pytest.mark.slow
def test_many_doctored_files(tmp_path: Path, home: Path) -> None:
    check(528, 1, tmp_path)


if __name__ == "__main__":
    print(json.dumps(work(int(sys.argv[1]), int(sys.argv[2]), Path(sys.argv[3]))))
