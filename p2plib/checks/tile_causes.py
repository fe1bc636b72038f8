"""The known mistakes of exercise 12.2, and how each is recognised in where the tiles begin."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

NEVER_ASKED = "Where does `generator` come in?"
STACKED = (
    "Are the tiles stacked to one batch? Memory then grows with the picture, which tiles are there to avoid; and the "
    "statistics that are asked here are those of each tile. Does one go in after the other?"
)
WHOLE = "The picture goes in whole. Where is it cut into tiles?"
CUT_SHORT = "At the edge a tile is cut short. Is the last one moved back, so that it ends where the picture ends?"
EXCHANGED = "Rows begin where columns should, or columns where rows should. Have height and width changed places?"
FILLED_UP = "Beyond the picture's edge a tile is filled up. Is the last one moved back instead?"
LAST_MISSING = (
    "No tile lies over the last rows or columns. Where does the last tile begin, where tiles do not fit evenly?"
)
TWICE = "A tile is there twice, and weighs double in the mean. What if the tiles fit evenly?"
NO_OVERLAP = "Tiles begin a whole tile apart. Where does `overlap` come in?"
TOO_FAR = "Tiles begin `tile + overlap` pixels apart, and leave gaps. Do they share these pixels, or skip them?"
BY_OVERLAP = "Tiles begin `overlap` pixels apart. Is it the number of pixels that they share, or that they move on?"
OTHER_STEP = "Tiles begin every {step} pixels. How many is `tile - overlap`?"
EVENLY = (
    "The tiles are spread evenly. Do they begin every `tile - overlap` pixels, and is only the last one moved back?"
)
EVAL = (
    "This is what eval mode gives: the averages met in training. Asked are the statistics of each tile, as your 6.3 "
    "takes them. Is there an `eval()`?"
)
LAST_WINS = "Where tiles overlap, the later one stands alone: a seam. Are they added up, and counted?"
FIRST_WINS = "Where tiles overlap, the first one stands alone: a seam. Are they added up, and counted?"
SUMMED = "The tiles are added up. By how many is each pixel divided?"
BY_TWO = "The sum is divided by 2. Is every pixel covered twice? In the corners of tiles it may be four times."
BY_ALL = "The sum is divided by the number of all tiles. How many cover one pixel?"
HALVES = (
    "Each tile is averaged with what stands there: the third that comes weighs as much as the two before it. Are they "
    "added up, and divided in the end?"
)
LARGEST = "This is the largest value of the tiles that overlap. Is their mean meant?"


Places = set[tuple[int, int]]


@dataclass(frozen=True)
class Grid:
    """Where tiles should begin, along both sides, and what decides it."""

    rows: Sequence[int]
    columns: Sequence[int]
    tile: int
    overlap: int

    @property
    def places(self) -> Places:
        """(row, column) of each tile."""
        return {(y, x) for y in self.rows for x in self.columns}

    def every(self, step: int, moved_back: bool) -> Places:
        """The same for tiles that begin every `step` pixels, with or without one that ends with the picture."""
        rows, columns = (
            {*range(0, starts[-1] + 1, step), *([starts[-1]] if moved_back else [])}
            for starts in (self.rows, self.columns)
        )
        return {(y, x) for y in rows for x in columns}


def of_places(came: Places, grid: Grid) -> str | None:
    """The known mistake that lets tiles begin there; None where it is not certain."""
    expected, last = grid.places, (grid.rows[-1], grid.columns[-1])
    if came < expected and all(y == last[0] or x == last[1] for y, x in expected - came):
        return LAST_MISSING
    steps = set(_steps(came, grid))
    if len(steps) > 1:  # several would give these places
        return None
    if not steps:
        return EVENLY if _evenly(came, grid) else None
    named = {grid.overlap: BY_OVERLAP, grid.tile + grid.overlap: TOO_FAR, grid.tile: NO_OVERLAP}
    return named.get(step := steps.pop(), OTHER_STEP.format(step=step))


def _steps(came: Places, grid: Grid) -> Iterator[int]:
    """Every how many pixels tiles may begin that begin there; several numbers where there are two to a side."""
    for step in range(1, max(*grid.rows, *grid.columns) + 2):
        if came in (grid.every(step, True), grid.every(step, False)):
            yield step


def _evenly(came: Places, grid: Grid) -> bool:
    """As many as there should be, from edge to edge, their distances alike but for rounding."""
    begun = [sorted({place[i] for place in came}) for i in (0, 1)]
    for starts, right in zip(begun, (grid.rows, grid.columns), strict=True):
        parts = max(1, len(right) - 1)
        if len(starts) != len(right) or any(abs(y - i * right[-1] / parts) >= 1 for i, y in enumerate(starts)):
            return False
    return came == {(y, x) for y in begun[0] for x in begun[1]}
