"""Which pixels does one cell of the discriminator's map judge?  Choose the cell, see the pixels."""

from __future__ import annotations

import copy
from dataclasses import dataclass
from functools import cache
from typing import Any

import torch
from torch import Tensor, nn

from p2plib.data.augment import to_signed
from p2plib.data.synthetic import draw_maps
from p2plib.errors import UserError
from p2plib.models import PATCHES, PatchDiscriminator, field_of_cell, map_side, receptive_field, smallest_side
from p2plib.widgets.base import put, untrimmed, words
from p2plib.widgets.field_board import DPI, WIDE, FieldBoard
from p2plib.widgets.pointing import Place, PointedImage


@cache
def skeleton(patch: int) -> nn.Module:
    """A `PatchDiscriminator` without weights: its layers say what it sees."""
    with torch.device("meta"):
        return PatchDiscriminator(in_channels=1, base=1, patch=patch).eval()


@dataclass(frozen=True)
class Field:
    """One cell of the map that a discriminator makes, and what it sees.

    Args:
        net: the discriminator, or its `skeleton`.
        size: height and width of the picture in pixels.
        cell: row and column in the map, from 0.
    """

    net: nn.Module
    size: tuple[int, int]
    cell: tuple[int, int]

    @property
    def map(self) -> tuple[int, int]:
        """Rows and columns of the map."""
        return map_side(self.net, self.size[0]), map_side(self.net, self.size[1])

    @property
    def spans(self) -> tuple[range, range]:
        """Rows and columns that the cell sees; those below 0 or from the size on are padding."""
        return field_of_cell(self.net, self.cell[0]), field_of_cell(self.net, self.cell[1])

    @property
    def inside(self) -> tuple[range, range]:
        """The rows and columns among them that the picture has."""
        rows, columns = (
            range(max(span.start, 0), min(span.stop, side)) for span, side in zip(self.spans, self.size, strict=True)
        )
        return rows, columns

    @property
    def padded(self) -> tuple[int, int]:
        """How many rows and columns of the field lie outside of the picture."""
        rows, columns = (len(span) - len(seen) for span, seen in zip(self.spans, self.inside, strict=True))
        return rows, columns

    @property
    def margins(self) -> tuple[tuple[int, int], tuple[int, int]]:
        """How far fields of the first and of the last cell reach beyond the picture: (above, below), (left, right)."""
        first, last = Field(self.net, self.size, (0, 0)), self.at(self.map[0] - 1, self.map[1] - 1)
        vertical, horizontal = (
            (max(0, -low.start), max(0, high.stop - side))
            for low, high, side in zip(first.spans, last.spans, self.size, strict=True)
        )
        return vertical, horizontal

    @property
    def whole(self) -> int:
        """How many cells of the map see the whole picture."""
        if len(self.spans[0]) < max(self.size):
            return 0
        rows, columns = (
            sum(span.start <= 0 and span.stop >= side for span in (field_of_cell(self.net, i) for i in range(cells)))
            for cells, side in zip(self.map, self.size, strict=True)
        )
        return rows * columns

    def at(self, row: int, column: int) -> Field:
        """The same for another cell; one outside of the map is moved to its edge."""
        rows, columns = self.map
        return Field(self.net, self.size, (min(max(row, 0), rows - 1), min(max(column, 0), columns - 1)))

    def nearest(self, y: float, x: float) -> Field:
        """The same for the cell whose field has its centre nearest to a point, in pixels from the picture's corner."""
        first, second = field_of_cell(self.net, 0), field_of_cell(self.net, 1)
        step, centre = second.start - first.start, (first.start + first.stop) / 2
        return self.at(round((y - centre) / step), round((x - centre) / step))


