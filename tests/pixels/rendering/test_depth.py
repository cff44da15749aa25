"""Rendered depth is exact: against the geometry of planes, boxes and cards, written out."""

from __future__ import annotations

import math

import numpy as np
import pytest

from belamy.pixels.rendering.boxes import MISS, Boxes, find_distance, trace
from belamy.pixels.rendering.camera import Camera, Floats
from belamy.pixels.rendering.paint import View, draw_cards, shrink
from belamy.pixels.rendering.scene import Card
from belamy.pixels.rendering.valleys import march

SIDE = 64


def camera(pitch: float = 0.0, yaw: float = 0.0, height: float = 1.5) -> Camera:
    return Camera((0.0, height, 0.0), yaw, pitch, 0.0, 60.0, SIDE, SIDE)


def boxes(*rows: tuple[tuple[float, ...], tuple[float, ...], float, bool]) -> Boxes:
    centres, sizes, yaws, hollow = zip(*rows, strict=True)
    return Boxes(
        np.asarray(centres, np.float32),
        np.asarray(sizes, np.float32) / 2,
        np.asarray(yaws, np.float32),
        np.asarray(hollow),
    )


def rows_below() -> Floats:
    """How far below the horizon each row is, at one metre."""
    return (np.arange(SIDE) + 0.5 - SIDE / 2) / camera().focal


def test_an_empty_room_has_the_depth_of_its_walls() -> None:
    room = boxes(((0, 1.5, 2), (4, 3, 6), 0.0, True))  # walls at x = ±2, floor 0, end at z = 5
    depth = trace(room, camera(), camera().rays()).depth
    steep = np.abs(rows_below())
    x, y = np.meshgrid(steep, steep)
    expected = np.minimum(np.minimum(2 / x, 1.5 / y), 5.0)
    np.testing.assert_allclose(depth, expected, rtol=1e-5)


def test_a_box_that_is_turned_is_met_at_its_corner() -> None:
    turned = boxes(((0, 1.5, 6), (2, 10, 2), math.pi / 4, False))
    hits = trace(turned, camera(), camera().rays())
    x = np.abs(rows_below())[None]
    # two planes from the corner at 6 − √2 backwards, at 45°: z = corner + |x|·z
    expected = np.broadcast_to((6 - math.sqrt(2)) / (1 - x), hits.depth.shape)
    there = hits.which != MISS
    assert 100 < there.sum() < SIDE * SIDE
    np.testing.assert_allclose(hits.depth[there], expected[there], rtol=1e-5)
    assert np.isinf(hits.depth[~there]).all()


def test_the_nearer_of_two_is_seen_whatever_their_order() -> None:
    near, far = ((0, 1.5, 3), (1, 1, 1), 0.0, False), ((0, 1.5, 8), (4, 4, 1), 0.0, False)
    for order in ((near, far), (far, near)):
        depth = trace(boxes(*order), camera(), camera().rays()).depth
        assert depth[32, 32] == pytest.approx(2.5)
        assert depth[32, 20] == pytest.approx(7.5)


def test_a_camera_that_is_turned_sees_the_same_distance_sideways() -> None:
    wall = boxes(((5, 1.5, 0), (0.2, 20, 40), 0.0, False))
    turned = camera(yaw=90)
    depth = trace(wall, turned, turned.rays()).depth
    np.testing.assert_allclose(depth, 4.9, rtol=1e-5)


def test_looking_down_a_floor_is_nearer_below() -> None:
    floor = boxes(((0, -1, 0), (400, 2, 400), 0.0, False))
    down = camera(pitch=-30)
    depth = trace(floor, down, down.rays()).depth[:, 32]
    angle = math.radians(30) + np.arctan(rows_below())
    seen = angle > 0.05
    expected = 1.5 / np.sin(angle) * np.cos(np.arctan(rows_below()))  # along the axis
    np.testing.assert_allclose(depth[seen], expected[seen], rtol=0.02)


def test_what_is_behind_is_not_seen() -> None:
    behind = boxes(((0, 1.5, -4), (2, 2, 2), 0.0, False))
    assert (trace(behind, camera(), camera().rays()).which == MISS).all()


def test_the_way_to_a_wall_is_as_long_as_it_is() -> None:
    two = boxes(((0, 0, 0), (10, 10, 10), 0.0, True), ((3, 0, 0), (1, 1, 1), 0.0, False))
    origins = np.zeros((3, 2), np.float32)
    ways = np.float32([[1, 0], [0, 2], [0, 0]])
    np.testing.assert_allclose(find_distance(two, origins, ways), [2.5, 2.5], rtol=1e-6)


@pytest.mark.parametrize("slope", [0.0, 0.1, -0.05])
def test_a_plane_of_ground_is_met_exactly(slope: float) -> None:
    def ground(x: Floats, z: Floats) -> Floats:
        return np.asarray(slope * z + 0 * x, np.float32)

    depth = march(ground, camera(), steps=50, far=1000.0)
    below = rows_below()
    expected = 1.5 / (below + slope)  # where −below·z + 1.5 = slope·z
    seen = (expected > 1.01) & (expected < 900)
    assert seen.sum() > 20
    np.testing.assert_allclose(depth[:, 10][seen], expected[seen], rtol=2e-3)
    assert np.isinf(depth[:, 10][(below + slope) < 0]).all()


def test_a_hill_hides_what_is_behind_it() -> None:
    def ground(x: Floats, z: Floats) -> Floats:
        return np.where((z > 20) & (z < 22), 4.0, 0.0).astype(np.float32)

    depth = march(ground, camera(), steps=400, far=500.0)
    at_horizon = depth[SIDE // 2 - 1, 32]
    assert 18 < at_horizon < 22


def test_a_card_stands_at_its_own_depth() -> None:
    view = View(np.zeros((3, SIDE, SIDE), np.float32), np.full((SIDE, SIDE), 9.0, np.float32))
    mask = np.ones((8, 8), np.bool_)
    mask[:, :4] = False
    cards = [
        Card(np.float32([0, 1.0, z]), 1.0, 1.0, np.ones((8, 8, 3), np.float32), mask)
        for z in (4.0, 12.0)
    ]
    draw_cards(view, cards, camera(), np.ones(3, np.float32))
    assert view.depth[32, 34] == 4
    assert view.depth[32, 30] == 9  # its mask is empty there
    assert (view.depth <= 9).all()  # the other is behind what is there
    assert (view.colours[:, view.depth == 4] > 0).all()


def test_a_smaller_view_has_the_means() -> None:
    depth = np.arange(16, dtype=np.float32).reshape(4, 4)
    small = shrink(View(depth[None].repeat(3, 0), depth), 2)
    assert small.depth.tolist() == [[2.5, 4.5], [10.5, 12.5]]
    assert small.colours[1].tolist() == small.depth.tolist()
