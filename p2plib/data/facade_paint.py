"""The painters of a made-up front's photograph, one for each material.

Each is given the pixels of its own parts as flat lists and returns their colours, so that every pixel
is painted once.  Where the labels say "window", there is glass, frame or curtain.

Colours are float32 RGB in [0, 1] as a screen shows them, lists of them (3, K).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from p2plib.data import randomness
from p2plib.data.facade_look import (
    BLOCK,
    CONTRAST,
    COURSE,
    JOINT,
    KINDS,
    SCATTER,
    SLATE,
    WALLS,
    blend,
    noise,
)
from p2plib.data.facade_plan import (
    ATTIC,
    BALCONY,
    BAND,
    CROWN,
    DECO,
    DOOR,
    HOOD,
    MAX_COLUMNS,
    MAX_ZONES,
    NOTHING,
    PILLAR,
    ROLLER,
    SHOP,
    SHUTTER,
    SILL,
    WALL,
    WINDOW,
    Chance,
    Plan,
)
from p2plib.data.facade_raster import Raster

Array = np.ndarray[Any, Any]
F = np.float32


@dataclass(frozen=True)
class Scene:
    """What the painters ask for."""

    plan: Plan
    raster: Raster
    chance: Chance  # of the photograph
    look: dict[str, Array]  # colours (N, 3) and numbers (N,)


@dataclass(frozen=True)
class Pixels:
    """Some pixels of N pictures, as flat lists of K."""

    scene: Scene
    picture: Array  # (K,) intp
    row: Array  # (K,) intp: picture * H + row
    column: Array  # (K,) intp: picture * W + column

    def of(self, name: str) -> Array:
        """The look's numbers (K,) or colours (3, K)."""
        return self.pick(self.scene.look[name])

    def pick(self, values: Array) -> Array:
        """Per picture: (N,) -> (K,), (N, 3) -> (3, K)."""
        if values.ndim == 1:
            return values.take(self.picture)
        return np.stack([values[:, band].take(self.picture) for band in range(values.shape[1])])

    def rows(self, values: Array) -> Array:
        """Per row of a picture: (N, H) -> (K,)."""
        return values.ravel().take(self.row)

    def columns(self, values: Array) -> Array:
        """Per column of pixels of a picture: (N, W) -> (K,)."""
        return values.ravel().take(self.column)

    def cells(self, values: Array) -> Array:
        """Per cell: (N, Z, C) -> (K,)."""
        zone, column = self.rows(self.scene.raster.zone), self.columns(self.scene.raster.column)
        return values.ravel().take((self.picture * MAX_ZONES + zone) * MAX_COLUMNS + column)

    def down(self, part: int) -> tuple[Array, Array]:
        """Row of each picture row inside this part's span, in pixels, and the span's height: (N, H)."""
        return _inside(self.scene.raster.row_spans[:, :, part], self.scene.raster.zone)

    def along(self, part: int) -> tuple[Array, Array]:
        """The same for columns: (N, W)."""
        return _inside(self.scene.raster.column_spans[:, :, part], self.scene.raster.column)


def _inside(spans: Array, group: Array) -> tuple[Array, Array]:
    own = spans[np.arange(len(group))[:, None], group]
    at = np.arange(group.shape[1], dtype=F) - own[..., 0]
    return at.astype(F), np.maximum(own[..., 1] - own[..., 0], 1).astype(F)


def _pulses(begin: Array, end: Array, width: Any) -> Array:
    """Share of [begin, end] covered by the pulses [k, k + width) of all integers k: the box-filtered comb."""

    def covered(x: Array) -> Array:
        whole = np.floor(x)
        return whole * width + np.minimum(x - whole, width)

    return np.asarray((covered(end) - covered(begin)) / (end - begin))


def _cover(at: Array, begin: Any, end: Any) -> Array:
    """Share of each pixel [at, at + 1] covered by [begin, end]."""
    return np.clip(np.minimum(at + 1, end) - np.maximum(at, begin), 0, 1)


_BLOCKS = randomness.uniform(7, np.arange(64)[:, None], np.arange(64)[None, :]).ravel()


