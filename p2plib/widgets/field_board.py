"""The figure of `FieldChooser`: a picture with one field in it, D's map with one cell in it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import matplotlib
import numpy as np
import torch
from matplotlib.axes import Axes
from matplotlib.colors import LinearSegmentedColormap
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Rectangle
from torch import Tensor

from p2plib.plots import COLOURS, INK, LINE, STYLE, as_array
from p2plib.widgets.pointing import Place

if TYPE_CHECKING:
    from p2plib.widgets.field import Field

Array = np.ndarray[Any, Any]
WIDE, HIGH = 7.6, 4.15  # inches: shown in full size beside JupyterLab's file list
DPI = STYLE["figure.dpi"]
PICTURE, MAP = (0.42, 0.4, 3.4, 3.4), (4.35, 0.75, 3.05, 3.05)  # left, bottom, width, height
#: From made to real: two colours that no eye confuses, white where D cannot tell.
CHANCE = LinearSegmentedColormap.from_list("chance", [COLOURS[1], "white", COLOURS[0]])
PADDING: dict[str, Any] = {"facecolor": "#f3f5f7", "edgecolor": LINE, "hatch": "////", "lw": 0, "zorder": -1}
BLANK = "#e9eff4"
RING = 14  # points
SMALL = 9  # screen pixels: what is smaller gets a ring


class FieldBoard:
    """The figure.  Its pictures are placed once: a new cell moves only its marks.

    Args:
        picture: (3, H, W), float in [-1, 1].
        logits: D's map (h, w), or None for a map without colours.
    """

    def __init__(self, picture: Tensor, logits: Tensor | None) -> None:
        self.chances = None if logits is None else torch.sigmoid(logits).numpy()
        self.shown = as_array(picture)
        grey = self.shown.mean(axis=2, keepdims=True)
        self.dimmed = np.repeat(110 + 0.5 * grey, 3, axis=2).round().astype(np.uint8)
        self.map: tuple[int, int] | None = None
        self.marks: list[Any] = []
        with matplotlib.rc_context(STYLE):
            self.figure = Figure(figsize=(WIDE, HIGH))
            self.picture_axes, self.map_axes = (
                self.figure.add_axes(
                    (left / WIDE, bottom / HIGH, width / WIDE, height / HIGH), aspect="equal", anchor="N"
                )
                for left, bottom, width, height in (PICTURE, MAP)
            )
        for axes in (self.picture_axes, self.map_axes):
            axes.grid(False)
            axes.tick_params(length=0, labelsize=8.5)
            axes.spines[:].set_visible(False)

    def draw(self, field: Field) -> None:
        """Show this field and its cell in place of the ones before."""
        with matplotlib.rc_context(STYLE):
            for artist in self.marks:
                artist.remove()
            if self.map != field.map:
                self.map = field.map
                self._place_picture(field)
                self._place_map(field)
                self.figure.draw_without_rendering()  # the marks need to know where all stands
            self._mark(field)

    def _place_picture(self, field: Field) -> None:
        """The picture amid as much padding as any field reaches into."""
        axes, (height, width) = self.picture_axes, field.size
        (above, below), (left, right) = field.margins
        axes.clear()
        axes.grid(False)
        axes.add_patch(Rectangle((-left, -above), left + width + right, above + height + below, **PADDING))
        axes.imshow(self.dimmed, extent=(0, width, height, 0), interpolation="nearest")
        edge = max(2, 0.01 * max(field.size))  # room for the outline
        axes.set(
            xlim=(-left - edge, width + right + edge),
            ylim=(height + below + edge, -above - edge),
            xticks=_ticks(width),
            yticks=_ticks(height),
            title=f"Picture, {height} × {width} px" + ("; hatched: padding" if above else ""),
        )

    def _place_map(self, field: Field) -> None:
        """The cells, in D's colours if there is a D."""
        axes, (rows, columns) = self.map_axes, field.map
        axes.clear()
        axes.grid(False)
        extent = (0, columns, rows, 0)
        if self.chances is None:
            axes.add_patch(Rectangle((0, 0), columns, rows, facecolor=BLANK))
        else:
            self.image = axes.imshow(self.chances, extent=extent, cmap=CHANCE, vmin=0, vmax=1, interpolation="nearest")
            self._legend()
        if max(rows, columns) <= 64:  # else they would hide the cells
            axes.hlines(range(rows + 1), 0, columns, color=LINE, lw=0.5, ls="-")
            axes.vlines(range(columns + 1), 0, rows, color=LINE, lw=0.5, ls="-")
        edge = 0.01 * max(rows, columns)
        axes.set(xlim=(-edge, columns + edge), ylim=(rows + edge, -edge), title=f"D's map, {rows} × {columns} cells")
        for axis, cells in ((axes.xaxis, columns), (axes.yaxis, rows)):
            numbers = _ticks(cells)
            axis.set_ticks([number + 0.5 for number in numbers], [str(number) for number in numbers])

    def _legend(self) -> None:
        """A colour bar with words, once."""
        if hasattr(self, "bar"):
            return
        left, _, width, _ = MAP
        self.bar = self.figure.add_axes((left / WIDE, 0.36 / HIGH, width / WIDE, 0.1 / HIGH))
        bar = self.figure.colorbar(self.image, cax=self.bar, orientation="horizontal", ticks=(0, 0.5, 1))
        bar.ax.set_xticklabels(["0: made", "0.5: cannot tell", "1: real"])
        bar.ax.tick_params(length=0, labelsize=8.5)
        first, _, last = bar.ax.get_xticklabels()
        first.set_horizontalalignment("left")
        last.set_horizontalalignment("right")
        bar.outline.set_edgecolor(LINE)

    def _mark(self, field: Field) -> None:
        """The pixels of the field in full colour, an outline around field and cell, lines between the two."""
        rows, columns = field.inside
        seen = self.shown[rows.start : rows.stop, columns.start : columns.stop]
        extent = (columns.start, columns.stop, rows.stop, rows.start)
        self.marks = [self.picture_axes.imshow(seen, extent=extent, interpolation="nearest")]
        (top, bottom), (left, right) = ((span.start, span.stop) for span in field.spans)
        (row, column) = field.cell
        _outline(self.picture_axes, left, top, right, bottom, self.marks)
        ring = _outline(self.map_axes, column, row, column + 1, row + 1, self.marks)
        if len(field.spans[0]) > 1:  # else it is a dot for a dot
            starts = self.picture_axes.transData.transform(((right, top), (right, bottom)))
            ends = self.map_axes.transData.transform(((column, row), (column, row + 1)))
            beside = ends.mean(0) + np.array(((0, ring), (0, -ring)))
            self.marks += self._rays(starts, beside if ring else ends)

    def _rays(self, starts: Array, ends: Array) -> list[Any]:
        """Thin lines, dark on white, between points in matplotlib's pixels, each (2, 2)."""
        lines, inverse = [], self.figure.transFigure.inverted()
        for colour, width in (("white", 2.4), (INK, 0.9)):
            for start, end in zip(inverse.transform(starts), inverse.transform(ends), strict=True):
                line = Line2D(*np.stack([start, end], axis=1), color=colour, lw=width, ls="-")
                lines.append(self.figure.add_artist(line))
        return lines

    def hit(self, place: Place, pressed: Place) -> tuple[str, float, float] | None:
        """What is pointed at: ("picture" or "map", y, x in its pixels or cells).

        A drag stays in the part where it began.  None: it began beside both.

        Args:
            place, pressed: shares of the figure's width and height, from its upper left corner.
        """
        for part, axes in (("picture", self.picture_axes), ("map", self.map_axes)):
            box, (start, at) = axes.get_window_extent(), (self._pixels(pressed), self._pixels(place))
            if box.contains(*start):
                (x, y), (left, right), (bottom, top) = (
                    axes.transData.inverted().transform(at),
                    axes.get_xlim(),
                    axes.get_ylim(),
                )
                return part, float(min(max(y, top), bottom)), float(min(max(x, left), right))
        return None

    def _pixels(self, place: Place) -> tuple[float, float]:
        """A share of the figure, from its upper left → matplotlib's pixels, from its lower left."""
        return place[0] * self.figure.bbox.width, (1 - place[1]) * self.figure.bbox.height


