from __future__ import annotations

import belamy
from belamy.engines.classify.api import Guess, Guesses


def test_guesses_are_a_list_that_shows_itself():
    guesses = Guesses([Guess("cat & dog", 0.9512, 3), Guess("fox", 0.0004, 1)])
    assert isinstance(guesses, list)
    assert guesses == [Guess("cat & dog", 0.9512, 3), Guess("fox", 0.0004, 1)]
    table = guesses._repr_html_()
    assert "<td>cat &amp; dog</td><td>95.1%</td>" in table
    assert "<td>fox</td><td>0.0%</td>" in table


def test_what_a_network_sees_is_a_table():
    import numpy as np

    grey = np.full((64, 64, 3), 128, np.uint8)
    guesses = belamy.classify(grey, model="iris", top=3)
    assert isinstance(guesses, Guesses)
    assert len(guesses) == 3
    assert guesses[0].name in guesses._repr_html_()
