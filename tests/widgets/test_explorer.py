"""OutputExplorer: what it shows are the recorded pictures and numbers."""

from __future__ import annotations

import io

import numpy as np
import pytest
from IPython.core.interactiveshell import InteractiveShell
from IPython.utils.capture import capture_output
from PIL import Image

from p2plib import recorded
from p2plib.errors import UserError
from p2plib.plots import as_array
from p2plib.widgets import OutputExplorer
from p2plib.widgets.explorer import GAP, GROUPS, SIDE, TIMES, TITLE, WIDE, WINDOW, in_words


def shown(explorer):
    return np.array(Image.open(io.BytesIO(explorer.image.value)).convert("RGB"))


def at(picture, column, top=TITLE):
    """The picture of a column, without the frame: its upper rows, at its own size."""
    left = 2 + column * (SIDE + GAP)
    return picture[top : top + SIDE : TIMES, left : left + SIDE : TIMES]


@pytest.mark.parametrize("group", GROUPS)
def test_every_picture_is_the_recorded_one_pixel_for_pixel(group):
    explorer = OutputExplorer(group)
    explorer.number.value, explorer.down.value = 3, explorer.down.max  # the frame lies in the lowest quarter
    picture = shown(explorer)
    assert picture.shape[1] == WIDE
    real = recorded.read("held-out/synthetic-maps").pictures
    row = picture.shape[0] // 2
    half = -(-len(GROUPS[group].runs) // 2)
    for i, run in enumerate(GROUPS[group].runs):
        found = at(picture, 1 + i % half, TITLE + row * (i // half))
        expected = as_array(recorded.read(f"{group}/{run}").pictures["output"][2])
        assert (found[:40] == expected[:40]).all(), run
    assert (at(picture, 0)[:40] == as_array(real["input"][2])[:40]).all()
    assert (at(picture, 0, TITLE + row)[:40] == as_array(real["target"][2])[:40]).all()


def test_two_are_compared_between_input_and_target():
    explorer = OutputExplorer("losses", ("cGAN", "L2"))
    explorer.down.value = explorer.down.max
    picture = shown(explorer)
    for column, run in ((1, "cGAN"), (2, "L2")):
        expected = as_array(recorded.read(f"losses/{run}").pictures["output"][0])
        assert (at(picture, column)[:40] == expected[:40]).all()
        corner = (explorer.across.value, explorer.down.value)
        left, top = 2 + column * (SIDE + GAP), TITLE + SIDE + 6
        enlarged = picture[top : top + SIDE : SIDE // WINDOW, left : left + SIDE : SIDE // WINDOW]
        assert (enlarged == expected[corner[1] : corner[1] + WINDOW, corner[0] : corner[0] + WINDOW]).all()


def test_every_control_changes_the_picture_and_those_that_choose_the_words():
    explorer = OutputExplorer()
    for control, value, says in (
        (explorer.number, 8, True),
        (explorer.across, 0, False),
        (explorer.down, 48, False),
        (explorer.how, explorer.how.options[1], True),
        (explorer.pair[0], "L2", True),
        (explorer.pair[1], "GAN", True),
    ):
        before = (explorer.image.value, explorer.said.value)
        control.value = value
        assert explorer.image.value != before[0], control.description
        assert (explorer.said.value != before[1]) is says, control.description
    assert 'role="status"' in explorer.said.value
    assert "Held-out pair 8 of 8" in explorer.said.value


def test_the_choosers_wait_until_two_are_compared():
    explorer = OutputExplorer("patches")
    assert all(chooser.disabled for chooser in explorer.pair)
    explorer.how.index = 1
    assert not any(chooser.disabled for chooser in explorer.pair)
    assert explorer.view.runs == ("1", "16")
    explorer.how.index = 0
    assert explorer.view.runs == ("1", "16", "34", "70")


@pytest.mark.parametrize("group", GROUPS)
def test_the_words_say_what_was_recorded(group):
    explorer = OutputExplorer(group)
    said = in_words(explorer.shelf, explorer.view)
    for run in GROUPS[group].runs:
        found = recorded.read(f"{group}/{run}").measures
        assert f"{GROUPS[group].titled(run)}: error {found['held_out_l1']:.3f}, sharpness " in said
        assert f"gap {found['gap']:.2f}." in said
    assert explorer.shelf.measures("target") == {"error": "0.000", "sharp": "100%", "contrast": "100%", "gap": "0.53"}


def test_other_groups_and_runs_are_refused():
    with pytest.raises(UserError, match="losses and patches, not 'seeds'"):
        OutputExplorer("seeds")
    for runs in (("L1",), ("L1", "L3"), ("1", "16")):
        with pytest.raises(UserError, match="compares two of L1, GAN"):
            OutputExplorer("losses", runs)


@pytest.mark.parametrize("group", GROUPS)
def test_what_is_stored_in_the_notebook_is_words_and_a_still_picture(group):
    InteractiveShell.instance()
    try:
        with capture_output() as captured:
            OutputExplorer(group).show()
    finally:
        InteractiveShell.clear_instance()
    (output,) = captured.outputs
    assert {"application/vnd.jupyter.widget-view+json", "image/png", "text/plain"} == set(output.data)
    assert "The targets' gap is 0.53" in output.data["text/plain"]
    assert output.metadata["image/png"]["alt"] == output.data["text/plain"]
    assert len(output.data["image/png"]) < 500_000
