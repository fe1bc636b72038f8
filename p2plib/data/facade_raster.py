"""A facade's plan on a raster: which part of the front is seen at each pixel.

A kind of part is found where its rows, its columns and its cells meet, so a pixel's bits are
``rows & columns & cells``, and the topmost bit is the part seen there.

Integer arithmetic alone: the same bytes on every machine.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from p2plib.data.facade_plan import (
    ATTIC,
    BALCONY,
    BAND,
    COLUMN,
    CROWN,
    DECO,
    DOOR,
    HOOD,
    MAX_COLUMNS,
    MAX_ZONES,
    NOTHING,
    PARTS,
    PILLAR,
    ROLLER,
    SHOP,
    SHUTTER,
    SILL,
    UNIT,
    WALL,
    WINDOW,
    ZONE,
    Chance,
    Plan,
)

Array = np.ndarray[Any, Any]


@dataclass(frozen=True)
class Raster:
    """A plan at one size.  Edges are pixels; rows count from the top of the picture.

    Axes: N pictures, Z zones, C columns, H = W = the side in pixels, P parts, 2 = (from, to).
    """

    size: int
    part: Array  # (N, H, W) uint8: WALL ... BALCONY, or NOTHING
    zone: Array  # (N, H) intp
    column: Array  # (N, W) intp
    row_spans: Array  # (N, Z, P, 2) int32
    column_spans: Array  # (N, C, P, 2) int32
    left: Array  # (N,) int32
    right: Array  # (N,) int32
    y_edges: Array  # (N, Z + 1) int32


def make_raster(plan: Plan, indices: Array, seed: int, size: int) -> Raster:
    """The plan on a raster of size x size pixels."""
    chance = Chance(seed, indices)
    pixel = np.arange(size, dtype=np.int32)
    x_edges, y_edges = _pixels(plan.x_edges, size), _pixels(plan.y_edges, size)
    left, right = _pixels(plan.left, size), _pixels(plan.right, size)
    rows = _row_spans(chance, plan, y_edges, size)
    columns, others = _column_spans(chance, plan, x_edges, left, right, size)

    zone = np.sum(pixel[:, None] < y_edges[:, None, 1:-1], 2)
    column = np.sum(pixel[:, None] >= x_edges[:, None, 1:-1], 2)
    column = np.minimum(column, plan.columns[:, None] - 1)
    n = np.arange(len(zone))[:, None]
    row_bits = _bits(rows[n, zone], pixel)
    row_bits[pixel >= y_edges[:, :1]] = 0  # the pavement
    column_bits = _bits(columns[n, column], pixel) | _bits(others[n, column], pixel)
    cells = plan.flags.reshape(-1)[((n * MAX_ZONES + zone) * MAX_COLUMNS)[:, :, None] + column[:, None, :]]
    seen = cells & row_bits[:, :, None] & column_bits[:, None, :]
    return Raster(size, _TOPMOST[seen], zone, column, rows, columns, left, right, y_edges)


def _topmost() -> Array:
    """The highest bit set in each number below 2**PARTS, or NOTHING."""
    numbers = np.arange(1 << PARTS)
    top = np.full(1 << PARTS, NOTHING, np.uint8)
    for part in range(PARTS):
        top[(numbers >> part) & 1 == 1] = part
    return top


_TOPMOST = _topmost()


def _pixels(length: Any, size: int) -> Array:
    """Lengths of a plan in whole pixels, rounded half up."""
    return (np.asarray(length, np.int32) * size + UNIT // 2) // UNIT


def _bits(spans: Array, pixel: Array) -> Array:
    """Which parts' spans (N, S, P, 2) hold pixel S: bits, uint32 (N, S)."""
    at = pixel[None, :, None]
    inside = (spans[..., 0] <= at) & (at < spans[..., 1])
    return np.asarray(np.sum(inside * (np.uint32(1) << np.arange(PARTS, dtype=np.uint32)), 2, dtype=np.uint32))


