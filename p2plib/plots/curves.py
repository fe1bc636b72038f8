"""Losses against pictures seen."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import matplotlib
import matplotlib.pyplot as plt
import matplotlib.ticker
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from p2plib.plots.style import SOFT, STYLE

CURVES = {"loss_d": "D's loss", "loss_gan": "G's loss", "loss_pixel": "training", "held_out_l1": "held out"}


def curves(rows: Sequence[Mapping[str, Any]]) -> Figure:
    """The losses of a run (`Trainer.rows`, or the rows of metrics.csv) against pictures seen."""
    with matplotlib.rc_context(STYLE):
        figure, axes = plt.subplots(1, 2, figsize=(8, 2.6))
        draw_curves(axes, rows)
        figure.tight_layout()
    return figure


def draw_curves(axes: Sequence[Axes], rows: Sequence[Mapping[str, Any]]) -> None:
    """The two losses of the game in one pair of axes, the distances to the target in the other."""
    _draw_losses(axes[0], "The game", ("loss_d", "loss_gan"), rows)
    draw_distance(axes[1], rows)


def draw_distance(axis: Axes, rows: Sequence[Mapping[str, Any]]) -> None:
    _draw_losses(axis, "Distance", ("loss_pixel", "held_out_l1"), rows)


def _draw_losses(axis: Axes, title: str, names: Sequence[str], rows: Sequence[Mapping[str, Any]]) -> None:
    for name in names:
        points = [(row["images"], row[name]) for row in rows if row.get(name) not in (None, "")]
        if points:
            marker = "o" if name == "held_out_l1" else ""
            axis.plot(*zip(*points, strict=True), label=CURVES[name], marker=marker, markersize=3)
    axis.set(title=title, xlabel="pictures seen")
    axis.xaxis.set_major_locator(matplotlib.ticker.MaxNLocator(4))
    if axis.lines:
        axis.legend(loc="lower right", bbox_to_anchor=(1.0, 0.97), ncols=2, borderaxespad=0, handlelength=1.6)
    else:
        axis.text(0.5, 0.5, "this objective has none", ha="center", transform=axis.transAxes, color=SOFT)
