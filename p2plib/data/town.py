"""The plan of a made-up town: what lies where, at every pixel of a batch of pictures.

A town is a grid of districts between main streets; a district is cut into blocks, a block into plots,
and a plot may carry a building.  A river and a highway cross it all.  Every pixel finds its district, block
and plot by itself.  Lengths are in units (see `town_scene`, also for why the arithmetic here is plain).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from p2plib.data.randomness import lane
from p2plib.data.town_blocks import SIDE, Blocks, lay_blocks
from p2plib.data.town_scene import (
    CENTRE,
    FAR,
    PARK,
    TERRACE,
    Scene,
    box,
    edge_distance,
    noise,
    rounded_box,
    to_grid,
    to_world,
    wave,
)

Array = np.ndarray[Any, Any]

# By use (FIELD ... WORKS): width of a building as a share of its plot (least, range), its depth as a share of
# the plot's depth (least, range), and the depth of the front garden, in units.
_HOUSE = {
    "width": np.array([0, 0, 0.52, 0.94, 0.8, 0.66, 0.72], np.float32),
    "width range": np.array([0, 0, 0.26, 0.06, 0.2, 0.2, 0.2], np.float32),
    "depth": np.array([0, 0, 0.38, 0.5, 0.68, 0.34, 0.66], np.float32),
    "depth range": np.array([0, 0, 0.2, 0.18, 0.27, 0.14, 0.2], np.float32),
    "garden": np.array([0, 0, 1.7, 0.9, 0.45, 1.6, 1.0], np.float32),
}


@dataclass(frozen=True)
class Plan:
    """What lies at each pixel: float32 arrays (n, h, w); distances in units, negative inside."""

    scene: Scene
    scale: float  # pixels per unit
    p: Array  # position across and along the road grid
    q: Array
    use: Array  # int, FIELD ... WORKS
    side_hash: Array  # uint32, of the side of the block that is nearest
    along_p_street: Array  # 1 where the nearest side of the block faces a street that runs along q
    street: Array  # distance to the street area; a street that was left out has none
    axis: tuple[Array, Array]  # distance to the middle of the nearest main street, across p and across q
    main: tuple[Array, Array]  # half the width of that main street
    main_street: Array  # distance to the nearest main street
    yellow: Array  # distance to a main road drawn in yellow
    yellow_bridge: Array  # ... and to the part of it that crosses water
    bridge: Array  # distance to a street that crosses water
    water: Array
    highway: Array
    wood: Array
    pitch: Array
    path: Array
    building: Array
    house: House


@dataclass(frozen=True)
class House:
    """The building (or its empty plot) that a pixel belongs to: float32 arrays (n, h, w), units."""

    plot_hash: Array  # uint32
    along: Array  # position from the building's middle, along the street
    deep: Array  # ... and away from the street
    half_width: Array
    half_depth: Array
    along_is_q: Array  # 1 where "along" runs along q, else 0
    facing: Array  # +1 where "deep" grows with p or q, else -1
    edge: Array  # distance to the plot's side boundaries, >= 0


def make_plan(scene: Scene, size: int, scale: float) -> Plan:
    """Find for every pixel its street, block, plot and building, and the green and the water around it."""
    at = (np.arange(size, dtype=np.float32) + np.float32(0.5 - size / 2)) / np.float32(scale)
    x, y = at[None, None, :], at[None, :, None]
    blocks = lay_blocks(scene, 0.7072 * size / scale + 18)
    p, q = to_grid(scene, x, y)
    across_p, across_q, values, hashed = _find_block(blocks, p, q)
    from_p, from_q = p - values["middle p"], q - values["middle q"]
    street = -rounded_box(from_p, from_q, values["half p"], values["half q"], 0.9)

    def nearest(half_p: Array, half_q: Array) -> Array:
        return np.minimum(across_p.distance - half_p, across_q.distance - half_q)

    faces_p = (np.abs(from_p) - values["half p"] > np.abs(from_q) - values["half q"]).astype(np.float32)
    side_hash = hashed + ((from_p > 0) * 2 + (from_q > 0)).astype(np.uint32) * np.uint32(0x3C6EF35F)
    bank = np.float32(1.2) * noise(scene, "bank", size, scale, (6.0, 12.0))
    water = edge_distance(scene, "river", x, y) + bank
    highway = edge_distance(scene, "highway", x, y)
    house, building = _house(scene, values, hashed, from_p, from_q)
    green = _green(scene, values, hashed, from_p, from_q, size, scale)
    return Plan(
        scene=scene,
        scale=scale,
        p=p,
        q=q,
        use=values["use"].astype(np.intp),
        side_hash=side_hash,
        along_p_street=faces_p,
        street=street,
        axis=(across_p.distance, across_q.distance),
        main=(across_p.half, across_q.half),
        main_street=nearest(across_p.half, across_q.half),
        yellow=nearest(across_p.yellow, across_q.yellow),
        yellow_bridge=nearest(
            np.minimum(across_p.yellow, across_p.bridge), np.minimum(across_q.yellow, across_q.bridge)
        ),
        bridge=nearest(across_p.bridge, across_q.bridge),
        water=np.minimum(water, green["pond"]),
        highway=highway,
        wood=green["wood"],
        pitch=green["pitch"],
        path=green["path"],
        building=building,
        house=house,
    )


@dataclass(frozen=True)
class _Across:
    district: Array  # number of the district, int
    low: Array  # where it begins and ends
    high: Array
    distance: Array  # to the middle of the nearest main street
    half: Array
    yellow: Array
    bridge: Array


def _find_block(blocks: Blocks, p: Array, q: Array) -> tuple[_Across, _Across, dict[str, Array], Array]:
    """The district and the block of each pixel: its streets, its row of the tables, its hash."""
    across_p, across_q = _across(blocks, 0, p), _across(blocks, 1, q)
    side = blocks.lines[0].shape[1] - 1
    cell = ((_rows(p) * side + across_p.district) * side + across_q.district) * (SIDE * SIDE)
    block = cell + _inner(blocks, 0, cell, p, across_p) * SIDE + _inner(blocks, 1, cell, q, across_q)
    values = {name: table.take(block) for name, table in blocks.fields.items()}
    return across_p, across_q, values, blocks.hashed.take(block)


def _rows(like: Array) -> Array:
    return np.arange(len(like))[:, None, None]


def _across(blocks: Blocks, axis: int, p: Array) -> _Across:
    """Which district a position lies in along one axis, and its nearest main street."""
    lines = blocks.lines[axis]
    row = _rows(p) * lines.shape[1]
    number = np.floor(p / blocks.district).astype(np.intp) - blocks.first + row
    flat = lines.ravel()
    number = number + (p >= flat.take(number + 1)).astype(np.intp) - (p < flat.take(number))
    low, high = flat.take(number), flat.take(number + 1)
    nearest = number + (p - low > high - p)
    half, yellow, bridge = (t[axis].take(nearest) for t in (blocks.half, blocks.yellow, blocks.bridge))
    return _Across(number - row, low, high, np.minimum(np.abs(p - low), np.abs(high - p)), half, yellow, bridge)


def _inner(blocks: Blocks, axis: int, cell: Array, p: Array, across: _Across) -> Array:
    """The number, 0 to 2, of the block along one axis of its district."""
    count = blocks.counts[axis].take(cell // (SIDE * SIDE))
    number = np.floor((p - across.low) * count / (across.high - across.low))
    return np.clip(number, 0, count - 1).astype(np.intp)


def _house(scene: Scene, v: dict[str, Array], hashed: Array, from_p: Array, from_q: Array) -> tuple[House, Array]:
    """The plot that a pixel lies in, its building, and the distance to that building's outline."""
    turn = v["along is q"]
    along, deep = from_p + turn * (from_q - from_p), from_q + turn * (from_p - from_q)
    length = np.maximum(v["half p"], v["half q"])
    depth = np.minimum(v["half p"], v["half q"])
    plot = np.clip(np.floor((along + length) / v["plot"]), 0, v["plots"] - 1)
    middle = (plot + np.float32(0.5)) * v["plot"] - length
    far_side = (deep > 0) & (v["two rows"] > 0)
    facing = 1 - 2 * far_side.astype(np.float32)  # +1: "from the street inwards" grows with p or q
    row_depth = depth * (2 - v["two rows"])
    inwards = deep * facing + depth
    code = plot.astype(np.uint32) * np.uint32(2) + far_side
    with np.errstate(over="ignore"):
        plot_hash = scatter(hashed + code * np.uint32(0x9E3779B1))
    use = v["use"].astype(np.intp)
    half_w = (
        v["plot"]
        * np.float32(0.5)
        * (_HOUSE["width"].take(use) + _HOUSE["width range"].take(use) * lane(plot_hash, "w"))
    )
    half_d = (
        row_depth
        * np.float32(0.5)
        * (_HOUSE["depth"].take(use) + _HOUSE["depth range"].take(use) * lane(plot_hash, "d"))
    )
    half_d = np.minimum(half_d, np.float32(5.5))
    garden = _HOUSE["garden"].take(use)
    half_d = np.minimum(half_d, (row_depth - garden - np.float32(0.4)) * np.float32(0.5))
    slack = np.maximum(row_depth - garden - 2 * half_d - 1, 0)
    at = garden + half_d + slack * np.float32(0.35) * lane(plot_hash, "at")
    sideways = (v["plot"] * np.float32(0.5) - half_w) * (lane(plot_hash, "side") - np.float32(0.5))
    x, y = along - middle - sideways, inwards - at
    distance = _outline(x, y, half_w, half_d, plot_hash, use)
    centre_deep = (at - depth) * facing
    centre_along = middle + sideways
    centre_p = v["middle p"] + centre_along + turn * (centre_deep - centre_along)
    centre_q = v["middle q"] + centre_deep + turn * (centre_along - centre_deep)
    wx, wy = to_world(scene, centre_p, centre_q)
    room = np.minimum(edge_distance(scene, "river", wx, wy), edge_distance(scene, "highway", wx, wy))
    empty = (lane(plot_hash, "built") >= scene.density) | (use <= PARK) | (np.minimum(half_w, half_d) < np.float32(0.9))
    empty |= room < np.float32(0.55) * (half_w + half_d) + np.float32(1.8)
    edge = v["plot"] * np.float32(0.5) - np.abs(along - middle)
    return House(plot_hash, x, y, half_w, half_d, turn, facing, edge), distance + FAR * empty