def _position(px: Pixels) -> tuple[Array, Array]:
    """Row and column of each pixel, float32 (K,), in pixels."""
    size = px.scene.raster.size
    return (px.row % size).astype(F), (px.column % size).astype(F)


def _wall(px: Pixels, part: Array) -> Array:
    """Brick, plaster or ashlar: courses, joints, blocks that differ; then what is fixed on the wall."""
    size = px.scene.raster.size
    on_ground = px.rows((px.scene.raster.zone == 0).astype(np.intp))
    kind = np.where(on_ground, px.of("ground kind"), px.of("kind"))
    colour = np.where(on_ground, px.of("ground"), px.of("wall"))
    attic = part == ATTIC
    if attic.any():
        colour, kind = np.where(attic, px.of("roof"), colour), np.where(attic, SLATE, kind)
    course, block = COURSE.take(kind) * size, BLOCK.take(kind) * size
    row, column = _position(px)
    v, tall, wide = row / course, 1 / course, 1 / block
    line = np.floor(v + F(0.5) * tall)
    u = column / block + F(0.5) * (line % 2)
    joint = JOINT.take(kind)
    mortar = _pulses(v, v + tall, joint)
    mortar += _pulses(u, u + wide, joint * course / block) * (1 - mortar)
    number = np.floor(u + F(0.5) * wide).astype(np.intp)
    start = px.pick(px.scene.chance.whole("blocks", 0, 4095))
    jitter = _BLOCKS.take(((line.astype(np.intp) * 67 + number * 29) ^ start) & 4095) - F(0.5)
    jitter *= np.minimum(course * F(0.5), 1)  # blocks finer than a pixel average out
    colour = colour * ((1 + SCATTER.take(kind) * jitter) * (1 + CONTRAST.take(kind) * mortar))
    return _fixtures(px, attic, colour)


def _fixtures(px: Pixels, attic: Array, colour: Array) -> Array:
    """Surrounds of windows, corner stones, plinth, eaves and rain pipe: the labels know none of them."""
    raster, chance, look = px.scene.raster, px.scene.chance, px.scene.look
    size, count = raster.size, len(raster.left)
    row, column = np.arange(size, dtype=F)[None, :], np.arange(size, dtype=F)[None, :]
    has_window = px.cells(((px.scene.plan.flags >> WINDOW) & 1).astype(F))
    style = look["surround"]
    thick = np.where(style > 0, 0.009 + 0.013 * chance("surround width"), 0).astype(F)[:, None] * size
    (down, height), (along, width) = px.down(WINDOW), px.along(WINDOW)
    beside = np.clip(thick - np.maximum(-along - 1, along - width), 0, 1)
    above = np.clip(thick * 1.3 - (-down - 1), 0, 1) * (down < height)
    above = np.where((style == 2)[:, None], above * (down < 0), above)  # a lintel alone
    ring = px.columns(beside) * px.rows(above) * has_window
    colour = blend(colour, np.where(attic, px.of("frame") * 0.95, px.of("trim")), ring * 0.9)

    long = _pulses(row * (26 / size), (row + 1) * (26 / size), np.full((count, 1), 0.5, F))
    reach = (look["quoins"][:, None] * (0.026 + 0.016 * long) * size).astype(F)
    from_edge = np.minimum(column - raster.left[:, None], raster.right[:, None] - 1 - column).astype(F)
    corner = np.clip(px.rows(reach) - px.columns(from_edge), 0, 1) * ~attic
    colour = blend(colour, px.of("trim") * 0.98, corner * 0.85)

    bottom, top = raster.y_edges[:, :1].astype(F), px.scene.plan.zones[:, None]
    top = np.take_along_axis(raster.y_edges, top, 1).astype(F)
    plinth = np.clip(row - bottom + look["plinth"][:, None] * size + 1, 0, 1)
    colour = blend(colour, px.of("trim") * F(0.68), px.rows(plinth) * 0.8)
    eaves = look["eaves"][:, None]
    depth = (row - top) / size
    shaded = 1 - eaves * 0.45 * np.clip(1.4 - depth / 0.028, 0, 1) * (depth >= 0)
    colour = colour * px.rows(shaded.astype(F))
    pipe = look["pipe"][:, None] * size + raster.left[:, None]
    cover = _cover(column, pipe, pipe + 0.007 * size) * (look["pipe"] > 0)[:, None]
    return blend(colour, np.array([[0.42], [0.43], [0.42]], F), px.columns(cover.astype(F)) * 0.75)


