"""The reader of Torch 7 files, against files that an independent writer made."""

from __future__ import annotations

import math
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.networks.files import torch7_writer as lua
from torch import Tensor

from belamy.errors import WeightsError
from belamy.networks.files.torch7 import TorchObject, read_torch7

FORMS: list[dict[str, Any]] = [
    {},
    {"long": 4},
    {"ascii": True},
    {"version": False},
    {"ascii": True, "version": False},
]
every_form = pytest.mark.parametrize("form", FORMS, ids=str)


def read(data: bytes, folder: Path) -> Any:
    path = folder / "some.t7"
    path.write_bytes(data)
    return read_torch7(path)


@every_form
def test_plain_values_come_back(form: dict[str, Any], tmp_path: Path) -> None:
    value = {
        "yes": True,
        "no": False,
        "number": -1.25e-3,
        "nothing": None,
        "text": "naïve\nlines  and spaces ",
        "empty": "",
        1: {"inner": {}},
        2.5: "half",
    }
    assert read(lua.write(value, **form), tmp_path) == value


@every_form
def test_numbers_that_are_no_numbers_come_back(form: dict[str, Any], tmp_path: Path) -> None:
    found = read(lua.write([math.inf, -math.inf, math.nan], **form), tmp_path)
    assert found[1] == math.inf
    assert found[2] == -math.inf
    assert math.isnan(found[3])


@every_form
@pytest.mark.parametrize("kind", lua.KINDS)
def test_tensors_and_storages_of_every_type_come_back(
    kind: str, form: dict[str, Any], tmp_path: Path
) -> None:
    array = np.array([[1, 2, 3], [100, 5, 10]]).astype(kind)  # 10 is a line's end in ASCII
    data = lua.write([array, lua.Storage(array.reshape(-1))], **form)
    tensor, storage = read(data, tmp_path).values()
    assert torch.equal(tensor, torch.from_numpy(array))
    assert torch.equal(storage, torch.from_numpy(array.reshape(-1)))


@every_form
def test_tensors_share_the_storage_that_they_shared(form: dict[str, Any], tmp_path: Path) -> None:
    storage = lua.Storage(np.arange(12, dtype=np.float32))
    turned = lua.View(storage, (3, 2), (1, 3), 4)
    first, second, again = read(
        lua.write([lua.View(storage, (2, 3), (3, 1)), turned, turned], **form), tmp_path
    ).values()
    assert first.tolist() == [[0, 1, 2], [3, 4, 5]]
    assert second.tolist() == [[4, 7], [5, 8], [6, 9]]
    assert again is second
    first[1, 1] = -1
    assert second[0, 0] == -1


@every_form
def test_tensors_with_nothing_in_them_come_back_empty(form: dict[str, Any], tmp_path: Path) -> None:
    storage = lua.Storage(np.zeros(0, np.float32))
    values = [lua.View(storage, (), ()), lua.View(storage, (0,), (1,))]
    for found in read(lua.write(values, **form), tmp_path).values():
        assert isinstance(found, Tensor)
        assert found.numel() == 0


def test_tensors_of_the_graphics_card_are_floats(tmp_path: Path) -> None:
    data = lua.write(lua.View(lua.Storage(np.float32([1, 2])), (2,), (1,), cuda=True))
    assert read(data, tmp_path).tolist() == [1, 2]


@every_form
def test_objects_may_hold_themselves(form: dict[str, Any], tmp_path: Path) -> None:
    thing = lua.Lua("nn.Sequential", {"train": False})
    thing.fields["self"] = thing
    thing.fields["modules"] = [lua.Lua("nn.Tanh")]
    found = read(lua.write(thing, **form), tmp_path)
    assert found.kind == "nn.Sequential"
    assert found.fields["self"] is found
    assert found.fields["modules"][1].kind == "nn.Tanh"


@every_form
@pytest.mark.parametrize("kind", [6, 7, 8])
def test_functions_are_skipped(kind: int, form: dict[str, Any], tmp_path: Path) -> None:
    code = lua.Code(b"\x1bLua\n os.exit()", {"name": "_ENV"}, kind)
    found = read(lua.write([code, "after"], **form), tmp_path)
    assert isinstance(found[1], TorchObject)
    assert found[1].kind == "function"
    assert found[2] == "after"


