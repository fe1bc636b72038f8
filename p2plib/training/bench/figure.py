"""The figure of how the cost of a step grows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import matplotlib
import matplotlib.pyplot as plt
import matplotlib.ticker
from matplotlib.axes import Axes

from p2plib.plots.output import png
from p2plib.plots.style import COLOURS, STYLE
from p2plib.training.bench.growth import Point

LABELS = {"side": "side in px", "batch": "batch", "pairs": "pairs", "patch": "patch in px"}


def draw_growth(series: Mapping[str, Sequence[Point]]) -> bytes:
    """PNG: for each series the seconds of a step above, with their range, and the memory below."""
    named = {name: points for name, points in series.items() if points}
    with matplotlib.rc_context(STYLE):
        figure, axes = plt.subplots(2, len(named), figsize=(2.7 * len(named) + 0.4, 4.6), squeeze=False)
        for (above, below), (name, points) in zip(axes.T, named.items(), strict=True):
            places = list(range(len(points))) if name == "patch" else [p.value for p in points]
            _line(above, places, [p.step for p in points])
            above.vlines(places, [min(p.seconds) for p in points], [max(p.seconds) for p in points], color=COLOURS[0])
            known = [(x, p.memory / 2**20) for x, p in zip(places, points, strict=True) if p.memory is not None]
            _line(below, [x for x, _ in known], [memory for _, memory in known])
            above.set_title(LABELS[name])
            for axis in (above, below):
                _scale(axis, places, [p.value for p in points])
            if name == "side":
                steps = [p.step for p in points]
                above.set_yscale("log")
                above.set_ylim(min(steps) / 2, max(steps) * 2)
                above.yaxis.set_major_formatter(matplotlib.ticker.FormatStrFormatter("%g"))
                above.yaxis.set_minor_formatter(matplotlib.ticker.NullFormatter())
        axes[0][0].set_ylabel("seconds a step")
        axes[1][0].set_ylabel("peak memory, MiB")
        figure.tight_layout()
    return png(figure)


def alt_text(series: Mapping[str, Sequence[Point]]) -> str:
    """The figure in words."""
    parts = []
    for name, points in series.items():
        if points:
            a, b = points[0], points[-1]
            parts.append(f"{LABELS[name]} {a.value:,} to {b.value:,}: {a.step:.3g} to {b.step:.3g} s")
    return f"Seconds a step, and memory, against {'; '.join(parts)}."


def _line(axis: Axes, places: Sequence[int], heights: Sequence[float]) -> None:
    axis.plot(places, heights, marker="o", markersize=4, color=COLOURS[0], linestyle="-")
    axis.set_ylim(0, 1.1 * max(heights, default=1.0))


def _scale(axis: Axes, places: Sequence[int], values: Sequence[int]) -> None:
    """Each doubling one step to the right, or each value, where the places are counted from 0."""
    if places[0] > 0:
        axis.set_xscale("log", base=2)
    axis.set_xticks(list(places), [f"{v // 1000}k" if v >= 1000 and v % 1000 == 0 else str(v) for v in values])
    axis.minorticks_off()
