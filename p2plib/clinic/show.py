"""A recorded run as a learner sees it: curves, held-out pairs, numbers.  What was wrong with it is not known here."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import matplotlib
import matplotlib.pyplot as plt
import matplotlib.ticker
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from p2plib import recorded
from p2plib.plots.curves import CURVES
from p2plib.plots.grids import grid
from p2plib.plots.output import show
from p2plib.plots.style import DASHES, SOFT, STYLE
from p2plib.recorded import Record

LETTERS = "abcdefgh"
COLUMNS = slice(1, 4)  # of the held-out pairs, those in a figure
FARTHEST = 0.38  # top of the distance's axis: one point of one run lies above, and would flatten the rest

#: What is measured of every run: name → (short name, what it is).
MEASURES = {
    "moved": ("G has moved", "how far G's weights went, as a share of their length at the start"),
    "loss_d_end": ("D's loss", "mean of the last tenth of its curve"),
    "loss_gan_end": ("G's loss", "its adversarial part, mean of the last tenth of its curve"),
    "d_accuracy_end": (
        "D is right",
        "share of the cells of D's map that are right, mean of the last tenth; a guess: ½",
    ),
    "gradient": ("from D to G", "length of the gradient that D's term sends to G's first layer"),
    "share": ("D's say", "share of D's term in what moves G's first layer; the rest is L1's"),
    "loss_pixel_end": ("L1, training", "mean |output − target|, of the last tenth of its curve"),
    "held_out_end": ("L1, held out", "the same, the last point of its curve, measured by the trainer"),
    "l1": ("L1, shown", "of the outputs as they are shown, to their targets"),
    "l1_other": ("… to another's", "of the same outputs, to targets of other inputs"),
    "l1_mirrored": ("… mirrored", "of the same outputs, to their targets mirrored left to right"),
    "exchanged": ("outputs differ", "how much they differ from each other; 1 as much as the targets"),
    "sharpness": ("sharpness", "of the outputs; 1 as the targets"),
    "colour": ("colour", "spread of Lab's a and b; 1 as the targets"),
    "modes": ("two modes", "mean difference between outputs in training mode and in eval mode"),
}

_GAME = {name: CURVES[name] for name in ("loss_d", "loss_gan")}
_DISTANCE = {name: CURVES[name] for name in ("loss_pixel", "held_out_l1")}
_RIGHT = {"d_accuracy": "D is right"}
_CURVES = {"The game": _GAME, "D's accuracy": _RIGHT, "Distance (L1)": _DISTANCE}


def read_run(letter: str) -> Record:
    """The record of a run: "a" to "h", or "healthy".

    Raises:
        UserError: if there is none.
    """
    return recorded.read(f"clinic/{letter}")


def show_run(letter: str) -> None:
    """Show a run: its curves over the healthy ones, three held-out pairs, and its numbers beside the healthy ones."""
    run, is_healthy = read_run(letter), letter == "healthy"
    name, beside = (
        ("the healthy run", "")
        if is_healthy
        else (f"run {letter}", " Thin grey curves, dashed alike: the healthy run.")
    )
    show(
        draw_run(run, None if is_healthy else read_run("healthy")),
        caption=f"{name[0].upper()}{name[1:]}: its curves, and three held-out pairs.{beside}",
        alt=f"Curves and three held-out pairs of {name}. {_in_words(run)}",
        colours=256,  # nine such figures stand in one notebook
    )
    print(table([letter] if is_healthy else [letter, "healthy"]))


def table(letters: Sequence[str], names: Sequence[str] = tuple(MEASURES)) -> str:
    """The measurements of several runs as text: a line each, a column a run."""
    runs = {letter: read_run(letter).measures for letter in letters}
    wide = max(9, *(len(letter) + 2 for letter in letters))
    lines = [f"{'':15}" + "".join(f"{letter:>{wide}}" for letter in letters)]
    for name in names:
        values = "".join(f"{number(measures[name]):>{wide}}" for measures in runs.values())
        lines.append(f"{MEASURES[name][0]:15}{values}" + (f"   {MEASURES[name][1]}" if len(letters) < 3 else ""))
    return "\n".join(lines)


def draw_run(run: Record, beside: Record | None = None) -> Figure:
    """Three curves at the left, pictures at the right.

    Args:
        run: whose curves and pictures.
        beside: a run whose curves stand thin behind them.
    """
    with matplotlib.rc_context(STYLE):
        figure = plt.figure(figsize=(8.4, 3.5))
        parts: Any = figure.subfigures(1, 2, width_ratios=(4.6, 3.8))
        axes = parts[0].subplots(3, 1, sharex=True)
        for axis, (title, names) in zip(axes, _CURVES.items(), strict=True):
            _draw_curves(axis, names, run, beside)
            axis.set_title(title)
        _cut(axes[2], run)
        axes[1].set_ylim(-0.03, 1.05)
        axes[2].set_xlabel("pictures seen")
        parts[0].subplots_adjust(left=0.11, right=0.97, top=0.93, bottom=0.13, hspace=0.42)
        grid(parts[1], {kind: batch[COLUMNS] for kind, batch in run.pictures.items()}, left=0.17)
    return figure


def _draw_curves(axis: Axes, names: dict[str, str], run: Record, beside: Record | None) -> None:
    for (name, label), dash in zip(names.items(), DASHES, strict=False):
        if beside is not None:
            axis.plot(*_points(beside, name), color=SOFT, lw=0.8, ls=dash, alpha=0.8)
        marker = "o" if name == "held_out_l1" else ""
        axis.plot(*_points(run, name), label=label, marker=marker, markersize=3)
    axis.set_ylim(bottom=0)
    axis.xaxis.set_major_locator(matplotlib.ticker.MaxNLocator(4))
    if len(names) > 1:
        axis.legend(loc="lower right", bbox_to_anchor=(1.0, 0.97), ncols=2, borderaxespad=0, handlelength=1.6)


def _cut(axis: Axes, run: Record) -> None:
    """End the axis of the distance where all runs but one stay, and say how far a curve goes above."""
    axis.set_ylim(0, FARTHEST)
    highest = max(value for name in _DISTANCE for value in _points(run, name)[1])
    if highest > FARTHEST:
        axis.text(0.06, 0.97, f"begins at {number(highest)}", transform=axis.transAxes, va="top", color=SOFT)


def _points(run: Record, name: str) -> tuple[list[float], list[float]]:
    """Pictures seen, and values, where there are any."""
    points = [(row["images"], row[name]) for row in run.rows if row.get(name) is not None]
    return [x for x, _ in points], [y for _, y in points]


def _in_words(run: Record) -> str:
    """Where its curves began, and where they end by the numbers of the table."""
    said = []
    for name, label in {**_GAME, **_RIGHT, **_DISTANCE}.items():
        end = "held_out_end" if name == "held_out_l1" else f"{name}_end"
        said.append(f"{label}: from {number(_points(run, name)[1][0])} to {number(run.measures[end])}")
    return "; ".join(said) + "."


def number(value: float) -> str:
    """A measurement as tables and messages write it: two places, or as many digits as tell a small one from 0."""
    return f"{value:.2f}" if abs(value) >= 0.095 or value == 0 else f"{value:.2g}"
