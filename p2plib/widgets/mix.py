"""A wall that could be one of three colours: what L1 and L2 answer, as the shares of the three change."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import matplotlib
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from p2plib.errors import UserError
from p2plib.plots import COLOURS, DASHES, INK, LINE, SOFT, STYLE
from p2plib.widgets.base import plain, put, untrimmed, words

#: The walls that one label may stand for: RGB, 0 to 255.
WALLS = {"brick": (178, 84, 58), "plaster": (232, 214, 178), "stone": (58, 66, 92)}
CHANNELS = ("red", "green", "blue")
GREYS = np.arange(256)


def lightness(colour: Sequence[int]) -> int:
    """Of an RGB colour, 0 to 255: the weights of Rec. 601, rounded."""
    return round(float(np.dot((0.299, 0.587, 0.114), colour)))


def weighted_median(values: Sequence[int], shares: Sequence[int]) -> tuple[int, int]:
    """The ends of the range of all values that minimise the mean absolute distance; mostly they are the same.

    They differ where the shares up to a value are exactly one half: then all values up to the next are as good.

    Args:
        values: what may occur.
        shares: how often each does, not negative and not all 0.
    """
    reached, low, total = 0, None, sum(shares)
    for value, share in sorted(zip(values, shares, strict=True)):
        reached += share
        if low is None and 2 * reached >= total:
            low = value
        if low is not None and 2 * reached > total:
            return low, value
    raise UserError("The shares must not be negative, and not all 0.")


def weighted_mean(values: Sequence[int], shares: Sequence[int]) -> float:
    """The value that minimises the mean squared distance."""
    return sum(v * s for v, s in zip(values, shares, strict=True)) / sum(shares)


@dataclass(frozen=True)
class Mix:
    """The three walls in their shares, and the constant colour that each loss likes best.

    Args:
        shares: of the walls in the order of `WALLS`, in per cent; their sum is 100.
    """

    shares: tuple[int, int, int]

    @property
    def greys(self) -> list[int]:
        """The lightness of each wall."""
        return [lightness(colour) for colour in WALLS.values()]

    @property
    def l1(self) -> tuple[tuple[int, ...], tuple[int, ...]]:
        """L1's best colours: the lowest and the highest median of each channel."""
        ends = [weighted_median(channel, self.shares) for channel in zip(*WALLS.values(), strict=True)]
        return tuple(low for low, _ in ends), tuple(high for _, high in ends)

    @property
    def l2(self) -> tuple[float, ...]:
        """L2's best colour: the mean of each channel."""
        return tuple(weighted_mean(channel, self.shares) for channel in zip(*WALLS.values(), strict=True))

    def losses(self) -> tuple[np.ndarray[Any, Any], np.ndarray[Any, Any]]:
        """Mean absolute and mean squared distance of each grey 0 … 255 to the walls: two arrays (256,)."""
        distance = GREYS[:, None] - np.array(self.greys)  # (256, 3)
        part = np.array(self.shares) / 100
        return np.abs(distance) @ part, distance**2 @ part


def whose(colour: Sequence[float]) -> str:
    """Which wall has this colour; failing that, which wall each channel is taken from, if from any."""
    for name, wall in WALLS.items():
        if tuple(colour) == wall:
            return f"the {name}"
    parts: dict[str, list[str]] = {}
    for i, channel in enumerate(CHANNELS):
        source = next((name for name, wall in WALLS.items() if wall[i] == colour[i]), None)
        if source is None:
            return "no wall"
        parts.setdefault(source, []).append(channel)
    taken = ", ".join(f"{' and '.join(channels)} of the {name}" for name, channels in parts.items())
    return f"no wall: {taken}"


def in_words(mix: Mix) -> str:
    """The shares, and both optima: in lightness, in colour, and whether a wall has that colour."""
    low, high = weighted_median(mix.greys, mix.shares)
    (first, last), mean = mix.l1, mix.l2
    walls = ", ".join(f"{share} % {name}" for name, share in zip(WALLS, mix.shares, strict=True))
    if first == last:
        best = f"colour {_rgb(first)}, {_had(first)}"
    else:  # a share, or two together, of exactly one half
        best = f"any colour from {_rgb(first)} to {_rgb(last)}, all equally good"
    return (
        f"{walls}. L1's best, the median: lightness {_range(low, high)}, {best}. "
        f"L2's best, the mean: lightness {weighted_mean(mix.greys, mix.shares):.1f}, colour {_rgb(mean)}, {_had(mean)}."
    )


def _had(colour: Sequence[float]) -> str:
    name = whose(colour)
    return f"which no wall has{name.removeprefix('no wall')}" if name.startswith("no wall") else f"that of {name}"