def _outline(axes: Axes, left: float, top: float, right: float, bottom: float, marks: list[Any]) -> float:
    """A dark line on a white one, seen on any ground; around what is too small to be seen, a ring.

    Args:
        marks: what is drawn is added to them.

    Returns:
        The radius of the ring in pixels and a little more, or 0.
    """
    small = (right - left) * (axes.transData.transform((1, 0)) - axes.transData.transform((0, 0)))[0] < SMALL
    for colour, width in (("white", 4.2), (INK, 1.9)):
        if small:
            ring: dict[str, Any] = {"marker": "o", "markersize": RING, "markerfacecolor": "none"}
            ring |= {"markeredgecolor": colour, "markeredgewidth": width, "zorder": 4, "clip_on": False}
            marks += axes.plot((left + right) / 2, (top + bottom) / 2, **ring)
        else:
            look: dict[str, Any] = {"fill": False, "edgecolor": colour, "lw": width, "zorder": 4, "clip_on": False}
            marks.append(axes.add_patch(Rectangle((left, top), right - left, bottom - top, **look)))
    return RING / 2 * DPI / 72 + 3 if small else 0


def _ticks(count: int) -> list[int]:
    """A few round numbers from 0 to below count, and the last one."""
    step = next((s for s in (1, 2, 5, 10, 20, 32, 64, 128, 256, 512, 1024) if count / s <= 6), 2048)
    numbers = list(range(0, count, step))
    if count - 1 - numbers[-1] < 0.5 * step and len(numbers) > 1:
        numbers.pop()
    return sorted({*numbers, count - 1})