def in_words(field: Field, logits: Tensor | None = None) -> str:
    """Which pixels the cell judges, what of them is padding, how much of the picture that is, and D's answer.

    Args:
        field: the cell.
        logits: D's map (h, w), if a discriminator was given.
    """
    (row, column), (rows, columns) = field.cell, field.map
    side = len(field.spans[0])
    said = (
        f"Cell (row {row}, column {column}) of {rows} × {columns}, counted from 0, judges {_pixels(field)}: "
        f"{side} × {side} px, {_padding(field)}. {_share(field)}"
    )
    if logits is not None:
        chances = torch.sigmoid(logits)
        said += (
            f" D holds it for real with probability {chances[row, column]:.2f} (logit {logits[row, column]:.2f}); over "
            f"the map {chances.min():.2f} to {chances.max():.2f}, on average {chances.mean():.2f}."
        )
        if field.net.training and any(isinstance(layer, nn.BatchNorm2d) for layer in field.net.modules()):
            said += " It is in training mode: through batch norm the rest of the picture has a say as well."
    return said


def _pixels(field: Field) -> str:
    rows, columns = (
        f"{name} {seen.start}" if len(seen) == 1 else f"{name}s {seen.start} to {seen.stop - 1}"
        for name, seen in zip(("row", "column"), field.inside, strict=True)
    )
    return f"{rows} and {columns} of the picture"


def _padding(field: Field) -> str:
    outside = [
        f"{count} {name}{'s' if count > 1 else ''}"
        for name, count in zip(("row", "column"), field.padded, strict=True)
        if count
    ]
    return f"of which {' and '.join(outside)} lie outside of it (padding)" if outside else "all of them inside of it"


def _share(field: Field) -> str:
    seen = len(field.inside[0]) * len(field.inside[1]) / (field.size[0] * field.size[1])
    if field.whole == field.map[0] * field.map[1]:
        return "Every cell sees the whole picture."
    if seen == 1:
        return "This cell sees the whole picture; not every cell does."
    share = f"{100 * seen:.1f} %" if seen >= 0.001 else f"one {round(1 / seen):,}th"
    none = len(field.spans[0]) >= max(field.size) and not field.whole
    return f"That is {share} of the picture" + ("; no cell sees all of it." if none else ".")


def judge(discriminator: nn.Module, picture: Tensor, input: Tensor | None) -> Tensor:
    """D's logits (h, w) of a picture (1, 3, H, W), in the mode that D is in; D stays as it is.

    Raises:
        UserError: if D takes other channels than the picture has, with the input if one is given.
    """
    wanted = next((layer.in_channels for layer in discriminator.modules() if isinstance(layer, nn.Conv2d)), None)
    judged = picture if input is None else torch.cat([input, picture], dim=1)
    if wanted is not None and wanted != judged.shape[1]:
        given = "the picture has" if input is None else "input and picture have together"
        raise UserError(
            f"This discriminator takes {wanted} channels and {given} {judged.shape[1]}: input= is for one that sees "
            "input and picture."
        )
    weights = next(discriminator.parameters(), picture)
    with torch.no_grad():  # a copy, since batch norm in training mode counts what it sees
        return copy.deepcopy(discriminator)(judged.to(weights.device, weights.dtype))[0, 0].float().cpu()


