"""The aerial photograph of a made-up town, painted over its plan.

Ground, water, streets, roofs and trees are laid on one another as a satellite would see them.  What stands
above the ground also writes its height, and one sun, in the upper left, casts all shadows from that.  What
the plan leaves open is decided plot by plot and tree by tree, never for a whole picture, so that a patch of
the photograph is plausible or not by itself.  Colours are 0..255, lengths in units (see `town`).
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from p2plib.data.aerial_trees import grow
from p2plib.data.randomness import hash_u32, lane, purpose
from p2plib.data.town import Plan, scatter
from p2plib.data.town_scene import FAR, FIELD, PARK, SUBURB, TERRACE, WORKS, coverage, curve_distance, noise, wave

Array = np.ndarray[Any, Any]
Colour = tuple[Any, Any, Any]

TO_SUN = (-0.8, -0.6)  # horizontal direction towards the sun, x to the right and y down
_SHADOW_LENGTH = 0.85  # of a thing one unit high

_ASPHALT, _CONCRETE, _PATH = (116, 115, 115), (156, 153, 146), (186, 170, 143)
_LAWN, _DRY_LAWN, _UNDERGROWTH = (96, 116, 64), (144, 140, 94), (60, 73, 44)
_YARD, _SOIL = (139, 132, 121), (128, 108, 84)
_WATER, _SHALLOW, _BANK = (46, 69, 76), (86, 102, 88), (150, 142, 122)
_FIELDS = np.array(
    [(150, 138, 92), (122, 128, 74), (98, 112, 62), (132, 112, 84), (168, 154, 108), (110, 122, 70)],
    np.float32,
)
_TILES = np.array(  # pitched roofs
    [
        (146, 95, 76),
        (122, 82, 69),
        (112, 98, 88),
        (92, 94, 100),
        (130, 125, 119),
        (152, 116, 92),
        (80, 77, 77),
    ],
    np.float32,
)
_FLAT = np.array(
    [
        (188, 186, 181),
        (208, 206, 202),
        (152, 150, 146),
        (122, 121, 119),
        (98, 97, 96),
        (170, 160, 145),
        (136, 118, 104),
    ],
    np.float32,
)
_ROOFS = np.concatenate([_TILES, _FLAT])
_CARS = np.array(
    [
        (226, 226, 224),
        (206, 207, 209),
        (188, 190, 192),
        (160, 162, 165),
        (128, 130, 134),
        (82, 84, 88),
        (60, 61, 64),
        (48, 49, 52),
        (214, 212, 206),
        (132, 58, 52),
        (68, 84, 110),
        (150, 140, 122),
    ],
    np.float32,
)
# By use: the share of yards that are lawn, the chance of a big tree, pitched roofs, height least and range
_LAWN_SHARE = np.array([1, 1, 0.86, 0.6, 0.12, 0.95, 0.0], np.float32)
_TREES = np.array([0.02, 0.3, 0.4, 0.5, 0.12, 0.5, 0.03], np.float32)
_PITCHED = np.array([1, 1, 0.97, 0.55, 0.2, 0.1, 0], np.float32)
_HEIGHT = np.array([2, 2, 1.5, 2.2, 3, 4, 2], np.float32)
_HEIGHT_RANGE = np.array([0, 0, 0.8, 1.0, 3.5, 3.5, 1.0], np.float32)


@dataclass
class Canvas:
    """The photograph in the making: colour (3, n, h, w) and height (n, h, w), with the noise it shares."""

    plan: Plan
    colour: Array
    height: Array
    grain: Array  # noise at 1/4 to 1 units
    mottle: Array  # ... 1.5 to 6 units
    broad: Array  # ... 9 to 24 units

    def paint(self, colour: Any, share: Array) -> None:
        """Cover with a colour (three numbers, or three arrays), to a share 0..1 of each pixel."""
        for channel, level in zip(self.colour, colour, strict=True):
            channel += share * (np.float32(level) - channel)

    def only(self, rows: Array) -> Canvas:
        """A copy for some of the pictures, with as much of the plan as a highway needs."""
        plan = replace(
            self.plan,
            scene=self.plan.scene.only(rows),
            water=self.plan.water[rows],
            highway=self.plan.highway[rows],
        )
        noises = self.grain[rows], self.mottle[rows], self.broad[rows]
        return Canvas(plan, self.colour[:, rows], self.height[rows], *noises)

    def tint(self, factor: Array) -> None:
        """Make brighter or darker."""
        self.colour *= factor


def photograph(plan: Plan) -> Array:
    """Paint the aerial photograph of a plan: uint8 (n, 3, h, w)."""
    n, h, w = plan.water.shape
    scene, scale = plan.scene, plan.scale
    canvas = Canvas(
        plan,
        np.empty((3, n, h, w), np.float32),
        np.zeros((n, h, w), np.float32),
        noise(scene, "grain", w, scale, (0.25, 0.5, 1.0)),
        noise(scene, "mottle", w, scale, (1.5, 3.0, 6.0)),
        noise(scene, "broad", w, scale, (9.0, 15.0, 24.0)),
    )
    lay_ground(canvas)
    lay_park(canvas)
    lay_water(canvas)
    lay_streets(canvas)
    lay_highway(canvas)
    build_houses(canvas)
    _plant(canvas, "tree", 4.4, (1.1, 2.7), 1.0)
    _plant(canvas, "bush", 2.2, (0.5, 1.2), 0.5)
    cast_shadows(canvas)
    return expose(canvas)


def _pick(colours: Array, number: Array) -> list[Array]:
    """The colour at a place 0..1 in a list of colours, as three arrays."""
    row = (number * np.float32(len(colours))).astype(np.intp)
    return [colours[:, channel].take(row) for channel in range(3)]


def lay_ground(canvas: Canvas) -> None:
    """Lawns and yards, plot by plot; the fields of the countryside."""
    plan, house = canvas.plan, canvas.plan.house
    dry = lane(house.plot_hash, "dry") * np.float32(0.7) + np.float32(0.14) * (canvas.mottle + canvas.broad)
    dry = np.clip(dry, 0, 1)
    for channel, (green, brown) in enumerate(zip(_LAWN, _DRY_LAWN, strict=True)):
        canvas.colour[channel] = np.float32(green) + np.float32(brown - green) * dry
    lawn = _LAWN_SHARE.take(plan.use) - lane(house.plot_hash, "yard") - np.float32(0.12) * canvas.mottle
    paved = np.clip(np.float32(0.5) - np.float32(3) * lawn, 0, 1) * (plan.use >= SUBURB)
    yard = lane(house.plot_hash, "yard tone") * np.float32(36) - np.float32(18)
    works = np.float32(0.8) * (plan.use == WORKS)  # asphalt instead of gravel
    canvas.paint([np.float32(c) + yard + works * np.float32(122 - c) for c in _YARD], paved)
    field = (plan.use == FIELD).astype(np.float32)
    if field.any():
        canvas.paint(_pick(_FIELDS, lane(house.plot_hash, "crop")), field)
        rows = wave(house.along / np.float32(max(1.1, 2.6 / canvas.plan.scale)))
        canvas.tint(1 + field * np.float32(0.05) * rows)
    fence = coverage(house.edge - np.float32(0.16), plan.scale) * ((plan.use == SUBURB) | (plan.use == TERRACE))
    canvas.tint(1 - np.float32(0.2) * fence)
    canvas.tint(1 + np.float32(0.05) * canvas.grain + np.float32(0.035) * canvas.mottle)


def lay_park(canvas: Canvas) -> None:
    """Meadows, the floor of woods, sports grounds, paths."""
    plan = canvas.plan
    park = plan.use == PARK
    if not park.any():
        return
    canvas.paint(_UNDERGROWTH, coverage(plan.wood, plan.scale) * np.float32(0.8))
    stripes = wave(plan.p / np.float32(3.0)) * np.float32(5)
    canvas.paint((84 + stripes, 117 + stripes, 62 + stripes), coverage(plan.pitch, plan.scale))
    canvas.paint((214, 218, 206), _line(plan.pitch + np.float32(0.7), 0.13, plan.scale))
    canvas.paint(_PATH, coverage(plan.path, plan.scale) * np.float32(0.9))


def lay_water(canvas: Canvas) -> None:
    """Rivers and ponds: darker in the middle, with ripples and a stony or sandy bank."""
    plan = canvas.plan
    if plan.water.min() > 2:
        return
    bank = coverage(plan.water - np.float32(0.8), plan.scale) * (np.float32(0.75) + np.float32(0.1) * canvas.mottle)
    canvas.paint(_BANK, np.clip(bank, 0, 1))
    shallow = np.clip(1 + plan.water * np.float32(0.22), 0, 1)
    tone = np.float32(5) * canvas.broad + np.float32(2.2) * canvas.grain + np.float32(1.5) * canvas.mottle
    mixed = [
        np.float32(d) + np.float32(s - d) * shallow * shallow + tone for d, s in zip(_WATER, _SHALLOW, strict=True)
    ]
    canvas.paint(mixed, coverage(plan.water, plan.scale))


def _line(distance: Array, half: float, scale: float) -> Array:
    """A thin line around distance 0; one thinner than a pixel is faint instead."""
    share = np.float32(half * scale + 0.5) - np.abs(distance) * np.float32(scale)
    return np.clip(share, 0, min(1.0, 2 * half * scale))


def lay_streets(canvas: Canvas) -> None:
    """Pavements, asphalt, markings, parked and moving cars; bridges where a street crosses water."""
    plan, scale = canvas.plan, canvas.plan.scale
    on_land = 1 - coverage(plan.water, scale)
    bridge = coverage(plan.bridge, scale) * (1 - on_land)
    open_ = on_land + bridge
    town = (plan.use >= SUBURB) * on_land
    tone = np.float32(4) * canvas.broad
    canvas.paint([np.float32(c) + tone for c in _CONCRETE], coverage(plan.street - np.float32(0.75), scale) * town)
    street = coverage(plan.street, scale) * open_
    worn = np.float32(3) * canvas.grain + np.float32(3.5) * canvas.mottle + np.float32(3) * canvas.broad
    canvas.paint([np.float32(c) + worn for c in _ASPHALT], street)
    for axis in (0, 1):
        off, along = plan.axis[axis], (plan.q, plan.p)[axis]
        other = plan.axis[1 - axis] - plan.main[1 - axis]
        clear = np.clip(other - np.float32(0.6), 0, 1) * open_ * (off < plan.main[axis])
        dashes = (wave(along / np.float32(4)) > 0).astype(np.float32)
        canvas.paint((226, 222, 206), _line(off, 0.13, scale) * clear * dashes * np.float32(0.8))
    canvas.paint(_CONCRETE, _line(plan.bridge + np.float32(0.3), 0.3, scale) * bridge)
    ramp = np.clip(1 - plan.water * np.float32(0.25), 0, 1)  # a step at the bank would throw a shadow
    canvas.height += coverage(plan.bridge, scale) * ramp * np.float32(1.2)
    _park_cars(canvas, street * on_land)


def _park_cars(canvas: Canvas, street: Array) -> None:
    """Cars along the kerbs, and a few under way further from it."""
    plan = canvas.plan
    depth = -plan.street
    sideways = plan.along_p_street
    along = plan.p + sideways * (plan.q - plan.p)
    number = np.floor(along / np.float32(2.3))
    row = (depth > np.float32(1.12)).astype(np.float32)
    with np.errstate(over="ignore"):
        code = (number.astype(np.int32) * 8 + sideways.astype(np.int32) * 2 + row.astype(np.int32)).astype(np.uint32)
        hashed = scatter(plan.side_hash + code * np.uint32(0x9E3779B1))
    here = lane(hashed, "car") < np.float32(0.36) * (plan.use >= SUBURB) * (1 - row) + np.float32(0.06) * row
    a = along - (number + np.float32(0.5)) * np.float32(2.3)
    b = depth - np.float32(0.62) - np.float32(1.06) * row
    _car(canvas, a, b, hashed, here * street)


def _car(canvas: Canvas, along: Array, across: Array, hashed: Array, here: Array) -> None:
    scale = canvas.plan.scale
    body = coverage(np.maximum(np.abs(along) - np.float32(0.92), np.abs(across) - np.float32(0.4)), scale) * here
    paint = _pick(_CARS, lane(hashed, "paint"))
    canvas.paint(paint, body)
    if scale >= 2:
        glass = coverage(np.abs(along + np.float32(0.1)) - np.float32(0.56), scale)
        glass -= coverage(np.abs(along + np.float32(0.1)) - np.float32(0.33), scale)
        canvas.paint((46, 50, 55), glass * body * np.float32(0.6))
    np.maximum(canvas.height, body * np.float32(0.5), out=canvas.height)


def lay_highway(canvas: Canvas) -> None:
    """Two carriageways with a median and traffic, a little above everything it crosses."""
    has = np.flatnonzero(canvas.plan.scene.highway.ravel() > 0)
    if not has.size:
        return
    whole, canvas = canvas, canvas.only(has)
    plan, scale, scene = canvas.plan, canvas.plan.scale, canvas.plan.scene
    w = plan.water.shape[-1]
    at = (np.arange(w, dtype=np.float32) + np.float32(0.5 - w / 2)) / np.float32(scale)
    x, y = at[None, None, :], at[None, :, None]
    off = curve_distance(scene, "highway", x, y)
    along = scene.highway_axis[0] * x + scene.highway_axis[1] * y
    verge = coverage(plan.highway - np.float32(1.6), scale) * (1 - coverage(plan.water, scale))
    canvas.paint((104, 112, 72), verge * np.float32(0.85))
    on = coverage(plan.highway, scale)
    tone = np.float32(3) * canvas.grain + np.float32(4) * canvas.mottle
    canvas.paint((126 + tone, 124 + tone, 121 + tone), on)
    canvas.paint((172, 168, 158), _line(plan.highway + np.float32(0.2), 0.2, scale) * on)
    canvas.paint((96, 102, 78), _line(off, 0.32, scale) * on)
    quarter = scene.highway * np.float32(0.26)
    dashes = (wave(along / np.float32(3)) > 0) * on
    canvas.paint((226, 224, 216), _line(np.abs(off) - quarter, 0.1, scale) * dashes)
    np.maximum(canvas.height, on * np.float32(1.2), out=canvas.height)
    number, lanes = np.floor(along / np.float32(3.4)), np.floor(off / quarter)
    hashed = hash_u32(scene.seed, scene.index, purpose("traffic"), number, lanes)
    a = along - (number + np.float32(0.25) + np.float32(0.5) * lane(hashed, "place")) * np.float32(3.4)
    b = off - (lanes + np.float32(0.5)) * quarter
    inside = (np.abs(off) < 2 * quarter) & (np.abs(off) > np.float32(0.4))
    _car(canvas, a, b, hashed, on * (inside & (lane(hashed, "car") < np.float32(0.3))))
    whole.colour[:, has], whole.height[has] = canvas.colour, canvas.height


def build_houses(canvas: Canvas) -> None:
    """Driveways and pools, then roofs: pitched with a lit and a shaded side, or flat with a rim."""
    plan, house, scale = canvas.plan, canvas.plan.house, canvas.plan.scale
    built = (plan.building < FAR / 2).astype(np.float32)
    _gardens(canvas, built)
    share = coverage(plan.building, scale) * (1 - coverage(plan.water, scale))
    pitched = lane(house.plot_hash, "pitched") < _PITCHED.take(plan.use)
    kind = (lane(house.plot_hash, "roof") + ~pitched) * np.float32(0.5)
    roof = _pick(_ROOFS, kind)
    slope, rise, across = _slopes(plan)
    flat = 1 - pitched.astype(np.float32)
    shade = 1 + pitched * slope * np.float32(0.3) + lane(house.plot_hash, "tone") * np.float32(0.2) - np.float32(0.1)
    shade += np.float32(0.05) * canvas.grain + np.float32(0.03) * canvas.mottle
    rim = _line(plan.building + np.float32(0.3), 0.22, scale)
    shade += flat * np.float32(0.1) * rim
    ribs = wave(house.along / np.float32(max(1.2, 2.6 / scale))) * np.float32(0.035)
    shade += (plan.use == WORKS) * ribs
    if scale > 2.5:  # courses of tiles, parallel to the ridge; anything smaller would only flicker
        shade += pitched * np.float32(0.07) * wave(across * np.float32(1 / max(0.36, 2.2 / scale)))
        shade += pitched * np.float32(0.12) * _line(across, 0.07, scale)
    canvas.paint([level * shade for level in roof], share)
    tall = _HEIGHT.take(plan.use) + _HEIGHT_RANGE.take(plan.use) * lane(house.plot_hash, "tall")
    boxes = _roof_boxes(canvas, share * flat)
    tall = tall + pitched * rise + boxes
    np.maximum(canvas.height, share * tall, out=canvas.height)


def _slopes(plan: Plan) -> tuple[Array, Array, Array]:
    """How far a pitched roof faces the sun, -1..1; its rise above the eaves; the distance from its ridge."""
    house = plan.house
    cosine, sine = plan.scene.road_axis
    sun_p = np.float32(TO_SUN[0]) * cosine + np.float32(TO_SUN[1]) * sine
    sun_q = np.float32(TO_SUN[1]) * cosine - np.float32(TO_SUN[0]) * sine
    sun_along = sun_p + house.along_is_q * (sun_q - sun_p)
    sun_deep = (sun_q + house.along_is_q * (sun_p - sun_q)) * house.facing
    lengthways = ((house.half_width > house.half_depth) | (plan.use == TERRACE)).astype(np.float32)
    across = house.along + lengthways * (house.deep - house.along)
    along = house.deep + lengthways * (house.along - house.deep)
    half = house.half_width + lengthways * (house.half_depth - house.half_width)
    half_long = house.half_depth + lengthways * (house.half_width - house.half_depth)
    sun_across = sun_along + lengthways * (sun_deep - sun_along)
    sun_ends = sun_deep + lengthways * (sun_along - sun_deep)
    steep = np.float32(1.5 * plan.scale)
    slope = np.clip(across * steep, -1, 1) * sun_across
    past = np.abs(along) - (half_long - half)
    hip = (past > np.abs(across)) & (lane(house.plot_hash, "hip") < np.float32(0.45)) & (plan.use != TERRACE)
    slope = slope + hip * (np.clip(along * steep, -1, 1) * sun_ends - slope)
    rise = np.maximum(half - np.maximum(np.abs(across), hip * past), 0) * np.float32(0.55)
    return slope, rise, across


def _roof_boxes(canvas: Canvas, share: Array) -> Array:
    """Machines and stair heads on flat roofs; returns how high they rise."""
    plan, house = canvas.plan, canvas.plan.house
    cell = np.float32(2.3)
    i, j = np.floor(house.along / cell), np.floor(house.deep / cell)
    with np.errstate(over="ignore"):
        code = (i.astype(np.int32) * 64 + j.astype(np.int32)).astype(np.uint32)
        hashed = scatter(house.plot_hash + code * np.uint32(0x85EBCA6B))
    half = np.float32(0.3) + np.float32(0.45) * lane(hashed, "size")
    x = np.abs(house.along - (i + np.float32(0.5)) * cell) - half
    y = np.abs(house.deep - (j + np.float32(0.5)) * cell) - half * np.float32(0.8)
    inside = coverage(np.maximum(x, y), plan.scale) * share * (plan.building < np.float32(-0.8))
    inside *= lane(hashed, "box") < np.float32(0.34)
    tone = np.float32(120) + np.float32(100) * lane(hashed, "tone")
    canvas.paint((tone, tone, tone * np.float32(0.98)), inside)
    return inside * np.float32(0.8)


def _gardens(canvas: Canvas, built: Array) -> None:
    """Driveways, a few pools, and the cars on the yards of works."""
    plan, house, scale = canvas.plan, canvas.plan.house, canvas.plan.scale
    suburb = (plan.use == SUBURB) * built
    hand = np.where(lane(house.plot_hash, "drive") < np.float32(0.5), np.float32(-1), np.float32(1))
    drive = np.abs(house.along - hand * (house.half_width - np.float32(0.2))) - np.float32(0.6)
    drive = np.maximum(drive, house.deep + house.half_depth * np.float32(0.2))
    canvas.paint((152, 149, 143), coverage(drive, scale) * suburb * (plan.street > 0))
    pool_x, pool_y = house.along + hand * np.float32(0.6), house.deep - house.half_depth - np.float32(1.5)
    pool = np.sqrt(pool_x * pool_x * np.float32(0.45) + pool_y * pool_y) - np.float32(0.62)
    here = coverage(pool, scale) * suburb * (lane(house.plot_hash, "pool") < np.float32(0.16))
    canvas.paint((92, 170, 186), here * (house.edge > np.float32(0.5)))
    works = (plan.use == WORKS) & (plan.building > np.float32(0.9)) & (plan.street > np.float32(1.3))
    works &= (plan.water > np.float32(1.5)) & (plan.highway > np.float32(2)) & (lane(house.plot_hash, "lot") < 0.7)
    if works.any():
        row = np.floor(house.deep / np.float32(2.6))
        works &= np.floor(row / 3) * 3 != row  # two rows of bays, then room to drive
        bay = np.floor(house.along / np.float32(1.2))
        with np.errstate(over="ignore"):
            code = (row.astype(np.int32) * 128 + bay.astype(np.int32)).astype(np.uint32)
            hashed = scatter(house.plot_hash + code * np.uint32(0xC2B2AE35))
        a = house.deep - (row + np.float32(0.5)) * np.float32(2.6)
        b = house.along - (bay + np.float32(0.5)) * np.float32(1.2)
        canvas.paint((200, 200, 196), _line(np.abs(b) - np.float32(0.6), 0.06, scale) * works * np.float32(0.6))
        _car(canvas, a, b, hashed, (works & (lane(hashed, "car") < np.float32(0.42))).astype(np.float32))


def _tree_chance(canvas: Canvas) -> Array:
    """How likely a tree is to stand at each pixel."""
    plan = canvas.plan
    chance = _TREES.take(plan.use) * np.clip(plan.building * np.float32(0.8) - np.float32(0.3), 0, 1)
    chance = np.where(plan.wood < 0, np.float32(0.97), chance)
    hedge = (plan.use == FIELD) & (np.minimum(plan.house.edge, plan.street) < np.float32(0.8))
    chance = np.where(hedge, np.float32(0.4), chance)
    clear = (plan.street > np.float32(0.25)) & (plan.water > np.float32(0.8)) & (plan.highway > np.float32(2))
    clear &= (plan.path > np.float32(0.3)) & (plan.pitch > np.float32(1))
    return chance * clear


def _plant(canvas: Canvas, name: str, cell: float, radius: tuple[float, float], often: float) -> None:
    """Paint one layer of trees or bushes: darker on the side away from the sun, some more olive than others."""
    chance = _tree_chance(canvas) * np.float32(often)
    lobes = 1 + np.float32(0.16) * canvas.mottle + np.float32(0.12) * canvas.grain
    top, light, hue = grow(canvas.plan.scene, name, canvas.plan.scale, cell, radius, chance, lobes, TO_SUN)
    share = np.clip(top * np.float32(0.6 * canvas.plan.scale) + np.float32(0.5), 0, 1) * (top > -1)
    bright = np.clip(np.float32(0.52) + np.float32(0.42) * light + np.float32(0.14) * canvas.grain, 0, 1.2)
    olive = hue * hue
    levels = (34 + 66 * bright + 24 * olive, 51 + 72 * bright + 8 * olive, 30 + 34 * bright - 3 * olive)
    canvas.paint(levels, share)
    np.maximum(canvas.height, share * (top + np.float32(0.9)), out=canvas.height)


def cast_shadows(canvas: Canvas) -> None:
    """Darken what lies lower than the line of sunlight over something nearer the sun."""
    height, scale = canvas.height, canvas.plan.scale
    line = np.zeros_like(height)
    steps = math.ceil(float(height.max()) * _SHADOW_LENGTH * scale)
    for step in range(1, steps + 1):
        right, down = round(-TO_SUN[0] * step), round(-TO_SUN[1] * step)
        drop = np.float32(math.hypot(right, down) / (_SHADOW_LENGTH * scale))
        h, w = height.shape[1:]
        if right >= w or down >= h:
            break
        part = line[:, down:, right:]
        np.maximum(part, height[:, : h - down, : w - right] - drop, out=part)
    shadow = np.clip((line - height) * np.float32(1.6), 0, 1)
    for channel, kept in zip(canvas.colour, (0.42, 0.47, 0.56), strict=True):  # shadows are lit by a blue sky
        channel *= 1 - shadow * np.float32(1 - kept)


def expose(canvas: Canvas) -> Array:
    """Haze, exposure and the lens: a little different for each picture, and a little soft."""
    scene, colour = canvas.plan.scene, canvas.colour
    gain = np.float32(1.2) + np.float32(0.1) * (scene.u("exposure") - np.float32(0.5))
    haze = np.float32(4) + np.float32(6) * scene.u("haze")
    for channel, blue in zip(colour, (0.9, 1.0, 1.25), strict=True):
        channel *= gain
        channel += haze * np.float32(blue)
    colour += np.float32(1.2) * canvas.grain
    soft = colour.copy()
    soft[..., 1:-1] += np.float32(0.08) * (colour[..., :-2] + colour[..., 2:] - 2 * colour[..., 1:-1])
    out = soft.copy()
    out[..., 1:-1, :] += np.float32(0.08) * (soft[..., :-2, :] + soft[..., 2:, :] - 2 * soft[..., 1:-1, :])
    return np.moveaxis(np.clip(out + np.float32(0.5), 0, 255), 0, 1).astype(np.uint8)