def example() -> Any:
    array = np.linspace(-1, 1, 24, dtype=np.float32).reshape(2, 3, 4)
    return {"model": lua.Lua("nn.Linear", {"weight": array, "names": ["a", "b"]}), "n": 3}


@every_form
def test_every_file_cut_short_is_refused(form: dict[str, Any], tmp_path: Path) -> None:
    data = lua.write(example(), **form).rstrip(b"\n")
    for length in range(0, len(data), 5):
        with pytest.raises(WeightsError, match=r"some\.t7"):
            read(data[:length], tmp_path)


@pytest.mark.parametrize("form", FORMS[:3], ids=str)
@settings(max_examples=80, deadline=None)
@given(changes=st.lists(st.tuples(st.integers(0, 400), st.integers(0, 255)), min_size=1))
def test_changed_files_are_read_or_refused(
    form: dict[str, Any], changes: list[tuple[int, int]], tmp_path_factory: pytest.TempPathFactory
) -> None:
    data = bytearray(lua.write(example(), **form))
    for place, byte in changes:
        data[place % len(data)] = byte
    with suppress(WeightsError):
        read(bytes(data), tmp_path_factory.getbasetemp())


@settings(max_examples=80, deadline=None)
@given(data=st.binary(max_size=200))
def test_no_bytes_do_harm(data: bytes, tmp_path_factory: pytest.TempPathFactory) -> None:
    with suppress(WeightsError):
        read(data, tmp_path_factory.getbasetemp())


def floats(*numbers: float) -> Any:
    return lua.Storage(np.float32(numbers))


HOSTILE: dict[str, tuple[Any, str]] = {
    "beyond": (lua.View(floats(1, 2, 3), (2, 2), (2, 1)), "beyond its storage"),
    "before": (lua.View(floats(1, 2, 3), (2,), (1,), -2), "beyond its storage"),
    "backwards": (lua.View(floats(1, 2, 3), (2,), (-1,), 2), "beyond its storage"),
    "blown up": (lua.View(floats(1), (10**6, 10**6), (0, 0)), "beyond its storage"),
    "dimensions": (lua.View(floats(1), (1,) * 17, (1,) * 17), "17 dimensions"),
    "table key": ({(1, 2): 3}, "no number and no text"),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_impossible_things_are_refused(name: str, tmp_path: Path) -> None:
    value, cause = HOSTILE[name]
    if name == "table key":
        data = b"\x03\0\0\0\x01\0\0\0\x01\0\0\0\x03\0\0\0\x01\0\0\0" + b"\0" * 8
    else:
        data = lua.write(value)
    with pytest.raises(WeightsError, match=cause):
        read(data, tmp_path)


@pytest.mark.parametrize("form", [{}, {"ascii": True}], ids=str)
def test_deep_nesting_is_refused(form: dict[str, Any], tmp_path: Path) -> None:
    value: Any = "end"
    for _ in range(150):
        value = [value]
    with pytest.raises(WeightsError, match="more than 100 deep"):
        read(lua.write(value, **form), tmp_path)


@pytest.mark.parametrize("count", [2**31 - 1, -5])
def test_claims_of_size_cost_nothing(count: int, tmp_path: Path) -> None:
    table = b"\x03\0\0\0\x01\0\0\0" + count.to_bytes(4, "little", signed=True)
    text = b"\x02\0\0\0" + count.to_bytes(4, "little", signed=True)
    storage = lua.write(floats(1, 2))
    storage = storage.replace((2).to_bytes(8, "little"), count.to_bytes(8, "little", signed=True))
    for data in (table, text, storage, f"3 1 {count}".encode(), f"2 {count} x".encode()):
        with pytest.raises(WeightsError):
            read(data, tmp_path)


def test_the_fault_names_the_object_around_it(tmp_path: Path) -> None:
    with pytest.raises(WeightsError, match=r"at byte \d+ of \d+, in nn\.Linear"):
        read(lua.write(lua.Lua("nn.Linear", {"size": 3}))[:-4], tmp_path)


def test_what_is_not_there_is_said(tmp_path: Path) -> None:
    with pytest.raises(WeightsError, match="check the path"):
        read_torch7(tmp_path / "nowhere.t7")
    with pytest.raises(WeightsError, match="cannot read"):
        read_torch7(tmp_path)
