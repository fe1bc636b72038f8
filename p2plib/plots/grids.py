"""Pictures and small matrices in rows and columns."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import matplotlib
import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from torch import Tensor

from p2plib.plots.style import COLOURS, DASHES, INK, STYLE


def pictures(columns: Mapping[str, Tensor], rows: Sequence[str] = (), side: float = 1.5) -> Figure:
    """Pictures in a grid: one labelled column a kind, one row a picture.

    Args:
        columns: name → pictures (N, 3, H, W), float in [-1, 1] or uint8.
        rows: a label for each row, if wanted.
        side: inches of one picture.
    """
    count = len(next(iter(columns.values())))
    with matplotlib.rc_context(STYLE):
        figure, axes = plt.subplots(
            count, len(columns), figsize=(side * len(columns) + 0.1, side * count + 0.25), squeeze=False
        )
        for j, (name, batch) in enumerate(columns.items()):
            for i in range(count):
                picture(axes[i, j], batch[i])
            axes[0, j].set_title(name)
        for i, name in enumerate(rows):
            axes[i, 0].set_ylabel(name)
        figure.tight_layout(pad=0.3)
    return figure


def picture(axes: Axes, image: Tensor) -> None:
    """One picture (3, H, W), float in [-1, 1] or uint8, without ticks; small ones pixel for pixel."""
    axes.imshow(as_array(image), interpolation="nearest" if image.shape[-1] <= 128 else "antialiased")
    axes.set(xticks=[], yticks=[])
    axes.grid(False)
    for spine in axes.spines.values():
        spine.set_visible(False)


def as_array(image: Tensor) -> np.ndarray[Any, Any]:
    """(3, H, W), float in [-1, 1] or uint8 → uint8 (H, W, 3), as pictures are shown."""
    if image.is_floating_point():
        image = (image.detach().float().cpu().clamp(-1, 1) + 1) * 127.5
    return image.round().byte().cpu().permute(1, 2, 0).numpy()


def numbers(
    matrices: Mapping[str, Tensor], marks: Mapping[str, Sequence[tuple[int, int, int, int]]] | None = None
) -> Figure:
    """Small matrices side by side, each number in a cell whose shade follows it.

    Args:
        matrices: name → (H, W).
        marks: name → rectangles (row, column, height, width) to be outlined, each in another colour and dash.
    """
    with matplotlib.rc_context(STYLE):
        sizes = [tuple(matrix.shape) for matrix in matrices.values()]
        figure, axes = plt.subplots(
            1,
            len(matrices),
            figsize=(sum(width for _, width in sizes) * 0.45 + 0.3, max(height for height, _ in sizes) * 0.45 + 0.3),
            width_ratios=[width for _, width in sizes],
            squeeze=False,
        )
        for axis, (name, matrix) in zip(axes.flat, matrices.items(), strict=True):
            _number_cells(axis, matrix.detach().double().numpy())
            axis.set_title(name)
            for i, (top, left, height, width) in enumerate((marks or {}).get(name, ())):
                inset = 0.06 + 0.07 * (i % 3)
                axis.add_patch(
                    plt.Rectangle(
                        (left - 0.5 + inset, top - 0.5 + inset), width - 2 * inset, height - 2 * inset, fill=False,
                        edgecolor=COLOURS[i % 6], linestyle=DASHES[i % 6], linewidth=2,
                    )
                )  # fmt: skip
        figure.tight_layout(pad=0.4)
    return figure


def _number_cells(axis: Axes, matrix: np.ndarray[Any, Any]) -> None:
    """Light to middle blue, so that dark digits stay readable."""
    largest = max(float(np.abs(matrix).max()), 1e-9)
    axis.imshow(np.abs(matrix), cmap=matplotlib.colors.ListedColormap(_tints()), vmin=0, vmax=largest)
    for (row, column), value in np.ndenumerate(matrix):
        axis.text(column, row, f"{value:.3g}", ha="center", va="center", fontsize=9)
    axis.set(xticks=np.arange(matrix.shape[1] + 1) - 0.5, yticks=np.arange(matrix.shape[0] + 1) - 0.5)
    axis.tick_params(length=0, labelbottom=False, labelleft=False)
    axis.grid(True, color="white", linewidth=1.5)
    axis.set_axisbelow(False)
    axis.spines[:].set_visible(False)


def _tints() -> Any:
    """From nearly white to half of the palette's blue."""
    blue = np.array(matplotlib.colors.to_rgb(COLOURS[0]))
    return [1 - share * (1 - blue) for share in np.linspace(0.04, 0.5, 64)]


