"""The figures that chapters share, in one hand: one palette, one way to caption, alt text for everyone."""

from __future__ import annotations

import html
import io
import time
from collections.abc import Mapping, Sequence
from typing import Any

import matplotlib
import matplotlib.pyplot as plt
import matplotlib.ticker
import numpy as np
from cycler import cycler
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from torch import Tensor

INK, SOFT, LINE = "#22313f", "#6b7680", "#d5dbe0"
# Okabe and Ito's colours, told apart by colour-blind eyes; lines also differ by dash.
COLOURS = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9")
DASHES = ("-", "--", "-.", ":", (0, (5, 1, 1, 1, 1, 1)), (0, (8, 2)))

STYLE: Any = {
    "font.family": "DejaVu Sans",
    "font.size": 9.5,
    "text.color": INK,
    "axes.labelcolor": INK,
    "axes.edgecolor": LINE,
    "axes.titlesize": 10,
    "axes.titlelocation": "left",
    "axes.titleweight": "bold",
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "axes.axisbelow": True,
    "axes.prop_cycle": cycler(color=COLOURS, linestyle=DASHES),
    "grid.color": LINE,
    "grid.linewidth": 0.6,
    "xtick.color": SOFT,
    "ytick.color": SOFT,
    "lines.linewidth": 1.6,
    "legend.frameon": False,
    "figure.facecolor": "white",
    "savefig.facecolor": "white",
    "figure.dpi": 110,
}


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


CURVES = {"loss_d": "D's loss", "loss_gan": "G's loss", "loss_pixel": "training", "held_out_l1": "held out"}


def curves(rows: Sequence[Mapping[str, Any]]) -> Figure:
    """The losses of a run (`Trainer.rows`, or the rows of metrics.csv) against pictures seen."""
    with matplotlib.rc_context(STYLE):
        figure, axes = plt.subplots(1, 2, figsize=(8, 2.6))
        draw_curves(axes, rows)
        figure.tight_layout()
    return figure


def draw_curves(axes: Sequence[Axes], rows: Sequence[Mapping[str, Any]]) -> None:
    """The two losses of the game in one pair of axes, the distances to the target in the other."""
    _draw_losses(axes[0], "The game", ("loss_d", "loss_gan"), rows)
    _draw_distance(axes[1], rows)


def _draw_distance(axis: Axes, rows: Sequence[Mapping[str, Any]]) -> None:
    _draw_losses(axis, "Distance", ("loss_pixel", "held_out_l1"), rows)


def _draw_losses(axis: Axes, title: str, names: Sequence[str], rows: Sequence[Mapping[str, Any]]) -> None:
    for name in names:
        points = [(row["images"], row[name]) for row in rows if row.get(name) not in (None, "")]
        if points:
            marker = "o" if name == "held_out_l1" else ""
            axis.plot(*zip(*points, strict=True), label=CURVES[name], marker=marker, markersize=3)
    axis.set(title=title, xlabel="pictures seen")
    axis.xaxis.set_major_locator(matplotlib.ticker.MaxNLocator(4))
    if axis.lines:
        axis.legend(loc="lower right", bbox_to_anchor=(1.0, 0.97), ncols=2, borderaxespad=0, handlelength=1.6)
    else:
        axis.text(0.5, 0.5, "this objective has none", ha="center", transform=axis.transAxes, color=SOFT)


def show(figure: Figure, *, alt: str, caption: str) -> None:
    """Show a figure in a notebook with a visible caption, and alt text in the output's metadata.

    Args:
        figure: closed afterwards, so that it is shown once.
        alt: what a person who cannot see the picture needs to know of it.
        caption: one or two sentences under it.
    """
    from IPython.display import display

    data = {"image/png": png(figure), "text/plain": f"Figure: {alt}"}
    display(data, metadata={"image/png": {"alt": alt}}, raw=True)
    display(_caption(caption), raw=True)


def png(figure: Figure) -> bytes:
    """The figure as PNG; closes it."""
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png", dpi=110, bbox_inches="tight", pad_inches=0.08)
    plt.close(figure)
    return buffer.getvalue()


def _caption(text: str) -> dict[str, str]:
    style = f"color:{SOFT};font-size:0.93em;max-width:48em;margin:0 0 1em 0.5em"
    return {"text/html": f'<p style="{style}">{html.escape(text)}</p>', "text/plain": text}


def _grid(part: Any, rows: Mapping[str, Tensor], left: float) -> None:
    """One named row a kind of picture; `left` is the share of the width that the names need."""
    axes = part.subplots(len(rows), len(next(iter(rows.values()))), squeeze=False)
    for row, (name, batch) in enumerate(rows.items()):
        for column, image in enumerate(batch):
            picture(axes[row, column], image)
        axes[row, 0].set_ylabel(name, rotation=0, ha="right", va="center", fontweight="bold")
    part.subplots_adjust(wspace=0.03, hspace=0.03, left=left, right=0.99, bottom=0.01, top=0.99)


class _InPlace:
    """Shows a figure, and each further one in its place."""

    def __init__(self) -> None:
        self._handle: Any = None

    def __call__(self, figure: Figure, words: str, alt: str) -> None:
        from IPython.display import display

        data = {"image/png": png(figure), "text/plain": words}
        metadata = {"image/png": {"alt": alt}}
        if self._handle is None:
            self._handle = display(data, metadata=metadata, raw=True, display_id=True)
        else:
            self._handle.update(data, metadata=metadata, raw=True)


class LiveFigure:
    """Curves and samples that follow a training: ``trainer.fit(on_report=LiveFigure())`` in a notebook.

    Args:
        count: held-out pairs shown.
        every: seconds between two drawings, so that looking does not slow the training.
    """

    def __init__(self, count: int = 4, every: float = 3.0) -> None:
        self.count, self.every = count, every
        self._put = _InPlace()
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
                _draw_distance(parts[0].subplots(), trainer.rows)
            parts[0].subplots_adjust(bottom=0.13, top=0.9, left=0.14, right=0.97, hspace=0.35)
            _grid(parts[1], rows, left=0.13)
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
        self._put = _InPlace()

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
            _grid(parts[1], rows, left=0.24)
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
