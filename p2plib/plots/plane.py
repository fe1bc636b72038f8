"""Colours as points of a plane, red against green and yellow against blue: a GAN small enough to be seen whole."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Mapping
from typing import Any

import matplotlib
import matplotlib.pyplot as plt
import numpy as np
import torch
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from torch import Tensor

from p2plib.plots.style import INK, STYLE

LIGHTNESS = 68.0  # of every colour shown
REACH = 60.0  # a and b run from −REACH to REACH


def colour_planes(panels: Mapping[str, Mapping[str, Any]], scale: float = 1.0, side: float = 2.6) -> Figure:
    """Planes of colour side by side, one a title; the contents of each as for `draw_plane`.

    Args:
        panels: title → arguments of `draw_plane`.
        scale: units of Lab in one unit of the points.
        side: inches of one plane.
    """
    with matplotlib.rc_context(STYLE):
        figure, axes = plt.subplots(1, len(panels), figsize=(side * len(panels), side + 0.35), sharey=True)
        for axis, (title, content) in zip(np.atleast_1d(axes), panels.items(), strict=True):
            draw_plane(axis, scale=scale, **content)
            axis.set(title=title, xlabel="a: green to red")
        np.atleast_1d(axes)[0].set_ylabel("b: blue to yellow")
        figure.tight_layout(pad=0.4)
    return figure


def draw_plane(
    axis: Axes,
    real: Tensor,
    made: Tensor | None = None,
    judge: Callable[[Tensor], Tensor] | None = None,
    pull: Tensor | None = None,
    best: Tensor | None = None,
    scale: float = 1.0,
) -> None:
    """Real colours as small dots, made ones with a dark edge, each dot in its colour.

    Args:
        real, made: (N, 2), a and b.
        judge: (N, 2) → probabilities (N, 1) of being real, drawn as shades: light is real.
        pull: (N, 2): an arrow at each made colour.
        best: (2,): one colour, marked with a cross.
        scale: units of Lab in one unit of the points.
    """
    if judge is not None:
        _shades(axis, judge, scale)
    x, y = _ab(real, scale)
    axis.scatter(x, y, c=_rgb(real, scale), s=7, linewidths=0)
    if made is not None:
        x, y = _ab(made, scale)
        axis.scatter(x, y, c=_rgb(made, scale), s=20, edgecolors=INK, linewidths=0.7, zorder=5)
    if made is not None and pull is not None:
        units: Any = dict(angles="xy", scale_units="xy", scale=1)  # an arrow is as long as its numbers
        axis.quiver(*_ab(made, scale), *_ab(pull, scale), color=INK, width=0.006, zorder=4, **units)
    if best is not None:
        axis.plot(*_ab(best[None], scale), "X", color=INK, markeredgecolor="white", markersize=11, zorder=6)
    axis.set(xlim=(-REACH, REACH), ylim=(-REACH, REACH), aspect="equal")
    axis.set(xticks=(-50, 0, 50), yticks=(-50, 0, 50))
    axis.grid(False)


def _shades(axis: Axes, judge: Callable[[Tensor], Tensor], scale: float) -> None:
    """D's landscape in eleven greys, with a line where it cannot tell."""
    line = torch.linspace(-REACH, REACH, 61)
    places = torch.stack(torch.meshgrid(line, line, indexing="xy"), dim=-1)  # (61, 61, 2)
    with torch.no_grad():
        values = judge(places.view(-1, 2) / scale).view(61, 61).numpy()
    x, y = places[..., 0].numpy(), places[..., 1].numpy()
    axis.contourf(x, y, values, levels=np.linspace(0, 1, 12), cmap="Greys_r", vmin=-0.6, vmax=1, zorder=0)
    if values.min() < 0.5 < values.max():
        axis.contour(x, y, values, levels=[0.5], colors=[INK], linewidths=1, linestyles="--", zorder=1)


def _ab(points: Tensor, scale: float) -> Any:
    return (points.detach() * scale).T.numpy()


def _rgb(points: Tensor, scale: float) -> Any:
    """Of colours that a screen cannot show, the nearest that it can."""
    from skimage.color import lab2rgb

    ab = (points.detach() * scale).numpy()
    lab = np.concatenate([np.full((len(ab), 1), LIGHTNESS), ab], axis=1)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # "negative Z values": it says that it clips
        return np.asarray(lab2rgb(lab[None])[0]).clip(0, 1)
