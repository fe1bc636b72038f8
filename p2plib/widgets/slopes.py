"""Why the generator maximises log D: what it could minimise instead, and how steep each of the two is."""

from __future__ import annotations

from dataclasses import dataclass
from math import exp, log1p
from typing import Any

import matplotlib
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from p2plib.errors import UserError
from p2plib.plots import COLOURS, DASHES, INK, SOFT, STYLE
from p2plib.widgets.base import put, untrimmed, words

FURTHEST, STEP = 8.0, 0.25  # of the logit
REACH = 1.6  # of a tangent to either side, in logits


@dataclass(frozen=True)
class Slopes:
    """Both losses of G at one logit that D gives a made picture, and their slopes with respect to that logit.

    Section 3.1 writes the first, log(1 − D); section 3.3 trains on the second, −log D, as Goodfellow et al. do.

    Args:
        logit: what D says; D = sigmoid(logit) is its probability that the picture is real.
    """

    logit: float

    @property
    def chance(self) -> float:
        """D's probability that the picture is real."""
        return _sigmoid(self.logit)

    @property
    def values(self) -> tuple[float, float]:
        """log(1 − D) and −log D."""
        return -_softplus(self.logit), _softplus(-self.logit)

    @property
    def slopes(self) -> tuple[float, float]:
        """−D and D − 1: the second written as −sigmoid(−logit), which loses no digits near D = 1."""
        return -_sigmoid(self.logit), -_sigmoid(-self.logit)


def _sigmoid(x: float) -> float:
    return 1 / (1 + exp(-x))


def _softplus(x: float) -> float:
    """log(1 + exp(x)), without overflow."""
    return max(x, 0) + log1p(exp(-abs(x)))


NAMES = ("log(1 − D)", "−log D")


def in_words(s: Slopes) -> str:
    """How sure D is, both slopes, and how they compare."""
    first, second = s.slopes
    said = f"{_sure(s)}: {_percent(s.chance)} real. {NAMES[0]} has slope {number(first)}, {NAMES[1]} {number(second)}: "
    if s.logit == 0:
        return said + "both are as steep."
    if s.logit < 0:
        return said + f"{NAMES[1]} is {_times(second / first)} times as steep."
    return said + f"{NAMES[0]} is {_times(first / second)} times as steep, but there D is fooled already."


def _sure(s: Slopes) -> str:
    """What D makes of the picture."""
    if s.logit == 0:
        return "D cannot tell"
    mind = "is sure" if abs(s.logit) >= 3 else "thinks"
    return f"D {mind} that the picture is {'made' if s.logit < 0 else 'real'}"


def number(value: float) -> str:
    """Two digits, and as many more as it takes to tell it from −1; with a minus sign, not a hyphen."""
    digits = 2
    while abs(value) < 1 and abs(float(f"{value:.{digits}f}")) in (0.0, 1.0):
        digits += 1
    return f"{value:.{digits}f}".replace("-", "−")


def _percent(share: float) -> str:
    return f"{100 * share:.2f} %" if min(share, 1 - share) < 0.01 else f"{100 * share:.1f} %"


def _times(ratio: float) -> str:
    return f"{ratio:,.0f}" if ratio >= 10 else f"{ratio:.1f}"


WIDE, HIGH = 7.6, 3.75  # inches: shown in full size beside JupyterLab's file list
LOGITS = np.linspace(-FURTHEST, FURTHEST, 161)
MARKERS = ("o", "D")