def scatter(hashed: Array) -> Array:
    """One more round of mixing of uint32 values."""
    hashed = (hashed ^ (hashed >> np.uint32(16))) * np.uint32(0x7FEB352D)
    hashed = (hashed ^ (hashed >> np.uint32(15))) * np.uint32(0x846CA68B)
    return hashed ^ (hashed >> np.uint32(16))


def _outline(x: Array, y: Array, half_x: Array, half_y: Array, hashed: Array, use: Array) -> Array:
    """Distance to a building's outline: a rectangle, an L, or (in the centre) a U around a yard."""
    shape = lane(hashed, "outline")
    hand = 1 - 2 * (lane(hashed, "hand") < np.float32(0.5)).astype(np.float32)
    cut = np.float32(0.3) + np.float32(0.25) * lane(hashed, "cut")
    yard = (shape > np.float32(0.72)) & (use >= CENTRE)  # a U: the cut lies in the middle of the back
    corner = (shape < np.float32(0.42)) & (use != TERRACE)
    notch_x = half_x * np.where(yard, np.float32(0), 1 - cut) * hand
    notch = box(x - notch_x, y - half_y, half_x * cut, half_y * 2 * cut)
    notch = np.where(yard | corner, notch, FAR)
    return np.maximum(box(x, y, half_x, half_y), -notch)


