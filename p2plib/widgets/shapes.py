"""Every shape in a U-Net, for any side, depth and width: what fits, and where a side does not."""

from __future__ import annotations

from dataclasses import dataclass
from math import log2
from typing import Any

import matplotlib
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from p2plib.errors import UserError
from p2plib.plots import COLOURS, INK, LINE, SOFT, STYLE
from p2plib.widgets.base import put, untrimmed, words

SIDES, DEPTHS, BASES = (8, 512), (2, 8), (8, 16, 32, 64)
DOWN, WRONG, UP, BOTTLENECK = COLOURS[0], COLOURS[1], COLOURS[2], COLOURS[4]


@dataclass(frozen=True)
class Trace:
    """The maps of `UNetGenerator(base=base, depth=depth)` for a square picture, without making the network.

    Level 0 is the picture, level i what encoder block i gives, level `depth` the bottleneck.

    Args:
        side: of the picture in pixels.
        depth: encoder blocks.
        base: channels of the first block.
    """

    side: int
    depth: int
    base: int

    @property
    def channels(self) -> list[int]:
        """Channels of the encoder's maps, and of the decoder's before the skip joins: 3, base, 2 × base, …"""
        return [3, *(self.base * min(2**i, 8) for i in range(self.depth))]

    @property
    def down(self) -> list[int]:
        """Sides of the encoder's maps, levels 0 to depth: a convolution k4 s2 p1 gives ⌊side / 2⌋.  0: no map."""
        return [self.side >> i for i in range(self.depth + 1)]

    @property
    def up(self) -> list[int]:
        """Sides of the decoder's maps, levels 0 to depth − 1: each is twice the one below."""
        return [self.down[-1] << self.depth - i for i in range(self.depth)]

    @property
    def fits(self) -> bool:
        """Whether the network takes this side."""
        return self.side % 2**self.depth == 0

    @property
    def lossy(self) -> list[int]:
        """Levels whose side is odd, so that halving them rounds down."""
        return [i for i in range(self.depth) if self.down[i] % 2 and self.down[i] > 1]

    @property
    def stuck(self) -> int | None:
        """The level of side 1 at which another halving is asked, if there is one."""
        return next((i for i in range(self.depth) if self.down[i] == 1), None)

    @property
    def clash(self) -> int | None:
        """The level at which what comes up first differs from what went down, if both are there."""
        if self.stuck is not None:
            return None
        return next((i for i in reversed(range(self.depth)) if self.up[i] != self.down[i]), None)

    def reached(self, level: int) -> bool:
        """Whether a decoder's map is made there at all."""
        return self.stuck is None and (self.clash is None or level >= self.clash)

    @property
    def parameters(self) -> int:
        """`parameter_count` of the network: 16 weights a pair of channels, 2 a normed channel, a bias on the last."""
        c, last = self.channels, self.depth - 1
        encoder = sum(16 * c[i] * c[i + 1] + (2 * c[i + 1] if 0 < i < last else 0) for i in range(self.depth))
        decoder = sum(
            16 * c[i + 1] * (1 if i == last else 2) * c[i] + (2 * c[i] if i else c[i]) for i in range(self.depth)
        )
        return encoder + decoder


def in_words(t: Trace) -> str:
    """What the trace shows, in two or three sentences; a side that does not fit in the network's own words."""
    if t.fits:
        side, channels = t.down[-1], t.channels[-1]
        return (
            f"A picture of {t.side} × {t.side} px, depth {t.depth}, base {t.base}: {side} × {side} × {channels} at the "
            f"bottleneck: {side * side * channels:,} numbers for {3 * t.side**2:,}; {t.parameters:,} parameters."
        )
    step = 2**t.depth
    below, above = t.side // step * step, (t.side // step + 1) * step
    return (
        f"A picture of {t.side} × {t.side} px does not fit a U-Net of depth {t.depth}: it halves {t.depth} times, so "
        f"height and width must be multiples of {step}; the nearest to {t.side} "
        f"{f'are {below} and ' if below else 'is '}{above}. {_why(t)} Base {t.base}: {t.parameters:,} parameters."
    )


