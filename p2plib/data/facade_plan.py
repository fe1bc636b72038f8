"""Where everything stands on a made-up building front.

A front is a grid of storeys and columns.  The plan holds its edges, and for each cell of the grid which
kinds of part (windows, sills, ...) it has, one bit a kind.

Integer arithmetic and exact float comparisons alone: the same bytes on every machine.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from p2plib.data import randomness

Array = np.ndarray[Any, Any]

F = np.float32
UNIT = 4096  # lengths in a plan are integers in 1/UNIT of the picture's side
MAX_ZONES = 8  # a shop floor, up to six storeys, the sky above
MAX_COLUMNS = 7

# The kinds of part, topmost last.
WALL, ATTIC, BAND, CROWN, PILLAR, DECO, HOOD, SHUTTER, WINDOW, ROLLER, SILL, SHOP, DOOR, BALCONY = range(14)
PARTS = 14
NOTHING = PARTS  # no part at all: what lies around the front


@dataclass(frozen=True)
class FacadeParameters:
    """What a person can turn; ``None`` leaves it to the seed, and nothing else is decided anew.

    Attributes:
        floors: rows of windows, 2 to 6.  A shop floor comes below them.
        columns: windows in a row, 2 to 7.
        shop: whether the ground floor is shops.
        window_width: share of a column's width that is window, 0.25 to 0.7.
        balconies: share of the upper windows that have a balcony, 0 to 1.
        ornament: 0 (bare wall) to 1 (moldings, pillars, panels, hoods wherever they can be).
    """

    floors: int | None = None
    columns: int | None = None
    shop: bool | None = None
    window_width: float | None = None
    balconies: float | None = None
    ornament: float | None = None

    def __post_init__(self) -> None:
        ranges = {"floors": (2, 6), "columns": (2, MAX_COLUMNS), "window_width": (0.25, 0.7)}
        ranges |= {"balconies": (0, 1), "ornament": (0, 1)}
        for name, (low, high) in ranges.items():
            value = getattr(self, name)
            if value is None:
                continue
            if not low <= value <= high:
                raise ValueError(f"{name} must lie between {low} and {high}, not {value}.")
            if name in ("floors", "columns") and value != int(value):
                raise ValueError(f"{name} must be a whole number, not {value}.")


class Chance:
    """Named random numbers, one for each of N pictures and each place asked for."""

    def __init__(self, seed: int, indices: Array) -> None:
        self.seed, self.indices = seed, indices

    def __call__(self, name: str, *places: Any) -> Array:
        """Uniform float32 in [0, 1): (N,), or (N, ...) with the broadcast shape of the places.

        Places that differ from picture to picture carry the picture's axis first.
        """
        depth = max((np.ndim(p) for p in places), default=0)
        pictures = self.indices.reshape(-1, *[1] * max(depth - 1, 0)) if depth else self.indices
        return randomness.uniform(self.seed, randomness.purpose(name), pictures, *places)

    def whole(self, name: str, low: int, high: int, *places: Any) -> Array:
        """Integers (int32) from low to high, both included."""
        return low + (self(name, *places) * np.float32(high - low + 1)).astype(np.int32)


@dataclass(frozen=True)
class Plan:
    """Decisions and lengths of N fronts; lengths are int32 in 1/4096 of the picture's side.

    Zones count upwards from the ground; zone ``zones[n]`` is the sky above front n.
    Axes: N pictures, Z = MAX_ZONES, C = MAX_COLUMNS.
    """

    zones: Array  # (N,) storeys, the shop floor among them
    columns: Array  # (N,)
    shop: Array  # (N,) bool
    mansard: Array  # (N,) bool: the top storey stands in the roof
    left: Array  # (N,) where the front begins
    right: Array  # (N,) ... and ends
    x_edges: Array  # (N, C + 1) of the columns, from left to right
    y_edges: Array  # (N, Z + 1) of the zones, from the ground up, so falling
    window_width: Array  # (N,)
    flags: Array  # (N, Z, C) uint32: bit k set where the cell has part k


ZONE = np.arange(MAX_ZONES)[None, :, None]  # axes of the cells (N, Z, C)
COLUMN = np.arange(MAX_COLUMNS)[None, None, :]


def make_plan(indices: Array, seed: int, parameters: FacadeParameters) -> Plan:
    """The plan of each picture (indices: int64 (N,))."""
    chance = Chance(seed, indices)
    floors, columns, shop, ornament = _sizes(chance, parameters)
    zones = floors + shop
    mansard = (chance("mansard") < 0.22) & (floors > 2)
    left, right, x_edges = _column_edges(chance, columns)
    y_edges = _zone_edges(chance, floors, zones)

    pitch = np.min(np.where(COLUMN[0] < columns[:, None], np.diff(x_edges, axis=1), UNIT), 1)
    storey = (y_edges[:, 0] - y_edges[np.arange(len(zones)), zones]) // zones
    share = chance.whole("window width", 92, 142)  # of 256
    slim = np.maximum(storey * chance.whole("slim", 96, 136) // 256, pitch // 4)
    width = np.minimum(pitch * share // 256, slim)
    if parameters.window_width is not None:
        width = pitch * int(parameters.window_width * 256) // 256
    cells = _Cells(chance, zones, columns, shop, mansard, ornament)
    masks = _openings(cells, parameters.balconies)
    masks |= _ornaments(cells, masks[WINDOW])
    flags = np.zeros((len(zones), MAX_ZONES, MAX_COLUMNS), np.uint32)
    for part, mask in masks.items():
        flags |= mask.astype(np.uint32) << np.uint32(part)
    return Plan(zones, columns, shop, mansard, left, right, x_edges, y_edges, width, flags)


def _sizes(chance: Chance, p: FacadeParameters) -> tuple[Array, Array, Array, Array]:
    """Floors, columns, shop, ornament, each (N,): what the parameters say, or else the seed.

    What the seed says of one never depends on what a parameter says of another.
    """
    count = len(chance.indices)
    shop = chance("shop") < 0.4
    floors = chance.whole("floors", 3, 6) - (chance("fewer floors") < 0.25)
    floors = np.minimum(floors, 6 - shop)
    columns = floors + shop + chance.whole("columns", -1, 1) + (chance("broad front") < 0.25)
    columns = np.clip(columns, 3 - (chance("two columns") < 0.08), MAX_COLUMNS)
    ornament = F(0.15) + F(0.85) * chance("ornament")
    if p.floors is not None:
        floors = np.full(count, int(p.floors), np.int32)
    if p.columns is not None:
        columns = np.full(count, int(p.columns), np.int32)
    if p.shop is not None:
        shop = np.full(count, bool(p.shop))
    if p.ornament is not None:
        ornament = np.full(count, p.ornament, F)
    return floors, columns, shop, ornament


def _shared_edges(weights: Array, count: Array, low: Array, high: Array) -> Array:
    """Edges (N, K + 1) that share out [low, high] among the first ``count`` of K integer weights."""
    used = np.where(np.arange(weights.shape[1]) < count[:, None], weights, 0)
    sums = np.cumsum(np.pad(used, ((0, 0), (1, 0))), 1, dtype=np.int64)
    return (low[:, None] + (high - low)[:, None] * sums // sums[:, -1:]).astype(np.int32)


def _column_edges(chance: Chance, columns: Array) -> tuple[Array, Array, Array]:
    """Left and right end of the front, (N,), and the columns' edges, (N, C + 1)."""
    narrow = chance("narrow front") < 0.6
    left = np.where(narrow & (chance("left open") < 0.8), chance.whole("left", 100, 560), 0)
    right = UNIT - np.where(narrow & (chance("right open") < 0.8), chance.whole("right", 100, 560), 0)
    from_end = np.minimum(COLUMN[0], columns[:, None] - 1 - COLUMN[0])
    central = from_end == (columns[:, None] - 1) // 2
    weights = 20 + central * np.maximum(chance.whole("wide centre", -14, 8), 0)[:, None]
    weights = weights + (from_end == 0) * np.maximum(chance.whole("wide ends", -10, 6), 0)[:, None]
    pier = (right - left) * chance.whole("pier", 0, 14) // 256
    return left, right, _shared_edges(weights, columns, left + pier, right - pier)


