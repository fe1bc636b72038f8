"""Recorded runs side by side: the same held-out picture, drawn by networks that were trained differently."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import matplotlib
import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from torch import Tensor

from p2plib import recorded
from p2plib.errors import UserError
from p2plib.plots import INK, LINE, SOFT, STYLE, as_array
from p2plib.recorded import Record
from p2plib.widgets.base import put, untrimmed, words

Array = np.ndarray[Any, Any]


@dataclass(frozen=True)
class Group:
    """Runs that differ in one thing.

    Attributes:
        what: differs, in the plural.
        runs: the names of their records, without the group, in the order in which they are shown.
        title: of a run; {} stands for its name.
        pair: the two that a comparison begins with.
    """

    what: str
    runs: tuple[str, ...]
    title: str
    pair: tuple[str, str]

    def titled(self, run: str) -> str:
        """The title of a run."""
        return self.title.format(run)


#: A further set of recorded runs is one `Group` more.
GROUPS = {
    "losses": Group("objectives", ("L1", "GAN", "L1+GAN", "L2", "cGAN", "L1+cGAN"), "{}", ("L1", "L1+cGAN")),
    "patches": Group("patch sizes", ("1", "16", "34", "70"), "patch {} px", ("1", "16")),
}


@dataclass(frozen=True)
class Shelf:
    """A group's records, and the held-out pairs that all of its runs translated."""

    group: Group
    records: dict[str, Record]
    real: Record

    @property
    def count(self) -> int:
        """How many held-out pairs are kept as pictures."""
        return len(self.real.pictures["input"])

    def picture(self, name: str, number: int) -> Tensor:
        """ "input", "target" or the output of a run, for held-out pair 0, 1, …: uint8 (3, H, W)."""
        pictures = self.records[name].pictures["output"] if name in self.records else self.real.pictures[name]
        return pictures[number]

    def measures(self, run: str) -> dict[str, str]:
        """What a run (or "target") measured on the held-out pairs: word → number, sharpness and contrast as shares of
        the targets'."""
        real = self.real.measures
        found = real if run == "target" else self.records[run].measures
        return {
            "error": f"{found['held_out_l1']:.3f}",
            "sharp": f"{found['sharpness'] / real['sharpness']:.0%}",
            "contrast": f"{found['spread_L'] / real['spread_L']:.0%}",
            "gap": f"{found['gap']:.2f}",
        }


def open_group(name: str) -> Shelf:
    """The records of a group.

    Raises:
        UserError: for another name, or where a record is missing or damaged.
    """
    if name not in GROUPS:
        raise UserError(f"OutputExplorer knows the groups {' and '.join(GROUPS)}, not {name!r}.")
    group = GROUPS[name]
    records = {run: recorded.read(f"{name}/{run}") for run in group.runs}
    source = next(iter(records.values())).settings["source"]
    return Shelf(group, records, recorded.read(f"held-out/{source}"))


# The picture, in pixels of the screen.  Held-out pictures have 64 px, each shown as 3 × 3.
TIMES = 3
SIDE = 64 * TIMES
WINDOW = 16  # pixels of the held-out picture that are enlarged: as many as a patch of 16 sees
GAP, TITLE, BELOW = 18, 30, 8
WIDE = 4 * SIDE + 3 * GAP + 4
SMALL = 5 * WINDOW
ALL, TWO = "all", "two beside each other"


