"""Old names → new ones: what earlier versions made, and what people typed, goes on working.

One table for each place where a name is written down. A row stays for one version after the name
has changed; files are never rewritten, they are read through these tables.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

__all__ = [
    "ADDED",
    "ADDED_FIELDS",
    "CONFIGS",
    "FLAGS",
    "MEASURES",
    "NETWORKS",
    "OPTIONS",
    "PACKED",
    "STATES",
    "VALUES",
    "WEIGHTS",
    "current_flag",
    "current_options",
    "find_packed",
]

FLAGS: dict[str, str] = {
    "average": "ema",
    "critic-rate": "discriminator-learning-rate",
    "engine": "runtime",
    "half-life": "ema-half-life",
    "levels": "layers",
    "pieces": "patches",
    "rate": "learning-rate",
    "wanted": "target",
}
"""What was typed on a command line, without its dashes. (No command has an option of the old name
any more, so that one table serves all commands.)"""

OPTIONS: dict[str, dict[str, str]] = {
    "anystyle": {"pieces": "patches"},
    "faststyle": {"engine": "runtime"},
    "learn-backprop": {"rate": "learning_rate", "wanted": "target"},
    "learn-classifier": {"passes": "epochs"},
    "learn-depth": {"levels": "layers"},
    "learn-mlp": {"rate": "learning_rate"},
    "translate": {"engine": "runtime"},
}
"""Engine, as in `belamy.engines.ENGINES` → options in the recipes of its pictures."""

CONFIGS: dict[str, dict[str, str]] = {
    "any-style": {"average": "ema", "pieces": "patches"},
    "classify": {"average": "ema"},
    "defog": {"average": "ema", "mixed": "precision"},
    "defog-adapt": {
        "average": "ema",
        "critic_rate": "discriminator_learning_rate",
        "mixed": "precision",
    },
    "gan": {"half_life": "ema_half_life"},
    "style": {"average": "ema"},
    "translate": {"average": "ema"},
}
"""Type of a run, as in its `config.json` → fields of its configuration."""

NETWORKS: dict[str, str] = {
    "anypainter": "anystyle",
    "fogsight": "dehaze",
    "transformer": "johnson",
    "translator": "translation",
}
"""What a network is called in the metadata of network files (tensors kept theirs)."""

STATES: dict[str, dict[str, str]] = {
    "defog": {"fogsight": "dehaze"},
    "defog-adapt": {"critic": "discriminator", "fogsight": "dehaze"},
    "translate": {
        "heads": "patch-mlp",
        "judge-a": "discriminator-a",
        "judge-a-filled": "discriminator-a-filled",
        "judge-a-pictures": "discriminator-a-pictures",
        "judge-b": "discriminator-b",
        "judge-b-filled": "discriminator-b-filled",
        "judge-b-pictures": "discriminator-b-pictures",
        "judges": "discriminators",
        "makers": "generators",
        "rate": "learning-rate-factor",
        "scale judges": "scale discriminators",
        "scale makers": "scale generators",
    },
}
"""Type of a run → networks, optimisers and buffers (their whole names) in its checkpoints."""

MEASURES: dict[str, dict[str, str]] = {
    "defog": {"air": "airlight"},
    "defog-adapt": {"critic": "discriminator"},
    "gan": {"certainty": "sign_mean", "slopes": "penalty"},
    "translate": {"fool": "adversarial", "judges": "discriminators"},
}
"""Type of a run → losses and measures in its log and its checkpoints."""

VALUES: dict[tuple[str, str], dict[Any, Any]] = {
    # it was named after a training that its network did not have
    ("defog", "method"): {"cyclegan": "network"},
    ("defog", "mixed"): {True: "bfloat16", False: "float32"},
    # None was the whole picture, however large
    ("dream", "size"): {None: "full"},
    ("defog-adapt", "mixed"): {True: "bfloat16", False: "float32"},
}
"""(engine or type of a run, old name of the option) → old value → new value."""


ADDED: dict[str, dict[str, Any]] = {
    "anystyle": {"strokes": 0.0, "precision": "float32"},
    "atlas": {"augment": "jitter"},
    "dream": {"augment": "jitter", "precision": "float32"},
    "dream-zoom": {"loop_by": "fading"},
    "faststyle": {
        "stroke_size": "fixed",
        "variation": 0.0,
        "precision": "float32",
        "border": 0,
    },
    "film-anystyle": {"precision": "float32"},
    "film-faststyle": {"precision": "float32", "border": 0},
    "film-style": {"passes": 1, "precision": "float32"},
    "film-translate": {"precision": "float32"},
    "gan-edit": {"rejection": "none"},
    "gan-mix": {"rejection": "none"},
    "gan-paint": {"precision": "float32", "rejection": "none"},
    "gan-project": {"face": "none"},
    "gan-walk": {"rejection": "none"},
    "learn-classifier": {"model": "iris"},
    "style": {"precision": "float32"},
    "translate": {"precision": "float32"},
}
"""Engine, or type of a run → options that older recipes or runs lack, with what was done then."""

ADDED_FIELDS: dict[str, dict[str, Any]] = {
    "defog": {"design": 1},
    "style": {"scales": 1, "variation": 0.0, "border": 0, "enlarging": "nearest"},
    "translate": {},
}
"""Type of a run → fields that its older configurations lack, with what was done then; of these
types, `ADDED` holds for the engine of the same name alone."""

WEIGHTS: dict[str, tuple[str, str, str]] = {
    "e8fbb16ad4a525c95ae0da99299e1ac1534755f4e1a7b59181ea096eb92cf258": (
        "network",
        "defog",
        "defog-1",
    ),
}
"""SHA-256 of a file that was inside the package under another name → the option that names it, what
it was called, and what it is called today."""

PACKED: dict[str, str] = {
    "e8fbb16ad4a525c95ae0da99299e1ac1534755f4e1a7b59181ea096eb92cf258": (
        "13b4db85ad5fa1e0d488f60a50c89264bbab3900cd9c33fc85d36e097d3a00de"
    ),
    "61db7ffbf005b50870f7d6b6a653d20354155b4d1443aea3f2be0219b5e54a7c": (
        "274271aa4725c55a044abe7f83d51cee2eba562ac169b5944f6383c842d7ffcd"
    ),
    "379fa549d29f5f41d8c987797582f1d5025fc458e82b007b21e12efbe88a8257": (
        "6a6143b5a392d890fec138e06ee6f24b2f6ea595923fc5f303ecea75169bfdc2"
    ),
    "1fbbdb214ed265a7d47159bc2d9ab72547f60f275f83a0c9fff27cb3df4de929": (
        "303a2b64890e7e3471d2728e700a104cef8315ed960510f6fb2df4e727ad09dc"
    ),
    "b68d42cf0dc6f4de2df0146be2d2c5a5a7b59e3dcd65c24667914865bbfe0ceb": (
        "0bffc823749e79098875d5ba4e514117b488aeba2290d129302386067b124950"
    ),
    "f8b6458cb6c39867c02413d665ff57481aec960075f782147d947d6af7123f4e": (
        "4cee43d3bb59aee2c12c2744594c1ef2248bd50d879f5d8e1797a6597a6d9db7"
    ),
    "3eea7583a90a09a5750d279e7679cda14fa71990233db413e10451ea9c0fc388": (
        "118043d4714c119c31ddf4717bf33a9d516f9f73048d347f272f30efdba7f9c2"
    ),
    "35cce88691dbf1d4a16e9b7dc99fa93c3dd76a5fc354dac8c8e12de1edac6dfd": (
        "17aca2f3dc7ac00567f1787f53057c74f1d07d9ecfd520091a36a96b05ca5cbe"
    ),
}
"""SHA-256 of weights that were inside the package → that of the copy in 8 bits which is kept of
them. Of what they made, it makes the same but for a level of 255 in the mean."""


def find_packed(digests: Iterable[str]) -> set[str]:
    """The SHA-256s of weights, those of which a copy in 8 bits is kept by the copy's."""
    return {PACKED.get(digest, digest) for digest in digests}


