"""Pictures and steps show themselves, in notebooks and out of them."""

from __future__ import annotations

import io
import sys
from dataclasses import dataclass
from types import ModuleType, SimpleNamespace

import numpy as np
import pytest
import torch
from PIL import Image

from belamy.engines.watch import watch
from belamy.errors import OptionError
from belamy.pixels.display import notebook
from belamy.pixels.display.pillow import LONGEST_SIDE
from belamy.pixels.display.sheet import Pictures, sheet
from belamy.pixels.images import Picture, load_picture
from belamy.pixels.recipe import Recipe
from belamy.steps import Step, with_options

RECIPE = Recipe("dream", {}, (), {}, 7, "0.1.0", "2.10")


def picture(height=3, width=5, *, alpha=False, recipe=None):
    image = torch.linspace(0, 1, 3 * height * width).reshape(1, 3, height, width)
    return Picture(image, torch.full((1, 1, height, width), 0.5) if alpha else None, recipe)


def decode(png):
    with Image.open(io.BytesIO(png)) as opened:
        opened.load()
        return opened.copy()


@pytest.fixture
def jupyter(monkeypatch):
    """What a kernel has loaded, and what was displayed."""
    calls = []
    shell = SimpleNamespace(kernel=object())
    ipython, functions = ModuleType("IPython"), ModuleType("IPython.display")
    ipython.get_ipython = lambda: shell
    ipython.display = functions
    functions.display = lambda value, **options: calls.append(("display", value, options))
    functions.clear_output = lambda **options: calls.append(("clear", options))
    monkeypatch.setitem(sys.modules, "IPython", ipython)
    monkeypatch.setitem(sys.modules, "IPython.display", functions)
    return SimpleNamespace(calls=calls, shell=shell)


@pytest.mark.parametrize(
    ("size", "scaled"),
    [((3, 5), (5, 3)), ((1024, 2048), (1024, 512)), ((3000, 1), (1, 1024)), ((1024, 9), (9, 1024))],
)
def test_a_picture_fits_on_a_screen_and_is_never_enlarged(size, scaled):
    png = decode(picture(*size)._repr_png_())
    assert (png.size, png.mode) == (scaled, "RGB")
    assert max(png.size) <= LONGEST_SIDE


def test_what_is_transparent_stays_so():
    assert decode(picture(alpha=True)._repr_png_()).mode == "RGBA"
    assert picture(alpha=True).pil.mode == "RGBA"
    assert picture().pil.mode == "RGB"


@pytest.mark.parametrize(
    ("shown", "text"),
    [
        (picture(), "Picture(5 × 3)"),
        (picture(alpha=True), "Picture(5 × 3, transparent)"),
        (picture(recipe=RECIPE), "Picture(dream, 5 × 3, seed 7)"),
        (Step(2, 9, picture().image, {}), "Step(2 of 9, 5 × 3)"),
    ],
)
def test_the_repr_is_short(shown, text):
    assert repr(shown) == text


def test_a_picture_is_an_array():
    array = np.asarray(picture())
    assert (array.shape, array.dtype) == ((3, 5, 3), np.uint8)
    assert array.tobytes() == picture().pil.tobytes()
    assert np.asarray(picture(alpha=True)).shape == (3, 5, 4)
    assert np.array(picture(), dtype=np.float32).max() == 255
    assert np.array(picture(), copy=True).flags.writeable
    assert torch.equal(load_picture(array).image * 255, (picture().image * 255).round())


@pytest.mark.skipif(int(np.__version__[0]) < 2, reason="numpy 1 copies silently")
def test_an_array_without_a_copy_is_refused():
    with pytest.raises(ValueError, match="have to be copied"):
        np.array(picture(), copy=False)


def test_outside_of_notebooks_pillow_shows_a_picture_and_a_step_nothing(monkeypatch, capsys):
    opened = []
    monkeypatch.setattr(Image.Image, "show", lambda self: opened.append(self.size))
    assert not notebook.is_running()
    picture().show()
    Step(1, 2, picture().image, {}).show()
    assert opened == [(5, 3)]
    assert capsys.readouterr() == ("", "")


def test_in_a_notebook_a_picture_is_displayed(jupyter, monkeypatch):
    monkeypatch.setattr(Image.Image, "show", lambda self: pytest.fail("a window"))
    one = picture()
    one.show()
    assert jupyter.calls == [("display", one, {})]