def _trim(px: Pixels, part: Array) -> Array:
    """Bands, hoods, sills, pillars and panels: lit from above, with a profile."""
    size = px.scene.raster.size
    colour = px.of("trim")
    tone = np.ones(part.shape, F)
    teeth = _pulses(np.arange(size, dtype=F) * (70 / size), np.arange(1, size + 1, dtype=F) * (70 / size), F(0.5))
    for kind in (BAND, CROWN, SILL):
        at = part == kind
        if at.any():
            down, height = px.down(kind)
            v = (down + F(0.5)) / height
            shade = 1.12 - 0.26 * v - 0.16 * _cover(v * 8, 3, 4.2) - 0.12 * _cover(v * 8, 5.5, 6.5)
            row_tone = px.rows(shade)
            if kind == CROWN:
                dentils = px.of("dentils") * px.rows(((v > 0.45) & (v < 0.75)).astype(F))
                row_tone = row_tone - 0.3 * dentils * teeth.take(px.column % size)
            tone = np.where(at, row_tone, tone)
    at = part == DECO
    if at.any():
        tone = np.where(at, _relief_panel(px), tone)
    at = part == PILLAR
    if at.any():
        tone = np.where(at, _pilaster(px), tone)
    colour = colour * tone
    at = part == HOOD
    return np.where(at, _hood(px), colour) if at.any() else colour


def _pilaster(px: Pixels) -> Array:
    """A flat column, rounded by the light, with a base and a head at its ends; as a tone."""
    raster, size = px.scene.raster, px.scene.raster.size
    n = np.arange(len(raster.left))[:, None]
    spans = raster.column_spans[n, raster.column, PILLAR].astype(F)
    at = np.arange(size, dtype=F)[None]
    groove = _pulses((at - spans[..., 0]) * (110 / size), (at + 1 - spans[..., 0]) * (110 / size), F(0.35))
    down, height = px.down(PILLAR)
    ends = np.clip(0.03 * size - down, 0, 1) + np.clip(down + 1 - height + 0.03 * size, 0, 1)
    end = px.rows(np.minimum(ends, 1).astype(F))
    return (1.06 - 0.2 * px.columns(groove)) * (1 - end) + end * F(1.1)


def _hood(px: Pixels) -> Array:
    """A flat ledge, a gable or a bow above a window, with the wall in what is left of its rectangle."""
    style = px.rows(
        px.scene.chance.whole("hood style", 0, 2, np.arange(MAX_ZONES)[None])[
            np.arange(len(px.scene.raster.zone))[:, None], px.scene.raster.zone
        ]
    )
    (down, height), (along, width) = px.down(HOOD), px.along(HOOD)
    y, h = px.rows(down), px.rows(height)
    u = np.abs(px.columns((2 * along + 1 - width) / width))
    rise = np.select([style == 1, style == 2], [u, u * u], F(0)) * h * (h > 2)
    inside = np.clip(y + 1 - rise * F(0.75), 0, 1)
    ledge = np.maximum(np.clip(rise * F(0.75) + 0.3 * h - y, 0, 1), np.clip(y - 0.7 * h + 1, 0, 1))
    tone = 0.86 + 0.22 * ledge - 0.08 * y / h
    return blend(px.of("wall") * F(0.95), px.of("trim") * tone, inside)


def _relief_panel(px: Pixels) -> Array:
    """A framed panel with an oval ornament, as a tone."""
    (down, height), (along, width) = px.down(DECO), px.along(DECO)
    y, h = px.rows(down), px.rows(height)
    x, w = px.columns(along), px.columns(width)
    edge = np.minimum(np.minimum(x, w - 1 - x), np.minimum(y, h - 1 - y))
    dx, dy = (2 * x + 1 - w) / w, (2 * y + 1 - h) / h
    oval = np.clip(1.2 - 2.0 * (dx * dx + dy * dy), 0, 1)
    swirl = randomness.value_noise(np.abs(dx) * 4, dy * 4 + 9, px.of("dice"), 5)  # the same on both sides
    return np.where(edge < 1, 1.06, 0.82 + oval * (0.12 + 0.5 * (swirl - 0.35)) - 0.08 * dy).astype(F)