def current_flag(name: str) -> str:
    """What an option is called today, by what it was called once; without its dashes."""
    return FLAGS.get(name, name)


def current_options(
    owner: str,
    options: Mapping[str, Any],
    table: Mapping[str, Mapping[str, str]] = OPTIONS,
    weights: Mapping[str, str] | None = None,
) -> dict[str, Any]:
    """The options of a recipe or of a run's configuration by the names and values of today.

    Args:
        owner: the engine, or the type of the run.
        options: as they were written down.
        table: `OPTIONS`, or `CONFIGS` for a run.
        weights: of a recipe, name → SHA-256: networks that were replaced go on under other names.
    """
    names = table.get(owner, {})
    values = {
        name: VALUES.get((owner, name), {}).get(value, value) if _is_plain(value) else value
        for name, value in options.items()
    }
    fields = ADDED_FIELDS if table is CONFIGS else {}
    added = fields.get(owner, ADDED.get(owner, {}))
    current = {**added, **{names.get(name, name): value for name, value in values.items()}}
    for digest in (weights or {}).values():
        option, once, today = WEIGHTS.get(digest, ("", "", ""))
        if option and current.get(option, once) == once:
            current[option] = today
    return current


def _is_plain(value: object) -> bool:
    return value is None or isinstance(value, (bool, int, float, str))