def _zone_edges(chance: Chance, floors: Array, zones: Array) -> Array:
    """Edges of the storeys from the ground up, (N, Z + 1); 0 above the roof line."""
    top = chance.whole("top", 140, 640) + np.where(floors == 2, 200, 0)
    bottom = UNIT - np.where(chance("pavement") < 0.5, chance.whole("pavement height", 80, 200), 0)
    z = ZONE[:, :, 0]
    heights = 40 + chance.whole("storey", 0, 4, z)
    heights = heights + (z == 0) * chance.whole("ground", 2, 14)[:, None]
    heights = heights + (z == 1) * chance.whole("first floor", 0, 8)[:, None]
    heights = heights - (z == zones[:, None] - 1) * chance.whole("last floor", 0, 7)[:, None]
    edges = _shared_edges(heights, zones, bottom, top)
    return np.where(np.arange(MAX_ZONES + 1) > zones[:, None], 0, edges)


class _Cells:
    """The cells of N fronts by what they are: masks that broadcast to (N, Z, C)."""

    def __init__(
        self, chance: Chance, zones: Array, columns: Array, shop: Array, mansard: Array, ornament: Array
    ) -> None:
        self.chance = chance
        self.zones, self.columns, self.shop, self.mansard, self.ornament = (
            a[:, None, None] for a in (zones, columns, shop, mansard, ornament)
        )
        self.from_end = np.minimum(COLUMN, self.columns - 1 - COLUMN)  # the same on both sides
        self.central = self.from_end == (self.columns - 1) // 2
        self.storey = self.zones > ZONE
        self.real = self.storey & (self.from_end >= 0)
        self.ground = np.zeros_like(self.zones) == ZONE
        self.attic = self.mansard & (self.zones - 1 == ZONE)
        self.last = self.zones - 1 - self.mansard == ZONE  # under the crown
        self.sky = self.zones == ZONE

    def some(self, name: str, share: Any, *places: Any) -> Array:
        """True with this probability: for the whole picture, or for each of the places."""
        drawn = self.chance(name, *places)
        return np.asarray((drawn if places else drawn[:, None, None]) < share)


