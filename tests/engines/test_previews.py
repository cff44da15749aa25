"""A notebook's stop button, and a loop that is left, end an engine that is running."""

from __future__ import annotations

import pytest

import belamy


def begin():
    steps = belamy.dream_steps(None, size=32, steps=20, model="iris")
    return steps, next(steps)


def test_an_interrupt_ends_the_work_and_leaves_the_picture_so_far(tmp_path):
    steps, step = begin()
    with pytest.raises(KeyboardInterrupt):
        steps.throw(KeyboardInterrupt())
    assert next(steps, None) is None
    step.picture.save(tmp_path / "so-far.png")
    assert belamy.read_recipe(tmp_path / "so-far.png").step == step.index


def test_a_loop_that_is_left_can_be_followed_by_another():
    steps, first = begin()
    steps.close()
    assert next(steps, None) is None
    steps, again = begin()
    assert first.image.equal(again.image)
    steps.close()


def test_a_walk_is_a_film(tmp_path):
    film = belamy.gan_walk(seconds=0.2, fps=20, stops=2)
    steps = list(belamy.gan_walk_steps(seconds=0.2, fps=20, stops=2))
    assert (len(film.frames), film.fps) == (4, 20)
    assert all(frame.equal(step.image) for frame, step in zip(film.frames, steps, strict=True))
    film.save(tmp_path / "walk.gif")
    recipe = belamy.read_recipe(tmp_path / "walk.gif")
    assert (recipe.engine, recipe.step) == ("gan-walk", 4)