def _window(px: Pixels, part: Array) -> Array:
    """Glass, with the street's other side and the sky in it; rooms, curtains, lamps; the frame in front."""
    chance = px.scene.chance
    (down, height), (along, width) = px.down(WINDOW), px.along(WINDOW)
    z, c = np.arange(MAX_ZONES)[None, :, None], np.arange(MAX_COLUMNS)[None, None, :]
    v = px.rows((down + F(0.5)) / height)
    u = px.columns((along + F(0.5)) / width)
    pane = (u > F(0.5)).astype(F)  # the two casements never hang quite alike
    glint = px.cells(chance("sky in glass", z, c)) * px.of("gloss")
    skyline = px.cells(chance("skyline", z, c)) * F(1.5) - F(0.25)
    slant = px.cells(chance("slant", z, c)) - F(0.5)
    skyward = np.clip((skyline + slant * (u - F(0.5)) + 0.12 * slant * pane - v) * 5 + F(0.5), 0, 1)
    room = 0.10 + 0.07 * v + 0.05 * px.cells(chance("room", z, c))
    colour = np.stack([room, room * 1.04, room * 1.10])
    far = px.cells(chance("far wall", z, c)) * 0.2
    colour = colour + far * np.array([[0.9], [0.8], [0.66]], F) * px.of("gloss")
    colour = blend(colour, px.of("sky low") * (0.95 - 0.3 * v), glint * skyward * F(0.85))
    colour = _lamps(px, colour, v)
    style = px.cells(chance("curtain", z, c))
    drawn = px.cells(chance("drawn", z, c))
    half = F(0.5) - F(0.42) * drawn  # half the gap between two curtains
    cloth = np.where(style < 0.45, (np.abs(u - F(0.5)) - half) * px.columns(width), -1)
    cloth = np.where(
        (style > 0.7), (v - 0.45 - 0.4 * drawn) * px.rows(height) * (style > 0.85) + (style <= 0.85), cloth
    )
    folds = 0.78 + 0.2 * _BLOCKS.take((u * 14).astype(np.intp) & 63)
    net = px.of("curtain") * folds * (0.7 + 0.3 * v)
    colour = blend(colour, net, np.clip(cloth, 0, 1) * (F(0.8) - F(0.4) * glint * skyward))
    shape = _frame(px, down, height, along, width)
    return _arch(px, blend(colour, px.of("frame") * F(0.95), shape), down, along, width)


def _lamps(px: Pixels, colour: Array, v: Array) -> Array:
    """Some rooms with the light on: warm, brighter towards the ceiling."""
    z, c = np.arange(MAX_ZONES)[None, :, None], np.arange(MAX_COLUMNS)[None, None, :]
    share = 0.05 + 0.3 * (px.scene.chance("dusk") < 0.15)[:, None, None]
    lit = px.scene.chance("lit", z, c)
    strength = px.cells(np.where(lit < share, 0.45 + 0.5 * px.scene.chance("lamp", z, c), 0).astype(F))
    lamp = np.stack([1.05 - 0.35 * v, 0.80 - 0.36 * v, 0.46 - 0.28 * v])
    return blend(colour, lamp, strength)


def _frame(px: Pixels, down: Array, height: Array, along: Array, width: Array) -> Array:
    """How much of each pixel is window frame: the border, uprights, a transom."""
    size, chance = px.scene.raster.size, px.scene.chance
    thick = (0.004 + 0.0035 * chance("frame width"))[:, None].astype(F) * size
    casements = (chance("casements") < 0.85)[:, None]
    uprights = _cover(along, 0, thick) + _cover(along, width - thick, width)
    uprights += _cover(along, width / 2 - thick * 0.6, width / 2 + thick * 0.6) * casements
    transom = height * (0.26 + 0.12 * chance("transom height"))[:, None].astype(F)
    bars = _cover(down, 0, thick) + _cover(down, height - thick, height)
    bars += _cover(down, transom - thick * 0.5, transom + thick * 0.5)
    thin = (chance("glazing bars") < 0.35)[:, None] * thick * 0.5
    for share in (0.6, 0.8):
        bars += _cover(down, height * share - thin / 2, height * share + thin / 2)
    return 1 - (1 - px.columns(np.minimum(uprights, 1))) * (1 - px.rows(np.minimum(bars, 1)))


