"""Figures: shown once, with a caption that is seen and alt text that is stored; not empty."""

from __future__ import annotations

import io

import matplotlib.pyplot as plt
import numpy as np
import pytest
import torch
from IPython.core.interactiveshell import InteractiveShell
from IPython.utils.capture import capture_output
from PIL import Image

from p2plib import plots
from p2plib.losses import Objective


@pytest.fixture
def shell():
    InteractiveShell.instance()
    yield
    InteractiveShell.clear_instance()


def as_picture(data):
    return np.array(Image.open(io.BytesIO(data)).convert("RGB"))


def batch(count=2, side=32):
    return torch.rand(count, 3, side, side) * 2 - 1


ROWS = [
    {"images": i, "loss_d": 0.6, "loss_gan": 0.8, "loss_pixel": 1 / i, "held_out_l1": 0.3 if i % 2 else None}
    for i in range(1, 6)
]
FIGURES = {
    "pictures": lambda: plots.pictures({"input": batch(), "output": batch()}, rows=["a", "b"]),
    "curves": lambda: plots.curves(ROWS),
    "curves of L1 alone": lambda: plots.curves([row | {"loss_d": None, "loss_gan": None} for row in ROWS]),
    "filmstrip": lambda: plots.filmstrip([(f"{i:02d}", "a net", np.zeros((8, 8, 3), np.uint8)) for i in range(8)]),
    "lines": lambda: plots.lines({"a, 1": [(0, 1), (1, 2)], "a, 2": [(0, 2), (1, 2)], "b": [(0, 0), (1, 1)]}, "x", "y"),
    "planes": lambda: plots.colour_planes(
        {
            "one": dict(real=torch.randn(50, 2), best=torch.zeros(2)),
            "two": dict(
                real=torch.randn(50, 2),
                made=torch.randn(9, 2),
                judge=lambda c: torch.sigmoid(c[:, :1]),
                pull=torch.ones(9, 2),
            ),
        },
        scale=20,
    ),
    "diagram": lambda: plots.pix2pix_diagram(*batch(3)),
}


@pytest.mark.parametrize("name", FIGURES)
def test_figures_are_drawn(name):
    shown = as_picture(plots.png(FIGURES[name]()))
    assert shown.std() > 5
    assert not plt.get_fignums()


def test_show_gives_picture_alt_text_and_caption(shell):
    with capture_output() as captured:
        plots.show(plots.curves(ROWS), alt="Two falling curves.", caption="Losses <by> pictures.")
    figure, caption = captured.outputs
    assert figure.data["image/png"]
    assert figure.metadata == {"image/png": {"alt": "Two falling curves."}}
    assert "Two falling curves." in figure.data["text/plain"]
    assert caption.data["text/plain"] == "Losses <by> pictures."
    assert "Losses &lt;by&gt; pictures." in caption.data["text/html"]


def test_departures_say_the_same_in_words(shell):
    with capture_output() as captured:
        plots.departures([("batch", "1", "8", "speed")])
    (box,) = captured.outputs
    assert "Where this departs from the paper" in box.data["text/html"]
    assert "batch: the paper 1; here 8; speed" in box.data["text/plain"]


def test_pictures_keep_their_bytes():
    bytes_ = torch.arange(256, dtype=torch.uint8).reshape(1, 16, 16).repeat(3, 1, 1)
    assert np.array_equal(plots.as_array(bytes_), bytes_.permute(1, 2, 0).numpy())
    assert np.array_equal(plots.as_array(bytes_ / 127.5 - 1), plots.as_array(bytes_))


class Stub:
    """What a live figure asks of a trainer."""

    steps, finished, objective = 5, False, Objective("L1+cGAN")
    rows = [row | {"step": row["images"]} for row in ROWS]

    def held_out(self, indices):
        return batch(len(indices)), batch(len(indices))

    def translate(self, input, seed=None):
        return -input


def test_a_live_figure_is_updated_in_place_and_not_too_often(shell):
    live = plots.LiveFigure(count=2, every=1000)
    trainer = Stub()
    with capture_output() as captured:
        live(trainer)
        live(trainer)
        trainer.finished = True
        live(trainer)
    assert "Step 5 of 5" in captured.outputs[0].data["text/plain"]
    assert [output.update for output in captured.outputs] == [False, True]


def test_a_live_figure_that_takes_long_is_drawn_less_often(monkeypatch):
    now = 100.0
    monkeypatch.setattr("p2plib.plots.live.time.monotonic", lambda: now)
    live = plots.LiveFigure(every=3)
    for taken, wait in ((0.01, 3), (2.0, 40)):
        live.took(taken)
        now += wait - 0.1
        assert not live.is_due()
        now += 0.2
        assert live.is_due()


def test_a_live_figure_shows_where_a_coin_would_be():
    trainer = Stub()
    trainer.rows = [row | {"d_accuracy": 0.7} for row in Stub.rows]
    live = plots.LiveFigure(count=2)
    _, accuracy, _ = live.draw(trainer).subfigs[0].axes
    assert accuracy.get_title(loc="left") == "D's accuracy"
    assert [list(line.get_ydata()) for line in accuracy.lines] == [[0.7] * 5, [0.5, 0.5]]
    assert "D's accuracy 0.700" in live.text(trainer)


def test_numbers_stand_in_their_cells():
    matrix = torch.tensor([[1.0, 2.5], [-3.0, 40.0]])
    figure = plots.numbers({"a": matrix, "b": matrix[:, :1]}, marks={"a": [(0, 1, 2, 1)]})
    left = figure.axes[0]
    assert {text.get_text(): text.get_position() for text in left.texts} == {
        "1": (0, 0),
        "2.5": (1, 0),
        "-3": (0, 1),
        "40": (1, 1),
    }
    assert len(left.patches) == 1
    plots.png(figure)


def test_strips_are_named():
    figure = plots.strips({"many": torch.zeros(5, 9), "one": torch.ones(1, 9)})
    assert [axis.get_ylabel() for axis in figure.axes] == ["many", "one"]
    assert figure.axes[1].images[0].get_array().shape == (1, 9)
    plots.png(figure)


def test_rows_of_pictures_have_a_name_each():
    figure = plots.picture_rows({"map": torch.zeros(3, 3, 8, 8), "a longer name": torch.ones(3, 3, 8, 8)})
    assert [axis.get_ylabel() for axis in figure.axes] == ["map", "", "", "a longer name", "", ""]
    assert plots.png(figure).startswith(b"\x89PNG")