def _openings(cells: _Cells, balconies: float | None) -> dict[int, Array]:
    """Where windows, doors and shops are, and what belongs to a window."""
    k, some = cells, cells.some
    at = np.where(some("door in the middle", 0.65), k.columns // 2, some("door right", 0.5) * (k.columns - 1))
    door = k.real & k.ground & (at == COLUMN)
    shop = k.real & k.ground & k.shop & ~door
    window = k.real & ~door & ~shop
    shutters = some("shutters", 0.22) & ~k.attic & ~(k.ground & some("open ground", 0.5))
    share: Any = np.where(some("balconies", 0.4), F(0), F(0.8) * k.chance("balcony share")[:, None, None])
    share = share if balconies is None else F(balconies)
    balcony = window & ~k.ground & ~k.attic & some("balcony", share, ZONE, k.from_end)
    rolled = some("rollers", 0.45) & some("roller", 0.4, ZONE, COLUMN)
    return {
        WINDOW: window,
        DOOR: door,
        SHOP: shop,
        SILL: window & ~k.attic & some("sills", 0.8),
        BALCONY: balcony,
        SHUTTER: window & shutters & some("shutter", 0.94, ZONE, COLUMN),
        ROLLER: window & rolled & ~shutters & ~balcony,
    }


def _ornaments(cells: _Cells, window: Array) -> dict[int, Array]:
    """Where the wall is and what adorns it."""
    k, some, much = cells, cells.some, cells.ornament
    plain = ~k.attic & ~k.ground
    middle = k.from_end >= (k.columns - 1) // 2 - (k.columns > 4)
    gable = k.sky & ~k.mansard & middle & (k.from_end >= 0) & some("gable", 0.25)
    band = k.storey & ~k.last & ~k.attic & (some("band", much * F(0.9), ZONE) | (k.shop & k.ground))
    framed = np.where(some("risalit", 0.5), k.central, k.from_end == 0) | some("pillars everywhere", 0.5)
    panels = some("panels", much * F(0.6), ZONE) & some("panel", 0.8, ZONE, k.from_end)
    hoods = some("hoods", much * F(0.72), ZONE) & some("hood", 0.8, ZONE, k.from_end)
    return {
        WALL: k.storey | gable,
        ATTIC: k.attic,
        BAND: band | gable,
        CROWN: k.last & some("crown", F(0.4) + much * F(0.6)),
        PILLAR: k.real & plain & framed & some("pillars", F(0.05) + much * F(0.4)),
        DECO: (k.real & plain & panels) | (gable & some("gable panel", 0.7)),
        HOOD: window & (hoods | k.attic),
    }