class FieldChooser:
    """A picture and D's map of it: choose a cell by slider or by pointing, and see which pixels it judges.

    Args:
        picture: (1, 3, H, W), float in [-1, 1] or uint8; None takes a drawn aerial picture of 256 px.
        patch: side of the receptive field: 1, 16, 34, 70, 142 or 286.  Of no matter with a discriminator, which has
            its own.
        discriminator: colours the map with its probabilities: a chain of layers as `PatchDiscriminator` is.  In
            training mode batch norm lets the whole picture have a say in each cell: `.eval()` shows its field alone.
        input: (1, 3, H, W), for a discriminator that sees the input beside the picture.

    Raises:
        UserError: for other shapes, an unknown patch, or a picture too small for it.
    """

    def __init__(
        self,
        picture: Tensor | None = None,
        patch: int = 70,
        discriminator: nn.Module | None = None,
        input: Tensor | None = None,
    ) -> None:
        picture = torch.from_numpy(draw_maps([0], size=256, seed=7)[1]) if picture is None else picture
        self.picture = _signed(picture, "The picture")
        self.size = (int(self.picture.shape[2]), int(self.picture.shape[3]))
        self.discriminator, self.logits = discriminator, None
        if discriminator is not None:
            beside = None if input is None else _signed(input, "The input", self.size)
            patch = receptive_field(discriminator)
            self.logits = judge(discriminator, self.picture, beside)
        elif patch not in PATCHES or min(self.size) < smallest_side(patch):
            skeleton(patch)(torch.empty(1, 1, *self.size, device="meta"))  # says in a sentence what is wrong
        self.board = FieldBoard(self.picture[0], self.logits)
        self._controls(patch)
        self.field = Field(self.net, self.size, (0, 0))
        self._choose(self.field.nearest(self.size[0] * 0.4, self.size[1] * 0.6))

    @property
    def net(self) -> nn.Module:
        """The discriminator whose fields are shown."""
        return self.discriminator if self.discriminator is not None else skeleton(self.patch.value)

    def _controls(self, patch: int) -> None:
        import ipywidgets

        fitting = [p for p in PATCHES if smallest_side(p) <= min(self.size)]
        style: dict[str, Any] = {"description_width": "5em"}
        self.patch = ipywidgets.Dropdown(
            options=fitting if self.discriminator is None else [patch],
            value=patch,
            disabled=self.discriminator is not None,
            description="patch px",
            style=style,
            layout={"width": "12em"},
        )
        self.row, self.column = (
            ipywidgets.IntSlider(min=0, max=1, description=name, style=style, layout={"width": "30em"})
            for name in ("row", "column")
        )
        alt = "The picture, all dimmed but the pixels that the chosen cell judges; beside it D's map with the cell."
        self.image = PointedImage(round(WIDE * DPI), alt, self._pointed)
        self.said = ipywidgets.HTML()
        self._moving = False
        self.patch.observe(lambda change: self._changed_patch(), names="value")
        for slider in (self.row, self.column):
            slider.observe(lambda change: self._slid(), names="value")
        self.widget = ipywidgets.VBox([self.patch, self.row, self.column, self.image.widget, self.said])

    def _slid(self) -> None:
        if not self._moving:
            self._choose(self.field.at(self.row.value, self.column.value))

    def _changed_patch(self) -> None:
        """The cell of the new map that looks at about the same place."""
        y, x = ((span.start + span.stop) / 2 for span in self.field.spans)
        self._choose(Field(self.net, self.size, (0, 0)).nearest(y, x))

    def _pointed(self, place: Place, pressed: Place) -> None:
        """The cell pointed at in the map, or the one whose field has its centre nearest in the picture."""
        hit = self.board.hit(place, pressed)
        if hit is not None:
            part, y, x = hit
            self._choose(self.field.at(int(y), int(x)) if part == "map" else self.field.nearest(y, x))

    def _choose(self, field: Field) -> None:
        """Show this cell, with sliders, picture and words in step."""
        self.field, self._moving = field, True
        for slider, cell, cells in zip((self.row, self.column), field.cell, field.map, strict=True):
            slider.max, slider.disabled = max(1, cells - 1), cells == 1  # a slider from 0 to 0 has no room
            slider.value = cell
        self._moving = False
        self.update()

    def update(self) -> None:
        """Draw and say what is chosen."""
        self.board.draw(self.field)
        self.image.value = untrimmed(self.board.figure)
        self.said.value = words(in_words(self.field, self.logits))

    def show(self) -> None:
        """Put it into the notebook."""
        put(
            self.widget,
            picture=self.image.value,
            alt="A picture, all dimmed but the pixels that one cell of the discriminator's map judges; beside it the "
            "map with that cell. Sliders choose its row and column, a list the patch. "
            f"{in_words(self.field, self.logits)}",
        )


def _signed(picture: Tensor, name: str, size: tuple[int, int] | None = None) -> Tensor:
    """(1, 3, H, W), float or uint8 → the same, float32 in [-1, 1]."""
    wanted = "(1, 3, H, W)" if size is None else f"(1, 3, {size[0]}, {size[1]}), as the picture has it"
    shape = tuple(picture.shape)
    if len(shape) != 4 or shape[:2] != (1, 3) or (size is not None and shape[2:] != size):
        raise UserError(f"{name} must have the shape {wanted}, not {shape}.")
    picture = picture.detach().cpu()
    return to_signed(picture) if picture.dtype == torch.uint8 else picture.float()