def _arch(px: Pixels, colour: Array, down: Array, along: Array, width: Array) -> Array:
    """Stone in the upper corners of arched windows."""
    arched = px.scene.look["arch"][np.arange(len(px.scene.raster.zone))[:, None], px.scene.raster.zone]
    y, w = px.rows(down), px.columns(width)
    u = np.abs(px.columns((2 * along + 1 - width) / width))
    rise = px.rows(arched) * w * F(0.5)
    edge = rise * (1 - np.sqrt(np.maximum(1 - u * u, 0)))
    return blend(colour, px.of("trim") * F(0.9), np.clip(edge - y, 0, 1))


def _blind(px: Pixels, part: Array) -> Array:
    """Shutters and rollers: slats, and the stiles of the shutters."""
    size = px.scene.raster.size
    row, _ = _position(px)
    row = row * F(100 / size)
    slats = 0.84 + 0.3 * _pulses(row, row + F(100 / size), F(0.5))
    (down, height) = px.down(SHUTTER)
    middle = px.rows(_cover(down, height * 0.48, height * 0.54) + _cover(down, 0, 0.008 * size))
    slats = np.where(part == SHUTTER, blend(slats, F(1.05), middle * 0.8), slats)
    return np.where(part == SHUTTER, px.of("shutter"), px.of("roller")) * slats


def _balcony(px: Pixels, part: Array) -> Array:
    """A railing of iron over what lies behind it, or a parapet of stone; flowers on some."""
    size = px.scene.raster.size
    (down, height), (along, width) = px.down(BALCONY), px.along(WINDOW)
    y, h = px.rows(down), px.rows(height)
    stone = px.of("parapet") > 0.5
    glass = px.columns(((along >= 0) & (along < width)).astype(F))
    behind = blend(px.of("wall") * F(0.8), np.array([[0.16], [0.17], [0.19]], F), glass)
    _, column = _position(px)
    fine = F(90 / size)
    bars = _pulses(column * fine, (column + 1) * fine, F(0.28))
    rail = np.clip(bars + _cover(y, 0, 0.011 * size) + _cover(y, 0.55 * h, 0.55 * h + 0.006 * size), 0, 1)
    iron = blend(behind, np.array([[0.12], [0.12], [0.13]], F), rail * F(0.88))
    z, c = np.arange(MAX_ZONES)[None, :, None], np.arange(MAX_COLUMNS)[None, None, :]
    planted = px.cells((px.scene.chance("flowers", z, c) < 0.25).astype(F)) * px.of("gardener")
    leaf = _BLOCKS.take(((column * fine * 3).astype(np.intp) * 7 + (y * fine * 3).astype(np.intp) * 31) & 4095)
    green = np.stack([0.2 + 0.5 * (leaf > 0.8), 0.2 + 0.2 * leaf, 0.13 + 0.1 * (leaf > 0.8)])
    iron = blend(iron, green, planted * np.clip(0.35 * h - y + leaf, 0, 1) * F(0.85))
    slab = _cover(y, h - np.maximum(0.014 * size, 1), h)
    iron = blend(iron, px.of("trim") * F(0.96), slab)
    wide = F(44 / size)
    gaps = _pulses(column * wide, (column + 1) * wide, F(0.4)) * _cover(y / h * 10, 3, 8)
    parapet = px.of("trim") * (1.04 - 0.42 * gaps - 0.1 * y / h)
    return np.where(stone, parapet, iron)


