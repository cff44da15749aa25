"""The table of engines: one row for each thing that the studio can do.

A new option of an engine appears in the API by itself, since its options are read from the engine's
own dataclass. A new engine is one row.
"""

from __future__ import annotations

from belamy.errors import UnknownName
from belamy.studio.catalog.rows import Role, StudioEngine

__all__ = ["ENGINES", "ROOMS", "engine_of_recipe", "find_engine"]

ROOMS = ("dream", "style", "paint", "translate", "defog", "learn")

_PICTURE = Role("picture", "image", required=True)
_MASK = Role("mask", "mask")
_INIT = Role("init", "init")
_MASKS = (Role("mask", "mask", many=True), Role("style_mask", "style_mask", many=True))
_PAINTINGS = Role("paintings", "style", many=True, required=True)
_CONTENT = Role("picture", "content", required=True)
_LATENTS = Role("latents", "latents", many=True, holds="latents")
_FOLDER = Role("folder", "data", required=True, holds="folder")
_GAN = "belamy.engines.gan.sample_api"
_LESSONS = "belamy.studio.catalog.lessons"


def _row_of_film(
    name: str, room: str, form: str, field: str, recipe: str, command: str, *roles: Role
) -> StudioEngine:
    """The row of what an engine makes of a film."""
    return StudioEngine(
        f"{name}_film",
        room,
        f"belamy.engines.film.film_options:{form}FilmOptions",
        f"belamy.engines.film.api:{name}_film_steps",
        (Role("picture", field, required=True, holds="film"), *roles),
        kind="film",
        recipe=f"film-{recipe}",
        command=command,
    )


def _row_of_lesson(lesson: str, *roles: Role) -> StudioEngine:
    """The row of a lesson that is drawn page after page."""
    return StudioEngine(
        f"lesson_{lesson}",
        "learn",
        f"belamy.studio.catalog.drawn_lessons:{lesson.capitalize()}Lesson",
        "belamy.studio.worker.lesson_drawn:teach",
        roles,
        kind="lesson",
        command=f"learn {lesson}",
    )


