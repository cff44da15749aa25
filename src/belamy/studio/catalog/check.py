"""What a job asks for, checked before it is queued: every complaint with the field it is about."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from pydantic import ValidationError

from belamy.checks import explain_refusal, show_value
from belamy.errors import BelamyError
from belamy.precision import is_device
from belamy.spelling import nearest_names
from belamy.studio.catalog.fields import NETWORK_FIELDS, fields_of
from belamy.studio.catalog.forms import form_of, inputs_form_of
from belamy.studio.catalog.rows import StudioEngine

__all__ = ["Complaint", "check_inputs", "check_options", "complaints_of"]

_DIRECTION = re.compile(r"\s*direction:[^:]*:\s*[^\[\s]")  # with a file
_RUN = re.compile(r"run:[0-9a-z]{8,32}")
_WORD = re.compile(r"[\w-]+|timm:[\w.-]+")
_HERE = "."  # stands for files, of which nobody has said that they may be looked at


@dataclass(frozen=True)
class Complaint:
    """What is wrong with a field, on one line."""

    field: str
    message: str


def check_options(engine: StudioEngine, options: Mapping[str, Any]) -> list[Complaint]:
    """What is wrong with the options of a job; nothing where all is well."""
    known = fields_of(engine)
    complaints = _complain_of_unknown(options, known, engine)
    given = {name: value for name, value in options.items() if name in known}
    try:
        form_of(engine).model_validate(given)
    except ValidationError as error:
        complaints += _explain(engine, given, error)
    named = {complaint.field for complaint in complaints}
    complaints += [one for one in _paths(given) if one.field not in named]
    if complaints or engine.kind == "training":
        return complaints  # trainings look at their folders, which are not found yet
    return _together(engine, given)


def check_inputs(engine: StudioEngine, inputs: Mapping[str, Any]) -> list[Complaint]:
    """What is wrong with the ids of the files of a job."""
    roles = {role.name for role in engine.roles}
    complaints = _complain_of_unknown(inputs, roles, engine)
    given = {name: value for name, value in inputs.items() if name in roles}
    try:
        inputs_form_of(engine).model_validate(given)
    except ValidationError as error:
        complaints += complaints_of(error)
    return complaints


def complaints_of(error: ValidationError) -> list[Complaint]:
    """One line for each field that pydantic refuses."""
    found: dict[str, str] = {}
    for one in error.errors(include_url=False):
        name = str(one["loc"][0]) if one["loc"] else ""
        if one["type"] == "extra_forbidden":
            found.setdefault(name, f"there is no {show_value(name)} here")
        else:
            found.setdefault(name, f"{name} {explain_refusal(one)}")
    return [Complaint(name, message) for name, message in found.items()]


def _complain_of_unknown(
    given: Iterable[str], known: Collection[str], engine: StudioEngine
) -> list[Complaint]:
    return [
        Complaint(name, _say_unknown(name, known, engine.name))
        for name in given
        if name not in known
    ]


def _say_unknown(name: str, known: Iterable[str], engine: str) -> str:
    near = nearest_names(name, known, 1)
    hint = f"; did you mean {near[0]}?" if near else ""
    return f"{engine} has no {show_value(name)}{hint}"


def _explain(
    engine: StudioEngine, given: Mapping[str, Any], error: ValidationError
) -> list[Complaint]:
    """The engine's own words for what pydantic refuses, where it has some."""
    found = []
    for complaint in complaints_of(error):
        words = ""
        if complaint.field in given:
            words = _try(engine, {complaint.field: given[complaint.field]})
        found.append(Complaint(complaint.field, words or complaint.message))
    return found


def _together(engine: StudioEngine, given: Mapping[str, Any]) -> list[Complaint]:
    """What the dataclass says itself: of one option, and of several that exclude each other."""
    if not (words := _try(engine, given)):
        return []
    if _try(engine, {}) == words:  # something must be given, whatever else is
        return [Complaint("", words)]
    alone = [name for name in given if _try(engine, {name: given[name]})]
    if not alone:
        return [Complaint("", words)]
    return [Complaint(name, _try(engine, {name: given[name]})) for name in alone]


def _try(engine: StudioEngine, given: Mapping[str, Any]) -> str:
    """What the dataclass has against some options; "" for nothing."""
    required = {role.field: _HERE for role in engine.roles if role.required}
    lacking = {
        name: _HERE
        for name, field in fields_of(engine).items()
        if field.required and name not in given
    }
    stand_ins = {
        name: "iris" if value.startswith("run:") else value
        for name, value in given.items()
        if name in NETWORK_FIELDS and isinstance(value, str) and _RUN.fullmatch(value)
    }
    if stand_ins:  # whose run is looked for when the job starts
        given = {name: value for name, value in given.items() if name not in stand_ins}
    try:
        engine.load_form()(**{**required, **lacking, **given})
    except BelamyError as error:
        return " ".join(str(error).split())
    except (TypeError, ValueError, ArithmeticError, LookupError, AttributeError):
        return "" if len(given) != 1 else "its value cannot be read"
    return ""


def _paths(given: Mapping[str, Any]) -> list[Complaint]:
    """Options that could name a file of this machine do not."""
    found = []
    for name, value in given.items():
        texts = value if isinstance(value, list) else [value]
        for text in texts:
            if not isinstance(text, str):
                continue
            if _DIRECTION.match(text):
                message = f"{name} is {show_value(text)}; a direction has its numbers here, no file"
                found.append(Complaint(name, message))
            is_name = _WORD.fullmatch(text) or _RUN.fullmatch(text)
            if name in NETWORK_FIELDS and not is_name:
                message = f"{name} is {show_value(text)}; it must be a network's name, no file"
                found.append(Complaint(name, message))
            if name == "device" and not is_device(text):
                message = f"device is {show_value(text)}; it must be auto, cpu, cuda or mps"
                found.append(Complaint(name, message))
    return found