def _why(t: Trace) -> str:
    """Where the pixels go, for a side that does not fit."""
    lost = ", ".join(f"{t.down[i]} → {t.down[i + 1]}" for i in t.lossy)
    said = []
    if lost:
        said.append(f"On the way down {lost}: half of an odd side is rounded down.")
    if t.stuck is not None:
        left = t.depth - t.stuck
        said.append(
            f"After {t.stuck} halvings one pixel is left and {left} {'are' if left > 1 else 'is'} still to come: "
            "the bottleneck would be smaller than 1 px."
        )
    elif t.clash:
        said.append(
            f"Back up it gives {t.up[t.clash]}, not {t.down[t.clash]}: no skip can be joined, and the way ends there."
        )
    else:
        said.append(f"Back up it gives {t.up[0]}, not {t.down[0]}.")
    return " ".join(said)


# The picture.  Units are inches: WIDE × a row for each level; shown in full size beside JupyterLab's file list.
WIDE, ROW, ABOVE, BELOW = 7.6, 0.56, 0.42, 0.12
MIDDLE = WIDE / 2


def _box(t: Trace, level: int, side: int, *, right: bool = False) -> tuple[float, float, float, float]:
    """Centre x, y and width, height of a map: heights grow with log side, widths with log channels."""
    inward = 1.85 + 0.8 * level / (t.depth - 1)
    x = MIDDLE if level == t.depth else WIDE - inward if right else inward
    y = BELOW + ROW * (t.depth - level) + ROW / 2
    return x, y, 0.05 * log2(t.channels[level]) + 0.04, 0.045 * log2(max(side, 1)) + 0.05


def draw(t: Trace) -> Figure:
    """The U: its width is always the same, its height follows the depth."""
    high = BELOW + ROW * (t.depth + 1) + ABOVE
    with matplotlib.rc_context(STYLE):
        figure = Figure(figsize=(WIDE, high))
        axes = figure.add_axes((0, 0, 1, 1))
        axes.set(xlim=(0, WIDE), ylim=(0, high))
        axes.axis("off")
        for x, text in (
            (1.85, "encoder: halves"),
            (MIDDLE, "skips: concatenated"),
            (WIDE - 1.85, "decoder: doubles"),
        ):
            axes.text(x, high - 0.2, text, ha="center", va="center", weight="bold")
        for level in range(t.depth + 1):
            _encoder_map(axes, t, level)
        for level in range(t.depth):
            _decoder_map(axes, t, level)
            if level:
                _skip(axes, t, level)
    return figure


def _encoder_map(axes: Axes, t: Trace, level: int) -> None:
    """A map on the way down, its label, and the arrow that leads to it."""
    side, last = t.down[level], level == t.depth
    wrong = level in t.lossy or level == t.stuck
    x, y, w, h = box = _box(t, level, side)
    _map(axes, box, WRONG if wrong else BOTTLENECK if last else DOWN, missing=not side)
    if level:
        above = _box(t, level - 1, t.down[level - 1])
        _arrow(axes, (above[0], above[1] - above[3] / 2), (x, y + h / 2) if not last else (x - w / 2, y), bool(side))
    shape = _shape(t.channels[level], side) if side else "no map"
    if last:
        axes.text(
            x, y - h / 2 - 0.07, f"bottleneck {shape}" if side else "no bottleneck", ha="center", va="top", fontsize=9
        )
        return
    lines = [f"input {shape}" if level == 0 else shape]
    if wrong:
        lines += [f"✗ {side} → {side // 2}: rounded down" if side > 1 else "✗ 1 px: cannot halve"]
    _label(axes, x - w / 2 - 0.07, y, lines, "right", WRONG if wrong else INK if side else SOFT)


def _decoder_map(axes: Axes, t: Trace, level: int) -> None:
    """A map on the way up, its label, and the arrow that leads to it."""
    side, reached, wrong = t.up[level], t.reached(level), level == t.clash
    x, y, w, h = box = _box(t, level, side if reached else 1, right=True)
    _map(axes, box, WRONG if wrong else UP, missing=not reached)
    below_side = t.down[-1] if level == t.depth - 1 else t.up[level + 1]
    below = _box(t, level + 1, below_side if t.reached(level + 1) else 1, right=True)
    start = (below[0] + below[2] / 2, below[1]) if level == t.depth - 1 else (below[0], below[1] + below[3] / 2)
    _arrow(axes, start, (x, y - h / 2), reached)
    lines = [_shape(t.channels[level], side) if reached else "not reached"]
    if level == 0 and reached:
        lines[0] += " output"
    if wrong:
        lines += [f"✗ {side}, not {t.down[level]}"]
    _label(axes, x + w / 2 + 0.07, y, lines, "left", WRONG if wrong else INK if reached else SOFT)


