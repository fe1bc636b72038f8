"""The photograph of a made-up building front: painted in its materials, then light and camera."""

from __future__ import annotations

import functools
from typing import Any

import numpy as np

from p2plib.data import randomness
from p2plib.data.facade_look import WEATHER, make_look, noise
from p2plib.data.facade_paint import PAINTERS, Pixels, Scene
from p2plib.data.facade_plan import (
    BALCONY,
    BAND,
    CROWN,
    DECO,
    DOOR,
    HOOD,
    MAX_COLUMNS,
    NOTHING,
    PARTS,
    PILLAR,
    ROLLER,
    SHOP,
    SHUTTER,
    SILL,
    WINDOW,
    Chance,
    Plan,
)
from p2plib.data.facade_raster import Raster

Array = np.ndarray[Any, Any]
F = np.float32


def photograph(plan: Plan, raster: Raster, indices: Array, seed: int, palette: str, photo_seed: int | None) -> Array:
    """Photographs, uint8 (N, 3, H, W)."""
    own = randomness.hash_u32(seed, 1) if photo_seed is None else randomness.hash_u32(seed, 2, photo_seed)
    chance = Chance(int(own), indices)
    scene = Scene(plan, raster, chance, make_look(plan, chance, palette))
    count, size = len(indices), raster.size
    part = raster.part.ravel()
    canvas = np.zeros((3, part.size), F)
    for parts, painter in PAINTERS:
        at = np.flatnonzero(np.isin(np.arange(PARTS + 1), parts).take(part))
        if at.size:
            row = at // size
            picture = row // size
            pixels = Pixels(scene, picture, row, picture * size + at % size)
            canvas[:, at] = painter(pixels, part.take(at))
    light = _light(scene)
    return _develop(scene, canvas.reshape(3, count, size, size), light)


# How far each kind of part stands out of the wall, in shares of the picture's side.
_RELIEF = np.zeros(PARTS + 1, F)
_RELIEF[[BAND, CROWN, PILLAR, DECO, HOOD]] = [0.012, 0.026, 0.008, 0.004, 0.016]
_RELIEF[[SHUTTER, WINDOW, ROLLER, SILL, SHOP, DOOR, BALCONY]] = [
    0.006,
    -0.014,
    -0.01,
    0.012,
    -0.006,
    -0.018,
    0.028,
]
_RELIEF[NOTHING] = -1


def _light(scene: Scene) -> tuple[Array, Array]:
    """Shadow (0 lit, 1 shaded) and edges that catch the light, both (N, H, W)."""
    raster = scene.raster
    size = raster.size
    relief = _RELIEF.take(raster.part) * F(size)
    from_right = scene.chance("sun side") < 0.5
    relief += (_risalit(scene) * F(0.011 * size))[:, None, :]
    relief[from_right] = relief[from_right, :, ::-1]
    shade = np.zeros_like(relief)
    reach = max(2, round(0.032 * size))
    for step in sorted({max(1, round(reach * k / 7)) for k in range(1, 8)}):
        right = max(1, round(0.6 * step))
        rise = relief[:, :-step, :-right] - relief[:, step:, right:]
        shade[:, step:, right:] = np.maximum(shade[:, step:, right:], np.clip(rise - (step - 1), 0, 1))
    edge = np.zeros_like(relief)
    edge[:, 1:] = np.clip(relief[:, 1:] - relief[:, :-1], 0, 1)
    outside = raster.part == NOTHING
    shade[outside], edge[outside] = 0, 0
    shade[from_right], edge[from_right] = shade[from_right, :, ::-1], edge[from_right, :, ::-1]
    shade = np.maximum(shade, _opposite(scene) * (1 - outside))
    return shade, edge