def _green(
    scene: Scene, v: dict[str, Array], hashed: Array, from_p: Array, from_q: Array, size: int, scale: float
) -> dict[str, Array]:
    """Distances to ponds, woods, sports grounds and paths: things that only parks (and fields) have."""
    park = v["use"] == PARK
    away = FAR * ~park
    half_p, half_q = v["half p"], v["half q"]
    kind = lane(hashed, "park")
    small = np.minimum(half_p, half_q)
    ground = rounded_box(
        from_p - half_p * np.float32(0.3) * (lane(hashed, "x") - np.float32(0.5)),
        from_q - half_q * np.float32(0.3) * (lane(hashed, "y") - np.float32(0.5)),
        small * np.float32(0.55),
        small * np.float32(0.36),
        1.0,
    )
    pitch = ground + away + FAR * (kind > np.float32(0.34))
    a, b = half_p * np.float32(0.5), half_q * np.float32(0.45)
    u, w = from_p / a, from_q / b
    wobble = np.float32(1.1) * noise(scene, "shore", size, scale, (6.0, 11.0))
    pond = (np.sqrt(u * u + w * w) - 1) * np.minimum(a, b) + wobble + away
    pond = pond + FAR * ((kind < np.float32(0.78)) | (not scene.ponds))
    thick = noise(scene, "wood", size, scale, (8.0, 15.0, 27.0)) * np.float32(3.2)
    wood = thick - 7 * scene.u("wood") + np.float32(2.8) + away
    length, across = np.maximum(half_p, half_q), v["along is q"]
    along = from_p + across * (from_q - from_p)
    deep = from_q + across * (from_p - from_q)
    line = small * np.float32(0.55) * wave(along / (length * np.float32(2.2)) + lane(hashed, "walk"))
    path = np.maximum(np.abs(deep - line) - np.float32(0.55), np.float32(0.8) - pitch) + away  # not across the grass
    return {"pitch": pitch, "pond": pond, "wood": wood, "path": path}