def strips(rows: Mapping[str, Tensor]) -> Figure:
    """Rows of pixels in black, grey and white, one strip a name.

    Args:
        rows: name → (N, W), float in [-1, 1]: N rows; one row is drawn as a band.
    """
    with matplotlib.rc_context(STYLE):
        heights = [4 if len(strip) > 1 else 1 for strip in rows.values()]
        figure, axes = plt.subplots(
            len(rows), 1, figsize=(7, 0.55 * sum(heights)), height_ratios=heights, squeeze=False
        )
        for axis, (name, strip) in zip(axes.flat, rows.items(), strict=True):
            axis.imshow(
                strip.detach().cpu().numpy(), cmap="gray", vmin=-1, vmax=1, aspect="auto", interpolation="nearest"
            )
            axis.set_ylabel(name, rotation=0, ha="right", va="center", fontweight="bold")
            axis.set(xticks=[], yticks=[])
            axis.grid(False)
            axis.spines[:].set_visible(True)
        figure.tight_layout(pad=0.3)
    return figure


def picture_rows(rows: Mapping[str, Tensor], side: float = 1.15) -> Figure:
    """Pictures side by side, one named row a kind.

    Args:
        rows: name → (N, 3, H, W), float in [-1, 1]; as many in each row.
        side: of a picture, in inches.
    """
    count, names = len(next(iter(rows.values()))), 0.25 + 0.08 * max(map(len, rows))
    with matplotlib.rc_context(STYLE):
        figure = plt.figure(figsize=(names + side * count, side * len(rows)))
        grid(figure, rows, left=names / (names + side * count))
    return figure


def grid(part: Any, rows: Mapping[str, Tensor], left: float) -> None:
    """One named row a kind of picture; `left` is the share of the width that the names need."""
    axes = part.subplots(len(rows), len(next(iter(rows.values()))), squeeze=False)
    for row, (name, batch) in enumerate(rows.items()):
        for column, image in enumerate(batch):
            picture(axes[row, column], image)
        axes[row, 0].set_ylabel(name, rotation=0, ha="right", va="center", fontweight="bold")
    part.subplots_adjust(wspace=0.03, hspace=0.03, left=left, right=0.99, bottom=0.01, top=0.99)


def filmstrip(frames: Sequence[tuple[str, str, np.ndarray[Any, Any]]], side: float = 1.7) -> Figure:
    """*Your city* as each chapter drew it: frames from `p2plib.my_work.keep_frame`, left to right.

    Args:
        frames: (chapter, title, picture uint8 (H, W, 3)).
        side: inches of one frame.
    """
    with matplotlib.rc_context(STYLE):
        per_row = min(6, len(frames))
        rows = -(-len(frames) // per_row)
        figure, axes = plt.subplots(
            rows, per_row, figsize=(side * per_row, (side + 0.3) * rows), squeeze=False, facecolor=INK
        )
        for axis, frame in zip(axes.flat, [*frames, *[None] * (rows * per_row - len(frames))], strict=True):
            axis.set(xticks=[], yticks=[], facecolor=INK)
            axis.grid(False)
            axis.spines[:].set_visible(False)
            if frame is not None:
                axis.imshow(frame[2], interpolation="nearest" if frame[2].shape[0] <= 128 else "antialiased")
                axis.set_title(f"{frame[0]}  {frame[1]}", color="white", fontsize=8, fontweight="normal")
        figure.tight_layout(pad=0.5)
    return figure
