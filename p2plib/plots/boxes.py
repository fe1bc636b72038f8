"""What is no picture and no curve: the box of departures, the diagram of pix2pix."""

from __future__ import annotations

import html
from collections.abc import Sequence

import matplotlib
import matplotlib.pyplot as plt
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from torch import Tensor

from p2plib.plots.grids import as_array
from p2plib.plots.style import COLOURS, INK, LINE, SOFT, STYLE


def departures(rows: Sequence[tuple[str, str, str, str]]) -> None:
    """The box "where this departs from the paper".

    Args:
        rows: (what, in the paper, here, why).
    """
    from IPython.display import display

    title = "Where this departs from the paper"
    cell = f"padding:3px 14px 3px 0;text-align:left;vertical-align:top;border-bottom:1px solid {LINE}"
    head = "".join(f'<th style="{cell}">{name}</th>' for name in ("", "the paper", "here", "why"))
    body = "".join(
        "<tr>" + "".join(f'<td style="{cell}">{html.escape(value)}</td>' for value in row) + "</tr>" for row in rows
    )
    box = f"border-left:4px solid {COLOURS[4]};padding:4px 12px;margin:0.5em 0"
    table = f'<div style="{box}"><b>{title}</b><table><tr>{head}</tr>{body}</table></div>'
    words = "\n".join(f"- {what}: the paper {paper}; here {here}; {why}" for what, paper, here, why in rows)
    display({"text/html": table, "text/plain": f"{title}\n{words}"}, raw=True)


def pix2pix_diagram(input: Tensor, output: Tensor, target: Tensor) -> Figure:
    """Who does what in pix2pix, with real pictures at the joints.

    Args:
        input, output, target: one picture each, (3, H, W), float in [-1, 1] or uint8.
    """
    with matplotlib.rc_context(STYLE):
        figure, axes = plt.subplots(figsize=(8.6, 3.9))
        axes.set(xlim=(0, 86), ylim=(0, 39))
        axes.axis("off")
        for image, x, y, name in (
            (input, 1, 20, "input x: a map"),
            (output, 39, 20, "output G(x)"),
            (target, 39, 1, "target y"),
        ):
            axes.imshow(as_array(image), extent=(x, x + 15, y, y + 15), interpolation="nearest", zorder=2)
            above = image is not input
            axes.text(x, y + 15.7 if above else y - 0.7, name, fontsize=9, va="bottom" if above else "top")
        axes.set(xlim=(0, 86), ylim=(0, 39), aspect="equal")
        _box(axes, 20, 24, 14, 7, "generator G\na U-Net", "chapter 02", COLOURS[0])
        _box(axes, 62, 24, 22, 7, "discriminator D\na PatchGAN: real or fake?", "chapters 04, 05", COLOURS[1])
        _box(axes, 62, 8, 22, 7, "L1: how far from\nthe target, pixel by pixel?", "chapter 03", COLOURS[2])
        for start, end in (
            ((16, 27.5), (20, 27.5)),
            ((34, 27.5), (39, 27.5)),
            ((54, 27.5), (62, 27.5)),
            ((54, 23), (62, 13.5)),
            ((54, 9), (62, 10)),
            ((54, 14), (62, 24)),
        ):
            axes.annotate("", end, start, arrowprops={"arrowstyle": "-|>", "color": INK, "lw": 1.2})
        # D also sees the input: that is the c in cGAN.
        axes.plot([8.5, 8.5, 73], [35, 38, 38], color=INK, lw=1.2, ls="-")
        axes.annotate("", (73, 31), (73, 38.2), arrowprops={"arrowstyle": "-|>", "color": INK, "lw": 1.2})
        axes.text(73.8, 33.2, "x too: conditional", fontsize=8, color=SOFT)
        figure.tight_layout(pad=0.2)
    return figure


def _box(axes: Axes, x: float, y: float, width: float, height: float, text: str, where: str, colour: str) -> None:
    axes.add_patch(plt.Rectangle((x, y), width, height, facecolor="white", edgecolor=colour, lw=1.8, zorder=2))
    axes.text(x + width / 2, y + height / 2, text, ha="center", va="center", fontsize=8.5, zorder=3)
    axes.text(x + width, y - 0.6, where, ha="right", va="top", fontsize=8, color=SOFT)
