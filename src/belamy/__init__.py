"""belamy: make pictures with neural networks, and understand how.

Public names load on first use (PEP 562), so that `import belamy` costs no torch. Type checkers and
editors read them in `__init__.pyi`.
"""

from __future__ import annotations

import importlib
from typing import Any

__version__ = "0.1.0"

_HOMES = {
    "Objective": "belamy.objectives.objective",
    "load_network": "belamy.networks.load",
    "objective": "belamy.objectives.objective",
    "AtlasOptions": "belamy.engines.dream.options",
    "Classifier": "belamy.engines.classify.predict",
    "ClassifyConfig": "belamy.engines.classify.api",
    "ClassifyOptions": "belamy.engines.classify.api",
    "DefogAdaptConfig": "belamy.engines.defog.api",
    "DefogOptions": "belamy.engines.defog.api",
    "DefogTrainConfig": "belamy.engines.defog.api",
    "Defogger": "belamy.engines.defog.remove",
    "ExplainOptions": "belamy.engines.classify.api",
    "Explainer": "belamy.engines.classify.explain",
    "explain": "belamy.engines.classify.api",
    "explain_steps": "belamy.engines.classify.api",
    "DreamOptions": "belamy.engines.dream.api",
    "DreamWalkOptions": "belamy.engines.film.api",
    "DreamZoomOptions": "belamy.engines.film.api",
    "Dreamer": "belamy.engines.dream.render",
    "AnyStyleConfig": "belamy.engines.anystyle.api",
    "AnyStyleOptions": "belamy.engines.anystyle.api",
    "AnyStylist": "belamy.engines.anystyle.render",
    "ApplyStyleOptions": "belamy.engines.faststyle.api",
    "StyleApplier": "belamy.engines.faststyle.apply",
    "StyleOptions": "belamy.engines.style.api",
    "StyleTrainConfig": "belamy.engines.faststyle.api",
    "Stylist": "belamy.engines.style.render",
    "train_any_style": "belamy.engines.anystyle.api",
    "train_style": "belamy.engines.faststyle.api",
    "adapt_defog": "belamy.engines.defog.api",
    "GanConfig": "belamy.engines.gan.api",
    "EditOptions": "belamy.engines.gan.options",
    "EvaluateOptions": "belamy.engines.gan.options",
    "MixOptions": "belamy.engines.gan.options",
    "PaintOptions": "belamy.engines.gan.options",
    "ProjectOptions": "belamy.engines.gan.options",
    "WalkOptions": "belamy.engines.gan.options",
    "PostProcess": "belamy.engines.gan.sampler",
    "Sampler": "belamy.engines.gan.sampler",
    "FogOptions": "belamy.engines.defog.fog_api",
    "TorchNetwork": "belamy.networks.modules.torch_network",
    "TranslateConfig": "belamy.engines.translate.api",
    "TranslateOptions": "belamy.engines.translate.api",
    "Translator": "belamy.engines.translate.render",
    "any_style": "belamy.engines.anystyle.api",
    "any_style_steps": "belamy.engines.anystyle.api",
    "apply_style": "belamy.engines.faststyle.api",
    "apply_style_steps": "belamy.engines.faststyle.api",
    "atlas": "belamy.engines.dream.atlas_api",
    "atlas_steps": "belamy.engines.dream.atlas_api",
    "classify": "belamy.engines.classify.api",
    "defog": "belamy.engines.defog.api",
    "defog_steps": "belamy.engines.defog.api",
    "dream": "belamy.engines.dream.api",
    "dream_steps": "belamy.engines.dream.api",
    "dream_walk": "belamy.engines.film.api",
    "dream_walk_steps": "belamy.engines.film.api",
    "dream_zoom": "belamy.engines.film.api",
    "dream_zoom_steps": "belamy.engines.film.api",
    "evaluate_classifier": "belamy.engines.classify.api",
    "evaluate_defog": "belamy.engines.defog.api",
    "evaluate_translation": "belamy.engines.translate.api",
    "export_gan": "belamy.engines.gan.api",
    "fog": "belamy.engines.defog.fog_api",
    "fog_steps": "belamy.engines.defog.fog_api",
    "gan_edit": "belamy.engines.gan.sample_api",
    "gan_edit_steps": "belamy.engines.gan.sample_api",
    "gan_evaluate": "belamy.engines.gan.api",
    "gan_evaluate_steps": "belamy.engines.gan.api",
    "gan_mix": "belamy.engines.gan.sample_api",
    "gan_mix_steps": "belamy.engines.gan.sample_api",
    "gan_paint": "belamy.engines.gan.sample_api",
    "gan_paint_steps": "belamy.engines.gan.sample_api",
    "gan_project": "belamy.engines.gan.sample_api",
    "gan_project_steps": "belamy.engines.gan.sample_api",
    "gan_walk_steps": "belamy.engines.gan.sample_api",
    "load_image": "belamy.pixels.images",
    "plan_gan": "belamy.engines.gan.api",
    "read_recipe": "belamy.pixels.recipe",
    "save_image": "belamy.pixels.images",
    "save_video": "belamy.pixels.film.save",
    "open_film": "belamy.pixels.film.reader",
    "create_film": "belamy.pixels.film.writer",
    "style": "belamy.engines.style.api",
    "style_steps": "belamy.engines.style.api",
    "train_classifier": "belamy.engines.classify.api",
    "train_defog": "belamy.engines.defog.api",
    "train_gan": "belamy.engines.gan.api",
    "train_translation": "belamy.engines.translate.api",
    "translate": "belamy.engines.translate.api",
    "translate_steps": "belamy.engines.translate.api",
    "Film": "belamy.pixels.display.film",
    "sheet": "belamy.pixels.display.sheet",
    "Measures": "belamy.pixels.display.tables",
    "Picture": "belamy.pixels.images",
    "Step": "belamy.steps",
    "Guess": "belamy.engines.classify.options",
    "Guesses": "belamy.engines.classify.options",
    "RunRecord": "belamy.training.records.run_record",
    "read_run": "belamy.training.records.run_record",
    "TrainingProgress": "belamy.training.trainer",
    "gan_walk": "belamy.engines.gan.sample_api",
    "BelamyError": "belamy.errors",
    "PictureWarning": "belamy.errors",
    "Recipe": "belamy.pixels.recipe",
    "load_picture": "belamy.pixels.images",
    "learn": "belamy.learn",
}

__all__ = sorted(["__version__", *_HOMES])


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'belamy' has no attribute {name!r}")
    home = importlib.import_module(_HOMES[name])
    return home if home.__name__ == f"{__name__}.{name}" else getattr(home, name)


def __dir__() -> list[str]:
    return sorted(__all__)