@dataclass(frozen=True)
class View:
    """What is shown.

    Attributes:
        number: of the held-out pair, from 0.
        corner: left and upper end of the window that is enlarged, in pixels.
        runs: names of the runs.
        two: are only two compared, with larger enlargements?
    """

    number: int
    corner: tuple[int, int]
    runs: tuple[str, ...]
    two: bool = False

    @property
    def rows(self) -> list[list[str]]:
        """Names of what stands where: two runs between input and target, or all to the right of the two."""
        if self.two:
            return [["input", *self.runs, "target"]]
        half = -(-len(self.runs) // 2)
        return [["input", *self.runs[:half]], ["target", *self.runs[half:]]]


def draw(shelf: Shelf, view: View) -> bytes:
    """The pictures in rows, under each the window enlarged and what the run measured: PNG."""
    high_row = TITLE + SIDE + 6 + (SIDE + 88 if view.two else SMALL) + BELOW
    high = high_row * len(view.rows)
    with matplotlib.rc_context(STYLE):
        figure = Figure(figsize=(WIDE / STYLE["figure.dpi"], high / STYLE["figure.dpi"]))
        FigureCanvasAgg(figure)
        for row, names in enumerate(view.rows):
            for column, name in enumerate(names):
                _card(figure, shelf, view, name, 2 + column * (SIDE + GAP), row * high_row)
    return untrimmed(figure)


def _card(figure: Figure, shelf: Shelf, view: View, name: str, x: int, y: int) -> None:
    """One picture with its title, and below it the enlarged window and the measures; x, y is its upper left end."""
    image = as_array(shelf.picture(name, view.number))
    ours = name in shelf.records
    _text(
        figure, x, y + TITLE - 8, shelf.group.titled(name) if ours else name, weight="bold", fontsize=11, va="baseline"
    )
    _paste(figure, _framed(image, view.corner), x, y + TITLE)
    left, top = view.corner
    below = y + TITLE + SIDE + 6
    side = SIDE if view.two else SMALL
    window = image[top : top + WINDOW, left : left + WINDOW]
    _paste(figure, window.repeat(side // WINDOW, 0).repeat(side // WINDOW, 1), x, below)
    left, top, size = (x, below + side + 8, 9.5) if view.two else (x + side + 8, below + 2, 8.5)
    for i, (word, number) in enumerate(_lines(shelf, name, view.two)):
        _text(figure, left, top + 20 * i, word, color=SOFT, fontsize=size)
        _text(figure, x + SIDE, top + 20 * i, number, ha="right", weight="bold", fontsize=size)


def _lines(shelf: Shelf, name: str, wide: bool) -> list[tuple[str, str]]:
    """Word and number of each line beside or below an enlarged window."""
    if name == "input":
        return [("the frame, enlarged", "")] if wide else [("the frame,", ""), ("enlarged", "")]
    long = {"sharp": "sharpness"} if wide else {}
    return [(long.get(word, word), number) for word, number in shelf.measures(name).items()]


def _framed(image: Array, corner: tuple[int, int]) -> Array:
    """The picture enlarged pixel for pixel, with a frame around the window: dark in light, seen on any ground."""
    large = image.repeat(TIMES, 0).repeat(TIMES, 1)
    left, top = (TIMES * place for place in corner)
    for inset, grey in ((0, 255), (1, 30), (2, 255)):
        a, b, c, d = top + inset, top + TIMES * WINDOW - inset, left + inset, left + TIMES * WINDOW - inset
        for rows, columns in ((slice(a, a + 1), slice(c, d)), (slice(b - 1, b), slice(c, d))):
            large[rows, columns] = grey
        for rows, columns in ((slice(a, b), slice(c, c + 1)), (slice(a, b), slice(d - 1, d))):
            large[rows, columns] = grey
    return large


def _paste(figure: Figure, image: Array, x: int, y: int) -> None:
    """Put uint8 (H, W, 3) at x, y from the upper left, pixel for pixel, with a hairline around it."""
    edged = np.full((image.shape[0] + 2, image.shape[1] + 2, 3), _rgb(LINE), np.uint8)
    edged[1:-1, 1:-1] = image
    figure.figimage(edged, x - 1, _height(figure) - y - image.shape[0] - 1)


def _text(figure: Figure, x: int, y: int, text: str, **look: Any) -> None:
    all_of_it: dict[str, Any] = {"va": "top", "fontsize": 9.5, "color": INK} | look
    figure.text(x / WIDE, 1 - y / _height(figure), text, **all_of_it)


def _height(figure: Figure) -> int:
    return round(figure.get_figheight() * figure.dpi)


def _rgb(colour: str) -> tuple[int, ...]:
    return tuple(round(255 * part) for part in matplotlib.colors.to_rgb(colour))


def in_words(shelf: Shelf, view: View) -> str:
    """Which picture is shown, and what each run measured."""
    real = shelf.real.measures
    said = [f"Held-out pair {view.number + 1} of {shelf.count}. Over 100 such pairs, the mean error (L1) and more:"]
    for run in view.runs:
        found = shelf.measures(run)
        said.append(
            f"{shelf.group.titled(run)}: error {found['error']}, sharpness {found['sharp']} and contrast "
            f"{found['contrast']} of the targets', gap {found['gap']}."
        )
    return " ".join([*said, f"The targets' gap is {real['gap']:.2f}; a generator that ignores its input has 0."])


class OutputExplorer:
    """A held-out picture by slider, and what recorded runs made of it: all of them, or two chosen ones.

    Args:
        group: "losses" (six objectives, patch 16) or "patches" (L1+cGAN with four patch sizes).
        runs: two to begin with, such as ("L1", "L1+cGAN"); none shows all.

    Raises:
        UserError: for another group or other runs, or where a record is missing.
    """

    def __init__(self, group: str = "losses", runs: Sequence[str] = ()) -> None:
        import ipywidgets

        self.shelf = open_group(group)
        known, pair = self.shelf.group.runs, tuple(runs) or self.shelf.group.pair
        if len(pair) != 2 or any(run not in known for run in pair):
            raise UserError(f"OutputExplorer({group!r}) compares two of {', '.join(known)}, not {runs!r}.")
        slider: dict[str, Any] = {"style": {"description_width": "6em"}, "layout": {"width": "24em"}}
        furthest = self.shelf.real.pictures["input"].shape[-1] - WINDOW
        self.number = ipywidgets.IntSlider(value=1, min=1, max=self.shelf.count, description="picture", **slider)
        self.across, self.down = (
            ipywidgets.IntSlider(value=24, min=0, max=furthest, step=4, description=name, **slider)
            for name in ("frame →", "frame ↓")
        )
        self.how = ipywidgets.ToggleButtons(
            options=[f"{ALL} {self.shelf.group.what}", TWO], index=1 if runs else 0, style={"button_width": "auto"}
        )
        options = [(self.shelf.group.titled(run), run) for run in known]
        # Sliders, since JupyterLab keeps the arrow keys of a drop-down list for itself.
        self.pair = [
            ipywidgets.SelectionSlider(value=run, options=options, description=name, **slider)
            for run, name in zip(pair, ("A", "B"), strict=True)
        ]
        self.image = ipywidgets.Image(
            format="png", layout={"width": f"{WIDE}px", "max_width": "100%", "object_fit": "contain"}
        )
        self.said = ipywidgets.HTML()
        for control in (self.number, self.across, self.down, self.how, *self.pair):
            control.observe(lambda change: self.update(), names="value")
        self.update()
        self.widget = self._lay_out()

    def _lay_out(self) -> Any:
        import ipywidgets

        wrap = {"flex_flow": "row wrap"}
        sliders = ipywidgets.HBox([self.number, self.across, self.down], layout=wrap)
        choice = ipywidgets.HBox(self.pair, layout=wrap)
        return ipywidgets.VBox([sliders, self.how, choice, self.image, self.said])

    @property
    def view(self) -> View:
        """What the controls say."""
        two = self.how.index == 1
        runs = tuple(chooser.value for chooser in self.pair) if two else self.shelf.group.runs
        return View(self.number.value - 1, (self.across.value, self.down.value), runs, two)

    def update(self) -> None:
        """Draw what the controls say."""
        view = self.view
        for chooser in self.pair:
            chooser.disabled = not view.two
        self.image.value = draw(self.shelf, view)
        self.said.value = words(in_words(self.shelf, view))

    def show(self) -> None:
        """Put it into the notebook."""
        put(
            self.widget,
            picture=self.image.value,
            alt=f"A street map, the target, and the outputs of runs that differ in their {self.shelf.group.what}, each "
            f"with a part of it enlarged. A slider changes the map. {in_words(self.shelf, self.view)}",
        )
