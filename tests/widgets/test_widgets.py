"""Widgets without a front end: made with their defaults, turned, clicked; errors are raised, not swallowed."""

from __future__ import annotations

import pytest
from IPython.core.interactiveshell import InteractiveShell
from IPython.utils.capture import capture_output

from p2plib.errors import UserError
from p2plib.my_work import DEFAULT_CITY
from p2plib.widgets import TownExplorer, choose_city, predict
from p2plib.widgets.predict import Prediction
from p2plib.widgets.town import CityChooser


@pytest.fixture
def shell():
    InteractiveShell.instance()
    yield
    InteractiveShell.clear_instance()


def test_every_slider_of_the_town_changes_both_pictures_and_the_words():
    town = TownExplorer()
    assert town.seed.value == DEFAULT_CITY
    for slider in (*town.sliders.values(), town.seed):
        before = (town.left.value, town.right.value, town.said.value)
        slider.value += 3 * slider.step
        after = (town.left.value, town.right.value, town.said.value)
        assert all(old != new for old, new in zip(before, after, strict=True)), slider.description
    assert f"Town {town.seed.value}:" in town.said.value


def test_sliders_work_at_both_ends():
    town = TownExplorer()
    for slider in (*town.sliders.values(), town.seed):
        for end in (slider.min, slider.max):
            slider.value = end
            assert town.left.value[:4] == b"\x89PNG"


def test_the_toggle_changes_the_right_picture_only():
    town = TownExplorer()
    left, right = town.left.value, town.right.value
    town.truth.value = town.truth.options[1]
    assert town.left.value == left
    assert town.right.value != right


def test_a_city_is_shown_and_kept(monkeypatch, tmp_path):
    monkeypatch.setenv("P2PLIB_BUDGET", "learner")
    monkeypatch.setenv("P2PLIB_MY_WORK", str(tmp_path))
    chooser = CityChooser()
    first = chooser.image.value
    chooser.next.click()
    assert chooser.image.value != first
    chooser.keep.click()
    assert (tmp_path / "city.json").exists()
    assert CityChooser().seed.value == chooser.seed.value


def test_a_prediction_takes_the_last_click():
    asked = Prediction("What?", ["a", "b", "c"])
    assert asked.chosen is None
    asked.buttons[2].click()
    asked.buttons[1].click()
    assert asked.chosen == "b"
    assert [button.button_style for button in asked.buttons] == ["", "info", ""]
    with pytest.raises(UserError):
        Prediction("What?", ["only one"])


def test_what_is_stored_in_the_notebook_is_words_and_a_still_picture(shell):
    with capture_output() as captured:
        TownExplorer().show()
        choose_city()
        predict("What?", ["a", "b"])
    town, city, question = (output.data for output in captured.outputs)
    for data in (town, city, question):
        assert "application/vnd.jupyter.widget-view+json" in data
        assert "VBox(" not in data["text/plain"]
    assert {"image/png"} <= set(town) & set(city)
    assert question["text/plain"] == "What?  [a / b]"
