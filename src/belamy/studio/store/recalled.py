"""A picture's recipe, as a job of the studio: dropped in again, all its settings come back."""

from __future__ import annotations

from typing import Any

from belamy.copying.works import left_to_machine
from belamy.errors import BelamyError
from belamy.renamed import current_options
from belamy.studio.catalog.check import check_options
from belamy.studio.catalog.engines import engine_of_recipe
from belamy.studio.catalog.fields import fields_of
from belamy.studio.store.database import Database
from belamy.studio.store.samples import find_sample_of

__all__ = ["recall", "recall_result"]


def recall(database: Database, recipe: dict[str, Any] | None) -> dict[str, Any] | None:
    """Engine, options that differ from the usual, and inputs of a recipe.

    Options that do not pass as they are (a stranger's picture may say anything) are left out.
    Inputs that were dropped in here, and samples, are found by their content; the others are None.
    """
    engine = engine_of_recipe(recipe["engine"]) if recipe is not None else None
    if recipe is None or engine is None:
        return None
    try:
        options = current_options(
            recipe["engine"], recipe["options"], weights=recipe.get("weights")
        )
    except BelamyError:
        return None
    options = {**options, "seed": recipe["seed"]}
    computed = {"device", *left_to_machine(recipe.get("auto"))}
    known = fields_of(engine)
    changed = {
        name: value
        for name, value in options.items()
        if name in known and value != known[name].default and name not in computed
    }
    wrong = {one.field for one in check_options(engine, changed)}
    good = {} if "" in wrong else {n: value for n, value in changed.items() if n not in wrong}
    inputs: dict[str, Any] = {}
    for role in engine.roles:
        found = [
            _find(database, one["sha256"]) for one in recipe["inputs"] if one["role"] == role.field
        ]
        if found:
            inputs[role.name] = found if role.many else found[0]
    return {"engine": engine.name, "options": good, "inputs": inputs, "left_out": sorted(wrong)}


def recall_result(database: Database, sha256: str) -> dict[str, Any] | None:
    """The settings of a result whose file carries no recipe, such as one that was masked later."""
    result = database.find_result_of(sha256)
    options: dict[str, Any] = {}
    masks: dict[str, Any] = {}
    while result is not None and result.engine == "finish":
        options = {**result.options, **options}
        masks = {**{n: v for n, v in result.inputs.items() if n == "mask" and v}, **masks}
        result = database.find_result(result.inputs["result"])
    if result is None:
        return None
    return {
        "engine": result.engine,
        "options": {**result.options, **options},
        "inputs": {**result.inputs, **masks},
        "left_out": [],
    }


def _find(database: Database, sha256: str) -> str | None:
    found = database.find_picture_of(sha256) or find_sample_of(sha256)
    return None if found is None else found.id