_ROWS = (
    StudioEngine(
        "dream",
        "dream",
        "belamy.engines.dream.options:DreamOptions",
        "belamy.engines.dream.api:dream_steps",
        (Role("picture", "image"), Role("guide", "guide"), _MASK),
        recipe="dream",
        command="dream",
        blends=True,
    ),
    StudioEngine(
        "atlas",
        "dream",
        "belamy.engines.dream.options:AtlasOptions",
        "belamy.engines.dream.atlas_api:atlas_steps",
        (Role("folder", "activations", holds="folder"),),
        recipe="atlas",
        command="models atlas",
    ),
    StudioEngine(
        "style",
        "style",
        "belamy.engines.style.options:StyleOptions",
        "belamy.engines.style.api:style_steps",
        (_CONTENT, _PAINTINGS, *_MASKS, _INIT),
        recipe="style",
        command="style",
    ),
    StudioEngine(
        "any_style",
        "style",
        "belamy.engines.anystyle.options:AnyStyleOptions",
        "belamy.engines.anystyle.api:any_style_steps",
        (_CONTENT, _PAINTINGS, *_MASKS),
        recipe="anystyle",
        command="style --fast",
    ),
    StudioEngine(
        "apply_style",
        "style",
        "belamy.engines.faststyle.options:ApplyStyleOptions",
        "belamy.engines.faststyle.api:apply_style_steps",
        (_PICTURE,),
        recipe="faststyle",
        command="style apply",
        blends=True,
    ),
    StudioEngine(
        "gan_paint",
        "paint",
        "belamy.engines.gan.options:PaintOptions",
        f"{_GAN}:gan_paint_steps",
        (_LATENTS,),
        recipe="gan-paint",
        command="gan paint",
    ),
    StudioEngine(
        "gan_walk",
        "paint",
        "belamy.engines.gan.options:WalkOptions",
        f"{_GAN}:gan_walk_steps",
        (_LATENTS,),
        kind="film",
        recipe="gan-walk",
        command="gan walk",
    ),
    StudioEngine(
        "gan_mix",
        "paint",
        "belamy.engines.gan.options:MixOptions",
        f"{_GAN}:gan_mix_steps",
        (_LATENTS,),
        recipe="gan-mix",
        command="gan mix",
    ),
    StudioEngine(
        "gan_edit",
        "paint",
        "belamy.engines.gan.options:EditOptions",
        f"{_GAN}:gan_edit_steps",
        (_LATENTS,),
        recipe="gan-edit",
        command="gan edit",
    ),
    StudioEngine(
        "gan_project",
        "paint",
        "belamy.engines.gan.options:ProjectOptions",
        f"{_GAN}:gan_project_steps",
        (_PICTURE,),
        recipe="gan-project",
        command="gan project",
    ),
    StudioEngine(
        "translate",
        "translate",
        "belamy.engines.translate.options:TranslateOptions",
        "belamy.engines.translate.api:translate_steps",
        (_PICTURE,),
        recipe="translate",
        command="translate",
        blends=True,
    ),
    StudioEngine(
        "defog",
        "defog",
        "belamy.engines.defog.options:DefogOptions",
        "belamy.engines.defog.api:defog_steps",
        (_PICTURE,),
        recipe="defog",
        command="defog",
    ),
    StudioEngine(
        "fog",
        "defog",
        "belamy.engines.defog.options:FogOptions",
        "belamy.engines.defog.fog_api:fog_steps",
        (_PICTURE,),
        recipe="fog",
        command="fog",
    ),
    StudioEngine(
        "classify",
        "learn",
        "belamy.engines.classify.options:ClassifyOptions",
        "belamy.engines.classify.api:classify",
        (_PICTURE,),
        kind="answer",
        command="classify",
    ),
    StudioEngine(
        "explain",
        "learn",
        "belamy.engines.classify.options:ExplainOptions",
        "belamy.engines.classify.api:explain_steps",
        (_PICTURE,),
        recipe="explain",
        command="classify --explain",
    ),
    StudioEngine(
        "finish",
        "dream",
        "belamy.studio.catalog.finish:FinishOptions",
        "belamy.studio.worker.finish:finish",
        (
            Role("result", "result", required=True, holds="result"),
            Role("mask", "mask"),
        ),
        kind="finish",
    ),
    StudioEngine(
        "lesson_mlp",
        "learn",
        f"{_LESSONS}:MlpLesson",
        "belamy.studio.worker.lesson_mlp:teach",
        kind="lesson",
        command="learn mlp",
    ),
    StudioEngine(
        "lesson_gan",
        "learn",
        f"{_LESSONS}:GanLesson",
        "belamy.studio.worker.lesson_gan:teach",
        kind="lesson",
        command="learn gan",
    ),
    StudioEngine(
        "lesson_digit",
        "learn",
        f"{_LESSONS}:DigitLesson",
        "belamy.studio.worker.lesson_digit:teach",
        (Role("picture", "image"),),
        kind="lesson",
        command="learn cnn",
    ),
    _row_of_film(
        "dream", "dream", "Dream", "image", "dream", "dream", Role("guide", "guide"), _MASK
    ),
    _row_of_film(
        "style", "style", "Style", "content", "style", "style", _PAINTINGS, *_MASKS, _INIT
    ),
    _row_of_film(
        "any_style", "style", "AnyStyle", "content", "anystyle", "style", _PAINTINGS, *_MASKS
    ),
    _row_of_film("apply_style", "style", "ApplyStyle", "image", "faststyle", "style apply"),
    _row_of_film("translate", "translate", "Translate", "image", "translate", "translate"),
    _row_of_film("defog", "defog", "Defog", "image", "defog", "defog"),
    StudioEngine(
        "dream_zoom",
        "dream",
        "belamy.engines.film.options:DreamZoomOptions",
        "belamy.engines.film.api:dream_zoom_steps",
        (Role("picture", "image"), Role("guides", "guides", many=True)),
        kind="film",
        recipe="dream-zoom",
        command="dream zoom",
    ),
    StudioEngine(
        "dream_walk",
        "dream",
        "belamy.engines.film.options:DreamWalkOptions",
        "belamy.engines.film.api:dream_walk_steps",
        (_PICTURE, Role("guides", "guides", many=True)),
        kind="film",
        recipe="dream-walk",
        command="dream walk",
    ),
    _row_of_lesson("neuron"),
    _row_of_lesson("perceptron"),
    _row_of_lesson("backprop"),
    _row_of_lesson("approximation"),
    _row_of_lesson("depth"),
    _row_of_lesson("complexity"),
    _row_of_lesson("classifier", _FOLDER),
    StudioEngine(
        "train_classifier",
        "learn",
        "belamy.engines.classify.config:ClassifyConfig",
        "belamy.engines.classify.api:train_classifier",
        (_FOLDER,),
        kind="training",
        command="classify train",
    ),
    StudioEngine(
        "train_gan",
        "paint",
        "belamy.engines.gan.config:GanConfig",
        "belamy.engines.gan.api:train_gan",
        (_FOLDER,),
        kind="training",
        command="gan train",
        without=frozenset({"start"}),
    ),
    StudioEngine(
        "train_translation",
        "translate",
        "belamy.engines.translate.config:TranslateConfig",
        "belamy.engines.translate.api:train_translation",
        (
            Role("folder", "a", required=True, holds="folder"),
            Role("other", "b", holds="folder"),
        ),
        kind="training",
        command="translate train",
    ),
)

ENGINES = {row.name: row for row in _ROWS}


def find_engine(name: str) -> StudioEngine:
    """The row called `name`.

    Raises:
        UnknownName: there is none.
    """
    if name not in ENGINES:
        raise UnknownName("engine", name[:200], ENGINES)
    return ENGINES[name]


def engine_of_recipe(name: str) -> StudioEngine | None:
    """What makes again a picture whose recipe says `name`."""
    return next((row for row in _ROWS if row.recipe and row.recipe == name), None)
