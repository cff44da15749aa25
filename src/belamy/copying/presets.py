"""Settings that are worth a try, in two languages."""

from __future__ import annotations

from typing import Any

__all__ = ["PRESETS"]


def _preset(
    name: str, english: str, italian: str, options: dict[str, Any], *, sample: str = ""
) -> dict[str, Any]:
    row = {"name": name, "title": {"en": english, "it": italian}, "options": options}
    return {**row, **({"input": sample} if sample else {})}


PRESETS: dict[str, list[dict[str, Any]]] = {
    "dream": [
        _preset("strokes", "Strokes", "Tratti", {"layer": "mixed3a", "steps": 8, "step_size": 1.0}),
        _preset("eyes", "Eyes", "Occhi", {"layer": "mixed3b"}),
        _preset("creatures", "Creatures", "Creature", {"layer": "mixed4b", "steps": 14}),
        _preset("birds", "Birds", "Uccelli", {"layer": "mixed4c", "steps": 14}),
        _preset("far-shore", "Far shore", "Riva lontana", {"layer": "mixed5a", "steps": 20}),
        _preset("whisper", "Whisper", "Sussurro", {"layer": "mixed4b", "strength": 0.45}),
        _preset("engraving", "Engraving", "Incisione", {"layer": "mixed4c", "keep_colors": True}),
        _preset("ladybug", "Ladybug", "Coccinella", {"class_": "ladybug"}),
    ],
    "any_style": [
        _preset("at-once", "At once", "In un colpo", {}),
        _preset("portrait", "Portrait", "Ritratto", {"patches": 0.2}),
        _preset("paint-only", "Paint only", "Solo colore", {"patches": 0.0}),
        _preset("wild", "Wild", "Selvaggio", {"patches": 1.0}),
    ],
    "apply_style": [
        _preset("starry-night", "Starry Night", "Notte stellata", {"network": "starry-night"}),
    ],
    "style": [
        _preset("sketch", "Sketch", "Schizzo", {"preset": "sketch"}),
        _preset("standard", "Standard", "Normale", {}),
        _preset("fine", "Fine", "Fine", {"preset": "fine"}),
    ],
    "gan_paint": [
        _preset("usual", "Usual", "Consueti", {}),
        _preset("ordinary", "Ordinary", "Ordinari", {"truncation": 0.5}),
        _preset("unruly", "Unruly", "Indocili", {"truncation": 1.2}),
        _preset(
            "gentleman",
            "Gentleman",
            "Gentiluomo",
            {"count": 1, "upscale": 10, "frame": True, "sign": True},
        ),
    ],
    "translate": [
        _preset("impressionist", "Impressionist", "Impressionista", {"network": "impressionism"}),
        _preset(
            "photograph",
            "Photograph",
            "Fotografia",
            {"network": "impressionism", "direction": "b-to-a"},
        ),
        _preset("half", "Half", "A metà", {"network": "impressionism", "strength": 0.5}),
    ],
    "defog": [
        _preset("clear", "Clear", "Limpido", {}),
        _preset("gently", "Gently", "Con dolcezza", {"strength": 0.6}),
        _preset("thoroughly", "Thoroughly", "A fondo", {"strength": 1.4}),
        _preset("dark-channel", "Dark channel", "Canale scuro", {"method": "dcp"}),
    ],
    "fog": [_preset("fog", "Make fog", "Fai nebbia", {"amount": 0.5})],
    "lesson_mlp": [
        _preset("moons", "Moons", "Lune", {}),
        _preset(
            "spirals",
            "Spirals",
            "Spirali",
            {"points": "spirals", "hidden": [16, 16], "epochs": 300},
        ),
        _preset("xor", "XOR", "XOR", {"points": "xor", "hidden": [4]}),
        _preset("too-small", "Too small", "Troppo piccola", {"points": "spirals", "hidden": [2]}),
    ],
}
"""Engine → its presets."""