def test_in_a_notebook_a_step_takes_the_place_of_the_one_before(jupyter):
    step = Step(2, 9, picture().image, {})
    step.show()
    assert jupyter.calls[0] == ("clear", {"wait": True})
    assert jupyter.calls[1][1] is step
    assert jupyter.calls[2] == ("display", {"text/plain": "2 of 9"}, {"raw": True})
    assert step._repr_png_() == picture()._repr_png_()


def test_an_ipython_console_is_no_notebook(jupyter):
    jupyter.shell.kernel = None
    assert not notebook.is_running()
    del jupyter.shell.kernel
    assert not notebook.is_running()


def test_a_steps_picture_has_all_that_it_has():
    whole = picture(alpha=True, recipe=RECIPE)
    step = Step(1, 1, whole.image, {}, alpha=whole.alpha, recipe=whole.recipe)
    assert step.picture.image is whole.image
    assert (step.picture.alpha, step.picture.recipe) == (whole.alpha, RECIPE)


def test_pictures_make_a_sheet():
    one = sheet([picture(8, 8)] * 5, cell=16)
    assert isinstance(one, Picture)
    height, width = one.image.shape[-2:]
    assert width > height  # three columns, two rows
    assert sheet([picture(8, 8)] * 5, cell=16, columns=1).image.shape[-1] < width
    assert sheet([picture(8, 8)], cell=16, captions=["a"]).image.shape[-2] > 16


def test_a_sheet_shows_its_paper_where_pictures_are_transparent():
    clear = Picture(torch.zeros(1, 3, 16, 16), torch.zeros(1, 1, 16, 16))
    pixels = np.asarray(sheet([clear], cell=16))
    assert (pixels == pixels[0, 0]).all()


def test_a_sheet_of_nothing_is_refused():
    with pytest.raises(OptionError, match="0 pictures"):
        sheet([])


def test_pictures_are_a_sequence_that_shows_itself_as_a_sheet():
    several = Pictures([picture(), np.zeros((4, 4, 3), np.uint8), picture(alpha=True)])
    assert (len(several), repr(several)) == (3, "Pictures(3)")
    assert isinstance(several[0], Picture)
    assert isinstance(several[1:], Pictures)
    assert [one.alpha is None for one in several] == [True, True, False]
    png = decode(several._repr_png_())
    assert png.size == decode(sheet(list(several))._repr_png_()).size
    assert Pictures([])._repr_png_() is None


def steps_of(count, stop=None):
    try:
        for index in range(1, count + 1):
            if index == stop:
                raise KeyboardInterrupt
            yield Step(index, count, torch.full((1, 3, 2, 2), index / count), {})
    finally:
        closed.append(count)


closed = []


def test_work_is_watched_in_a_notebook(jupyter):
    last = watch(steps_of(3), every=0)
    assert float(last.image.max()) == 1
    shown = [call[1] for call in jupyter.calls if call[0] == "display"]
    assert sum(isinstance(one, Step) for one in shown) == 4  # three, and the last for good


def test_a_stop_gives_what_was_made_by_then(capsys):
    closed.clear()
    assert float(watch(steps_of(4, stop=3)).image.max()) == 0.5
    assert closed == [4]
    assert capsys.readouterr() == ("", "")  # nobody looks: no terminal
    with pytest.raises(KeyboardInterrupt):
        watch(steps_of(4, stop=1))


def interrupted(work):
    """What IPython shows of the interrupt that `work` ends with, instead of its traceback."""
    with pytest.raises(KeyboardInterrupt) as stopped:
        work()
    return stopped.value._render_traceback_()


def test_the_stop_button_leaves_a_line_and_no_traceback(jupyter, monkeypatch):
    @dataclass(frozen=True)
    class Options:
        """Args:
        at: which step is interrupted.
        """

        at: int

    @with_options(Options)
    def work_steps(options):
        try:
            for index in range(1, 10):
                if index == options.at:
                    raise KeyboardInterrupt
                yield Step(index, 9, picture().image, {})
        finally:
            closed.append(options.at)

    closed = []
    assert interrupted(lambda: list(work_steps(at=4))) == ["Stopped at 3 of 9."]
    assert interrupted(lambda: list(work_steps(at=1))) == ["Stopped before the first step."]
    assert len(list(work_steps(at=0))) == 9
    steps = work_steps(at=5)
    step = next(steps)
    steps.close()
    assert closed == [4, 1, 0, 5]

    def stop(value, **options):
        raise KeyboardInterrupt

    monkeypatch.setattr(jupyter.shell, "kernel", object())
    monkeypatch.setattr(sys.modules["IPython.display"], "display", stop)
    assert interrupted(step.show) == ["Stopped at 1 of 9."]