def _range(low: int, high: int) -> str:
    return str(low) if low == high else f"{low} to {high}"


def _rgb(colour: Sequence[float]) -> str:
    return f"({', '.join(str(round(value)) for value in colour)})"


Look = tuple[str, Any, str]  # colour, dash, marker
L1: Look = (COLOURS[0], DASHES[0], "D")
L2: Look = (COLOURS[1], DASHES[1], "o")
WIDE, HIGH = 7.6, 5.1  # inches: shown in full size beside JupyterLab's file list
SPLIT = 4.2  # where the walls begin


class Board:
    """The figure of a mix.  Its axes are made once: they are what takes time.

    Left, over the lightness: the walls, then each loss with its minimum.  Right: the colours.
    """

    def __init__(self) -> None:
        with matplotlib.rc_context(STYLE):
            self.figure = Figure(figsize=(WIDE, HIGH))
            self.bars, self.l1, self.l2 = (
                self.figure.add_axes((0.6 / WIDE, bottom / HIGH, (SPLIT - 0.9) / WIDE, height / HIGH))
                for bottom, height in ((3.72, 1.1), (2.1, 1.15), (0.5, 1.15))
            )
            self.bars.set(title="The walls, by lightness: share in %", ylim=(-26, 165), yticks=(0, 50, 100))
            for axes, name, top in ((self.l1, "L1: mean absolute", 220), (self.l2, "L2: mean squared", 48_000)):
                axes.set(title=f"{name} distance", ylim=(-0.06 * top, top), yticks=(0, top // 2, top))
            for axes in (self.bars, self.l1, self.l2):
                axes.set(xlim=(0, 255), xticks=range(0, 251, 50))
                axes.tick_params(length=0, labelsize=8.5, labelbottom=axes is not self.bars)
            self.l2.set_xlabel("one constant grey for all of them")
            self.colours = self.figure.add_axes((SPLIT / WIDE, 0, 1 - SPLIT / WIDE, 1))
            self.colours.set(xlim=(0, WIDE - SPLIT), ylim=(0, HIGH))
            self.colours.axis("off")

    def draw(self, mix: Mix) -> bytes:
        """This mix instead of the one before, as a PNG."""
        low, high = weighted_median(mix.greys, mix.shares)
        mean = weighted_mean(mix.greys, mix.shares)
        with matplotlib.rc_context(STYLE):
            for axes in self.figure.axes:
                for artist in (*axes.lines, *axes.patches, *axes.texts):
                    artist.remove()
            _bars(self.bars, mix)
            for axes, loss, look, best, said in (
                (self.l1, mix.losses()[0], L1, (low, high), f"median {_range(low, high)}"),
                (self.l2, mix.losses()[1], L2, (mean, mean), f"mean {mean:.1f}"),
            ):
                _curve(axes, loss, look, best, said)
                _marks(self.bars, best, -13, look)
            _colours(self.colours, mix)
        return untrimmed(self.figure)


def _bars(axes: Axes, mix: Mix) -> None:
    """The walls at their lightness, as high as their shares."""
    for (name, wall), grey, share in zip(WALLS.items(), mix.greys, mix.shares, strict=True):
        axes.add_patch(Rectangle((grey - 4.5, 0), 9, share, facecolor=np.array(wall) / 255, edgecolor=INK, lw=0.8))
        axes.text(grey, share + 5, f"{name}\n{share} %", ha="center", va="bottom", fontsize=8.5)
    axes.axhline(0, color=SOFT, lw=0.8, ls="-")


def _curve(axes: Axes, loss: np.ndarray[Any, Any], look: Look, best: tuple[float, float], said: str) -> None:
    """A loss over all greys, and its minimum."""
    axes.plot(GREYS, loss, color=look[0], ls=look[1])
    height = np.interp(best, GREYS, loss)
    _marks(axes, best, height, look)
    above = height[0] + 0.17 * axes.get_ylim()[1]
    axes.text(sum(best) / 2, above, said, ha="center", va="bottom", fontsize=9, weight="bold")


def _marks(axes: Axes, best: tuple[float, float], height: Any, look: Look) -> None:
    """The minimum at its value: a marker, or two and a bar between them."""
    heights = np.broadcast_to(height, 2)
    axes.plot(best, heights, color=INK, ls="-", lw=3, clip_on=False)
    marker: dict[str, Any] = {"color": look[0], "marker": look[2], "markersize": 7.5, "markeredgecolor": INK}
    axes.plot(best, heights, ls="", zorder=3, clip_on=False, **marker)


def _colours(axes: Axes, mix: Mix) -> None:
    """Three walls in a row, under them what each loss answers."""
    axes.text(0.1, HIGH - 0.2, "What the label may stand for", weight="bold", va="center", fontsize=10)
    for i, ((name, wall), share) in enumerate(zip(WALLS.items(), mix.shares, strict=True)):
        _wall(axes, 0.1 + 1.1 * i, 3.67, 1.0, 0.95, wall, wall)
        axes.text(0.6 + 1.1 * i, 3.6, f"{name}\n{share} %", ha="center", va="top", fontsize=9)
    (first, last), mean = mix.l1, mix.l2
    for x, look, title, ends in (
        (0.1, L1, "L1: the median", (first, last)),
        (1.75, L2, "L2: the mean", (mean, mean)),
    ):
        axes.text(x + 0.16, 2.72, title, weight="bold", va="center", fontsize=10)
        axes.plot(x + 0.05, 2.72, color=look[0], marker=look[2], markersize=7.5, markeredgecolor=INK)
        _wall(axes, x, 1.1, 1.5, 1.45, *ends)
        axes.text(x + 0.75, 1.03, _owner(*ends), ha="center", va="top", fontsize=9)


def _owner(first: Sequence[float], last: Sequence[float]) -> str:
    """Two or three short lines: whose colour it is, and its numbers."""
    if first != last:
        return f"anything from\n{_rgb(first)}\nto {_rgb(last)}"
    name = whose(first)
    return f"{'no wall has it' if name.startswith('no wall') else f'as {name}'}\n{_rgb(first)}"


def _wall(axes: Axes, x: float, y: float, w: float, h: float, left: Sequence[float], right: Sequence[float]) -> None:
    """A wall with two windows; its halves differ where two colours are equally good."""
    for start, colour in ((x, left), (x + w / 2, right)):
        axes.add_patch(Rectangle((start, y), w / 2, h, facecolor=np.array(colour) / 255, lw=0))
    axes.add_patch(Rectangle((x, y), w, h, facecolor="none", edgecolor=INK, lw=1))
    for part in (0.14, 0.62):
        window = (x + part * w, y + 0.34 * h)
        axes.add_patch(Rectangle(window, 0.24 * w, 0.4 * h, facecolor=LINE, edgecolor=SOFT, lw=1))


class MixExplorer:
    """Two sliders for how often a wall is brick and plaster (the rest is stone), and what each loss answers.

    Args:
        shares: of brick, plaster and stone, in whole per cent.

    Raises:
        UserError: if they are not three whole numbers from 0 on that add up to 100.
    """

    def __init__(self, shares: Sequence[int] = (60, 25, 15)) -> None:
        import ipywidgets

        if len(shares) != 3 or min(shares) < 0 or sum(shares) != 100 or any(s != int(s) for s in shares):
            raise UserError(f"MixExplorer takes three shares in whole per cent that add up to 100, not {shares}.")
        slider: dict[str, Any] = {"style": {"description_width": "5em"}, "layout": {"width": "30em"}}
        self.sliders = [
            ipywidgets.IntSlider(value=int(share), min=0, max=100, description=f"{name} %", **slider)
            for name, share in zip(WALLS, shares[:2], strict=False)
        ]
        self.rest = ipywidgets.HTML()
        self.board = Board()
        size = {"width": f"{WIDE * STYLE['figure.dpi']:.0f}px", "max_width": "100%", "object_fit": "contain"}
        self.image = ipywidgets.Image(format="png", layout=size)
        self.said = ipywidgets.HTML()
        for moved, other in (self.sliders, self.sliders[::-1]):
            moved.observe(lambda change, moved=moved, other=other: self._moved(moved, other), names="value")
        self.update()
        self.widget = ipywidgets.VBox([*self.sliders, self.rest, self.image, self.said])

    def _moved(self, moved: Any, other: Any) -> None:
        if moved.value + other.value > 100:
            other.value = 100 - moved.value  # comes back here through `other`, and then draws
        else:
            self.update()

    def update(self) -> None:
        """Work out and draw what the sliders say."""
        first, second = (slider.value for slider in self.sliders)
        self.mix = Mix((first, second, 100 - first - second))
        self.image.value = self.board.draw(self.mix)
        self.rest.value = plain(f"The rest is stone: {self.mix.shares[2]} %.")
        self.said.value = words(in_words(self.mix))

    def show(self) -> None:
        """Put it into the notebook."""
        put(
            self.widget,
            picture=self.image.value,
            alt="Three walls that one label may stand for; beside them the two losses of one constant grey with their "
            "minima, and the colours that L1 and L2 answer. Sliders change how often each wall occurs. "
            f"{in_words(self.mix)}",
        )
