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

from p2plib.plots.curves import CURVES, draw_curves, draw_distance
from p2plib.plots.grids import grid
from p2plib.plots.output import InPlace
from p2plib.plots.style import STYLE


class LiveFigure:
    """Curves and samples that follow a training: ``trainer.fit(on_report=LiveFigure())`` in a notebook.

    Args:
        count: held-out pairs shown.
        every: seconds between two drawings, so that looking does not slow the training.
    """

    def __init__(self, count: int = 4, every: float = 3.0) -> None:
        self.count, self.every = count, every
        self._put = InPlace()
        self._last = 0.0

    def __call__(self, trainer: Any) -> None:
        """Draw what the trainer has come to, if it is time or the end."""
        if time.monotonic() - self._last < self.every and not trainer.finished:
            return
        words = self.text(trainer)
        self._put(self.draw(trainer), words, f"Loss curves, and inputs, outputs and targets. {words}")
        self._last = time.monotonic()

    def draw(self, trainer: Any) -> Figure:
        """The figure: curves at the left; held-out inputs, outputs and targets at the right."""
        input, target = trainer.held_out(range(self.count))
        rows = {"input": input, "output": trainer.translate(input, seed=0), "target": target}
        with matplotlib.rc_context(STYLE):
            figure = plt.figure(figsize=(8.6, 3.7))
            parts: Any = figure.subfigures(1, 2, width_ratios=(4, 0.8 + 1.2 * self.count))
            if trainer.objective.adversarial:
                above, below = parts[0].subplots(2, 1, sharex=True)
                draw_curves((above, below), trainer.rows)
                above.set_xlabel("")
            else:
                draw_distance(parts[0].subplots(), trainer.rows)
            parts[0].subplots_adjust(bottom=0.13, top=0.9, left=0.14, right=0.97, hspace=0.35)
            grid(parts[1], rows, left=0.13)
        return figure

    def text(self, trainer: Any) -> str:
        """The same in words."""
        row = trainer.rows[-1]
        values = [f"{name} {row[key]:.3f}" for key, name in CURVES.items() if row[key] is not None]
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
