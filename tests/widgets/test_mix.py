"""MixExplorer: the optima that it shows are found again by trying every value."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from IPython.core.interactiveshell import InteractiveShell
from IPython.utils.capture import capture_output

from p2plib.errors import UserError
from p2plib.plots import COLOURS
from p2plib.widgets import MixExplorer
from p2plib.widgets.mix import WALLS, Board, Mix, in_words, lightness, weighted_mean, weighted_median, whose

GREYS = np.arange(256)


@st.composite
def mixes(draw):
    first = draw(st.integers(0, 100))
    second = draw(st.integers(0, 100 - first))
    return Mix((first, second, 100 - first - second))


def best(values, shares, power):
    """All greys of 0 … 255 at which the mean distance is smallest, in whole numbers."""
    loss = np.abs(GREYS[:, None] - np.array(values)) ** power @ np.array(shares)
    return GREYS[loss == loss.min()]


@given(mixes())
def test_the_median_is_every_value_that_l1_likes_best(mix):
    channels = list(zip(*WALLS.values(), strict=True))
    for values, ends in zip(channels, zip(*mix.l1, strict=True), strict=True):
        tried = best(values, mix.shares, 1)
        assert (tried[0], tried[-1]) == ends
        assert len(tried) == ends[1] - ends[0] + 1


@given(mixes())
def test_the_mean_is_what_l2_likes_best(mix):
    for values, mean in zip(zip(*WALLS.values(), strict=True), mix.l2, strict=True):
        assert np.abs(best(values, mix.shares, 2) - mean).max() <= 0.5 + 1e-9


@given(mixes())
def test_the_curves_have_their_minima_at_the_marks(mix):
    l1, l2 = mix.losses()
    low, high = weighted_median(mix.greys, mix.shares)
    assert l1[low] == pytest.approx(l1.min())
    assert l1[high] == pytest.approx(l1.min())
    assert abs(int(l2.argmin()) - weighted_mean(mix.greys, mix.shares)) <= 0.5 + 1e-9


@given(mixes())
def test_a_wall_of_more_than_half_is_l1s_answer_and_l2s_only_alone(mix):
    for wall, share in zip(WALLS.values(), mix.shares, strict=True):
        if share > 50:
            assert mix.l1 == (wall, wall)
        assert (mix.l2 == wall) == (share == 100)


@given(
    st.lists(st.tuples(st.integers(0, 255), st.integers(0, 9)), min_size=1, max_size=9).filter(
        lambda pairs: any(share for _, share in pairs)
    )
)
def test_any_values_in_any_order(pairs):
    values, shares = zip(*pairs, strict=True)
    tried = best(values, shares, 1)
    assert weighted_median(values, shares) == (tried[0], tried[-1])


def test_no_shares_have_no_median():
    with pytest.raises(UserError):
        weighted_median([1, 2], [0, 0])


def test_l1_jumps_at_one_half_and_l2_glides():
    mixes = [Mix((share, 100 - share, 0)) for share in range(101)]
    greys = [weighted_median(mix.greys, mix.shares) for mix in mixes]
    brick, plaster, _ = mixes[0].greys
    assert greys == [(plaster, plaster)] * 50 + [(brick, plaster)] + [(brick, brick)] * 50
    means = [weighted_mean(mix.greys, mix.shares) for mix in mixes]
    assert np.allclose(np.diff(means), (brick - plaster) / 100)


def test_without_a_majority_the_channels_come_from_different_walls():
    mix = Mix((40, 35, 25))
    assert mix.l1 == ((178, 84, 92), (178, 84, 92))
    assert whose(mix.l1[0]) == "no wall: red and green of the brick, blue of the stone"


def test_the_walls_differ_in_lightness():
    greys = sorted(lightness(wall) for wall in WALLS.values())
    assert min(np.diff(greys)) >= 40


@pytest.mark.parametrize(
    ("shares", "said"),
    [
        (
            (60, 25, 15),
            ["lightness 109, colour (178, 84, 58), that of the brick", "(174, 114, 93), which no wall has."],
        ),
        ((40, 35, 25), ["(178, 84, 92), which no wall has: red and green of the brick, blue of the stone."]),
        ((0, 50, 50), ["lightness 67 to 215, any colour from (58, 66, 92) to (232, 214, 178)", "lightness 141.0"]),
        ((0, 0, 100), ["lightness 67.0, colour (58, 66, 92), that of the stone."]),
    ],
)
def test_the_words_say_both_optima(shares, said):
    for part in said:
        assert part in in_words(Mix(shares))


def test_the_marks_stand_at_the_minima():
    board = Board()
    for shares in ((60, 25, 15), (0, 50, 50), (40, 35, 25)):
        mix = Mix(shares)
        board.draw(mix)
        for axes, colour, expected in (
            (board.l1, COLOURS[0], weighted_median(mix.greys, shares)),
            (board.l2, COLOURS[1], (weighted_mean(mix.greys, shares),) * 2),
        ):
            for shown in (axes, board.bars):
                marks = [line for line in shown.lines if line.get_markersize() > 7 and line.get_color() == colour]
                assert [tuple(line.get_xdata()) for line in marks] == [expected]
        bars = [patch.get_height() for patch in board.bars.patches]
        assert bars == list(shares)


def test_every_slider_changes_the_picture_and_the_words():
    mixer = MixExplorer()
    assert mixer.mix.shares == (60, 25, 15)
    for slider in mixer.sliders:
        for value in (30, slider.min, slider.max):
            before = (mixer.image.value, mixer.said.value, mixer.rest.value)
            slider.value = value
            assert mixer.image.value[:4] == b"\x89PNG"
            after = (mixer.image.value, mixer.said.value, mixer.rest.value)
            assert all(old != new for old, new in zip(before[:2], after[:2], strict=True))
            assert sum(mixer.mix.shares) == 100
            assert min(mixer.mix.shares) >= 0
    assert 'role="status"' in mixer.said.value


def test_one_slider_pushes_the_other_down_and_only_then():
    mixer = MixExplorer((50, 30, 20))
    first, second = mixer.sliders
    first.value = 65
    assert mixer.mix.shares == (65, 30, 5)
    first.value = 90
    assert mixer.mix.shares == (90, 10, 0)
    second.value = 40
    assert mixer.mix.shares == (60, 40, 0)
    first.value = 20
    assert mixer.mix.shares == (20, 40, 40)


@pytest.mark.parametrize("wrong", [(50, 50), (50, 30, 30), (110, -10, 0), (33.3, 33.3, 33.4)])
def test_shares_that_make_no_whole_are_refused(wrong):
    with pytest.raises(UserError):
        MixExplorer(wrong)


def test_what_is_stored_in_the_notebook_is_words_and_a_still_picture():
    InteractiveShell.instance()
    try:
        with capture_output() as captured:
            MixExplorer().show()
    finally:
        InteractiveShell.clear_instance()
    (output,) = captured.outputs
    assert {"application/vnd.jupyter.widget-view+json", "image/png", "text/plain"} == set(output.data)
    assert "L2's best, the mean" in output.data["text/plain"]
    assert output.metadata["image/png"]["alt"] == output.data["text/plain"]