class _Lengths:
    """Random lengths of N pictures, in pixels (N, 1)."""

    def __init__(self, chance: Chance, size: int) -> None:
        self.chance, self.size = chance, size

    def number(self, name: str, low: int, high: int) -> Array:
        """A whole number from low to high."""
        return self.chance.whole(name, low, high)[:, None]

    def pixels(self, units: Any) -> Array:
        """A plan's length in pixels."""
        return _pixels(units, self.size)

    def thick(self, units: Any) -> Array:
        """The same, but never less than a pixel."""
        return np.maximum(self.pixels(units), 1)


def _row_spans(chance: Chance, plan: Plan, y_edges: Array, size: int) -> Array:
    """First row of each part in each zone, and the row after its last: (N, Z, P, 2)."""
    z, zones = ZONE[:, :, 0], plan.zones[:, None]
    low, high = y_edges[:, 1:], y_edges[:, :-1]  # rows of the zone
    height = plan.y_edges[:, :-1] - plan.y_edges[:, 1:]
    crowned = z == zones - 1 - plan.mansard[:, None]
    draw = _Lengths(chance, size)
    head = np.where(crowned, draw.number("crown height", 80, 230), draw.number("band height", 40, 110))
    door = np.minimum(height * draw.number("door height", 160, 200) // 256, draw.number("tallest door", 760, 1000))
    roof = np.maximum(high - draw.pixels(draw.number("gable height", 160, 400)), low)
    in_sky = z == zones
    cap = np.where(in_sky, roof, low)
    pairs = {
        WALL: (cap, high),
        ATTIC: (low, high),
        BAND: (cap, cap + draw.thick(head)),
        CROWN: (low, low + draw.thick(head)),
        PILLAR: (low, high),
        SHOP: (low + draw.pixels(height * draw.number("shop top", 30, 60) // 256), high),
        DOOR: (high - draw.pixels(door), high),
    }
    pairs |= _window_rows(plan, draw, (low, high), height, head, crowned)
    under, end = pairs[DECO]
    pairs[DECO] = np.where(in_sky, roof + (high - roof) // 4, under), end
    spans = np.zeros((*low.shape, PARTS, 2), np.int32)
    for part, (begin, end) in pairs.items():
        spans[:, :, part, 0], spans[:, :, part, 1] = begin, end
    return spans


def _window_rows(
    plan: Plan, draw: _Lengths, rows: tuple[Array, Array], height: Array, head: Array, crowned: Array
) -> dict[int, tuple[Array, Array]]:
    """Rows of windows and of what hangs on them, each (N, Z).

    The first row of a zone is never window, nor is a window ever hidden from top to bottom:
    rows of windows can be counted at any size.
    """
    z, zones, whole = ZONE[:, :, 0], plan.zones[:, None], draw.chance.whole
    low, high = rows
    glass = height * (draw.number("window height", 140, 176) + whole("window height here", -14, 8, z)) // 256
    glass = np.minimum(glass, plan.window_width[:, None] * draw.number("aspect", 12, 19) // 8)
    low_top = crowned & (zones > 2) & (draw.chance("low top floor") < 0.3)[:, None]
    glass = np.where(low_top, glass * 5 // 8, glass)
    glass = np.where(plan.mansard[:, None] & (z == zones - 1), height * 132 // 256, glass)
    panels = np.any(plan.flags & np.uint32(1 << DECO), 2)  # they take room under the windows
    glass = np.where(panels, glass * 13 // 16, glass)
    share = np.where(panels, 80, draw.number("above", 116, 150))
    above = head + np.maximum(height - glass - head, 0) * share // 256
    top = low + draw.thick(above)
    bottom = np.minimum(np.maximum(top + draw.pixels(glass), top + 2), high)
    top = np.minimum(top, bottom - 1)
    hood, sill = draw.thick(draw.number("hood height", 56, 130)), draw.thick(draw.number("sill height", 28, 52))
    hood_end = np.maximum(top - draw.pixels(draw.number("gap", 0, 30)), low)
    rail = bottom - draw.thick(glass * draw.number("railing", 70, 105) // 256)
    rolled = top + np.maximum((bottom - top) * whole("roller", 80, 138, z) // 256, 1)
    under = np.minimum(bottom + sill + draw.pixels(50), high)
    return {
        WINDOW: (top, bottom),
        SHUTTER: (top, bottom),
        HOOD: (np.maximum(hood_end - hood, low), hood_end),
        ROLLER: (top, np.minimum(rolled, bottom - 1)),
        SILL: (bottom, np.minimum(bottom + sill, high)),
        DECO: (under, high - draw.pixels(40)),
        BALCONY: (np.maximum(rail, top + 1), np.minimum(bottom + draw.thick(glass // 10), high)),
    }


def _column_spans(
    chance: Chance, plan: Plan, x_edges: Array, left: Array, right: Array, size: int
) -> tuple[Array, Array]:
    """First column of pixels of each part in each column, and the one after its last.

    Two sets (N, C, P, 2), for the parts that stand on both sides of a window.
    """
    low, high = x_edges[:, :-1], x_edges[:, 1:]
    middle = (plan.x_edges[:, :-1] + plan.x_edges[:, 1:]) // 2
    draw = _Lengths(chance, size)
    begin, end, room = _window_columns(plan, draw, (low, high), middle)
    over = draw.thick(draw.number("overhang", 20, 60))
    shutter = np.maximum(np.minimum(draw.thick(plan.window_width[:, None] * 120 // 256), room - 1), 1)
    inset = draw.pixels(draw.number("shop inset", 0, 70))
    wide = (chance("wide balconies") < 0.35)[:, None]
    rail = draw.thick(draw.number("balcony overhang", 24, 90))
    door = np.maximum(draw.pixels(draw.number("door width", 320, 480)), 2)
    door = np.minimum(door, np.maximum(high - low - 2, 1))
    door_at = draw.pixels(middle) - door // 2
    pillar = draw.thick(draw.number("pillar", 70, 170))
    pairs = {
        WINDOW: (begin, end),
        ROLLER: (begin, end),
        DECO: (begin, end),
        HOOD: (begin - over, end + over),
        SILL: (begin - over, end + over),
        BALCONY: (np.where(wide, low, begin - rail), np.where(wide, high, end + rail)),
        SHOP: (low + inset, high - inset),
        DOOR: (door_at, door_at + door),
        SHUTTER: (begin - shutter, begin),
        PILLAR: (low, low + pillar // 2),
    }
    first = np.zeros((*low.shape, PARTS, 2), np.int32)
    for part, (a, b) in pairs.items():
        first[:, :, part, 0], first[:, :, part, 1] = np.maximum(a, low), np.minimum(b, high)
    for part in (WALL, ATTIC, BAND, CROWN):
        first[:, :, part, 0], first[:, :, part, 1] = left[:, None], right[:, None]
    second = np.zeros_like(first)
    second[:, :, SHUTTER, 0], second[:, :, SHUTTER, 1] = end, np.minimum(end + shutter, high)
    second[:, :, PILLAR, 0], second[:, :, PILLAR, 1] = high - (pillar + 1) // 2, high
    return first, second


def _window_columns(
    plan: Plan, draw: _Lengths, edges: tuple[Array, Array], middle: Array
) -> tuple[Array, Array, Array]:
    """Where windows begin and end, (N, C), and the wall on each side of one, (N, 1), in pixels."""
    low, high = edges
    columns = plan.columns[:, None]
    pitch = np.where(columns > COLUMN[0], high - low, draw.size)
    from_end = np.minimum(COLUMN[0], columns - 1 - COLUMN[0])
    grand = (draw.chance("grand middle") < 0.35)[:, None] & (from_end == (columns - 1) // 2)
    units = plan.window_width[:, None] * np.where(grand, 21, 16) // 16
    width = np.minimum(draw.thick(units), np.maximum(pitch - 1, 1))  # a pixel of wall at least
    begin = np.maximum(draw.pixels(middle - units // 2), low)
    begin = np.minimum(begin, np.maximum(high - 1 - width, low))
    return begin, begin + width, np.maximum(np.min(pitch - width, 1, keepdims=True), 0) // 2
