"""SlopePlot: its slopes are autograd's."""

from __future__ import annotations

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from hypothesis import given
from hypothesis import strategies as st
from IPython.core.interactiveshell import InteractiveShell
from IPython.utils.capture import capture_output

from p2plib.errors import UserError
from p2plib.widgets import SlopePlot
from p2plib.widgets.slopes import SlopeBoard, Slopes, in_words, number


@given(st.floats(-8, 8))
def test_values_and_slopes_are_autograds(logit):
    s = Slopes(logit)
    losses = (
        lambda x: torch.log(1 - torch.sigmoid(x)),  # as section 3.1 writes it
        lambda x: -torch.log(torch.sigmoid(x)),
    )
    for loss, value, slope in zip(losses, s.values, s.slopes, strict=True):
        x = torch.tensor(logit, dtype=torch.float64, requires_grad=True)
        loss(x).backward()
        assert value == pytest.approx(loss(x).item(), rel=1e-9, abs=1e-12)
        assert slope == pytest.approx(x.grad.item(), rel=1e-9, abs=1e-12)
    x = torch.tensor(logit, dtype=torch.float64, requires_grad=True)
    F.binary_cross_entropy_with_logits(x, torch.ones_like(x)).backward()  # as it is computed
    assert s.slopes[1] == pytest.approx(x.grad.item(), rel=1e-9, abs=1e-12)
    assert s.slopes[0] + s.slopes[1] == pytest.approx(-1)


@pytest.mark.parametrize(
    ("logit", "said"),
    [
        (
            -4,
            "D is sure that the picture is made: 1.8 % real. log(1 − D) has slope −0.02, −log D −0.98: "
            "−log D is 55 times as steep.",
        ),
        (
            -8,
            "D is sure that the picture is made: 0.03 % real. log(1 − D) has slope −0.0003, −log D −0.9997: "
            "−log D is 2,981 times as steep.",
        ),
        (0, "D cannot tell: 50.0 % real. log(1 − D) has slope −0.50, −log D −0.50: both are as steep."),
        (
            2,
            "D thinks that the picture is real: 88.1 % real. log(1 − D) has slope −0.88, −log D −0.12: "
            "log(1 − D) is 7.4 times as steep, but there D is fooled already.",
        ),
    ],
)
def test_the_words_say_both_slopes(logit, said):
    assert in_words(Slopes(logit)) == said


def test_no_slope_is_said_to_be_0_or_1():
    for logit in np.arange(-8, 8.1, 0.25):
        assert not {number(slope) for slope in Slopes(logit).slopes} & {"−0.00", "0.00", "−1.00"}


def test_marks_tangents_and_bars_stand_where_they_should():
    board = SlopeBoard()
    for logit in (-8.0, -4.0, 0.0, 1.25, 8.0):
        s = Slopes(logit)
        board.draw(s)
        marks = [line for line in board.curves.lines if line.get_marker() in ("o", "D")]
        assert [(line.get_xdata()[0], line.get_ydata()[0]) for line in marks] == [(logit, value) for value in s.values]
        tangents = [line for line in board.curves.lines if line.get_linewidth() == 2.6]
        drawn = [np.diff(line.get_ydata())[0] / np.diff(line.get_xdata())[0] for line in tangents]
        assert drawn == pytest.approx(s.slopes)
        assert [bar.get_height() for bar in board.bars.patches] == pytest.approx([-slope for slope in s.slopes])


def test_the_curves_are_the_losses():
    first, second = SlopeBoard().curves.lines
    x = torch.tensor(first.get_xdata())
    assert np.allclose(first.get_ydata(), -F.softplus(x))
    assert np.allclose(second.get_ydata(), F.softplus(-x))


def test_the_slider_changes_the_picture_and_the_words():
    plot = SlopePlot()
    assert (plot.logit.value, plot.logit.min, plot.logit.max, plot.logit.step) == (-4, -8, 8, 0.25)
    for value in (-3.75, 0, plot.logit.min, plot.logit.max):
        before = (plot.image.value, plot.said.value)
        plot.logit.value = value
        assert plot.image.value[:4] == b"\x89PNG"
        assert all(old != new for old, new in zip(before, (plot.image.value, plot.said.value), strict=True))
    assert 'role="status"' in plot.said.value


@pytest.mark.parametrize("wrong", [8.25, -9, 0.1, float("nan")])
def test_a_logit_off_the_slider_is_refused(wrong):
    with pytest.raises(UserError):
        SlopePlot(wrong)


def test_what_is_stored_in_the_notebook_is_words_and_a_still_picture():
    InteractiveShell.instance()
    try:
        with capture_output() as captured:
            SlopePlot().show()
    finally:
        InteractiveShell.clear_instance()
    (output,) = captured.outputs
    assert {"application/vnd.jupyter.widget-view+json", "image/png", "text/plain"} == set(output.data)
    assert "55 times as steep" in output.data["text/plain"]
    assert output.metadata["image/png"]["alt"] == output.data["text/plain"]
