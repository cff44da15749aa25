"""belamy: make pictures with neural networks, and understand how.

Public names load on first use (PEP 562), so that `import belamy` costs no torch.
"""

from __future__ import annotations

import importlib
from typing import Any

__version__ = "0.1.0"

_HOMES = {
    "ClassifyConfig": "belamy.engines.classify",
    "DefogAdaptConfig": "belamy.engines.defog",
    "DefogTrainConfig": "belamy.engines.defog",
    "adapt_defog": "belamy.engines.defog",
    "GanConfig": "belamy.engines.gan",
    "TranslateConfig": "belamy.engines.translate",
    "any_style": "belamy.engines.anystyle",
    "any_style_steps": "belamy.engines.anystyle",
    "apply_style": "belamy.engines.faststyle",
    "apply_style_steps": "belamy.engines.faststyle",
    "atlas": "belamy.engines.atlas",
    "atlas_steps": "belamy.engines.atlas",
    "classify": "belamy.engines.classify",
    "defog": "belamy.engines.defog",
    "defog_steps": "belamy.engines.defog",
    "dream": "belamy.engines.dream",
    "dream_steps": "belamy.engines.dream",
    "evaluate_classifier": "belamy.engines.classify",
    "evaluate_defog": "belamy.engines.defog",
    "evaluate_translation": "belamy.engines.translate",
    "export_gan": "belamy.engines.gan",
    "fog": "belamy.engines.fog",
    "fog_steps": "belamy.engines.fog",
    "gan_edit": "belamy.engines.gan_edit",
    "gan_edit_steps": "belamy.engines.gan_edit",
    "gan_evaluate": "belamy.engines.gan_evaluate",
    "gan_evaluate_steps": "belamy.engines.gan_evaluate",
    "gan_mix": "belamy.engines.gan_paint",
    "gan_mix_steps": "belamy.engines.gan_paint",
    "gan_paint": "belamy.engines.gan_paint",
    "gan_paint_steps": "belamy.engines.gan_paint",
    "gan_project": "belamy.engines.gan_edit",
    "gan_project_steps": "belamy.engines.gan_edit",
    "gan_walk_steps": "belamy.engines.gan_paint",
    "load_image": "belamy.pixels.images",
    "plan_gan": "belamy.engines.gan",
    "read_recipe": "belamy.pixels.recipe",
    "save_image": "belamy.pixels.images",
    "save_video": "belamy.pixels.video",
    "style": "belamy.engines.style",
    "style_steps": "belamy.engines.style",
    "train_classifier": "belamy.engines.classify",
    "train_defog": "belamy.engines.defog",
    "train_gan": "belamy.engines.gan",
    "train_translation": "belamy.engines.translate",
    "translate": "belamy.engines.translate",
    "translate_steps": "belamy.engines.translate",
}

__all__ = sorted(["__version__", *_HOMES])


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'belamy' has no attribute {name!r}")
    return getattr(importlib.import_module(_HOMES[name]), name)


def __dir__() -> list[str]:
    return sorted(__all__)
