"""Trees and bushes of an aerial photograph: round crowns on a jittered grid.

Every cell of the grid may hold one crown.  A crown never reaches further than the four cells around a pixel, so
each pixel looks at four candidates and keeps the tallest.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from p2plib.data.randomness import hash_u32, lane, purpose
from p2plib.data.town_scene import Scene

Array = np.ndarray[Any, Any]


def grow(
    scene: Scene,
    name: str,
    scale: float,
    cell: float,
    radius: tuple[float, float],
    chance: Array,
    lobes: Array,
    to_sun: tuple[float, float],
) -> tuple[Array, Array, Array]:
    """Set crowns where `chance` allows, and say what covers each pixel.

    Args:
        name: the layer; another name has other trees.
        cell: side of the grid on which crowns are set, in units; each is moved by up to a third of it.
        radius: least and largest radius of a crown, in units; at most 0.62 of the cell.
        chance: (n, h, w), 0..1: how likely a crown is to stand at each pixel.
        lobes: (n, h, w), about 1: makes the outlines uneven.
        to_sun: horizontal direction towards the sun.

    Returns:
        The height of the crown above its edge, in units (negative outside), the share of light on it (-1..1)
        and its hue (0..1): (n, h, w) each.
    """
    n, h, w = chance.shape
    at = (np.arange(w, dtype=np.float32) + np.float32(0.5 - w / 2)) / np.float32(scale)
    far = math.ceil(w / scale / 2 / cell) + 1
    number = np.arange(-far, far + 1)
    hashed = hash_u32(scene.seed, scene.index, purpose(name), number[None, :, None], number[None, None, :])
    middle = (number + np.float32(0.5)).astype(np.float32) * np.float32(cell)
    cx = middle[None, None, :] + np.float32(0.7 * cell) * (lane(hashed, "x") - np.float32(0.5))
    cy = middle[None, :, None] + np.float32(0.7 * cell) * (lane(hashed, "y") - np.float32(0.5))
    column = np.clip((cx * scale + w / 2).astype(np.int32), 0, w - 1)
    line = np.clip((cy * scale + h / 2).astype(np.int32), 0, h - 1)
    here = lane(hashed, "here") < chance[np.arange(n)[:, None, None], line, column]
    size = np.float32(radius[0]) + np.float32(radius[1] - radius[0]) * lane(hashed, "radius")
    shrink = np.where(here, 1 / size, np.float32(99))
    hue = lane(hashed, "hue")
    return _tallest(at, cell, far, (cx, cy, shrink, hue), lobes, to_sun)


def _tallest(
    at: Array, cell: float, far: int, tables: tuple[Array, ...], lobes: Array, to_sun: tuple[float, float]
) -> tuple[Array, Array, Array]:
    """Of the four grid cells around each pixel take the tallest crown: (height, light, hue)."""
    first = np.floor(at / np.float32(cell) - np.float32(0.5)).astype(np.int32) + far
    best = np.full(lobes.shape, -1, np.float32)
    light, hue = np.zeros_like(best), np.zeros_like(best)
    for down in (0, 1):
        for right in (0, 1):
            rows, columns = (first + down)[:, None], (first + right)[None, :]
            cx, cy, shrink, tint = (t[:, rows, columns] for t in tables)
            dx, dy = (at[None, None, :] - cx) * shrink, (at[None, :, None] - cy) * shrink
            top = (1 - (dx * dx + dy * dy) * lobes) / shrink
            higher = top > best
            np.copyto(best, top, where=higher)
            np.copyto(light, np.float32(to_sun[0]) * dx + np.float32(to_sun[1]) * dy, where=higher)
            np.copyto(hue, tint, where=higher)
    return best, light, hue
