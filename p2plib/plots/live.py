"""Figures that follow a training."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any

import matplotlib
import matplotlib.pyplot as plt
import matplotlib.ticker
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from p2plib.plots.curves import CURVES, draw_accuracy, draw_curves, draw_distance
from p2plib.plots.grids import grid
from p2plib.plots.output import InPlace
from p2plib.plots.style import STYLE

DRAW_SHARE = 0.05  # of the time may go into drawing


class LiveFigure:
    """Curves and samples that follow a training: ``trainer.fit(on_report=LiveFigure())`` in a notebook.

    Args:
        count: held-out pairs shown.
        every: seconds between two drawings at the least; more where drawing takes long, so that looking does not
            slow the training.
    """

    def __init__(self, count: int = 4, every: float = 3.0) -> None:
        self.count, self.every = count, every
        self._put = InPlace()
        self._next = 0.0  # when to draw again

    def is_due(self) -> bool:
        """Is it time to draw?"""
        return time.monotonic() >= self._next

    def took(self, seconds: float) -> None:
        """The last drawing took so long: the next waits for it to be a small share of the time."""
        self._next = time.monotonic() + max(self.every, seconds / DRAW_SHARE)

    def __call__(self, trainer: Any) -> None:
        """Draw what the trainer has come to, if it is time or the end."""
        if not (self.is_due() or trainer.finished):
            return
        began, words = time.monotonic(), self.text(trainer)
        self._put(self.draw(trainer), words, f"Loss curves, and inputs, outputs and targets. {words}")
        self.took(time.monotonic() - began)

    def draw(self, trainer: Any) -> Figure:
        """The figure: curves at the left; held-out inputs, outputs and targets at the right."""
        input, target = trainer.held_out(range(self.count))
        rows = {"input": input, "output": trainer.translate(input, seed=0), "target": target}
        adversarial = trainer.objective.adversarial
        with matplotlib.rc_context(STYLE):
            # Not pyplot's: it may be drawn in another thread, where a notebook would take it for a cell's own.
            figure = Figure(figsize=(8.6, 4.3 if adversarial else 3.7))
            parts: Any = figure.subfigures(1, 2, width_ratios=(4, 0.8 + 1.2 * self.count))
            if adversarial:
                game, accuracy, distance = parts[0].subplots(3, 1, sharex=True, height_ratios=(3, 2, 3))
                draw_curves((game, distance), trainer.rows)
                draw_accuracy(accuracy, trainer.rows)
                game.set_xlabel("")
                accuracy.set_xlabel("")
            else:
                draw_distance(parts[0].subplots(), trainer.rows)
            parts[0].subplots_adjust(bottom=0.12, top=0.93, left=0.155, right=0.97, hspace=0.5)
            grid(parts[1], rows, left=0.13)
            self._close_rows(parts[1], len(rows))
        return figure

    def _close_rows(self, part: Any, rows: int) -> None:
        """Row under row without gaps, their top where that of the curves is."""
        wide, high = part.bbox.size
        share = min(0.92, 1.03 * rows * 0.86 * wide / self.count / high)
        part.subplots_adjust(top=0.93, bottom=0.93 - share)

    def text(self, trainer: Any) -> str:
        """The same in words."""
        if not trainer.rows:
            return f"Step 0 of {trainer.steps}."
        row = trainer.rows[-1]
        values = [f"{name} {row[key]:.3f}" for key, name in CURVES.items() if row.get(key) is not None]
        return f"Step {row['step']} of {trainer.steps}: {', '.join(values)}."


class LiveRace:
    """Several trainings side by side: ``race({"one": a, "other": b}, on_turn=LiveRace())``.

    Args:
        count: held-out pairs shown.
    """

    def __init__(self, count: int = 4) -> None:
        self.count = count
        self._put = InPlace()

    def __call__(self, trainers: Mapping[str, Any]) -> None:
        """Draw what they have come to."""
        words = self.text(trainers)
        self._put(self.draw(trainers), words, f"Held-out pairs, and what each network makes of them. {words}")

    def draw(self, trainers: Mapping[str, Any]) -> Figure:
        """The distance of each on held-out pairs at the left; inputs, outputs of each and targets at the right."""
        first = next(iter(trainers.values()))
        input, target = first.held_out(range(self.count))
        outputs = {name: trainer.translate(input, seed=0) for name, trainer in trainers.items()}
        rows = {"input": input, **outputs, "target": target}
        with matplotlib.rc_context(STYLE):
            figure = plt.figure(figsize=(8.6, 1.15 * len(rows) + 0.1))
            parts: Any = figure.subfigures(1, 2, width_ratios=(3, 1.0 + 1.15 * self.count))
            self._curves(parts[0].subplots(), trainers)
            parts[0].subplots_adjust(left=0.17, right=0.97, top=0.9, bottom=0.14)
            grid(parts[1], rows, left=0.24)
        return figure

    def _curves(self, axis: Axes, trainers: Mapping[str, Any]) -> None:
        for name, trainer in trainers.items():
            points = [(row["images"], row["held_out_l1"]) for row in trainer.rows if row["held_out_l1"] is not None]
            axis.plot(*zip(*points, strict=True), marker="o", markersize=3, label=name)
        axis.set(title="Distance, held out", xlabel="pictures seen", ylim=(0, None))
        axis.xaxis.set_major_locator(matplotlib.ticker.MaxNLocator(4))
        axis.legend(loc="lower left")

    def text(self, trainers: Mapping[str, Any]) -> str:
        """The same in words."""
        values = [f"{name} {trainer.held_out_l1:.3f}" for name, trainer in trainers.items()]
        return f"Mean distance to the target on held-out pairs: {', '.join(values)}."
