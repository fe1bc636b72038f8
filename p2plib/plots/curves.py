"""Losses against pictures seen."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import matplotlib
import matplotlib.pyplot as plt
import matplotlib.ticker
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from p2plib.plots.style import COLOURS, DASHES, SOFT, STYLE

CURVES = {
    "loss_d": "D's loss",
    "loss_gan": "G's loss",
    "d_accuracy": "D's accuracy",
    "loss_pixel": "training",
    "held_out_l1": "held out",
}


def curves(rows: Sequence[Mapping[str, Any]]) -> Figure:
    """The losses of a run (`Trainer.rows`, or the rows of metrics.csv) against pictures seen."""
    with matplotlib.rc_context(STYLE):
        figure, axes = plt.subplots(1, 2, figsize=(8, 2.6))
        draw_curves(axes, rows)
        figure.tight_layout()
    return figure


def lines(curves: Mapping[str, Sequence[tuple[float, float]]], x: str, y: str) -> Figure:
    """Lines in one pair of axes that begins at 0.

    Args:
        curves: name → points; names that begin alike up to a comma share colour and dash, and one line of the legend.
        x, y: what the axes show.
    """
    with matplotlib.rc_context(STYLE):
        figure, axis = plt.subplots(figsize=(6, 2.8))
        kinds = list(dict.fromkeys(name.split(",")[0] for name in curves))
        for name, points in curves.items():
            kind = name.split(",")[0]
            i = kinds.index(kind)
            label = kind if kind not in axis.get_legend_handles_labels()[1] else None
            axis.plot(*zip(*points, strict=True), color=COLOURS[i], linestyle=DASHES[i], label=label)
        axis.set(xlabel=x, ylabel=y, ylim=(0, None))
        axis.legend()
        figure.tight_layout()
    return figure


def draw_curves(axes: Sequence[Axes], rows: Sequence[Mapping[str, Any]]) -> None:
    """The two losses of the game in one pair of axes, the distances to the target in the other."""
    _draw_losses(axes[0], "The game", ("loss_d", "loss_gan"), rows)
    draw_distance(axes[1], rows)


def draw_accuracy(axis: Axes, rows: Sequence[Mapping[str, Any]]) -> None:
    """The share of D's answers that are right, and where a coin would be (`Trainer.d_accuracy`)."""
    _draw_losses(axis, "D's accuracy", ("d_accuracy",), rows, legend=False)
    axis.axhline(0.5, color=SOFT, linewidth=1, zorder=1)
    axis.annotate("a coin", (1, 0.5), (0, -2), axis.get_yaxis_transform(), "offset points", ha="right", va="top",
                  color=SOFT, fontsize=8.5)  # fmt: skip
    axis.set(ylim=(-0.03, 1.03), yticks=[0, 0.5, 1])
    axis.yaxis.set_major_formatter(matplotlib.ticker.PercentFormatter(1))


def draw_distance(axis: Axes, rows: Sequence[Mapping[str, Any]]) -> None:
    _draw_losses(axis, "Distance", ("loss_pixel", "held_out_l1"), rows)


def _draw_losses(
    axis: Axes, title: str, names: Sequence[str], rows: Sequence[Mapping[str, Any]], legend: bool = True
) -> None:
    for name in names:
        points = [(row["images"], row[name]) for row in rows if row.get(name) not in (None, "")]
        if points:
            marker = "o" if name == "held_out_l1" else ""
            axis.plot(*zip(*points, strict=True), label=CURVES[name], marker=marker, markersize=3)
    axis.set(title=title, xlabel="pictures seen")
    axis.xaxis.set_major_locator(matplotlib.ticker.MaxNLocator(4))
    if axis.lines and legend:
        axis.legend(loc="lower right", bbox_to_anchor=(1.0, 0.97), ncols=2, borderaxespad=0, handlelength=1.6)
    elif rows and not axis.lines:
        axis.text(0.5, 0.5, "this objective has none", ha="center", transform=axis.transAxes, color=SOFT)