def _shop(px: Pixels, part: Array) -> Array:
    """A sign, an awning for some, a window with goods and light inside."""
    chance, raster, size = px.scene.chance, px.scene.raster, px.scene.raster.size
    (down, height), (along, width) = px.down(SHOP), px.along(SHOP)
    v, u = px.rows((down + F(0.5)) / height), px.columns((along + F(0.5)) / width)
    c = np.arange(MAX_COLUMNS)[None, :]
    cell = px.picture * MAX_COLUMNS + px.columns(raster.column)
    own = px.of("dice") + 31 * px.columns(raster.column)
    inside = chance("inside", c).ravel().take(cell)
    shelf = (v * 9).astype(np.intp)
    item = (u * (6 + 5 * inside)).astype(np.intp)
    goods = _BLOCKS.take((shelf * 131 + item * 17 + own * 7) & 4095)
    glow = (0.22 + 0.5 * inside) * (1.25 - 0.75 * v)
    colour = np.stack([glow, glow * 0.86, glow * 0.64]) * 0.8
    hue = _BLOCKS.take((shelf * 37 + item * 101 + own * 3) & 4095) - F(0.5)
    things = np.stack([goods + 0.3 * hue, goods * 0.92, goods * 0.84 - 0.3 * hue]) * (0.45 + glow)
    colour = blend(colour, things, (v > 0.55) * (goods > 0.3) * F(0.75))
    reflect = np.clip(1.3 - np.abs(u * 2 - 0.4 - v - inside) * 3, 0, 1)
    colour = blend(colour, px.of("sky low") * F(0.8), reflect * F(0.28))
    thick = 0.008 * size
    bars = 1 - px.columns(_cover(along, thick, width - thick))
    bars += px.columns(_cover(along, width / 2 - thick / 2, width / 2 + thick / 2)) * px.of("split window")
    sign = px.of("sign")
    colour = blend(colour, sign * F(0.7), np.minimum(np.maximum(bars, v > 0.9), 1))
    letters = (np.abs(v - F(0.1)) < 0.045) & (np.abs(u - F(0.5)) < 0.3)
    ink = letters * _BLOCKS.take(((u * 34).astype(np.intp) + own * 5) & 4095) * F(0.9)
    board = blend(sign * (1.05 - v), np.where(sign.mean(0) > 0.5, F(0.12), F(0.88)), ink)
    colour = np.where(v < 0.2, board, colour)
    awning = (chance("awning", c) < chance("awnings")[:, None]).ravel().take(cell) & (v >= 0.16) & (v < 0.42)
    stripes = _pulses(u * 6, u * 6 + 6 / px.columns(width), F(0.5)) * px.of("striped")
    cloth = blend(px.of("awning"), F(0.9), stripes) * (1.12 - 0.8 * (v - F(0.16)))
    return np.where(awning, np.where(v > 0.39, cloth * F(0.75), cloth), colour)


def _door(px: Pixels, part: Array) -> Array:
    """Two leaves with panels under a transom light, in a stone frame."""
    size = px.scene.raster.size
    (down, height), (along, width) = px.down(DOOR), px.along(DOOR)
    v = px.rows((down + F(0.5)) / height)
    thick = 0.008 * size
    line = px.columns(_cover(along, width / 2 - 0.003 * size, width / 2 + 0.003 * size))
    border = 1 - px.columns(_cover(along, thick, width - thick)) * px.rows(_cover(down, thick, height))
    leaf = px.columns(((along + F(0.5)) / width * 2) % 1)
    panel = (np.abs(leaf - F(0.5)) < 0.3) & (np.abs((v * 2.6) % 1 - 0.5) < 0.36)
    colour = px.of("door") * (1.2 - 0.3 * v - 0.5 * line - 0.22 * panel)
    light = v < 0.24
    colour = np.where(light, px.of("sky low") * (0.55 - v) * (1 - 0.5 * line), colour)
    colour = np.where(np.abs(v - F(0.26)) < 0.02, px.of("door") * F(1.2), colour)
    return blend(colour, px.of("trim") * F(0.85), border)


