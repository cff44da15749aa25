"""A scene seen by a camera: colours, and the exact depth of every pixel."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from belamy.pixels.rendering.boxes import MISS, Boxes, Hits, trace
from belamy.pixels.rendering.camera import Camera, Floats
from belamy.pixels.rendering.light import Surfaces, light_on
from belamy.pixels.rendering.materials import SIDE, Library
from belamy.pixels.rendering.scene import Card, Faces, Scene

__all__ = ["View", "draw_cards", "look_at", "shrink", "to_linear", "to_srgb"]

_GAMMA = 2.2
_CARD_TEXTURE_SHADE = (0.75, 1.1)  # a card's light, at its foot and at its top


@dataclass
class View:
    """What a camera sees.

    Args:
        colours: (3, H, W) linear, 0 or more.
        depth: (H, W) in metres along the axis, infinite in the sky.
    """

    colours: Floats
    depth: Floats


def to_linear(colour: Floats) -> Floats:
    """sRGB to linear, nearly."""
    return np.asarray(np.clip(colour, 0, 1) ** _GAMMA, np.float32)


def to_srgb(light: Floats) -> Floats:
    """Linear to sRGB, nearly."""
    return np.asarray(np.clip(light, 0, None) ** (1 / _GAMMA), np.float32)


def look_at(scene: Scene, camera: Camera, library: Library, rng: np.random.Generator) -> View:
    """The scene's boxes, lit, and its cards before them.

    Args:
        scene: what is there.
        camera: where it is seen from.
        library: its textures.
        rng: of the rays to the lamps.
    """
    boxes, rays = scene.boxes(), camera.rays()
    hits = trace(boxes, camera, rays)
    which = np.maximum(hits.which, 0)
    depth = np.where(hits.which == MISS, 1, hits.depth).astype(np.float32)
    origin = np.asarray(camera.position, np.float32)[:, None, None]
    points = origin + rays * depth
    local = boxes.to_local(points - boxes.centres[which].transpose(2, 0, 1), which)
    face, surfaces = _find_faces(boxes, local, points, hits)
    albedo, glow = _colours(scene.faces(), boxes, library, local, face, which, depth / camera.focal)
    light = light_on(surfaces, boxes, scene.lamps, scene.ambient, rng)
    colours = to_linear(albedo) * (light + glow)
    sky = _sky(scene, rays)
    colours = np.where(hits.which == MISS, sky, colours).astype(np.float32)
    view = View(colours, hits.depth)
    draw_cards(view, scene.cards, camera, scene.ambient)
    return view


def _find_faces(
    boxes: Boxes, local: Floats, points: Floats, hits: Hits
) -> tuple[NDArray[np.int64], Surfaces]:
    """Which face of its box each pixel is on, and the surface there."""
    which = np.maximum(hits.which, 0)
    halves = boxes.halves[which].transpose(2, 0, 1)
    axis = np.argmax(np.abs(local) / halves, axis=0)
    side = np.take_along_axis(local, axis[None], 0)[0] > 0
    face = which * 6 + axis * 2 + side
    outwards = np.where(side, 1.0, -1.0) * np.where(boxes.hollow[which], -1.0, 1.0)
    normals = np.stack([(axis == one) * outwards for one in range(3)]).astype(np.float32)
    normals = boxes.to_world(normals, which)
    return face, Surfaces(points, normals, np.where(hits.which == MISS, MISS, face))


def _colours(
    faces: Faces,
    boxes: Boxes,
    library: Library,
    local: Floats,
    face: NDArray[np.int64],
    which: NDArray[np.int64],
    pixel: Floats,
) -> tuple[Floats, Floats]:
    """The colour (3, H, W) of each pixel's surface, sRGB, and how much it shines by itself."""
    halves = boxes.halves[which].transpose(2, 0, 1)
    x, y, z = local + halves
    axis = face % 6 // 2
    u, v = np.where(axis == 0, z, x), np.where(axis == 1, z, 2 * halves[1] - y)
    width = 2 * np.where(axis == 0, halves[2], halves[0])
    height = 2 * np.where(axis == 1, halves[2], halves[1])
    period = faces.period[face]
    across, down = (np.where(period > 0, period, side) for side in (width, height))
    level = np.log2(np.maximum(pixel * SIDE / np.minimum(across, down), 1e-3))
    found = library.sample(faces.texture[face], u / across, v / down, level)
    albedo = faces.base[face] + faces.gain[face] * found
    return albedo.transpose(2, 0, 1), faces.light[face]


def _sky(scene: Scene, rays: Floats) -> Floats:
    top, bottom = (to_linear(colour)[:, None, None] for colour in scene.sky)
    height = np.clip(rays[1] / np.sqrt((rays**2).sum(0)) * 2, 0, 1) ** 0.7
    return np.asarray(bottom + (top - bottom) * height, np.float32)


def draw_cards(
    view: View, cards: list[Card], camera: Camera, ambient: Floats, shift: float = 0.0
) -> None:
    """Cards into a view, each behind what is nearer.

    Args:
        view: painted over in place.
        cards: in any order.
        camera: of the view.
        ambient: (3,) linear, the light on them.
        shift: pixels by which the picture is moved down.
    """
    if not cards:
        return
    columns, rows, depths = camera.project(np.stack([card.foot for card in cards]))
    light = float(np.mean(ambient))
    for number in np.argsort(-depths):
        depth = float(depths[number])
        if depth > 0.3:
            place = float(columns[number]), float(rows[number]) + shift
            _draw_card(view, cards[number], place, depth, camera.focal, light)


def _draw_card(
    view: View, card: Card, place: tuple[float, float], depth: float, focal: float, light: float
) -> None:
    width, height = card.width * focal / depth, card.height * focal / depth
    left, top = place[0] - width / 2, place[1] - height
    rows = np.arange(max(0, int(top)), min(view.depth.shape[0], int(place[1]) + 1))
    columns = np.arange(max(0, int(left)), min(view.depth.shape[1], int(left + width) + 1))
    if len(rows) == 0 or len(columns) == 0:
        return
    high, wide = card.mask.shape
    at_row = np.clip(((rows + 0.5 - top) / height * high).astype(int), 0, high - 1)[:, None]
    at_column = np.clip(((columns + 0.5 - left) / width * wide).astype(int), 0, wide - 1)[None]
    window = slice(rows[0], rows[-1] + 1), slice(columns[0], columns[-1] + 1)
    there = card.mask[at_row, at_column] & (depth < view.depth[window])
    low, high_light = _CARD_TEXTURE_SHADE
    shade = high_light - (high_light - low) * at_row / high
    painted = to_linear(card.colours[at_row, at_column]).transpose(2, 0, 1) * shade * light * 2
    view.depth[window][there] = depth
    view.colours[(slice(None), *window)][:, there] = painted[:, there]


def shrink(view: View, factor: int) -> View:
    """The view in a picture whose sides are smaller: means over squares, of the sky's depth too."""
    _, height, width = view.colours.shape
    shape = (height // factor, factor, width // factor, factor)
    colours = view.colours.reshape(3, *shape).mean((2, 4))
    return replace(view, colours=colours, depth=view.depth.reshape(shape).mean((1, 3)))