class SlopeBoard:
    """The figure: both losses over the logit with their tangents, and beside them how steep the tangents are.

    Its axes and curves are made once; a new logit moves the marks.
    """

    def __init__(self) -> None:
        with matplotlib.rc_context(STYLE):
            self.figure = Figure(figsize=(WIDE, HIGH))
            self.curves = self.figure.add_axes((0.5 / WIDE, 0.68 / HIGH, 4.5 / WIDE, 2.75 / HIGH))
            self.bars = self.figure.add_axes((5.45 / WIDE, 0.68 / HIGH, 1.95 / WIDE, 2.75 / HIGH))
            self._place_curves()
            self._place_bars()
        self.marks: list[Any] = []

    def _place_curves(self) -> None:
        axes, ticks = self.curves, (-8, -4, -2, 0, 2, 4, 8)
        said = [f"{_whole(x)}\n{_percent(_sigmoid(x))}" for x in ticks]
        axes.set(title="Two losses for G", xlim=(-8.3, 8.3), ylim=(-9, 9), yticks=(-8, -4, 0, 4, 8))
        axes.set_xticks(ticks, said)
        axes.set_yticks(axes.get_yticks(), [_whole(y) for y in axes.get_yticks()])
        axes.tick_params(length=0, labelsize=8.5)
        axes.set_xlabel("D's logit for a made picture; below it D in per cent")
        values = np.array([Slopes(x).values for x in LOGITS]).T
        for loss, colour, dash in zip(values, COLOURS, DASHES, strict=False):
            axes.plot(LOGITS, loss, color=colour, ls=dash, lw=2)
        axes.text(-3.5, 5.2, NAMES[1], color=INK, weight="bold")
        axes.text(4.4, -3.4, NAMES[0], color=INK, weight="bold")

    def _place_bars(self) -> None:
        axes = self.bars
        axes.set(title="Size of the slope", xlim=(-0.6, 1.6), ylim=(0, 1.12), yticks=(0, 0.5, 1))
        axes.set_xticks((0, 1), NAMES)
        axes.tick_params(length=0, labelsize=8.5)
        axes.grid(False, axis="x")

    def draw(self, s: Slopes) -> None:
        """This logit in place of the one before."""
        with matplotlib.rc_context(STYLE):
            for artist in self.marks:
                artist.remove()
            self.marks = [self.curves.axvline(s.logit, color=SOFT, lw=0.9, ls=":")]
            for i, (value, slope) in enumerate(zip(s.values, s.slopes, strict=True)):
                self.marks += _tangent(self.curves, s.logit, value, slope, i)
                self.marks += _bar(self.bars, slope, i)


def _tangent(axes: Axes, logit: float, value: float, slope: float, i: int) -> list[Any]:
    """A short straight line along curve i, and a marker where it touches."""
    ends = np.array((-REACH, REACH))
    look: dict[str, Any] = {"color": COLOURS[i], "marker": MARKERS[i], "markersize": 7.5, "markeredgecolor": INK}
    return [
        *axes.plot(logit + ends, value + slope * ends, color=INK, ls="-", lw=2.6, alpha=0.75, zorder=3),
        *axes.plot(logit, value, ls="", zorder=4, clip_on=False, **look),
    ]


def _bar(axes: Axes, slope: float, i: int) -> list[Any]:
    """The size of slope i as a bar with its number."""
    (bar,) = axes.bar(i, -slope, width=0.55, color=COLOURS[i], edgecolor=INK, lw=0.8)
    return [bar, axes.text(i, -slope + 0.025, number(-slope), ha="center", va="bottom", fontsize=9.5, weight="bold")]


def _whole(value: float) -> str:
    return f"{value:.0f}".replace("-", "−")


class SlopePlot:
    """A slider for what D says of a made picture; both losses that G could minimise, and their slopes there.

    Args:
        logit: to begin with, from −8 to 8 in steps of 0.25.

    Raises:
        UserError: for another logit.
    """

    def __init__(self, logit: float = -4.0) -> None:
        import ipywidgets

        if not (abs(logit) <= FURTHEST and logit % STEP == 0):
            raise UserError(f"SlopePlot takes a logit from −8 to 8 in steps of {STEP}, not {logit!r}.")
        self.logit = ipywidgets.FloatSlider(
            value=logit, min=-FURTHEST, max=FURTHEST, step=STEP, description="D's logit",
            style={"description_width": "5em"}, layout={"width": "30em"},
        )  # fmt: skip
        self.board = SlopeBoard()
        size = {"width": f"{WIDE * STYLE['figure.dpi']:.0f}px", "max_width": "100%", "object_fit": "contain"}
        self.image = ipywidgets.Image(format="png", layout=size)
        self.said = ipywidgets.HTML()
        self.logit.observe(lambda change: self.update(), names="value")
        self.update()
        self.widget = ipywidgets.VBox([self.logit, self.image, self.said])

    def update(self) -> None:
        """Work out and draw what the slider says."""
        self.slopes = Slopes(self.logit.value)
        self.board.draw(self.slopes)
        self.image.value = untrimmed(self.board.figure)
        self.said.value = words(in_words(self.slopes).replace("log D", "log\u00a0D"))  # never broken over a line

    def show(self) -> None:
        """Put it into the notebook."""
        put(
            self.widget,
            picture=self.image.value,
            alt="Two losses for the generator over D's logit of a made picture: log(1 − D), flat where D is sure, and "
            "−log D, steep there; their tangents at the slider's place, and two bars for the sizes of their slopes. "
            f"{in_words(self.slopes)}",
        )