def _around(px: Pixels, part: Array) -> Array:
    """Sky, roof and chimneys behind the front, the neighbours, the pavement."""
    chance, raster = px.scene.chance, px.scene.raster
    size = raster.size
    y, x = _position(px)
    y, x = (y + F(0.5)) / size, (x + F(0.5)) / size
    colour = _sky(px, y)
    left, right = px.pick(raster.left / F(size)), px.pick(raster.right / F(size))
    front = (x >= left) & (x < right)
    line = np.take_along_axis(raster.y_edges, px.scene.plan.zones[:, None], 1)[:, 0] / F(size)
    ridge = line - px.scene.look["ridge"]
    up = y - px.pick(ridge)
    stack = chance("chimney", np.arange(2)[None])
    for k in range(2):
        at = px.pick(stack[:, k] * 0.5 + 0.45 * k)
        high = px.pick(np.where(chance("chimneys") < 0.5, 0.03 + 0.05 * chance(f"stack {k}"), 0))
        brick = front & (np.abs(x - at) < 0.022) & (up > -high)
        colour = np.where(
            brick, WALLS[1][:, None] * (0.75 + 0.25 * (x > at)) * np.where(up + high < 0.012, 0.7, 1), colour
        )
    slates = px.of("roof") * (0.9 + 0.12 * _pulses(y * 60, y * 60 + F(60 / size), F(0.5)) + 1.2 * np.clip(up, 0, 0.1))
    colour = np.where(front & (up > 0) & (px.pick(px.scene.look["ridge"]) > 0), slates, colour)
    colour = _neighbours(px, colour, y, x, left, right)
    bottom = px.pick(raster.y_edges[:, 0] / F(size))
    street = np.array([[0.50], [0.485], [0.465]], F) * (0.82 + 0.25 * np.clip((y - bottom) / 0.04, 0, 1))
    return np.where(y > bottom, street, colour)


def _sky(px: Pixels, y: Array) -> Array:
    """From the zenith's blue (or an overcast white) to a pale horizon, with cloud."""
    chance, size = px.scene.chance, px.scene.raster.size
    cloud = 0.6 * noise(chance, "cloud", 7, 4, size) + 0.4 * noise(chance, "small cloud", 17, 9, size)
    cloud = np.clip((cloud - 0.5) * 2.5 + 0.25, 0, 1).reshape(-1).take(px.row * size + px.column % size)
    return blend(px.of("sky high"), px.of("sky low"), np.clip(y * 1.6 + 0.75 * cloud, 0, 1))


def _neighbours(px: Pixels, colour: Array, y: Array, x: Array, left: Array, right: Array) -> Array:
    """The houses on either side, plain, with a few windows, a little out of the light."""
    chance, side = px.scene.chance, np.arange(2)[None]
    at = px.picture * 2 + (x >= left)
    top = (0.06 + 0.4 * chance("neighbour top", side)).ravel().take(at)
    kind = chance.whole("neighbour", 0, KINDS - 1, side)
    paint = (
        (WALLS[kind] * 0.6 + WALLS[kind].mean(-1, keepdims=True) * 0.4)
        * (0.6 + 0.25 * chance("neighbour light", side))[..., None]
    ).reshape(-1, 3)
    paint = np.stack([paint[:, band].take(at) for band in range(3)])
    storey = (5.5 + 3 * chance("neighbour storeys", side)).ravel().take(at)
    v, u = (y - top) * storey, np.where(x >= left, x - right, left - x) * storey * F(1.3)
    pane = (np.abs(v % 1 - 0.55) < 0.27) & (np.abs(u % 1 - 0.5) < 0.22)
    cross = (np.abs(u % 1 - 0.5) < 0.03) | (np.abs(v % 1 - 0.45) < 0.03)
    sill = (np.abs(v % 1 - 0.86) < 0.035) & (np.abs(u % 1 - 0.5) < 0.28)
    glass = np.where(cross, F(0.36), np.array([[0.20], [0.21], [0.23]], F) * (0.8 + 0.9 * (1 - v % 1)))
    paint = np.where(pane, glass, np.where(sill, paint * F(1.15), paint))
    paint = np.where(v < 0.1, paint * F(1.12), np.where(v < 0.16, paint * F(0.75), paint))
    body = ((x < left) | (x >= right)) & (y > top)
    return np.where(body, paint, colour)


PAINTERS: list[tuple[tuple[int, ...], Any]] = [
    ((WALL, ATTIC), _wall),
    ((BAND, CROWN, HOOD, SILL, PILLAR, DECO), _trim),
    ((WINDOW,), _window),
    ((ROLLER, SHUTTER), _blind),
    ((BALCONY,), _balcony),
    ((SHOP,), _shop),
    ((DOOR,), _door),
    ((NOTHING,), _around),
]