def _skip(axes: Axes, t: Trace, level: int) -> None:
    """The arrow across, and the channels after the concatenation."""
    c, joins = t.channels[level], t.reached(level) and level != t.clash
    if not t.down[level]:
        return
    left = _box(t, level, t.down[level])
    right = _box(t, level, t.up[level], right=True)
    ends = (left[0] + left[2] / 2 + 0.06, left[1]), (right[0] - right[2] / 2 - 0.06, right[1])
    _arrow(axes, *ends, joins, SOFT)
    text = f"✗ {t.up[level]} px, {t.down[level]} px" if level == t.clash else ""
    text = f"{c} + {c} = {2 * c}" if joins else text
    axes.text(MIDDLE, left[1] + 0.03, text, ha="center", va="bottom", fontsize=9, color=INK if joins else WRONG)


def _shape(channels: int, side: int) -> str:
    return f"({channels}, {side}, {side})"


def _map(axes: Axes, box: tuple[float, float, float, float], colour: str, *, missing: bool) -> None:
    x, y, w, h = box
    look: dict[str, Any] = {"facecolor": colour, "edgecolor": INK, "lw": 0.8}
    if missing:
        look = {"facecolor": "white", "edgecolor": SOFT, "lw": 0.8, "ls": ":"}
    elif colour == WRONG:  # hatched: not by colour alone
        look |= {"hatch": "////", "edgecolor": "white"}
    axes.add_patch(Rectangle((x - w / 2, y - h / 2), w, h, zorder=2, **look))


def _arrow(axes: Axes, start: tuple[float, float], end: tuple[float, float], there: bool, colour: str = INK) -> None:
    look = {"arrowstyle": "-|>", "color": colour if there else LINE, "lw": 1, "ls": "-" if there else ":"}
    axes.annotate("", end, start, arrowprops=look | {"shrinkA": 1, "shrinkB": 1})


def _label(axes: Axes, x: float, y: float, lines: list[str], ha: Any, colour: str) -> None:
    axes.text(x, y, "\n".join(lines), ha=ha, va="center", fontsize=9, color=colour, linespacing=1.15)


class ShapeTracer:
    """Sliders for side, depth and base; below them the U-Net with every shape in it.

    Args:
        side: of the picture, 8 to 512 px.
        depth: encoder blocks, 2 to 8.
        base: channels of the first block: 8, 16, 32 or 64.

    Raises:
        UserError: for a value outside these.
    """

    def __init__(self, side: int = 64, depth: int = 6, base: int = 16) -> None:
        import ipywidgets

        if not (SIDES[0] <= side <= SIDES[1] and DEPTHS[0] <= depth <= DEPTHS[1] and base in BASES):
            raise UserError(
                f"ShapeTracer takes sides of {SIDES[0]} to {SIDES[1]} px, depths of {DEPTHS[0]} to {DEPTHS[1]} and "
                f"bases of {', '.join(map(str, BASES))}, not {side}, {depth} and {base}."
            )
        slider: dict[str, Any] = {"style": {"description_width": "4.5em"}, "layout": {"width": "30em"}}
        self.side = ipywidgets.IntSlider(value=side, min=SIDES[0], max=SIDES[1], description="side px", **slider)
        self.depth = ipywidgets.IntSlider(value=depth, min=DEPTHS[0], max=DEPTHS[1], description="depth", **slider)
        self.base = ipywidgets.SelectionSlider(options=list(BASES), value=base, description="base", **slider)
        size = {"width": f"{WIDE * STYLE['figure.dpi']:.0f}px", "max_width": "100%", "object_fit": "contain"}
        self.image = ipywidgets.Image(format="png", layout=size)
        self.said = ipywidgets.HTML()
        for control in (self.side, self.depth, self.base):
            control.observe(lambda change: self.update(), names="value")
        self.update()
        self.widget = ipywidgets.VBox([self.side, self.depth, self.base, self.image, self.said])

    def update(self) -> None:
        """Trace and draw what the sliders say."""
        self.trace = Trace(self.side.value, self.depth.value, self.base.value)
        self.image.value = untrimmed(draw(self.trace))
        self.said.value = words(in_words(self.trace))

    def show(self) -> None:
        """Put it into the notebook."""
        put(
            self.widget,
            picture=self.image.value,
            alt="A U-Net as a U of boxes, each with its channels, height and width; skips lead across. Sliders change "
            f"the side of the picture, the depth and the channels of the first block. {in_words(self.trace)}",
        )