def _risalit(scene: Scene) -> Array:
    """1 where columns of some fronts stand forward (the middle or both ends), (N, W)."""
    columns = scene.plan.columns[:, None]
    c = np.arange(MAX_COLUMNS)[None]
    from_end = np.minimum(c, columns - 1 - c)
    style = scene.chance("risalit")[:, None]
    forward = np.where(style < 0.2, from_end >= (columns - 1) // 2, (style < 0.35) & (from_end == 0)) & (columns > 2)
    return np.take_along_axis(forward, scene.raster.column, 1).astype(F)


def _opposite(scene: Scene) -> Array:
    """The shadow that the roofs across the street throw on some fronts, (N, H, W)."""
    size = scene.raster.size
    step = np.arange(5)[None]
    height = scene.chance("far roofs", step) * 0.16
    x = (np.arange(size, dtype=F) + F(0.5)) / size
    at = np.clip(x * (2.2 + 1.5 * scene.chance("far width")[:, None]), 0, 4.99)
    line = np.take_along_axis(height, at.astype(np.intp), 1)
    line = (
        line
        + (0.45 + 0.45 * scene.chance("far height"))[:, None]
        + (scene.chance("far slope")[:, None] - 0.5) * 0.3 * x
    )
    line = np.where((scene.chance("far side") < 0.3)[:, None], line, 2).astype(F)
    return np.clip((x[None, :, None] - line[:, None, :]) * 40 + F(0.5), 0, 1) * F(0.85)


def _weather(scene: Scene) -> Array:
    """Stains, streaks of rain and the darker street, (N, H, W)."""
    chance, size = scene.chance, scene.raster.size
    amount = WEATHER[scene.look["kind"]][:, None, None]
    blotches = 0.5 * noise(chance, "blotches", 5, 5, size) + 0.3 * noise(chance, "spots", 14, 14, size)
    streaks = 0.35 * noise(chance, "streaks", 5, 44, size)
    blotches += 0.12 * noise(chance, "patches", 48, 48, size)
    height = np.linspace(0, 1, size, dtype=F)[None, :, None]
    return 1 + amount * (blotches + streaks - 0.62) - 0.12 * np.clip(height - 0.7, 0, 1) / 0.3


def _develop(scene: Scene, canvas: Array, light: tuple[Array, Array]) -> Array:
    """What the camera makes of it: sun and shade, exposure, lens, contrast, grain; uint8 (N, 3, H, W)."""
    chance, size = scene.chance, scene.raster.size
    outside = scene.raster.part == NOTHING
    shade, edge = light
    sun = scene.look["sun"][:, None, None]
    exposure = (0.92 + 0.24 * chance("exposure"))[:, None, None].astype(F)
    warmth = (chance("warmth") - F(0.5))[:, None, None]
    lit = np.where(outside, 1, _weather(scene)) * exposure
    bright = 1 + 0.12 * sun + (0.08 + 0.1 * sun) * edge
    dark = F(0.2) + F(0.42) * sun
    grain = _grain(chance, size) * F(0.018)
    out = np.empty((len(lit), 3, size, size), np.uint8)
    for band, (tint, sunny, shady) in enumerate(((0.09, 1.03, 1.04), (0.01, 1.0, 1.0), (-0.1, 0.95, 0.93))):
        sunlight = np.where(outside, 1, (1 + (sunny - 1) * sun) * bright * (1 - dark * shady * shade))
        x = canvas[band] * sunlight * lit * (1 + tint * warmth)
        x = _lens(x) + grain
        x = np.clip(x - F(0.4) * np.maximum(x - F(0.72), 0), 0, 1)  # highlights roll off
        x = x + F(0.3) * x * (1 - x) * (2 * x - 1)  # a gentle S curve
        out[:, band] = x * 255 + F(0.5)
    return out


def _lens(x: Array) -> Array:
    """No lens draws an edge between two pixels: each takes a little from the next on either side."""
    x[:, 1:-1] = 0.84 * x[:, 1:-1] + 0.08 * (x[:, :-2] + x[:, 2:])
    x[:, :, 1:-1] = 0.84 * x[:, :, 1:-1] + 0.08 * (x[:, :, :-2] + x[:, :, 2:])
    return x


@functools.cache
def _sheet_of_grain(side: int) -> Array:
    """Noise around 0 with a triangular distribution, (side, side)."""
    y, x = np.arange(side)[:, None], np.arange(side)[None, :]
    return np.asarray(randomness.uniform(8, y, x) - randomness.uniform(9, y, x))


def _grain(chance: Chance, size: int) -> Array:
    """Fine noise around 0, (N, H, W): a window of one large sheet."""
    side = 640
    views = np.lib.stride_tricks.sliding_window_view(_sheet_of_grain(side), (size, size))
    return views[chance.whole("grain row", 0, side - size), chance.whole("grain column", 0, side - size)]
